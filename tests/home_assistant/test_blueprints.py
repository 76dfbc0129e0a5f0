"""The blueprints in a real Home Assistant: each imports, does its work in a night, and else keeps still."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta, timezone
from itertools import count
from typing import TYPE_CHECKING, Any

import yaml

from tests.home_assistant.scene import scene
from tests.support.project import ROOT
from ts2mqtt.observatory import evidence
from ts2mqtt.simulator.observatory import SimulatedObservatory
from ts2mqtt.simulator.planner import PreviewBlock, PreviewExposures

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import pytest

    from tests.home_assistant.conftest import House
    from tests.home_assistant.hass import HomeAssistant
    from tests.home_assistant.scene import Scene
    from ts2mqtt.config import Config
    from ts2mqtt.simulator.rows import SimulatedTarget

FOLDER = ROOT / "homeassistant" / "blueprints" / "automation" / "ts2mqtt"
NAMES = sorted(path.stem for path in FOLDER.glob("*.yaml"))
AT_ONCE = {"seconds": 0}
SOON = {"seconds": 1}
_PATIENCE_S, _LOOK_AGAIN_S = 45.0, 0.1
_serial = count(1)


class Night:
    """A rig in the middle of its night, with a target that is planned from two hours ago to three hours from now."""

    def __init__(self, backyard: Scene, target: SimulatedTarget) -> None:
        self.scene = backyard
        self.hass: HomeAssistant = backyard.hass
        self.observatory = backyard.api.observatory
        self.target = target

    @property
    def rig(self) -> str:
        """The id of its device in Home Assistant."""
        return str(self.hass.devices[f"{self.scene.base}_{self.scene.rig_id}"]["id"])

    def expose(self, *, accepted: bool = True, hfr: float = 2.0) -> None:
        self.observatory.acquire(self.target, 0, accepted=accepted, hfr=hfr, fwhm=2.5, eccentricity=0.4)

    async def plan(self) -> None:
        """The user asks for the night plan."""
        await self.hass.call_service("button.press", self.hass.entity_id(self.id_of("refresh_plan")))
        end = self.id_of("night_plan_end")
        await self.hass.wait_until(lambda: self.hass.state_of(end) not in (None, "unknown"), "the night plan")

    async def dusk(self, *, until: float = -7) -> None:
        """Whatever time it is: the sun is the test's."""
        for entry in await self.hass.command("config_entries/get", domain="sun"):
            if not entry["disabled_by"]:
                # It would put the real one back into its place every few minutes.
                await self.hass.command("config_entries/disable", entry_id=entry["entry_id"], disabled_by="user")
        await self.sun(0)
        await self.sun(until)

    async def sun(self, elevation: float) -> None:
        await self.hass.post(
            "/api/states/sun.sun", {"state": "above_horizon", "attributes": {"elevation": elevation}}
        )

        def moved() -> bool:
            return (
                "sun.sun" in self.hass.states and self.hass.states["sun.sun"]["attributes"]["elevation"] == elevation
            )

        await self.hass.wait_until(moved, "the sun to move")

    async def activity(self, word: str) -> None:
        await self.hass.wait_until(lambda: self.hass.state_of(self.id_of("activity")) == word, f"activity {word}")

    def id_of(self, key: str) -> str:
        return self.scene.unique_id(None, None, key)


@asynccontextmanager
async def night(
    house: House, *, desired: int = 10, exposure_s: float = 300, language: str = "en", is_morning: bool = False
) -> AsyncIterator[Night]:
    """A morning's plan has just ended."""
    now = datetime.now(UTC)
    # Wherever on Earth it is about 23 o'clock now, or a morning of this day.
    hours = min(0, 11 - now.hour) if is_morning else (23 - now.hour + 12) % 24 - 12
    observatory = SimulatedObservatory(now=now, timezone=timezone(timedelta(hours=hours)))
    profile = observatory.add_profile("Refractor")
    target = observatory.add_target(observatory.add_project(profile, "Autumn"), "M 31", ra_hours=0.712, dec_deg=41.27)
    observatory.add_exposure_plan(target, "Ha", filter_name="Ha", exposure_s=exposure_s, desired=desired)
    block = PreviewBlock(
        target_id=target.id,
        name=target.name,
        start=now - timedelta(hours=2),
        end=now if is_morning else now + timedelta(hours=3),
        exposures=(PreviewExposures("Ha", exposure_s, desired),),
    )
    observatory.set_preview(profile, (block,))
    async with scene(house, observatory) as backyard:
        if language != "en":
            backyard.config = speaking(language, backyard.config)
        async with backyard.running():
            await backyard.published()
            await backyard.shown()
            yield Night(backyard, target)
        backyard.nothing_to_complain_about()


def speaking(language: str, config: Config) -> Config:
    """With a rig id of its own: its units are other words, and Home Assistant's statistics remember an entity's."""
    spoken = config.home_assistant.model_copy(update={"language": language})
    (rig,) = config.rigs
    return config.model_copy(
        update={"home_assistant": spoken, "rigs": (rig.model_copy(update={"id": f"{rig.id}_{language}"}),)}
    )


