"""What the bridge publishes of a rig, and that it publishes no more than that."""

from __future__ import annotations

import asyncio
from datetime import datetime
from itertools import count, pairwise
from typing import TYPE_CHECKING, Any

import pytest

from tests.support import topics_of_example as of
from tests.support.observer import observing
from tests.support.running import TALKATIVE, bridge_config, polling, running_bridge
from ts2mqtt.config import HomeAssistantConfig
from ts2mqtt.simulator.api import SimulatedApi
from ts2mqtt.simulator.example import documentation_example
from ts2mqtt.simulator.faults import Fault
from ts2mqtt.timing import PacedClock

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import AnyBroker
    from tests.support.mosquitto import Mosquitto
    from tests.support.observer import Observer
    from tests.support.running import Log
    from ts2mqtt.simulator.observatory import SimulatedObservatory

_edits = count()


async def all_published(observer: Observer) -> None:
    """Waits until everything of the documentation's example is on the broker."""
    await observer.wait_until(lambda: of.all_devices() | of.all_states() | {of.BRIDGE} <= observer.held.keys())


async def later_change(observer: Observer, observatory: SimulatedObservatory, rig: str = of.RIG) -> str:
    """Waits for a change made now; whatever the bridge published because of earlier looks has then been seen."""
    bystander = observatory.profile(of.PROFILE_3)
    bystander.raw["Edit"] = next(_edits)
    topic = of.profile(of.PROFILE_3, rig)
    await observer.wait_for(topic, lambda payload: payload["extra"] == bystander.raw, after=observer.mark())
    return topic


def named(name: str) -> Callable[[Any], bool]:
    """For a state or a device with this name."""
    return lambda payload: (payload.get("device") or payload)["name"] == name


async def test_a_fresh_start_publishes_the_documented_observatory(
    broker: AnyBroker, example_api: SimulatedApi
) -> None:
    async with observing(broker.port) as observer, running_bridge(bridge_config(broker.port, example_api)):
        await all_published(observer)
        assert observer.held_below("ts2mqtt/") == {of.STATUS, of.BRIDGE, *of.all_states()}
        assert observer.held_below("homeassistant/") == {of.BRIDGE_DEVICE, *of.all_devices()}
        assert observer.held[of.STATUS] == observer.held[of.RIG_STATUS] == b"online"


async def test_a_bridge_publishes_the_promised_topics_and_no_others(
    mosquitto: Mosquitto, observer: Observer, example_api: SimulatedApi
) -> None:
    async with running_bridge(bridge_config(mosquitto.port, example_api)):
        await all_published(observer)
        await observer.wait_for(of.BRIDGE_DEVICE)
        await observer.wait_for(of.HEARTBEAT, lambda beat: beat["working"])
        await observer.catch_up()
    await observer.wait_for(of.STATUS, b"offline")
    assert observer.held.keys() == {
        of.STATUS,
        of.BRIDGE,
        of.BRIDGE_DEVICE,
        *of.all_states(),
        *of.all_devices(),
    }
    assert observer.json(of.BRIDGE).keys() == {
        "version",
        "instance",
        "since",
        "protocol",
        "log_level",
        "last_problem",
        "rigs_online",
        "rigs",
    }
    for topic in of.all_devices():
        assert observer.json(topic)["availability"] == [{"topic": of.STATUS}]
    assert observer.json(of.rig_device())["device"]["via_device"] == "ts2mqtt_bridge"
    assert {seen.topic for seen in observer.seen if not seen.payload} == set()
    assert mosquitto.lines(" as ts2mqtt (")


