"""One connection's life: what is learned before anything is published, and how it ends."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Mapping
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass, replace
from itertools import chain
from typing import TYPE_CHECKING
from uuid import UUID

import pytest

from tests.bridge.test_retained_reader import retain
from tests.support import topics_of_example as of
from tests.support.running import IMPATIENT, mqtt_config, with_broker
from tests.support.sample_rig import SILENT
from ts2mqtt.bridge import heartbeat
from ts2mqtt.bridge.about import Identity
from ts2mqtt.bridge.carried_over import CarriedOver
from ts2mqtt.bridge.commands import Commands
from ts2mqtt.bridge.desired_state import DesiredState
from ts2mqtt.bridge.inbox import Inbox, RigUpdate, Stop
from ts2mqtt.bridge.session import Session
from ts2mqtt.bridge.setting import Setting
from ts2mqtt.config import HomeAssistantConfig
from ts2mqtt.errors import BrokerUnreachableError, OtherBridgeError
from ts2mqtt.home_assistant.devices import bridge_device_message
from ts2mqtt.logs.failures import FailureLog
from ts2mqtt.mqtt.connection import connect
from ts2mqtt.timing import PaceTimings, SystemClock
from ts2mqtt.topics.message import Message

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence

    from tests.conftest import AnyBroker
    from tests.support.mosquitto import Mosquitto
    from tests.support.observer import Observer
    from tests.support.running import Log
    from ts2mqtt.timing import Timings


@dataclass(frozen=True)
class AtWork:
    """A session that has read what the broker holds, and what it works with."""

    session: Session
    inbox: Inbox
    carried: CarriedOver


@asynccontextmanager
async def session_at(  # noqa: PLR0913 - each is one thing that a test may need otherwise
    port: int,
    *,
    instance: str = "0-me",
    returning: bool = False,
    rig_ids: Sequence[str] = ("backyard",),
    events: Sequence[bytes] = (),
    timings: Timings = IMPATIENT,
) -> AsyncIterator[AtWork]:
    """Of a bridge with these rigs, which never report; `events` of Backyard are waiting to be told."""
    clock = SystemClock()
    identity = Identity(instance=instance, since=clock.now(), protocol="3.1.1", rigs=())
    setting = Setting(
        ids=of.NAMES, identity=identity, home_assistant=HomeAssistantConfig(), clock=clock, timings=timings
    )
    carried = CarriedOver(
        desired=DesiredState(of.NAMES, rig_ids, bridge_device_message(of.NAMES)),
        failures=FailureLog(logging.getLogger("ts2mqtt"), clock),
        has_worked=returning,
    )
    carried.add_events("backyard", events)
    inbox = Inbox()
    async with connect(mqtt_config(port, client_id="session")) as connection:
        session = Session(connection, setting, carried, inbox, Commands(of.NAMES.topics, {}, clock))
        async with session.begun():
            yield AtWork(session, inbox, carried)


def update(*events: bytes) -> RigUpdate:
    """Of a rig about which nothing is known but what has just happened."""
    return RigUpdate(rig=SILENT, states={}, devices={}, events=events)


class LookedAt(Mapping[str, Message]):
    """Devices that count how often they are looked at."""

    def __init__(self, topics: Iterable[str]) -> None:
        self._devices = {topic: Message(b"{}") for topic in topics}
        self.looks = 0

    def __getitem__(self, topic: str) -> Message:
        return self._devices[topic]

    def __iter__(self) -> Iterator[str]:
        self.looks += 1
        return iter(self._devices)

    def __len__(self) -> int:
        return len(self._devices)


def told(observer: Observer) -> list[bytes]:
    return [seen.payload for seen in observer.seen if seen.topic == "ts2mqtt/backyard/event"]


async def test_what_the_broker_holds_of_ours_is_known_before_anything_is_published(broker: AnyBroker) -> None:
    held = {of.target(of.M31): "{}", of.target_device(of.M31): "{}", of.STATUS: "offline"}
    await retain(broker.port, held | {"other": "x"})
    async with session_at(broker.port) as at_work:
        assert at_work.session.retained == {topic: payload.encode() for topic, payload in held.items()}


async def test_what_a_broker_drops_of_many_is_asked_for_again(mosquitto_with: Callable[..., Mosquitto]) -> None:
    """Here by a limit that is lower than the default, so that it surely happens, also to heartbeats."""
    payloads = _a_large_observatory(profiles=2, projects=30, targets=20)
    assert len(payloads) > 2_000
    async with mosquitto_with(options=["max_queued_messages 100"]) as broker:
        await retain(broker.port, payloads)
        async with session_at(broker.port) as at_work:
            assert broker.lines("being dropped for client session"), "this broker drops nothing: this shows nothing"
            assert at_work.session.retained.keys() == payloads.keys()


async def test_a_session_that_never_worked_says_nothing_when_it_ends(
    mosquitto: Mosquitto, observer: Observer
) -> None:
    async with session_at(mosquitto.port) as at_work:
        await at_work.session.say_offline()
    await observer.catch_up()
    assert observer.since(0) == []


async def test_a_session_that_worked_says_offline_once(mosquitto: Mosquitto, observer: Observer) -> None:
    async with session_at(mosquitto.port) as at_work:
        at_work.inbox.put(Stop())
        await at_work.session.keep_true()
        await at_work.session.say_offline()
        await at_work.session.say_offline()
    await observer.catch_up()
    assert [seen.payload for seen in observer.since(0) if seen.topic == of.STATUS] == [b"online", b"offline"]


async def test_home_assistant_is_told_everything_on_the_connection_after_the_one_that_heard_its_start(
    mosquitto: Mosquitto, observer: Observer
) -> None:
    device = of.BRIDGE_DEVICE
    async with session_at(mosquitto.port) as at_work:
        at_work.carried.welcome_is_owed = True
        working = asyncio.create_task(at_work.session.keep_true())
        await observer.wait_until(
            lambda: [seen.topic for seen in observer.since(0)].count(device) == 2, "its device to be told twice"
        )
        at_work.inbox.put(Stop())
        await working
        assert not at_work.carried.welcome_is_owed


async def test_a_session_that_stops_tells_all_that_has_happened(mosquitto: Mosquitto, observer: Observer) -> None:
    """What has been looked at is told by nobody after a restart."""
    waiting, happening = [[f"{when}{number}".encode() for number in range(20)] for when in ("before", "now")]
    async with session_at(mosquitto.port, events=waiting) as at_work:
        at_work.inbox.put(Stop())
        at_work.inbox.put(update(*happening))
        await at_work.session.keep_true()
        await at_work.session.say_offline()
    await observer.wait_for(of.STATUS, b"offline")
    assert told(observer) == waiting + happening
    assert not at_work.carried.events


async def test_events_of_replaced_updates_are_told_in_their_order(mosquitto: Mosquitto, observer: Observer) -> None:
    async with session_at(mosquitto.port) as at_work:
        for payload in (b"1", b"2", b"3"):
            at_work.inbox.put(update(payload))
        working = asyncio.create_task(at_work.session.keep_true())
        await observer.wait_for("ts2mqtt/backyard/event", b"3")
        at_work.inbox.put(update(b"4"))
        await observer.wait_for("ts2mqtt/backyard/event", b"4")
        working.cancel()
    assert told(observer) == [b"1", b"2", b"3", b"4"]


async def test_an_event_stays_untold_when_the_connection_breaks_before_it_goes(mosquitto: Mosquitto) -> None:
    async with session_at(mosquitto.port) as at_work:
        working = asyncio.create_task(at_work.session.keep_true())
        await mosquitto.says("Received PUBLISH from session")
        mosquitto.freeze()
        await mosquitto.kill()
        at_work.inbox.put(update(b"late"))
        with pytest.raises(BrokerUnreachableError):
            await working
        left = [*at_work.carried.events["backyard"]] + [
            payload
            for happening in at_work.inbox.take_all()
            if isinstance(happening, RigUpdate)
            for payload in happening.events
        ]
    assert left == [b"late"]


async def test_an_event_is_not_told_again_when_nobody_knows_whether_the_broker_has_it(mosquitto: Mosquitto) -> None:
    async with session_at(mosquitto.port) as at_work:
        working = asyncio.create_task(at_work.session.keep_true())
        await mosquitto.says("Sending UNSUBACK to session", after=1)
        mosquitto.freeze()
        at_work.inbox.put(update(b"on its way"))
        async with asyncio.timeout(5):
            while not at_work.carried.desired.latest("backyard") or at_work.carried.events.get("backyard"):  # noqa: ASYNC110 - a deque tells nobody
                await asyncio.sleep(0)
        assert not working.done()
        await mosquitto.kill()
        with pytest.raises(BrokerUnreachableError):
            await working
        assert not at_work.carried.events.get("backyard")


async def test_while_it_reads_a_session_hears_that_the_connection_breaks(mosquitto: Mosquitto) -> None:
    mosquitto_died = asyncio.create_task(_dies_at(mosquitto, "Received SUBSCRIBE from session"))
    with pytest.raises(BrokerUnreachableError):
        await _reads(mosquitto.port)
    await mosquitto_died


async def test_while_it_works_a_session_hears_that_the_connection_breaks(mosquitto: Mosquitto) -> None:
    async with session_at(mosquitto.port) as at_work:
        working = asyncio.create_task(at_work.session.keep_true())
        await mosquitto.says("Received PUBLISH from session")
        await mosquitto.kill()
        with pytest.raises(BrokerUnreachableError):
            await working


async def test_a_bridge_that_is_said_to_be_online_and_does_not_answer_is_replaced(
    mosquitto: Mosquitto, observer: Observer
) -> None:
    await observer.publish(of.STATUS, "online", retain=True)
    async with session_at(mosquitto.port, timings=with_broker(answer_s=0.2)) as at_work:
        await observer.wait_for(of.HEARTBEAT, heartbeat.ASK)
        assert at_work.session.retained == {of.STATUS: b"online"}


async def test_a_bridge_that_answers_is_left_at_work(mosquitto: Mosquitto, observer: Observer) -> None:
    await observer.publish(of.STATUS, "online", retain=True)
    answer = asyncio.create_task(_answers(observer, _beat("9-other", working=True)))
    with pytest.raises(OtherBridgeError, match="another bridge is at work under the base topic 'ts2mqtt'"):
        await _reads(mosquitto.port)
    await answer


async def test_one_that_only_listens_too_is_no_other_bridge_at_work(mosquitto: Mosquitto, observer: Observer) -> None:
    await observer.publish(of.STATUS, "online", retain=True)
    answer = asyncio.create_task(_answers(observer, _beat("9-other", working=False)))
    async with session_at(mosquitto.port, timings=with_broker(answer_s=0.3)):
        await answer


@pytest.mark.parametrize(
    ("returning", "holder", "gives_way"),
    [
        (True, "1-later", True),
        (True, "0-earlier", False),
        (True, "0-me", False),
        (False, "1-later", False),
    ],
)
async def test_of_two_with_one_client_id_the_earlier_gives_way_when_it_comes_back(
    mosquitto: Mosquitto, returning: bool, holder: str, gives_way: bool
) -> None:
    await retain(mosquitto.port, {of.BRIDGE: json.dumps({"instance": holder})})
    expected = pytest.raises(OtherBridgeError, match=r"mqtt\.client_id") if gives_way else nullcontext()
    with expected:
        await _reads(mosquitto.port, returning=returning)


async def test_of_two_that_work_the_one_that_began_later_stops(mosquitto: Mosquitto, observer: Observer) -> None:
    async with session_at(mosquitto.port, instance="5-me") as at_work:
        working = asyncio.create_task(at_work.session.keep_true())
        await observer.wait_for(of.STATUS, b"online")
        for harmless in (_beat("9-later", working=True), _beat("1-listens", working=False), b"garbage", b"\xff"):
            await observer.publish(of.HEARTBEAT, harmless)
        asked = observer.mark()
        await observer.publish(of.HEARTBEAT, heartbeat.ASK)
        await observer.wait_for(of.HEARTBEAT, lambda beat: beat.get("instance") == "5-me", after=asked)
        assert not working.done()
        await observer.publish(of.HEARTBEAT, _beat("1-earlier", working=True))
        with pytest.raises(OtherBridgeError):
            await working


async def test_of_many_rigs_that_wait_for_room_only_the_first_is_looked_at(
    mosquitto: Mosquitto, observer: Observer
) -> None:
    rigs = [f"rig-{number}" for number in range(10)]
    topics = [[of.target_device(f"{number:08}", rig) for number in range(4)] for rig in rigs]
    devices = [LookedAt(of_rig) for of_rig in topics]
    pace = PaceTimings(many=4, handful=2, devices_per_second=20.0)
    async with session_at(mosquitto.port, rig_ids=rigs, timings=replace(IMPATIENT, pace=pace)) as at_work:
        for rig, of_rig in zip(rigs, devices, strict=True):
            at_work.inbox.put(RigUpdate(rig=replace(SILENT, id=rig), states={}, devices=of_rig))
        working = asyncio.create_task(at_work.session.keep_true())
        await observer.wait_until(lambda: observer.held.keys() >= set(chain.from_iterable(topics)))
        at_work.inbox.put(Stop())
        await working
    # Each at first, and then one for each two of the 36 devices that wait.
    assert sum(of_rig.looks for of_rig in devices) <= 35


async def test_its_own_echo_never_makes_it_publish(mosquitto: Mosquitto, observer: Observer) -> None:
    async with session_at(mosquitto.port) as at_work:
        working = asyncio.create_task(at_work.session.keep_true())
        await observer.wait_for(of.BRIDGE)
        await observer.publish(of.HEARTBEAT, heartbeat.ASK)
        await observer.wait_for(of.HEARTBEAT, lambda beat: beat.get("working") is True)
        await observer.catch_up()
        assert observer.topics_since(0) == sorted((of.BRIDGE, of.BRIDGE_DEVICE, of.STATUS))
        working.cancel()


async def test_a_heartbeat_from_the_future_of_its_own_name_proves_nothing(
    mosquitto: Mosquitto, observer: Observer
) -> None:
    """Anybody may write on that topic: what was never sent cannot have come back."""
    async with session_at(mosquitto.port, timings=with_broker(heartbeat_s=0.05)) as at_work:
        working = asyncio.create_task(at_work.session.keep_true())
        await observer.wait_for(of.STATUS, b"online")
        await observer.publish(
            of.HEARTBEAT, json.dumps({"instance": "0-me", "number": 10_000, "returned": 0, "working": True})
        )
        mosquitto.freeze()
        with pytest.raises(BrokerUnreachableError, match="heartbeats no longer come back"):
            await working
        mosquitto.thaw()


async def test_a_broker_that_keeps_what_it_is_given_is_not_complained_about(mosquitto: Mosquitto, log: Log) -> None:
    async with session_at(mosquitto.port) as at_work:
        working = asyncio.create_task(at_work.session.keep_true())
        await mosquitto.says("Sending UNSUBACK to session", after=1)
        working.cancel()
    assert log.problems == []


async def _reads(port: int, *, instance: str = "0-me", returning: bool = False) -> None:
    async with session_at(port, instance=instance, returning=returning):
        pass


async def _dies_at(mosquitto: Mosquitto, line: str) -> None:
    await mosquitto.says(line)
    await mosquitto.kill()


async def _answers(observer: Observer, beat: bytes) -> None:
    await observer.wait_for(of.HEARTBEAT, heartbeat.ASK)
    await observer.publish(of.HEARTBEAT, beat)


def _beat(instance: str, *, working: bool) -> bytes:
    return json.dumps({"instance": instance, "number": 3, "returned": 3, "working": working}).encode()


def _a_large_observatory(*, profiles: int, projects: int, targets: int) -> dict[str, str]:
    """Each project and target with its device, named by its parents as the bridge publishes them."""
    serial = iter(range(1_000_000))
    payloads: dict[str, str] = {}

    def add(kind: str, children: dict[str, list[dict[str, str]]]) -> dict[str, str]:
        thing_id = str(UUID(int=next(serial)))
        payloads[f"ts2mqtt/backyard/{kind}/{thing_id}"] = json.dumps({"id": thing_id} | children)
        payloads[f"homeassistant/device/ts2mqtt/backyard_{kind}_{thing_id}/config"] = json.dumps({"x": "x" * 8_000})
        return {"id": thing_id}

    named = [
        add(
            "profile",
            {
                "projects": [
                    add("project", {"targets": [add("target", {}) for _ in range(targets)]}) for _ in range(projects)
                ]
            },
        )
        for _ in range(profiles)
    ]
    payloads[of.RIG_STATE] = json.dumps({"profiles": named})
    payloads[of.rig_device()] = "{}"
    return payloads
