"""A bridge that starts again: only the difference is published, and only what is really gone is cleared."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from tests.bridge.test_bridge import all_published, later_change
from tests.support import topics_of_example as of
from tests.support.bridge_zone import bridge_in
from tests.support.clocks import HandClock
from tests.support.observer import observing, retained_on
from tests.support.running import bridge_config, polling, running_bridge
from ts2mqtt.config import HomeAssistantConfig
from ts2mqtt.simulator.faults import Fault

if TYPE_CHECKING:
    from tests.conftest import AnyBroker
    from tests.support.mosquitto import Mosquitto
    from tests.support.observer import Observer
    from tests.support.running import Log
    from ts2mqtt.simulator.api import SimulatedApi
    from ts2mqtt.simulator.observatory import SimulatedObservatory

_OWN = (of.STATUS, of.BRIDGE)


async def test_a_restart_without_changes_publishes_only_what_is_about_the_bridge(
    broker: AnyBroker, example: SimulatedObservatory, example_api: SimulatedApi
) -> None:
    config = bridge_config(broker.port, example_api)
    async with observing(broker.port) as observer:
        async with running_bridge(config):
            await all_published(observer)
        mark = observer.mark()
        async with running_bridge(config):
            await observer.wait_for(of.STATUS, b"online", after=mark)
            bystander = await later_change(observer, example)
        assert observer.topics_since(mark, but=(of.STATUS,)) == sorted((of.BRIDGE, bystander))


async def test_a_restart_takes_up_the_night_plan_that_stands_on_the_broker(
    mosquitto: Mosquitto, observer: Observer, example_api: SimulatedApi
) -> None:
    config = bridge_config(mosquitto.port, example_api)
    async with running_bridge(config):
        await all_published(observer)
        await observer.publish("ts2mqtt/backyard/command", "refresh_plan")
        await observer.wait_for(of.target(of.M31), lambda target: target["scheduled"] is not None)
        await observer.wait_for("ts2mqtt/backyard/plan/image")
    mark = observer.mark()
    looks = len(example_api.requests_to("/profiles"))
    async with running_bridge(config):
        await example_api.wait_for_answer("/profiles", after=looks + 2)
        await observer.catch_up()
        assert observer.topics_since(mark, but=_OWN) == []
    assert len(example_api.requests_to("/profiles/*/preview")) == 1


async def test_a_restart_does_not_say_offline_of_a_rig_that_is_slow_to_answer(
    mosquitto: Mosquitto, observer: Observer, example: SimulatedObservatory, example_api: SimulatedApi
) -> None:
    config = bridge_config(mosquitto.port, example_api)
    async with running_bridge(config):
        await all_published(observer)
    mark = observer.mark()
    example_api.faults.add("/version", Fault.delay(1.0), times=1)
    async with running_bridge(config):
        await observer.wait_for(of.STATUS, b"online", after=mark)
        bystander = await later_change(observer, example)
        assert observer.topics_since(mark, but=_OWN) == [bystander]


async def test_a_restart_publishes_the_difference_and_clears_what_was_deleted_meanwhile(
    broker: AnyBroker, example: SimulatedObservatory, example_api: SimulatedApi
) -> None:
    doomed = example.add_project(example.active_profile, "Doomed")
    targets = [example.add_target(doomed, name) for name in ("M 33", "M 45")]
    config = bridge_config(broker.port, example_api)
    gone = {
        of.project(doomed.id),
        of.project_device(doomed.id),
        *(of.target(target.id) for target in targets),
        *(of.target_device(target.id) for target in targets),
    }
    async with observing(broker.port) as observer:
        async with running_bridge(config):
            await all_published(observer)
            await observer.wait_until(lambda: gone <= observer.held.keys())
        mark = observer.mark()
        example.remove_project(doomed)
        example.rename(example.project(of.P2), "Spring")
        async with running_bridge(config):
            await observer.wait_until_gone(*gone)
            bystander = await later_change(observer, example)
            removal_records = observer.held_below("ts2mqtt/bridge/removed/")
            renamed = {
                of.project(of.P2),
                of.project_device(of.P2),
                # The profile names its projects and sums up their totals.
                of.profile(of.PROFILE_1),
            }
            published = observer.topics_since(mark, but=(*_OWN, bystander, *removal_records))
            assert published == sorted(gone | renamed)
            cleared = [seen.topic for seen in observer.since(mark) if not seen.payload]
            for device, state in (
                (of.project_device(doomed.id), of.project(doomed.id)),
                *((of.target_device(target.id), of.target(target.id)) for target in targets),
            ):
                assert cleared.index(device) < cleared.index(state)
            assert await retained_on(broker.port) == observer.held
        assert observer.json(of.project_device(of.P2))["device"]["name"] == "Spring"


async def test_nothing_is_cleared_while_the_rig_has_not_answered(
    broker: AnyBroker, example_api: SimulatedApi, log: Log
) -> None:
    config = bridge_config(broker.port, example_api)
    async with observing(broker.port) as observer:
        async with running_bridge(config):
            await all_published(observer)
        await example_api.stop()
        mark, held = observer.mark(), observer.held_below("")
        async with running_bridge(config):
            await observer.wait_for(of.RIG_STATUS, b"offline", after=mark)
            await log.says("the API does not answer")
            # Longer than it takes for something to be cleared.
            await observer.publish("ts2mqtt/command", "rediscover")
            await observer.wait_for(of.target_device(of.M31), after=mark)
            await observer.catch_up()
        assert not [seen.topic for seen in observer.since(mark) if not seen.payload]
        assert observer.held_below("") == held


async def test_what_a_rig_was_doing_is_not_shown_as_present_while_it_has_not_answered_since_a_start(
    mosquitto: Mosquitto, observer: Observer, example_api: SimulatedApi
) -> None:
    """Its live entities are unavailable by the rig's status; its counts stay what they were."""
    config = bridge_config(mosquitto.port, example_api)
    async with running_bridge(config):
        await all_published(observer)
    await example_api.stop()
    mark = observer.mark()
    async with running_bridge(config):
        await observer.wait_for(of.RIG_STATUS, b"offline", after=mark)
        await observer.catch_up()
        assert set(observer.topics_since(mark)) <= {*_OWN, of.RIG_STATUS, of.RIG_STATE}