async def test_values_are_right_to_the_last_digit(
    mosquitto: Mosquitto, observer: Observer, example_api: SimulatedApi
) -> None:
    async with running_bridge(bridge_config(mosquitto.port, example_api)):
        await all_published(observer)
        target = observer.json(of.target(of.M31))
        plans = target.pop("exposure_plans")
        first_seen = target["first_seen"]
        assert datetime.fromisoformat(first_seen).tzinfo is not None
        assert target == {
            "id": of.M31,
            "name": "M 31",
            "rig_id": "backyard",
            "rig_name": "Backyard",
            "profile_id": of.PROFILE_1,
            "profile_name": "Profile 1",
            "project_id": of.P1,
            "project_name": "P1",
            "first_seen": first_seen,
            "active": True,
            "ra_hours": 0.7123138886666667,
            "ra_deg": pytest.approx(10.68470833, abs=1e-8),
            "dec_deg": 41.26875,
            "ra": "00h42m44.3s",
            "dec": "+41°16'08\"",
            "rotation_deg": 0,
            "epoch": "J2000",
            "roi_percent": 100,
            "altitude_max_deg": None,
            "transit": None,
            "moon_separation_deg": None,
            "scheduled": None,
            "nights": [],
            "nights_left": None,
            "completes": None,
            "desired": 4,
            "acquired": 0,
            "accepted": 0,
            "ungraded": 0,
            "pending": 0,
            "rejected": 0,
            "exposure_throttle": None,
            "desired_s": 240,
            "acquired_s": 0,
            "accepted_s": 0,
            "remaining_s": 240,
            "progress": 0,
            "extra": {},
        }
        assert [(plan["template"], plan["filter"], plan["exposure_s"], plan["desired"]) for plan in plans] == [
            ("Lum", "Lum", 60, 1),
            ("Red", "Red", 60, 1),
            ("Green", "Green", 60, 1),
            ("Blue", "Blue", 60, 1),
        ]
        assert {plan["statistics"] for plan in plans} == {None}
        p1, p2 = observer.json(of.project(of.P1)), observer.json(of.project(of.P2))
        assert (p1["name"], p1["state"], p1["priority"], p1["created"], p1["activated"]) == (
            "P1",
            "active",
            "normal",
            "2026-02-26T06:17:59-05:00",
            None,
        )
        assert (p2["name"], p2["state"], p2["desired"], p2["targets"]) == ("P2", "draft", 0, [])
        profile = observer.json(of.profile(of.PROFILE_1))
        assert (profile["active"], profile["project_counts"], profile["remaining_s"]) == (
            True,
            {"draft": 1, "active": 1, "inactive": 0, "closed": 0},
            240,
        )
        state = observer.json(of.RIG_STATE)
        assert (state["plugin_version"], state["active_profile"]) == (
            "5.9.3.0",
            {"id": of.PROFILE_1, "name": "Profile 1"},
        )


async def test_no_device_of_a_closed_project_appears_while_its_states_do(
    mosquitto: Mosquitto, observer: Observer, example: SimulatedObservatory, example_api: SimulatedApi
) -> None:
    closed = example.add_project(example.active_profile, "Last year", state="Closed")
    done = example.add_target(closed, "M 42")
    async with running_bridge(bridge_config(mosquitto.port, example_api)):
        await all_published(observer)
        assert observer.json(of.project(closed.id))["state"] == "closed"
        assert observer.json(of.target(done.id))["name"] == "M 42"
        assert observer.held_below(of.DEVICES) == {of.BRIDGE_DEVICE, *of.all_devices()}
        example.set_project_state(closed, "Active")
        await observer.wait_for(of.target_device(done.id))
        example.set_project_state(closed, "Closed")
        await observer.wait_until_gone(of.target_device(done.id), of.project_device(closed.id))
        assert observer.json(of.target(done.id))["name"] == "M 42"


async def test_states_of_a_device_come_before_the_device_and_its_bridge_is_online_by_then(
    mosquitto: Mosquitto, observer: Observer, example_api: SimulatedApi
) -> None:
    async with running_bridge(bridge_config(mosquitto.port, example_api)):
        await all_published(observer)
        topics = [seen.topic for seen in observer.since(0)]
        assert topics.index(of.STATUS) < topics.index(of.target(of.M31)) < topics.index(of.target_device(of.M31))


async def test_unchanged_polls_publish_nothing(
    broker: AnyBroker, example: SimulatedObservatory, example_api: SimulatedApi
) -> None:
    async with observing(broker.port) as observer, running_bridge(bridge_config(broker.port, example_api)):
        await all_published(observer)
        await later_change(observer, example)
        mark, polls = observer.mark(), len(example_api.answered)
        await example_api.wait_for_answer("/projects/*/targets", after=polls + 20)
        topic = await later_change(observer, example)
        assert observer.topics_since(mark) == [topic]


