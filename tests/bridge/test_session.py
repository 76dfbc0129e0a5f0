"""One connection's life: what is learned before anything is published, and how it ends."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from contextlib import asynccontextmanager, nullcontext
from typing import TYPE_CHECKING
from uuid import UUID

import pytest

from tests.bridge.test_retained_reader import retain
from tests.support import topics_of_example as of
from tests.support.running import mqtt_config
from ts2mqtt.bridge import heartbeat
from ts2mqtt.bridge.commands import Commands
from ts2mqtt.bridge.desired_state import DesiredState
from ts2mqtt.bridge.session import Session
from ts2mqtt.bridge.transitions import HomeAssistantStatus
from ts2mqtt.config import HomeAssistantConfig
from ts2mqtt.errors import BrokerUnreachableError, OtherBridgeError
from ts2mqtt.mqtt.connection import Connection, connect
from ts2mqtt.topics.message import Message

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from tests.conftest import AnyBroker
    from tests.support.mosquitto import Mosquitto
    from tests.support.observer import Observer
    from tests.support.running import Log


@asynccontextmanager
async def session_at(  # noqa: PLR0913 - each is a session of its own
    port: int,
    *,
    instance: str = "0-me",
    returning: bool = False,
    client_id: str = "session",
    events: deque[tuple[str, bytes]] | None = None,
    on_look: Callable[[], None] = lambda: None,
    changed: asyncio.Event | None = None,
) -> AsyncIterator[Session]:
    """A session that wants nothing but the bridge's own topic; it has learned what the broker holds.

    `on_look` is called whenever it asks what is wanted.
    """

    def wanted() -> DesiredState:
        on_look()
        return nothing

    nothing = DesiredState(of.NAMES, frozenset(), home_assistant=True)
    async with connect(mqtt_config(port, client_id=client_id)) as connection:
        session = Session(
            connection,
            of.NAMES,
            HomeAssistantConfig(),
            instance=instance,
            about=lambda: Message(json.dumps({"instance": instance}).encode()),
            wanted=wanted,
            events=deque() if events is None else events,
            commands=Commands(lambda _: False, lambda _: False, lambda _: False),
            changed=changed or asyncio.Event(),
            news=HomeAssistantStatus(),
            returning=returning,
        )
        async with session.running():
            yield session


async def test_what_the_broker_holds_of_ours_is_known_before_anything_is_published(broker: AnyBroker) -> None:
    held = {of.target(of.M31): "{}", of.target_device(of.M31): "{}", of.STATUS: "offline"}
    await retain(broker.port, held | {"other": "x"})
    async with session_at(broker.port) as session:
        assert session.publisher.retained == {topic: payload.encode() for topic, payload in held.items()}


async def test_what_a_broker_drops_of_many_is_asked_for_again(mosquitto_with: Callable[..., Mosquitto]) -> None:
    """Here by a limit that is lower than the default, so that it surely happens, also to heartbeats."""
    payloads = _a_large_observatory(profiles=2, projects=30, targets=20)
    assert len(payloads) > 2_000
    async with mosquitto_with(options=["max_queued_messages 100"]) as broker:
        await retain(broker.port, payloads)
        async with session_at(broker.port) as session:
            assert broker.lines("being dropped for client session"), "this broker drops nothing: this shows nothing"
            assert session.publisher.retained.keys() == payloads.keys()


async def test_a_session_that_never_worked_says_nothing_when_it_ends(
    mosquitto: Mosquitto, observer: Observer
) -> None:
    async with session_at(mosquitto.port) as session:
        await session.say_offline()
    await observer.catch_up()
    assert observer.since(0) == []


async def test_a_session_that_worked_says_offline_once(mosquitto: Mosquitto, observer: Observer) -> None:
    async with session_at(mosquitto.port) as session:
        working = asyncio.create_task(session.keep_true())
        await observer.wait_for(of.STATUS, b"online")
        working.cancel()
        await asyncio.wait((working,))
        await session.say_offline()
        await session.say_offline()
    await observer.catch_up()
    assert [seen.payload for seen in observer.since(0) if seen.topic == of.STATUS] == [b"online", b"offline"]


async def test_a_session_that_finishes_tells_all_that_it_has_begun_to_tell(
    mosquitto: Mosquitto, observer: Observer
) -> None:
    """What has been looked at is told by nobody after a restart."""
    told = [("backyard", str(number).encode()) for number in range(20)]
    events: deque[tuple[str, bytes]] = deque()
    changed, happened, looked = asyncio.Event(), asyncio.Event(), asyncio.Event()

    def look() -> None:
        if happened.is_set():
            happened.clear()
            events.extend(told)
            looked.set()

    async with session_at(mosquitto.port, events=events, on_look=look, changed=changed) as session:
        working = asyncio.create_task(session.keep_true())
        await observer.wait_for(of.BRIDGE)
        await observer.wait_for(of.BRIDGE_DEVICE)
        happened.set()
        changed.set()
        await looked.wait()
        await session.finish()
        working.cancel()
        await asyncio.wait((working,))
        await session.say_offline()
    await observer.wait_for(of.STATUS, b"offline")
    heard = [seen.payload for seen in observer.seen if seen.topic == "ts2mqtt/backyard/event"]
    assert heard == [payload for _, payload in told]


async def test_of_too_many_events_none_is_lost_that_there_is_room_for(
    mosquitto: Mosquitto, observer: Observer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that arrives while the oldest is under way pushes that out: what is next must not go as well."""
    events = deque([("backyard", b"first"), ("backyard", b"second"), ("backyard", b"third")], maxlen=3)
    publish = Connection.publish

    async def one_more_happens(
        connection: Connection, topic: str, payload: bytes, *, retain: bool
    ) -> asyncio.Future[float]:
        if payload == b"first":
            events.append(("backyard", b"last"))
        return await publish(connection, topic, payload, retain=retain)

    monkeypatch.setattr(Connection, "publish", one_more_happens)
    async with session_at(mosquitto.port, events=events) as session:
        working = asyncio.create_task(session.keep_true())
        await observer.wait_for("ts2mqtt/backyard/event", b"last")
        working.cancel()
    heard = [seen.payload for seen in observer.seen if seen.topic == "ts2mqtt/backyard/event"]
    assert heard == [b"first", b"second", b"third", b"last"]