class Automation:
    """Made from a blueprint; what it does is an event of Home Assistant's bus, with its variables in it."""

    def __init__(self, hass: HomeAssistant, entity_id: str, told: str) -> None:
        self.hass = hass
        self.entity_id = entity_id
        self._told = told
        self._began = len(hass.events)

    def told(self, which: str = "actions") -> list[dict[str, Any]]:
        return [
            event["data"]
            for event in self.hass.events[self._began :]
            if event["event_type"] == self._told and event["data"]["which"] == which
        ]

    async def tells(self, which: str = "actions", *, patience_s: float = _PATIENCE_S) -> dict[str, Any]:
        """The first that it tells, which is also the only one; a template with a time is rendered once a minute."""
        await self.hass.wait_until(
            lambda: bool(self.told(which)), f"{self.entity_id} to do its {which}", patience_s=patience_s
        )
        (told,) = self.told(which)
        return told

    async def has_run(self, *, runs: int = 1) -> None:
        """Returns when it has done all that it was going to do."""
        async with asyncio.timeout(_PATIENCE_S):
            # Of a run that has ended Home Assistant says nothing.
            while await self._ended() < runs:  # noqa: ASYNC110
                await asyncio.sleep(_LOOK_AGAIN_S)

    async def _ended(self) -> int:
        return sum(trace["state"] == "stopped" for trace in await self.hass.traces(self.entity_id))


@asynccontextmanager
async def automation(night: Night, blueprint: str, **inputs: Any) -> AsyncIterator[Automation]:
    """Every input of actions that is not given tells what it knows as an event."""
    hass = night.hass
    told = f"blueprint_told_{next(_serial)}"
    for name, about in document(blueprint)["blueprint"]["input"].items():
        if "action" in about["selector"]:
            data = {"which": name, "title": "{{ title | default }}", "message": "{{ message | default }}"}
            data |= {"picture": "{{ picture | default }}", "answers": "{{ answers | default }}"}
            inputs.setdefault(name, [{"event": told, "event_data": data}])
    path = await hass.import_blueprint(FOLDER / f"{blueprint}.yaml")
    entity_id = await hass.create_automation({"use_blueprint": {"path": path, "input": {"rig": night.rig} | inputs}})
    try:
        yield Automation(hass, entity_id, told)
    finally:
        await hass.remove_automation(entity_id)


class _Loader(yaml.SafeLoader):
    """Reads !input as the name of the input."""


_Loader.add_constructor("!input", lambda _, node: str(node.value))


def document(blueprint: str) -> dict[str, Any]:
    read: dict[str, Any] = yaml.load((FOLDER / f"{blueprint}.yaml").read_text(), _Loader)  # noqa: S506 - a safe one
    return read


async def test_each_works_with_nothing_but_a_rig_chosen(house: House) -> None:
    """Then the defaults are in force, which a person sees in the editor."""
    async with night(house) as tonight:
        for name in NAMES:
            path = await tonight.hass.import_blueprint(FOLDER / f"{name}.yaml")
            made = await tonight.hass.create_automation(
                {"use_blueprint": {"path": path, "input": {"rig": tonight.rig}}}
            )
            assert tonight.hass.state(made) == "on", name
            await tonight.hass.remove_automation(made)


async def test_the_rig_is_chosen_from_the_rigs_alone() -> None:
    rig = {"integration": "mqtt", "manufacturer": "N.I.N.A.", "model": "Target Scheduler"}
    for name in NAMES:
        assert document(name)["blueprint"]["input"]["rig"]["selector"]["device"]["filter"] == [rig], name


async def test_the_night_plan_is_told_at_dusk(house: House) -> None:
    async with night(house) as tonight, automation(tonight, "night_plan") as told:
        await tonight.plan()
        await tonight.dusk(until=-5)
        assert told.told() == []
        await tonight.sun(-7)
        plan = await told.tells()
        assert plan["title"] == "Backyard tonight"
        assert "M 31" in plan["message"]
        assert plan["picture"] == f"/api/image_proxy/{tonight.hass.entity_id(tonight.id_of('night_plan'))}"


async def test_a_plan_that_comes_after_dusk_is_told_when_it_comes(house: House) -> None:
    async with night(house) as tonight, automation(tonight, "night_plan") as told:
        await tonight.dusk()
        await tonight.hass.wait_until(
            lambda: tonight.hass.states[told.entity_id]["attributes"]["current"] == 1, "it to wait for a plan"
        )
        assert told.told() == []
        await tonight.plan()
        await told.tells()


async def test_that_nothing_is_planned_is_told_after_dusk(house: House) -> None:
    async with night(house) as tonight, automation(tonight, "nothing_planned", patience=SOON) as told:
        await tonight.dusk()
        nothing = await told.tells()
        assert nothing["answers"] is True
        assert nothing["message"] == "No target stands in the night plan of Backyard."


async def test_that_nothing_is_planned_is_not_told_of_a_night_with_a_plan(house: House) -> None:
    async with night(house) as tonight, automation(tonight, "nothing_planned", patience=SOON) as told:
        await tonight.plan()
        await tonight.dusk()
        await told.has_run()
        assert told.told() == []


