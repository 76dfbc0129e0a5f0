"""Databases that are odd and yet real: imported profiles, rows without ids, and answers that were mixed up."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.answers_in_memory import AnswersInMemory
from tests.support.watching import PATIENCE_S, Watched, at_work, looks, projects_of, targets_of
from ts2mqtt.home_assistant.devices import device_messages
from ts2mqtt.home_assistant.ids import DiscoveryIds
from ts2mqtt.observatory.changes import Watch, observe
from ts2mqtt.observatory.look import Look
from ts2mqtt.observatory.model import PROJECT_STATES, Rig
from ts2mqtt.observatory.oddities import things_without_id
from ts2mqtt.topics.decode import recall
from ts2mqtt.topics.encode import RigView, rig_messages
from ts2mqtt.topics.names import TopicNames

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.support.running import Log
    from ts2mqtt.observatory.events import Event

CASES = Path(__file__).parent / "odd_databases"
NOW = datetime(2026, 3, 1, 20, tzinfo=UTC)
OLD, NEW = "c0e1645f-4d4c-4cff-b6f8-c66a58be9cd4", "c86232f4-4952-41c6-b83f-69aa749e401f"
PROJECT, OTHER_PROJECT = "d900ba4a-5f70-4eb1-bd30-cd4c9b45d1c4", "da436a23-a700-402b-aea5-db438f7ce565"
TARGET = "134973bf-f949-462d-9c4b-8baad53d75a8"
PROFILES = "/profiles"
PROJECTS = f"/profiles/{OLD}/projects"
TARGETS = f"/projects/{PROJECT}/targets"
NAMES = DiscoveryIds("homeassistant", TopicNames("ts2mqtt"))


@asynccontextmanager
async def rig_of(api: AnswersInMemory) -> AsyncIterator[Watched]:
    watched = Watched(looks(slow_interval=0.05), "http://127.0.0.1:8188", transport=api)
    async with at_work(watched):
        await watched.until(lambda rig: rig.online is True)
        yield watched


async def some_looks(api: AnswersInMemory, number: int = 4) -> None:
    """Waits until so many more looks have begun."""
    before = api.requests.count(PROFILES)
    async with asyncio.timeout(PATIENCE_S):
        while api.requests.count(PROFILES) < before + number:
            await api.next_request()


def events_between(*rigs: Rig) -> list[Event]:
    watch = Watch()
    told: list[Event] = []
    for rig in rigs:
        seen = observe(watch, Look(rig=rig, plan=None, now=NOW, zone=UTC))
        watch = seen.watch
        told += seen.events
    return told


def payloads_of(rig: Rig) -> dict[str, Any]:
    """By topic."""
    seen = observe(Watch(), Look(rig=rig, plan=None, now=NOW, zone=UTC))
    messages = rig_messages(NAMES.topics, RigView(rig, None, seen.present, seen.watch))
    return {
        topic: json.loads(message.payload) for topic, message in messages.items() if message.payload.startswith(b"{")
    }


def parents_by_device(rig: Rig) -> dict[str, str]:
    devices = [
        json.loads(message.payload)["device"]
        for message in device_messages(NAMES, rig, frozenset(PROJECT_STATES)).values()
    ]
    return {device["identifiers"][0]: device["via_device"] for device in devices}


class TestAnImportedProfile:
    """One project and its target stand under two profiles."""

    async def test_the_active_profiles_project_counts_everywhere(self, log: Log) -> None:
        api = AnswersInMemory(CASES / "imported_profile.json")
        async with rig_of(api) as watched:
            await some_looks(api)
            rig = watched.rig

        payloads, devices = payloads_of(rig), parents_by_device(rig)
        project = payloads[f"ts2mqtt/backyard/project/{PROJECT}"]
        target = payloads[f"ts2mqtt/backyard/target/{TARGET}"]
        assert (project["state"], project["profile_name"]) == ("active", "New camera")
        assert (target["project_id"], target["profile_id"]) == (PROJECT, NEW)
        assert devices[f"ts2mqtt_backyard_project_{PROJECT}"] == f"ts2mqtt_backyard_profile_{NEW}"
        assert set(devices.values()) <= devices.keys() | {"ts2mqtt_bridge"}
        (line,) = log.about("stands in")
        assert line.startswith("INFO Backyard: the project 'M 31' stands in profile 'Old camera'")
        assert "and in profile 'New camera'" in line
        assert log.problems == []

    async def test_each_event_comes_once_and_a_switch_of_profiles_is_no_other(self) -> None:
        api = AnswersInMemory(CASES / "imported_profile.json")
        async with rig_of(api) as watched:
            first = watched.rig
            plan = api.answers[TARGETS][0]["ExposurePlan"][0]
            plan["Acquired"], plan["Accepted"] = 10, 10
            done = await watched.until(lambda rig: rig != first)
            for profile in api.answers[PROFILES]:
                profile["Active"] = not profile["Active"]
            switched = await watched.until(
                lambda rig: rig.active_profile is not None and rig.active_profile.id == OLD
            )

        assert [event.event_type for event in events_between(first, done)] == [
            "exposure_acquired",
            "exposure_accepted",
            "target_completed",
            "project_completed",
        ]
        assert [event.event_type for event in events_between(done, switched)] == ["profile_changed"]
        assert payloads_of(switched)[f"ts2mqtt/backyard/project/{PROJECT}"]["state"] == "closed"

    async def test_after_a_restart_nothing_is_told_and_both_lists_are_known(self) -> None:
        api = AnswersInMemory(CASES / "imported_profile.json")
        async with rig_of(api) as watched:
            await some_looks(api)
            rig = watched.rig
        look = Look(rig=rig, plan=None, now=NOW, zone=UTC)
        seen = observe(Watch(), look)
        messages = rig_messages(NAMES.topics, RigView(rig, None, seen.present, seen.watch))
        retained = {topic: message.payload for topic, message in messages.items()}
        watch = recall(NAMES.topics, retained)["backyard"].watch

        assert watch.rig is not None
        assert [profile.projects is not None for profile in watch.rig.known_profiles] == [True, True]
        assert observe(watch, look).events == ()

    async def test_its_targets_are_asked_for_once_in_a_look(self) -> None:
        api = AnswersInMemory(CASES / "imported_profile.json")
        async with rig_of(api):
            await some_looks(api)

        assert api.requests.count(TARGETS) <= api.requests.count(PROFILES)

    async def test_a_target_under_two_projects(self, log: Log) -> None:
        api = AnswersInMemory(CASES / "mixed_up.json")
        target = {**api.answers[TARGETS][0], "ProjectId": OTHER_PROJECT}
        api.answers[f"/projects/{OTHER_PROJECT}/targets"].append(target)
        api.answers[PROJECTS][0]["State"] = "Closed"
        async with rig_of(api) as watched:
            await some_looks(api)
            rig = watched.rig

        assert payloads_of(rig)[f"ts2mqtt/backyard/target/{TARGET}"]["project_id"] == OTHER_PROJECT
        devices = parents_by_device(rig)
        assert devices[f"ts2mqtt_backyard_target_{TARGET}"] == f"ts2mqtt_backyard_project_{OTHER_PROJECT}"
        assert len(log.about("the target 'M 31' stands in project 'P1' and in project 'P2'")) == 1


class TestRowsWithoutId:
    """What is older than the plugin's ids."""

    async def test_they_are_named_and_counted_and_hold_nothing_up(self, log: Log) -> None:
        api = AnswersInMemory(CASES / "null_ids.json")
        async with rig_of(api) as watched:
            await some_looks(api)
            first = watched.rig
            api.go_on()
            later = await watched.until(lambda rig: "M 33" not in targets_of(rig))

        assert payloads_of(first)["ts2mqtt/backyard/state"]["without_id"] == {
            "projects": ["Old project"],
            "targets": 1,
        }
        assert set(projects_of(first)) == {"New project"}
        told = events_between(first, later)
        assert [(event.event_type, event.target_name) for event in told] == [("target_removed", "M 33")]
        (line,) = log.problems
        assert "1 project ('Old project') and 1 target cannot be shown" in line
        assert "paste" in line

    @pytest.mark.parametrize("missing", [None, "", "  "])
    async def test_however_the_id_is_missing(self, missing: str | None) -> None:
        api = AnswersInMemory(CASES / "null_ids.json")
        api.answers[PROJECTS][0]["Id"] = missing
        async with rig_of(api) as watched:
            assert things_without_id(watched.rig).projects == ("Old project",)

    async def test_a_thing_that_seems_to_have_lost_its_id_is_not_gone(self, log: Log) -> None:
        api = AnswersInMemory(CASES / "null_ids.json")
        async with rig_of(api) as watched:
            await some_looks(api)
            api.answers[TARGETS][2]["Id"] = None
            await log.says("Id: found none, where 'M 33' had one")
            assert "M 33" in targets_of(watched.rig)
            assert things_without_id(watched.rig).targets == 1


