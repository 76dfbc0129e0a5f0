"""A client that sees everything on a broker, in the order of its arrival; built on paho alone, not on ts2mqtt."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any

from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from paho.mqtt.properties import Properties
    from paho.mqtt.reasoncodes import ReasonCode

_PATIENCE_S = 60.0
_FENCE_TOPIC = "observer/fence"
_NOT_RETAINED = ("/heartbeat", "/command", "/event")
_serial = count()


@dataclass(frozen=True, slots=True)
class Seen:
    """`retain` is true for what the broker had kept from before the subscription."""

    topic: str
    payload: bytes
    retain: bool

    @property
    def json(self) -> Any:
        return json.loads(self.payload)


class Observer:
    """Made by observing(); `seen` is everything so far, `held` the last payload of each retained topic."""

    def __init__(self, client: paho.Client) -> None:
        self.seen: list[Seen] = []
        self.held: dict[str, bytes] = {}
        self._client = client
        self._loop = asyncio.get_running_loop()
        self._happened = asyncio.Event()
        self._subscribed = asyncio.Event()
        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe
        client.on_message = self._on_message

    @property
    def now(self) -> float:
        """Seconds on a clock that only goes forward."""
        return self._loop.time()

    def mark(self) -> int:
        """A place in `seen`, for since()."""
        return len(self.seen)

    def since(self, mark: int, *, but: tuple[str, ...] = ()) -> list[Seen]:
        """What was published since a mark, but for heartbeats and these topics."""
        return [seen for seen in self.seen[mark:] if not seen.topic.endswith("/heartbeat") and seen.topic not in but]

    def topics_since(self, mark: int, *, but: tuple[str, ...] = ()) -> list[str]:
        """Topics of what is retained, sorted, with repetitions; events come and go."""
        return sorted(seen.topic for seen in self.since(mark, but=but) if not seen.topic.endswith("/event"))

    def json(self, topic: str) -> Any:
        """What a topic holds."""
        return json.loads(self.held[topic])

    def held_below(self, *prefixes: str) -> set[str]:
        return {topic for topic in self.held if topic.startswith(prefixes)}

    async def wait_for(
        self, topic: str, condition: bytes | Callable[[Any], bool] | None = None, *, after: int = 0
    ) -> Seen:
        """The first message on a topic, since a mark, that is this payload, or whose JSON meets the condition."""

        def found() -> Seen | None:
            return next((seen for seen in self.seen[after:] if seen.topic == topic and _meets(seen, condition)), None)

        await self.wait_until(lambda: found() is not None, f"{topic} as wished")
        seen = found()
        assert seen
        return seen

    async def wait_until_gone(self, *topics: str) -> None:
        await self.wait_until(lambda: not self.held.keys() & set(topics), f"{topics} cleared")

    async def wait_until(
        self, condition: Callable[[], bool], what: str = "the condition", *, patience_s: float = _PATIENCE_S
    ) -> None:
        """Looks again at every message."""
        try:
            async with asyncio.timeout(patience_s):
                while not condition():
                    self._happened.clear()
                    await self._happened.wait()
        except TimeoutError:
            last = "\n".join(f"  {seen.topic} {seen.payload[:100]!r} {seen.retain}" for seen in self.seen[-30:])
            raise AssertionError(f"waited in vain for {what}; seen last:\n{last}") from None

    def subscribe(self, topic_filter: str) -> None:
        """Hears what `#` does not match, such as `$SYS/…`; until the connection breaks."""
        self._client.subscribe([(topic_filter, 0)])

    async def publish(self, topic: str, payload: bytes | str, *, retain: bool = False) -> None:
        """Returns when the broker has taken it."""
        info = self._client.publish(topic, payload, qos=1, retain=retain)
        await asyncio.to_thread(info.wait_for_publish, _PATIENCE_S)

    async def catch_up(self) -> None:
        """Returns when all that the broker had sent before this call has been seen."""
        number = str(next(_serial)).encode()
        after = self.mark()
        await self.publish(_FENCE_TOPIC, number)
        await self.wait_for(_FENCE_TOPIC, number, after=after)
        self.seen[:] = [seen for seen in self.seen if seen.topic != _FENCE_TOPIC]

    async def ready(self) -> None:
        async with asyncio.timeout(_PATIENCE_S):
            await self._subscribed.wait()
        await self.catch_up()

    def _on_connect(
        self,
        client: paho.Client,
        _userdata: object,
        _flags: paho.ConnectFlags,
        _reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        client.subscribe([("#", 0)])

    def _on_subscribe(
        self,
        _client: paho.Client,
        _userdata: object,
        _mid: int,
        _reasons: list[ReasonCode],
        _properties: Properties | None,
    ) -> None:
        self._loop.call_soon_threadsafe(self._subscribed.set)

    def _on_message(self, _client: paho.Client, _userdata: object, message: paho.MQTTMessage) -> None:
        self._loop.call_soon_threadsafe(self._see, Seen(message.topic, bytes(message.payload), message.retain))

    def _see(self, seen: Seen) -> None:
        self.seen.append(seen)
        if seen.payload and not seen.topic.endswith(_NOT_RETAINED) and seen.topic != _FENCE_TOPIC:
            self.held[seen.topic] = seen.payload
        elif not seen.payload:
            self.held.pop(seen.topic, None)
        self._happened.set()


@asynccontextmanager
async def observing(
    port: int, *, username: str | None = None, password: str | None = None, client_id: str | None = None
) -> AsyncIterator[Observer]:
    """Subscribed to everything; it comes back by itself when the broker does."""
    client = paho.Client(CallbackAPIVersion.VERSION2, client_id=client_id or f"observer-{next(_serial)}")
    if username is not None:
        client.username_pw_set(username, password)
    client.reconnect_delay_set(1, 1)
    observer = Observer(client)
    await asyncio.to_thread(client.connect, "127.0.0.1", port)
    client.loop_start()
    try:
        await observer.ready()
        yield observer
    finally:
        client.disconnect()
        await asyncio.to_thread(client.loop_stop)
        # Without this circle paho's sockets are closed at once, not by the garbage collector with a warning.
        client.on_connect = client.on_subscribe = client.on_message = None


async def retained_on(port: int, *, username: str | None = None, password: str | None = None) -> dict[str, bytes]:
    """What a broker gives to a newcomer."""
    async with observing(port, username=username, password=password) as newcomer:
        return {seen.topic: seen.payload for seen in newcomer.seen if seen.retain}


def _meets(seen: Seen, condition: bytes | Callable[[Any], bool] | None) -> bool:
    if condition is None:
        return True
    if isinstance(condition, bytes):
        return seen.payload == condition
    try:
        return condition(json.loads(seen.payload))
    except ValueError:
        return False