async def test_one_accepted_exposure_publishes_target_project_and_profile_once_each(
    broker: AnyBroker, example: SimulatedObservatory, example_api: SimulatedApi
) -> None:
    async with observing(broker.port) as observer, running_bridge(bridge_config(broker.port, example_api)):
        await all_published(observer)
        await later_change(observer, example)
        mark = observer.mark()
        example.acquire(example.target(of.M31), 0, accepted=True, hfr=2.1, fwhm=3.0, eccentricity=0.4)
        target = await observer.wait_for(of.target(of.M31), lambda payload: payload["accepted"] == 1, after=mark)
        bystander = await later_change(observer, example)
        await later_change(observer, example)
        published = observer.topics_since(mark, but=(bystander, of.RIG_STATE))
        assert published == sorted((of.target(of.M31), of.project(of.P1), of.profile(of.PROFILE_1)))
        assert observer.topics_since(mark).count(of.RIG_STATE) <= 1
        assert target.json["exposure_plans"][0]["statistics"]["hfr_mean"] == 2.1
        assert (
            observer.json(of.project(of.P1))["accepted"],
            observer.json(of.profile(of.PROFILE_1))["progress"],
        ) == (
            1,
            25,
        )


async def test_two_rigs_with_the_same_guids_stay_apart(mosquitto: Mosquitto, observer: Observer) -> None:
    backyard, remote = documentation_example(), documentation_example()
    async with (
        SimulatedApi(backyard) as first,
        SimulatedApi(remote) as second,
        running_bridge(bridge_config(mosquitto.port, first, second)),
    ):
        await observer.wait_until(
            lambda: of.all_devices() | of.all_devices("remote") | of.all_states("remote") <= observer.held.keys()
        )
        unique_ids = [
            component["unique_id"]
            for device in observer.held_below(of.DEVICES)
            for component in observer.json(device)["components"].values()
            if component["platform"] != "device_automation"
        ]
        assert len(unique_ids) == len(set(unique_ids)) > 100
        remote.remove_target(remote.target(of.M31))
        await observer.wait_until_gone(of.target(of.M31, "remote"), of.target_device(of.M31, "remote"))
        assert {of.target(of.M31), of.target_device(of.M31)} <= observer.held.keys()


async def test_a_rig_that_hangs_does_not_hold_another_up(mosquitto: Mosquitto, observer: Observer) -> None:
    async with SimulatedApi(documentation_example()) as hanging, SimulatedApi(documentation_example()) as well:
        hanging.faults.add("*", Fault.hang())
        async with running_bridge(bridge_config(mosquitto.port, hanging, well)):
            await observer.wait_until(lambda: of.all_devices("remote") <= observer.held.keys())
            assert of.target(of.M31) not in observer.held


async def test_a_rig_that_goes_away_is_offline_and_keeps_everything_else(
    mosquitto: Mosquitto, observer: Observer, example_api: SimulatedApi, log: Log
) -> None:
    async with running_bridge(bridge_config(mosquitto.port, example_api)):
        await all_published(observer)
        mark = observer.mark()
        await example_api.stop()
        await observer.wait_for(of.RIG_STATUS, b"offline", after=mark)
        await observer.wait_for(of.RIG_STATE, lambda state: state["activity"] == "offline", after=mark)
        await observer.wait_for(of.BRIDGE, lambda bridge: bridge["rigs_online"] == 0, after=mark)
        assert observer.topics_since(mark) == sorted((of.BRIDGE, of.RIG_STATE, of.RIG_STATUS))
        assert "Backyard" in await log.says("the API does not answer")
        await example_api.start()
        await observer.wait_for(of.RIG_STATUS, b"online", after=mark)
        await observer.wait_for(of.RIG_STATE, lambda state: state["activity"] == "idle", after=mark)
        await observer.wait_until(lambda: observer.json(of.BRIDGE)["last_problem"] is None)
        assert observer.topics_since(mark, but=(of.BRIDGE,)) == sorted([of.RIG_STATE, of.RIG_STATUS] * 2)