class TestProfilesThatCannotBeRead:
    """One row of the list of profiles."""

    async def test_the_active_one_of_before_is_no_longer_active_beside_another(self) -> None:
        api = AnswersInMemory(CASES / "imported_profile.json")
        async with rig_of(api) as watched:
            api.answers[PROFILES][1]["Id"] = "?"
            api.answers[PROFILES][0]["Active"] = True
            rig = await watched.until(lambda rig: rig.active_profile is not None and rig.active_profile.id == OLD)

        assert [(profile.id, profile.active) for profile in rig.known_profiles] == [(OLD, True), (NEW, False)]


class TestMixedUpAnswers:
    """Rows of another project or profile than was asked for."""

    async def test_nothing_is_gone_and_one_line_says_so(self, log: Log) -> None:
        api = AnswersInMemory(CASES / "mixed_up.json")
        async with rig_of(api) as watched:
            await some_looks(api)
            first = watched.rig
            api.go_on()
            await log.says("WARNING", "another project or profile")
            await some_looks(api)
            mixed = watched.rig
            api.go_back()
            await log.says("INFO", "recovered")
            await some_looks(api)

        assert set(targets_of(mixed)) == {"M 31", "M 33", "M 81"}
        assert payloads_of(mixed) == payloads_of(first)
        assert events_between(first, mixed, watched.rig) == []
        assert len(log.problems) == 1


