"""Wanted messages against what the broker holds: the difference is published, in order, and gently."""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion

from tests.support import topics_of_example as of
from tests.support.clocks import HandClock, LoopClock
from tests.support.observer import observing, retained_on
from tests.support.running import mqtt_config
from tests.support.simulated_time import run_in_simulated_time
from ts2mqtt.bridge.carried_over import CarriedOver
from ts2mqtt.bridge.desired_state import DesiredState
from ts2mqtt.bridge.publisher import Publisher, Stale
from ts2mqtt.logs.failures import FailureLog
from ts2mqtt.mqtt.connection import connect
from ts2mqtt.simulator.broker import EmbeddedBroker
from ts2mqtt.timing import PaceTimings, SystemClock, Timings
from ts2mqtt.topics.message import Message

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from tests.conftest import AnyBroker
    from tests.support.mosquitto import Mosquitto
    from tests.support.observer import Observer
    from tests.support.running import Log
    from ts2mqtt.mqtt.connection import Connection
    from ts2mqtt.timing import Clock


_USUAL = Timings()


def publisher_on(
    connection: Connection,
    failures: FailureLog | None = None,
    clock: Clock | None = None,
    timings: Timings = _USUAL,
) -> Publisher:
    clock = clock or SystemClock()
    failures = failures or FailureLog(logging.getLogger("ts2mqtt"), clock)
    carried = CarriedOver(desired=DesiredState(of.NAMES, []), failures=failures)
    return Publisher(connection, of.NAMES, carried, clock, timings)


@asynccontextmanager
async def publishing(
    port: int, protocol: str = "3.1.1", clock: Clock | None = None, timings: Timings = _USUAL
) -> AsyncIterator[Publisher]:
    async with connect(mqtt_config(port, protocol=protocol)) as connection:
        yield publisher_on(connection, clock=clock, timings=timings)


def messages(**payloads: str) -> dict[str, Message]:
    return {topic: Message(payload.encode()) for topic, payload in payloads.items()}


async def seen_by(observer: Observer) -> list[tuple[str, bytes]]:
    await observer.catch_up()
    return [(seen.topic, seen.payload) for seen in observer.seen]


async def test_only_what_differs_is_published(broker: AnyBroker) -> None:
    async with observing(broker.port) as observer, publishing(broker.port) as publisher:
        publisher.note_retained("a", b"1")
        publisher.note_retained("b", b"old")
        assert await publisher.publish(messages(a="1", b="2", c="3"), ()) is None
        assert await publisher.publish(messages(a="1", b="2", c="3"), ()) is None
        assert await seen_by(observer) == [("b", b"2"), ("c", b"3")]
        assert await retained_on(broker.port) == {"b": b"2", "c": b"3"}


async def test_what_is_known_to_be_gone_is_published_again(mosquitto: Mosquitto, observer: Observer) -> None:
    async with publishing(mosquitto.port) as publisher:
        publisher.note_retained("a", b"1")
        publisher.note_retained("a", b"")
        await publisher.publish(messages(a="1"), ())
        assert await seen_by(observer) == [("a", b"1")]


async def test_a_provisional_message_replaces_nothing(mosquitto: Mosquitto, observer: Observer) -> None:
    async with publishing(mosquitto.port) as publisher:
        publisher.note_retained("known", b"better")
        provisional = Message(b"unknown", provisional=True)
        await publisher.publish({"known": provisional, "new": provisional}, ())
        assert await seen_by(observer) == [("new", b"unknown")]
        await publisher.publish(messages(new="known by now"), ())
        assert (await seen_by(observer))[1:] == [("new", b"known by now")]


async def test_only_what_is_retained_is_cleared(mosquitto: Mosquitto, observer: Observer) -> None:
    async with publishing(mosquitto.port) as publisher:
        await publisher.publish(messages(a="1", b="2"), ())
        await publisher.publish({}, (Stale("never there"), Stale("b"), Stale("a")))
        await publisher.publish({}, (Stale("a"),))
        assert (await seen_by(observer))[2:] == [("b", b""), ("a", b"")]
        assert publisher.retained == await retained_on(mosquitto.port) == {}