async def test_a_rename_renames_and_touches_nothing_else(
    mosquitto: Mosquitto, observer: Observer, example: SimulatedObservatory, example_api: SimulatedApi
) -> None:
    async with running_bridge(bridge_config(mosquitto.port, example_api)):
        await all_published(observer)
        before = observer.json(of.target_device(of.M31))
        mark = observer.mark()
        example.rename(example.target(of.M31), "Andromeda")
        renamed = (await observer.wait_for(of.target_device(of.M31), after=mark)).json
        assert renamed["device"] == before["device"] | {"name": "Andromeda"}
        assert _unique_ids(renamed) == _unique_ids(before)
        bystander = await later_change(observer, example)
        # The project names its targets.
        assert observer.topics_since(mark, but=(bystander,)) == sorted(
            (of.target(of.M31), of.target_device(of.M31), of.project(of.P1))
        )


async def test_versions_of_a_device_follow_each_other_by_more_than_a_second(
    mosquitto: Mosquitto, observer: Observer, example: SimulatedObservatory, example_api: SimulatedApi
) -> None:
    """Home Assistant loses a part of a second version that comes too soon."""
    loop, topic = asyncio.get_running_loop(), of.target_device(of.M31)
    async with running_bridge(bridge_config(mosquitto.port, example_api)):
        await observer.wait_for(topic)
        times = [loop.time()]
        for name in ("Andromeda", "Andromeda Nebula"):
            mark = observer.mark()
            example.rename(example.target(of.M31), name)
            await observer.wait_for(of.target(of.M31), named(name), after=mark)
            await observer.wait_for(topic, after=mark)
            times.append(loop.time())
        assert all(later - earlier > 1.0 for earlier, later in pairwise(times))
        assert observer.json(topic)["device"]["name"] == "Andromeda Nebula"


async def test_of_several_quick_changes_of_a_device_only_the_last_is_published(
    mosquitto: Mosquitto, observer: Observer, example: SimulatedObservatory, example_api: SimulatedApi
) -> None:
    async with running_bridge(bridge_config(mosquitto.port, example_api)):
        await all_published(observer)
        mark = observer.mark()
        for name in ("A", "B", "C"):
            example.rename(example.target(of.M31), name)
            await observer.wait_for(of.target(of.M31), named(name), after=mark)
        await observer.wait_for(of.target_device(of.M31), named("C"), after=mark)
        assert observer.topics_since(mark).count(of.target_device(of.M31)) <= 2


async def test_home_assistant_can_be_left_out_and_what_it_was_told_is_cleared(
    mosquitto: Mosquitto, observer: Observer, example_api: SimulatedApi
) -> None:
    async with running_bridge(bridge_config(mosquitto.port, example_api)):
        await all_published(observer)
    without = HomeAssistantConfig(enabled=False)
    async with running_bridge(bridge_config(mosquitto.port, example_api, home_assistant=without)):
        await observer.wait_until(lambda: not observer.held_below("homeassistant/"))
        assert of.all_states() <= observer.held.keys()


async def test_a_command_refreshes_what_is_read_slowly(
    mosquitto: Mosquitto, observer: Observer, example: SimulatedObservatory, example_api: SimulatedApi
) -> None:
    config = bridge_config(mosquitto.port, example_api, looks=polling(slow_interval=3_600.0))
    async with running_bridge(config):
        await all_published(observer)
        example.rename(example.project(of.P2), "Spring")
        late = example.add_project(example.profile(of.PROFILE_2), "Late")
        await observer.publish("ts2mqtt/backyard/command", "refresh")
        await observer.wait_for(of.project(late.id))


async def test_a_command_reads_the_night_plan(
    mosquitto: Mosquitto, observer: Observer, example_api: SimulatedApi
) -> None:
    async with running_bridge(bridge_config(mosquitto.port, example_api)):
        await all_published(observer)
        assert not example_api.requests_to("/profiles/*/preview")
        await observer.publish("ts2mqtt/backyard/command", "refresh_plan")
        plan = (await observer.wait_for("ts2mqtt/backyard/plan", lambda plan: plan["blocks"])).json
        assert [block["kind"] for block in plan["blocks"]] == ["wait", "target"]
        scheduled = await observer.wait_for(of.target(of.M31), lambda target: target["scheduled"] is not None)
        assert scheduled.json["scheduled"]["start"] == "2026-02-27T19:38:15.443681-05:00"