class TestEmptyLists:
    """A list that is empty for the first time."""

    async def test_a_first_empty_list_of_profiles_is_not_believed(self) -> None:
        api = AnswersInMemory(CASES / "mixed_up.json")
        profiles, api.answers[PROFILES] = api.answers[PROFILES], []
        watched = Watched(looks(), "http://127.0.0.1:8188", transport=api)
        async with at_work(watched):
            report = await watched.until_reported(lambda report: report.problem is not None)
            assert report.rig.profiles is None
            api.answers[PROFILES] = profiles
            await watched.until(lambda rig: rig.online is True and len(projects_of(rig)) == 2)

    async def test_a_list_that_takes_away_more_than_half_is_looked_at_twice(self) -> None:
        api = AnswersInMemory(CASES / "mixed_up.json")
        async with rig_of(api) as watched:
            await some_looks(api)
            api.answers[PROJECTS] = []
            doubted = await watched.until(
                lambda rig: not all(profile.projects and profile.projects.complete for profile in rig.known_profiles)
            )
            assert set(projects_of(doubted)) == {"P1", "P2"}
            gone = await watched.until(lambda rig: not projects_of(rig))
            assert all(profile.projects and profile.projects.complete for profile in gone.known_profiles)

    async def test_after_a_restart_too(self) -> None:
        api = AnswersInMemory(CASES / "mixed_up.json")
        async with rig_of(api) as watched:
            await some_looks(api)
            before = watched.rig
        api.answers[PROJECTS] = []
        again = Watched(looks(), "http://127.0.0.1:8188", transport=api)
        again.poller.recall(None, {}, (), before)
        async with at_work(again):
            first = await again.until(lambda rig: rig.online is True)
            assert [profile.projects and profile.projects.complete for profile in first.known_profiles] == [False]
            await again.until(
                lambda rig: all(profile.projects and profile.projects.complete for profile in rig.known_profiles)
            )

    async def test_a_small_loss_is_believed_at_once(self) -> None:
        api = AnswersInMemory(CASES / "mixed_up.json")
        async with rig_of(api) as watched:
            await some_looks(api)
            api.answers[TARGETS] = []
            await watched.until(lambda rig: "M 31" not in targets_of(rig))
            assert projects_of(watched.rig)["P1"].targets is not None
            assert all(
                project.targets is None or project.targets.complete
                for report in watched.reports
                for project in projects_of(report.rig).values()
            )


class TestWhatIsNotUnderstood:
    """A value that cannot be read costs itself alone."""

    @pytest.mark.parametrize(("state", "word"), [(None, None), ("", None), (5, None), ("Archived", "archived")])
    async def test_a_project_keeps_its_device_whatever_its_state_is(self, state: object, word: str | None) -> None:
        api = AnswersInMemory(CASES / "mixed_up.json")
        async with rig_of(api) as watched:
            await some_looks(api)
            first = watched.rig
            api.answers[PROJECTS][0]["State"] = state
            after = await watched.until(lambda rig: projects_of(rig)["P1"].state == word)

        assert parents_by_device(after) == parents_by_device(first)
        told = [event.event_type for event in events_between(first, after, first)]
        assert told == (["project_state_changed"] * 2 if word else [])

    @pytest.mark.parametrize(
        ("field", "value"),
        [("Exposure", -1), ("Exposure", 10_000_000), ("Exposure", None), ("TemplateName", 5), ("Acquired", -3)],
    )
    async def test_an_exposure_plan_goes_on_under_its_key(self, field: str, value: object) -> None:
        api = AnswersInMemory(CASES / "mixed_up.json")
        plans = api.answers[TARGETS][0]["ExposurePlan"]
        plans[0] |= {"Acquired": 4, "Accepted": 4}
        plans.append({**plans[0], "TemplateName": "Red", "FilterName": "Red"})
        async with rig_of(api) as watched:
            await some_looks(api)
            plans[0][field] = value
            plans[1]["Accepted"] = 3
            await watched.until(lambda rig: targets_of(rig)["M 31"].exposure_plans[1].accepted == 3)
            first, second = targets_of(watched.rig)["M 31"].exposure_plans

        assert (first.key, first.exposure_s, first.acquired, first.accepted) == ("lum_60", 60.0, 4, 4)
        assert (second.key, second.acquired) == ("red_60", 4)

    @pytest.mark.parametrize("plans", [None, "none", 5])
    async def test_exposure_plans_that_cannot_be_read_stay_as_they_were(self, plans: object) -> None:
        api = AnswersInMemory(CASES / "mixed_up.json")
        async with rig_of(api) as watched:
            await some_looks(api)
            api.answers[TARGETS][0] |= {"ExposurePlan": plans, "Name": "Andromeda"}
            rig = await watched.until(lambda rig: "Andromeda" in targets_of(rig))

        assert [plan.key for plan in targets_of(rig)["Andromeda"].exposure_plans] == ["lum_60"]