async def test_while_it_learns_a_session_hears_that_the_connection_breaks(mosquitto: Mosquitto) -> None:
    mosquitto_died = asyncio.create_task(_dies_at(mosquitto, "Received SUBSCRIBE from session"))
    with pytest.raises(BrokerUnreachableError):
        await _learns(mosquitto.port)
    await mosquitto_died


async def test_while_it_works_a_session_hears_that_the_connection_breaks(mosquitto: Mosquitto) -> None:
    async with session_at(mosquitto.port) as session:
        working = asyncio.create_task(session.keep_true())
        await mosquitto.says("Received PUBLISH from session")
        await mosquitto.kill()
        with pytest.raises(BrokerUnreachableError):
            await working


async def test_a_bridge_that_is_said_to_be_online_and_does_not_answer_is_replaced(
    mosquitto: Mosquitto, observer: Observer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ts2mqtt.bridge.liveness._ANSWER_S", 0.2)
    await observer.publish(of.STATUS, "online", retain=True)
    async with session_at(mosquitto.port) as session:
        await observer.wait_for(of.HEARTBEAT, heartbeat.ASK)
        assert session.publisher.retained == {of.STATUS: b"online"}


async def test_a_bridge_that_answers_is_left_at_work(mosquitto: Mosquitto, observer: Observer) -> None:
    await observer.publish(of.STATUS, "online", retain=True)
    answer = asyncio.create_task(_answers(observer, _beat("9-other", working=True)))
    with pytest.raises(OtherBridgeError, match="another bridge is at work under the base topic 'ts2mqtt'"):
        await _learns(mosquitto.port)
    await answer


async def test_one_that_only_listens_too_is_no_other_bridge_at_work(
    mosquitto: Mosquitto, observer: Observer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ts2mqtt.bridge.liveness._ANSWER_S", 0.3)
    await observer.publish(of.STATUS, "online", retain=True)
    answer = asyncio.create_task(_answers(observer, _beat("9-other", working=False)))
    async with session_at(mosquitto.port):
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
        await _learns(mosquitto.port, returning=returning)


async def test_of_two_that_work_the_one_that_began_later_stops(mosquitto: Mosquitto, observer: Observer) -> None:
    async with session_at(mosquitto.port, instance="5-me") as session:
        working = asyncio.create_task(session.keep_true())
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


async def test_its_own_echo_never_makes_it_publish(mosquitto: Mosquitto, observer: Observer) -> None:
    async with session_at(mosquitto.port) as session:
        working = asyncio.create_task(session.keep_true())
        await observer.wait_for(of.BRIDGE)
        await observer.publish(of.HEARTBEAT, heartbeat.ASK)
        await observer.wait_for(of.HEARTBEAT, lambda beat: beat.get("working") is True)
        await observer.catch_up()
        assert observer.topics_since(0) == sorted((of.BRIDGE, of.BRIDGE_DEVICE, of.STATUS))
        working.cancel()


async def test_a_heartbeat_from_the_future_of_its_own_name_proves_nothing(
    mosquitto: Mosquitto, observer: Observer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Anybody may write on that topic: what was never sent cannot have come back."""
    monkeypatch.setattr(heartbeat, "INTERVAL_S", 0.05)
    async with session_at(mosquitto.port) as session:
        working = asyncio.create_task(session.keep_true())
        await observer.wait_for(of.STATUS, b"online")
        await observer.publish(
            of.HEARTBEAT, json.dumps({"instance": "0-me", "number": 10_000, "returned": 0, "working": True})
        )
        mosquitto.freeze()
        with pytest.raises(BrokerUnreachableError, match="heartbeats no longer come back"):
            await working
        mosquitto.thaw()


async def test_a_broker_that_keeps_what_it_is_given_is_not_complained_about(mosquitto: Mosquitto, log: Log) -> None:
    async with session_at(mosquitto.port) as session:
        working = asyncio.create_task(session.keep_true())
        await mosquitto.says("Received UNSUBSCRIBE from session", after=1)
        working.cancel()
    assert log.problems == []


async def _learns(port: int, *, instance: str = "0-me", returning: bool = False) -> None:
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