async def test_a_version_waits_until_the_one_before_has_settled(mosquitto: Mosquitto, observer: Observer) -> None:
    clock = HandClock()
    async with publishing(mosquitto.port, clock=clock) as publisher:
        assert await publisher.publish({"a": Message(b"1", settle_s=0.2)}, ()) is None
        for _ in range(2):
            later = await publisher.publish({"a": Message(b"2", settle_s=0.2), "b": Message(b"now")}, ())
            assert later == pytest.approx(0.2)
        assert await seen_by(observer) == [("a", b"1"), ("b", b"now")]
        clock.advance(0.21)
        assert await publisher.publish({"a": Message(b"2", settle_s=0.2)}, ()) is None
        assert (await seen_by(observer))[-1] == ("a", b"2")


async def test_what_settled_long_ago_waits_for_nothing(mosquitto: Mosquitto) -> None:
    clock = HandClock()
    async with publishing(mosquitto.port, clock=clock) as publisher:
        await publisher.publish({"a": Message(b"1", settle_s=60.0)}, ())
        clock.advance(60.0)
        assert await publisher.publish({"a": Message(b"2", settle_s=60.0)}, ()) is None
        assert publisher.retained == {"a": b"2"}


async def test_a_state_is_cleared_once_its_device_is_gone_and_has_settled(
    mosquitto: Mosquitto, observer: Observer
) -> None:
    stale = (Stale("device", 0.1), Stale("state", 0.1, follows="device"))
    clock = HandClock()
    async with publishing(mosquitto.port, clock=clock) as publisher:
        publisher.note_retained("device", b"1")
        publisher.note_retained("state", b"1")
        later = await publisher.publish({}, stale)
        assert await seen_by(observer) == [("device", b"")]
        while later is not None:
            clock.advance(later)
            later = await publisher.publish({}, stale)
        assert await seen_by(observer) == [("device", b""), ("state", b"")]


async def test_a_state_stays_as_long_as_its_device_does(mosquitto: Mosquitto, observer: Observer) -> None:
    async with publishing(mosquitto.port) as publisher:
        publisher.note_retained("device", b"1")
        publisher.note_retained("state", b"1")
        assert await publisher.publish({}, (Stale("state", 0.1, follows="device"),)) == 0.1
        assert await seen_by(observer) == []


async def test_what_the_broker_refuses_is_told_once_and_tried_again_when_it_changes(
    mosquitto_with: Callable[..., Mosquitto], log: Log
) -> None:
    async with mosquitto_with(acl=["topic readwrite allowed"]) as broker:
        async with publishing(broker.port, "5") as publisher:
            for payload in ("1", "1", "2"):
                await publisher.publish(messages(allowed=payload, forbidden=payload), ())
            assert publisher.retained == {"allowed": b"2"}
        assert len(log.about("ERROR forbidden", "Not authorized", "access rules")) == 1


def problem(failures: FailureLog) -> str:
    return failures.latest.text if failures.latest else ""


async def test_what_the_broker_refuses_is_a_failure_until_it_takes_it_or_nobody_wants_it(
    mosquitto_with: Callable[..., Mosquitto],
) -> None:
    failures = FailureLog(logging.getLogger("ts2mqtt"), HandClock())
    async with (
        mosquitto_with(acl=["topic readwrite allowed"]) as broker,
        connect(mqtt_config(broker.port, protocol="5")) as connection,
    ):
        publisher = publisher_on(connection, failures)
        await publisher.publish(messages(forbidden="1"), ())
        assert problem(failures).startswith("forbidden: ")
        await publisher.publish(messages(allowed="1"), ())
        assert problem(failures) == ""


async def test_what_was_refused_on_an_earlier_connection_is_no_failure_once_it_stands_or_nobody_wants_it(
    mosquitto_with: Callable[..., Mosquitto],
) -> None:
    failures = FailureLog(logging.getLogger("ts2mqtt"), HandClock())
    async with (
        mosquitto_with(acl=["topic readwrite allowed"]) as broker,
        connect(mqtt_config(broker.port, protocol="5")) as connection,
    ):
        for found, wanted in ((b"1", {"forbidden": "1"}), (b"", {"allowed": "1"})):
            await publisher_on(connection, failures).publish(messages(forbidden="1"), ())
            assert problem(failures).startswith("forbidden: ")
            later = publisher_on(connection, failures)
            later.note_retained("forbidden", found)
            await later.publish(messages(**wanted), ())
            assert problem(failures) == ""