async def test_a_list_that_fails_clears_nothing_while_another_change_goes_through(
    mosquitto: Mosquitto, observer: Observer, example: SimulatedObservatory, example_api: SimulatedApi
) -> None:
    config = bridge_config(mosquitto.port, example_api)
    async with running_bridge(config):
        await all_published(observer)
    example_api.faults.add(f"/projects/{of.P1}/targets", Fault.status(500))
    deleted = example.add_project(example.active_profile, "Come and gone")
    mark = observer.mark()
    async with running_bridge(config):
        await observer.wait_for(of.project_device(deleted.id), after=mark)
        example.remove_project(deleted)
        await observer.wait_until_gone(of.project(deleted.id))
        await later_change(observer, example)
        cleared = {seen.topic for seen in observer.since(mark) if not seen.payload}
        assert cleared == {of.project(deleted.id), of.project_device(deleted.id)} | _records(cleared)
        assert not observer.topics_since(mark).count(of.target(of.M31))
        # The totals of the project are unknown, and stay what they were.
        assert not observer.topics_since(mark).count(of.project(of.P1))


async def test_a_list_of_projects_that_fails_clears_neither_projects_nor_targets(
    mosquitto: Mosquitto, observer: Observer, example: SimulatedObservatory, example_api: SimulatedApi
) -> None:
    config = bridge_config(mosquitto.port, example_api)
    async with running_bridge(config):
        await all_published(observer)
    example_api.faults.add(f"/profiles/{of.PROFILE_1}/projects", Fault.html())
    mark = observer.mark()
    async with running_bridge(config):
        await observer.wait_for(of.STATUS, b"online", after=mark)
        bystander = await later_change(observer, example)
        await later_change(observer, example)
        assert set(observer.topics_since(mark, but=_OWN)) == {bystander}


async def test_a_restart_knows_the_time_zone_of_a_rig_that_cannot_tell_it_now(
    mosquitto: Mosquitto, observer: Observer, example: SimulatedObservatory, example_api: SimulatedApi
) -> None:
    config = bridge_config(mosquitto.port, example_api)
    # The rig's night of the day before ends with its noon, three hours from now; at the bridge a new one has begun.
    with bridge_in("UTC"):
        afternoon = datetime(2026, 2, 27, 14, tzinfo=UTC)
        async with running_bridge(config, HandClock(afternoon)):
            await all_published(observer)
            await observer.wait_for(of.RIG_STATE, lambda rig: rig["tonight"]["date"] == "2026-02-26")
        example_api.faults.add(f"/profiles/{of.PROFILE_1}/projects", Fault.html())
        mark = observer.mark()
        async with running_bridge(config, HandClock(afternoon)):
            await observer.wait_for(of.STATUS, b"online", after=mark)
            await later_change(observer, example)
            assert not observer.topics_since(mark).count(of.RIG_STATE)


async def test_a_list_that_fails_from_the_very_first_start_shows_the_rest(
    mosquitto: Mosquitto, observer: Observer, example_api: SimulatedApi, log: Log
) -> None:
    example_api.faults.add(f"/projects/{of.P1}/targets", Fault.status(500))
    async with running_bridge(bridge_config(mosquitto.port, example_api)):
        await observer.wait_until(lambda: of.all_devices() - {of.target_device(of.M31)} <= observer.held.keys())
        await observer.wait_for(of.project(of.P1), lambda project: project["progress"] is None)
        assert "P1" in await log.says("targets of project")
        example_api.faults.clear()
        await observer.wait_for(of.project(of.P1), lambda project: project["progress"] == 0)
        await all_published(observer)