async def test_the_night_plan_is_read_once_after_a_start(
    mosquitto: Mosquitto, observer: Observer, example: SimulatedObservatory, example_api: SimulatedApi
) -> None:
    # By day: at an hour when the rig could be imaging the bridge would first watch it for minutes.
    midday = PacedClock(datetime.fromisoformat("2026-02-27T13:05:00-05:00"), pace=1)
    async with running_bridge(bridge_config(mosquitto.port, example_api, looks=polling(plan="auto")), midday):
        await observer.wait_for("ts2mqtt/backyard/plan", lambda plan: plan["blocks"])
        await all_published(observer)
        await later_change(observer, example)
        assert len(example_api.requests_to("/profiles/*/preview")) == 1


async def test_commands_that_are_not_understood_are_told_and_do_no_harm(
    mosquitto: Mosquitto, observer: Observer, example: SimulatedObservatory, example_api: SimulatedApi, log: Log
) -> None:
    async with running_bridge(bridge_config(mosquitto.port, example_api), timings=TALKATIVE):
        await all_published(observer)
        for topic, payload in (
            ("ts2mqtt/backyard/command", "make coffee"),
            ("ts2mqtt/backyard/command", b"\xff\x00\xfe"),
            ("ts2mqtt/elsewhere/command", "refresh"),
            ("ts2mqtt/elsewhere/command", "refresh_plan"),
            ("ts2mqtt/command", "log_level deafening"),
            ("ts2mqtt/command", ""),
            ("ts2mqtt/command", "x" * 100_000),
        ):
            told = len(log.problems)
            await observer.publish(topic, payload)
            await log.says("is not understood", topic)
            await later_change(observer, example)
            assert len(log.problems) == told + 1
        assert max(len(line) for line in log.problems) < 300


async def test_a_flood_of_commands_hurts_neither_rig_nor_home_assistant_nor_log(
    mosquitto: Mosquitto,
    observer: Observer,
    example: SimulatedObservatory,
    example_api: SimulatedApi,
    log: Log,
) -> None:
    async with running_bridge(bridge_config(mosquitto.port, example_api)):
        await all_published(observer)
        mark = observer.mark()
        for topic, payload in (
            ("ts2mqtt/backyard/command", "refresh_plan"),
            ("ts2mqtt/backyard/command", "refresh"),
            ("ts2mqtt/elsewhere/command", "nonsense"),
            ("ts2mqtt/command", "rediscover"),
        ):
            for _ in range(100):
                await observer.publish(topic, payload)
        await observer.wait_until(lambda: of.all_devices() <= set(observer.topics_since(mark)))
        await later_change(observer, example)
        assert len(example_api.requests_to("/profiles/*/preview")) == 1
        assert observer.topics_since(mark).count(of.target_device(of.M31)) <= 2
        assert len(log.problems) < 30
        assert log.about("commands come faster")


async def test_a_retained_command_is_not_carried_out(
    mosquitto: Mosquitto, observer: Observer, example: SimulatedObservatory, example_api: SimulatedApi
) -> None:
    """It would be carried out again at every start."""
    await observer.publish("ts2mqtt/backyard/command", "refresh_plan", retain=True)
    async with running_bridge(bridge_config(mosquitto.port, example_api)):
        await all_published(observer)
        await later_change(observer, example)
        assert not example_api.requests_to("/profiles/*/preview")


async def test_the_log_level_can_be_set_by_a_command(
    mosquitto: Mosquitto, observer: Observer, example: SimulatedObservatory, example_api: SimulatedApi, log: Log
) -> None:
    async with running_bridge(bridge_config(mosquitto.port, example_api)):
        await all_published(observer)
        await observer.publish("ts2mqtt/command", "log_level warning")
        await log.says("the log level", "warning")
        told = len(log.lines)
        await observer.publish("ts2mqtt/command", "rediscover")
        await observer.wait_for(of.target_device(of.M31), after=observer.mark())
        await observer.publish("ts2mqtt/command", "nonsense")
        await later_change(observer, example)
        assert [line.partition(" ")[0] for line in log.lines[told:]] == ["WARNING"]


def _unique_ids(device: dict[str, dict[str, dict[str, str]]]) -> list[str]:
    return [component["unique_id"] for component in device["components"].values()]