async def test_what_is_put_and_too_large_is_done_without(mosquitto: Mosquitto) -> None:
    """To tell and to forget it in turn would have the bridge look again, and put it again, without a pause."""
    failures = FailureLog(logging.getLogger("ts2mqtt"), HandClock())
    async with connect(mqtt_config(mosquitto.port)) as connection:
        connection.sizes.declared = 1_000
        publisher = publisher_on(connection, failures)
        await publisher.put("record", b"x" * 2_000)
        assert publisher.retained == {}
        await publisher.publish(messages(wanted="1"), ())
        assert failures.failing == ()


async def test_what_one_rig_wants_says_nothing_of_what_was_refused_of_another(
    mosquitto_with: Callable[..., Mosquitto],
) -> None:
    failures = FailureLog(logging.getLogger("ts2mqtt"), HandClock())
    async with (
        mosquitto_with(acl=["topic readwrite ts2mqtt/+/state"]) as broker,
        connect(mqtt_config(broker.port, protocol="5")) as connection,
    ):
        publisher = publisher_on(connection, failures)
        await publisher.publish(messages(**{"ts2mqtt/rig1/plan": "1"}), ())
        await publisher.publish(messages(**{"ts2mqtt/rig2/state": "1"}), ())
        assert problem(failures).startswith("ts2mqtt/rig1/plan: ")
        await publisher.publish(messages(**{"ts2mqtt/rig1/state": "1"}), ())
        assert problem(failures) == ""


async def test_what_is_retained_is_known_rig_by_rig(mosquitto: Mosquitto) -> None:
    one, two, three = (f"ts2mqtt/rig{number}" for number in (1, 2, 3))
    async with publishing(mosquitto.port) as publisher:
        publisher.note_retained(f"{one}/state", b"1")
        publisher.note_retained("other", b"1")
        await publisher.publish(messages(**{f"{one}/plan": "2", f"{two}/state": "3"}), ())
        await publisher.put(f"{one}/state", b"")
        assert publisher.parts == {"rig1", "rig2"}
        assert publisher.retained_of({"rig1"}) == {f"{one}/plan": b"2"}
        assert publisher.retained_of({"rig1", "rig2", "rig3"}) == {f"{one}/plan": b"2", f"{two}/state": b"3"}
        publisher.note_retained(f"{three}/state", b"")
        await publisher.put(f"{two}/state", b"")
        assert publisher.parts == {"rig1"}
        await publisher.put(f"{two}/state", b"4")
        assert publisher.retained_of({"rig2"}) == {f"{two}/state": b"4"}


async def test_an_event_that_the_broker_refuses_is_told_as_a_failure_and_breaks_nothing(
    mosquitto_with: Callable[..., Mosquitto], log: Log
) -> None:
    async with (
        mosquitto_with(acl=["topic readwrite allowed"]) as broker,
        publishing(broker.port, "5") as publisher,
    ):
        for _ in range(3):
            await (await publisher.tell("ts2mqtt/rig/event", b"{}"))
        await publisher.put("allowed", b"kept")
        assert publisher.retained == {"allowed": b"kept"}
    assert len(log.about("ERROR ts2mqtt/rig/event", "Not authorized", "access rules")) == 1


async def test_put_publishes_now_and_knows_it(mosquitto: Mosquitto, observer: Observer) -> None:
    async with publishing(mosquitto.port) as publisher:
        await publisher.put("a", b"1")
        await publisher.put("a", b"1")
        assert publisher.retained == {"a": b"1"}
        await publisher.put("a", b"")
        assert publisher.retained == {}
        assert await seen_by(observer) == [("a", b"1"), ("a", b"1"), ("a", b"")]


async def test_a_slow_subscriber_of_a_mosquitto_with_default_limits_loses_nothing_of_a_burst(
    mosquitto: Mosquitto,
) -> None:
    """Mosquitto drops what a subscriber does not take, from 1,000 queued messages on.

    At 500 messages a second this subscriber loses none if it takes 250 a second, which it does on a busy machine too;
    of the same burst without a pace it loses hundreds.
    """
    count = 1_700
    async with _slow_subscriber(mosquitto.port) as heard, publishing(mosquitto.port) as publisher:
        wanted = {f"burst/{number}": Message(b"x" * 600) for number in range(count)}
        await publisher.publish(wanted, ())
        async with asyncio.timeout(20):
            while (topic := await heard.get()) != f"burst/{count - 1}":
                wanted.pop(topic)
        assert list(wanted) == [f"burst/{count - 1}"]