async def test_a_rig_that_left_the_configuration_leaves_the_broker(
    mosquitto: Mosquitto, observer: Observer, example_api: SimulatedApi
) -> None:
    async with running_bridge(bridge_config(mosquitto.port, example_api, "http://127.0.0.1:9")):
        await all_published(observer)
        await observer.wait_for(of.rig_device("remote"))
    async with running_bridge(bridge_config(mosquitto.port, example_api)):
        await observer.wait_until(lambda: not observer.held_below("ts2mqtt/remote/", f"{of.DEVICES}ts2mqtt/remote"))
        assert of.all_devices() | of.all_states() <= observer.held.keys()


async def test_statistics_that_were_paid_for_are_not_read_again_after_a_restart(
    mosquitto: Mosquitto, observer: Observer, example: SimulatedObservatory, example_api: SimulatedApi
) -> None:
    example.acquire(example.target(of.M31), 0, accepted=True, hfr=2.1, fwhm=3.0, eccentricity=0.4)
    async with running_bridge(bridge_config(mosquitto.port, example_api)):
        await observer.wait_for(of.target(of.M31), lambda target: target["exposure_plans"][0]["statistics"])
        await all_published(observer)
    mark = observer.mark()
    # The first statistics after a start are read at some time within the slow interval.
    async with running_bridge(bridge_config(mosquitto.port, example_api, looks=polling(slow_interval=86_400.0))):
        await observer.wait_for(of.STATUS, b"online", after=mark)
        bystander = await later_change(observer, example)
        assert observer.topics_since(mark, but=_OWN) == [bystander]
        assert example.counters.statistics_requests[of.M31] == 1


async def test_retained_garbage_below_our_topics_is_put_right_or_left_alone(
    mosquitto: Mosquitto, observer: Observer, example_api: SimulatedApi
) -> None:
    ours = {
        of.target(of.M31): b"\xff\xfe not JSON",
        of.project(of.P1): b'{"profile_id": 7}',
        of.rig_device(): b'{"components": []}',
        of.target_device(of.M31): b"[]",
        of.profile(of.PROFILE_1): b"null",
        of.RIG_STATE: b"{}",
        of.BRIDGE: b"0",
        "ts2mqtt/bridge/removed/backyard": b"{",
    }
    stale = {of.target("00000000-0000-0000-0000-000000000000"): b"garbage", of.project_device("no-such"): b"{}"}
    foreign = {
        "ts2mqtt/notes/of/mine": b"kept",
        "ts2mqtt": b"kept",
        "ts2mqtt/backyard/target/a/b": b"kept",
        "ts2mqtt/backyard/": b"kept",
        "ts2mqtt/Backyard/state": b"kept",
        "homeassistant/device/other/backyard/config": b"kept",
        "homeassistant/device/ts2mqtt/Not.Ours/config": b"kept",
        "homeassistant/sensor/ts2mqtt/backyard/config": b"kept",
    }
    for topic, payload in (ours | stale | foreign).items():
        await observer.publish(topic, payload, retain=True)
    async with running_bridge(bridge_config(mosquitto.port, example_api)):
        await all_published(observer)
        await observer.wait_until_gone(*stale)
        put_right = {topic: payload for topic, payload in ours.items() if "/removed/" not in topic}
        await observer.wait_until(lambda: not put_right.items() & observer.held.items())
        assert {topic: observer.held[topic] for topic in foreign} == foreign


async def test_live_messages_of_others_on_our_topics_are_not_taken_for_stale_ones(
    mosquitto: Mosquitto, observer: Observer, example: SimulatedObservatory, example_api: SimulatedApi
) -> None:
    """A cleaner that takes echoes for stale topics publishes for ever."""
    unknown = of.target("11111111-0000-0000-0000-000000000000")
    async with running_bridge(bridge_config(mosquitto.port, example_api)):
        await all_published(observer)
        mark = observer.mark()
        await observer.publish(unknown, "live")
        await observer.publish(of.target(of.M31), "live")
        bystander = await later_change(observer, example)
        await later_change(observer, example)
        assert observer.topics_since(mark, but=(bystander,)) == sorted((unknown, of.target(of.M31)))


async def test_project_states_decide_which_devices_stay(
    mosquitto: Mosquitto, observer: Observer, example_api: SimulatedApi
) -> None:
    async with running_bridge(bridge_config(mosquitto.port, example_api)):
        await all_published(observer)
    narrower = HomeAssistantConfig(project_states=("Active",))
    async with running_bridge(bridge_config(mosquitto.port, example_api, home_assistant=narrower)):
        await observer.wait_until_gone(of.project_device(of.P2))
        assert of.project(of.P2) in observer.held


def _records(topics: set[str]) -> set[str]:
    return {topic for topic in topics if topic.startswith("ts2mqtt/bridge/removed/")}