async def test_what_the_night_has_brought_is_told_in_the_morning_with_its_picture(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evidence, "_DELAYS", timedelta(seconds=1))
    monkeypatch.setattr(evidence, "_OVERHEAD", timedelta(seconds=1))
    async with AsyncExitStack() as stack:
        morning = await stack.enter_async_context(night(house, exposure_s=0.5, is_morning=True))
        told = await stack.enter_async_context(automation(morning, "morning_report", not_before="00:00:00"))
        morning.expose()
        morning.expose(accepted=False)
        accepted = morning.id_of("exposures_tonight")
        await morning.hass.wait_until(lambda: morning.hass.state_of(accepted) == "2", "the exposures")
        assert told.told() == []
        await morning.plan()
        report = await told.tells()
        assert report["title"] == "Backyard last night"
        assert report["message"] == "2 exposures in 0.0 h, 1 of them accepted so far."
        picture = morning.hass.entity_id(morning.id_of("last_night"))
        assert report["picture"] == f"/api/image_proxy/{picture}"
        await morning.hass.wait_until(lambda: morning.hass.state(picture) != "unknown", "the picture")
        assert (await morning.hass.image(picture))[0] == "image/png"
        await told.has_run()
        assert len(told.told()) == 1


async def test_a_completed_target_and_its_project_are_told(house: House) -> None:
    async with AsyncExitStack() as stack:
        tonight = await stack.enter_async_context(night(house, desired=1))
        both = await stack.enter_async_context(automation(tonight, "completed"))
        projects = await stack.enter_async_context(automation(tonight, "completed", what=["project"]))
        tonight.expose(accepted=False)
        tonight.expose()
        await both.has_run(runs=2)
        await projects.has_run(runs=2)
        assert [told["title"] for told in both.told()] == ["M 31 is complete", "Autumn is complete"]
        assert both.told()[0]["message"] == "The target M 31 of Autumn has all its exposures: 0.1 h accepted."
        assert [told["title"] for told in projects.told()] == ["Autumn is complete"]


async def test_a_silent_rig_is_told_once_and_again_when_it_images(house: House) -> None:
    async with night(house) as tonight, automation(tonight, "silent_rig", patience=AT_ONCE) as told:
        await tonight.activity("idle")
        assert told.told() == [], "without a plan nothing is missing"
        await tonight.plan()
        silent = await told.tells()
        assert (silent["title"], silent["answers"]) == ("Backyard is silent", True)
        assert told.told("actions_again") == []
        tonight.expose()
        await told.tells("actions_again")
        await told.has_run()


async def test_a_rig_that_images_is_not_silent_until_its_pc_is_off(house: House) -> None:
    async with night(house) as tonight, automation(tonight, "silent_rig", patience=AT_ONCE) as told:
        tonight.expose()
        await tonight.activity("imaging")
        await tonight.plan()
        assert told.told() == []
        await tonight.scene.api.stop()
        assert (await told.tells())["answers"] is False


async def test_imaging_starts_once_and_ends_once_whatever_the_network_does(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with night(house, exposure_s=0.5) as tonight, automation(tonight, "imaging", minutes_end=0.5) as told:
        assert told.told("actions_start") == []
        tonight.expose()
        await told.tells("actions_start")
        await tonight.scene.api.stop()
        await tonight.activity("unavailable")
        await tonight.scene.api.start()
        # N.I.N.A. may have been started anew meanwhile, and then nothing runs.
        await tonight.activity("idle")
        tonight.expose()
        await tonight.activity("imaging")
        assert told.told("actions_end") == []
        # From now on the next exposure is missed after seconds.
        monkeypatch.setattr(evidence, "_DELAYS", timedelta(seconds=1))
        tonight.expose()
        await told.tells("actions_end", patience_s=150.0)
        await told.has_run()
        assert len(told.told("actions_start")) == 1


async def test_no_word_of_a_state_matters(house: House) -> None:
    async with AsyncExitStack() as stack:
        tonight = await stack.enter_async_context(night(house, language="de"))
        silent = await stack.enter_async_context(automation(tonight, "silent_rig", patience=AT_ONCE))
        imaging = await stack.enter_async_context(automation(tonight, "imaging"))
        await tonight.activity("untätig")
        await tonight.plan()
        await silent.tells()
        assert imaging.told("actions_start") == []
        tonight.expose()
        await tonight.activity("belichtet")
        await imaging.tells("actions_start")
        await silent.tells("actions_again")


async def test_large_stars_are_told_and_small_ones_are_not(house: House) -> None:
    async with AsyncExitStack() as stack:
        tonight = await stack.enter_async_context(night(house))
        strict = await stack.enter_async_context(automation(tonight, "image_quality", limit=2.5, quiet=AT_ONCE))
        lenient = await stack.enter_async_context(automation(tonight, "image_quality", limit=5, quiet=AT_ONCE))
        tonight.expose(hfr=4)
        worse = await strict.tells()
        assert worse["title"] == "M 31: image quality"
        assert worse["message"].endswith("is 4.0, more than 2.5.")
        await lenient.has_run()
        assert lenient.told() == []