def test_a_few_messages_are_not_slowed_down_and_many_are() -> None:
    async def seconds_for(count: int) -> float:
        clock = LoopClock()
        async with EmbeddedBroker() as broker, connect(mqtt_config(broker.port), clock=clock) as connection:
            publisher = publisher_on(connection, clock=clock)
            began = clock.monotonic()
            await publisher.publish({f"burst/{number}": Message(b"x") for number in range(count)}, ())
            return clock.monotonic() - began

    assert run_in_simulated_time(lambda: seconds_for(200)) == pytest.approx(0.0, abs=0.01)
    assert run_in_simulated_time(lambda: seconds_for(1_200)) == pytest.approx(2.0, rel=0.1)


async def test_of_too_many_devices_those_of_things_wait_and_those_of_rigs_do_not(
    mosquitto: Mosquitto, observer: Observer
) -> None:
    """An event of a rig is told after the rig's device."""
    clock = HandClock()
    timings = Timings(pace=PaceTimings(many=3, handful=2, devices_per_second=1.0))
    wanted = {of.target_device(f"{number:08}"): Message(b"{}") for number in range(5)}
    wanted |= {of.rig_device(): Message(b"{}"), of.target(of.M31): Message(b"{}")}
    async with publishing(mosquitto.port, clock=clock, timings=timings) as publisher:
        assert await publisher.publish(wanted, ()) is None
        assert publisher.take_without_room() == {of.RIG}
        # The rig's device counts, too.
        assert publisher.room_in_s() == pytest.approx(3.0)
        await observer.catch_up()
        assert observer.topics_since(0) == sorted([*list(wanted)[:3], of.rig_device(), of.target(of.M31)])
        clock.advance(3.0)
        assert await publisher.publish(wanted, [Stale(next(iter(wanted)))]) is None
        assert publisher.take_without_room() == {of.RIG}
        assert publisher.room_in_s() == pytest.approx(2.0)
        assert publisher.retained.keys() == wanted.keys()
        clock.advance(2.0)
        assert await publisher.publish({}, [Stale(next(iter(wanted)))]) is None
        assert not publisher.take_without_room()
        assert len(publisher.retained) == len(wanted) - 1


class _Refusing:
    def __bytes__(self) -> bytes:
        raise AssertionError("it was written")


async def test_a_device_that_waits_for_others_is_not_written(mosquitto: Mosquitto) -> None:
    timings = Timings(pace=PaceTimings(many=1, handful=1, devices_per_second=1.0))
    first, second = of.target_device("00000001"), of.target_device("00000002")
    async with publishing(mosquitto.port, clock=HandClock(), timings=timings) as publisher:
        await publisher.publish({first: Message(b"{}"), second: Message(_Refusing())}, ())
        assert publisher.retained == {first: b"{}"}


@asynccontextmanager
async def _slow_subscriber(port: int) -> AsyncIterator[asyncio.Queue[str]]:
    """With QoS 1, and hardly more than 600 messages a second."""
    loop, heard, subscribed = asyncio.get_running_loop(), asyncio.Queue[str](), asyncio.Event()
    client = paho.Client(CallbackAPIVersion.VERSION2, client_id="slow")

    def hear(_client: paho.Client, _userdata: object, message: paho.MQTTMessage) -> None:
        time.sleep(0.001)
        loop.call_soon_threadsafe(heard.put_nowait, message.topic)

    def subscribe(*_: object) -> None:
        client.subscribe([("burst/#", 1)])

    def tell(*_: object) -> None:
        loop.call_soon_threadsafe(subscribed.set)

    client.on_message, client.on_connect, client.on_subscribe = hear, subscribe, tell
    await asyncio.to_thread(client.connect, "127.0.0.1", port)
    client.loop_start()
    try:
        await subscribed.wait()
        yield heard
    finally:
        client.disconnect()
        await asyncio.to_thread(client.loop_stop)
