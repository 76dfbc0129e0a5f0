"""One connection's life at the broker: learn what it holds, then keep it true until the connection ends."""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

from ts2mqtt.bridge import heartbeat
from ts2mqtt.bridge.commands import CommandListener
from ts2mqtt.bridge.liveness import Liveness
from ts2mqtt.bridge.publisher import Publisher
from ts2mqtt.bridge.rate_limit import RateLimit
from ts2mqtt.bridge.replicas import OtherBridges
from ts2mqtt.bridge.retained_reader import RetainedReader
from ts2mqtt.bridge.transitions import Transitions
from ts2mqtt.errors import BrokerError, OtherBridgeError
from ts2mqtt.home_assistant.adoption import adopted_devices
from ts2mqtt.home_assistant.devices import SETTLE_S
from ts2mqtt.home_assistant.ids import DiscoveryIds
from ts2mqtt.topics.encode import OFFLINE, ONLINE
from ts2mqtt.topics.names import BRIDGE, Subject

if TYPE_CHECKING:
    from collections import deque
    from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Set as AbstractSet

    from ts2mqtt.bridge.commands import Commands
    from ts2mqtt.bridge.desired_state import DesiredState
    from ts2mqtt.bridge.sharding import Shard
    from ts2mqtt.bridge.transitions import HomeAssistantStatus
    from ts2mqtt.config import HomeAssistantConfig
    from ts2mqtt.logs.failures import FailureLog
    from ts2mqtt.mqtt.connection import Connection
    from ts2mqtt.mqtt.message import Received
    from ts2mqtt.topics.message import Message

_LOG = logging.getLogger(__name__)

_LONGEST_QUOTE = 60
_COMPLAINT_EVERY_S = 60.0
_FINISH_S = 1.0


class Session:
    """Publishes for one connection; a new connection gets a new session, which believes nothing of the old one's.

    `returning` after an earlier session of this bridge with the same client id. Raises OtherBridgeError when
    another bridge is at work under the same base topic, as the same replica. `elsewhere` are the rigs that belong
    to this replica and that others still serve; `take_up` is called with those of them that have become free, and
    what the broker retains of them.
    """

    def __init__(  # noqa: PLR0913 - what a session works with, named one by one
        self,
        connection: Connection,
        names: DiscoveryIds,
        home_assistant: HomeAssistantConfig,
        *,
        instance: str,
        about: Callable[[], Message],
        wanted: Callable[[], DesiredState],
        events: deque[tuple[str, bytes]],
        commands: Commands,
        changed: asyncio.Event,
        news: HomeAssistantStatus,
        returning: bool = False,
        failures: FailureLog | None = None,
        shard: Shard | None = None,
        take_up: Callable[[AbstractSet[str], Mapping[str, bytes]], None] = lambda _rig_ids, _retained: None,
    ) -> None:
        self.publisher = Publisher(connection, failures, names.part_of)
        self._connection = connection
        self._names = names
        self._topics = names.topics
        self._home_assistant = home_assistant
        self._about = about
        self._wanted = wanted
        self._events = events
        self._changed = changed
        self._news = news
        if not news.births.is_set():
            # What it did while we were away, nobody knows.
            news.is_up = None
        self._returning = returning
        self._signs = Liveness(connection, names.topics.heartbeat, instance)
        self._publishing = asyncio.Lock()
        self._transitions = Transitions(self.publisher, names, news, self._publishing, enabled=home_assistant.enabled)
        self._shard = shard
        self._take_up = take_up
        self._owns = shard.owns if shard else lambda _: True
        self._learner = RetainedReader(connection, names, self._signs.fence, self._owns)
        self._others = OtherBridges(names.topics, asyncio.get_running_loop().time)
        self._claimed = asyncio.Event()
        self.elsewhere: frozenset[str] = frozenset()
        self._serving: set[str] = set()
        self._contested: set[str] = set()
        self._commands = CommandListener(names.topics, commands, news.births.set, self._is_of_others)
        self._complaints = RateLimit(1, _COMPLAINT_EVERY_S)
        self._due: set[str] = set()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Listens, learns what the broker holds, and makes sure of being alone; then the block may keep_true()."""
        self._listening = asyncio.create_task(self._listen())
        try:
            await _first_to_end(self._begin(), self._until_lost())
            yield
        finally:
            self._listening.cancel()
            with suppress(asyncio.CancelledError, BrokerError):
                await self._listening

    async def keep_true(self) -> None:
        """Publishes every difference as it arises, until the connection breaks or the task is cancelled."""
        await _first_to_end(
            self._until_lost(),
            self._until_other_bridge(),
            self._until_claimed(),
            self._signs.beat(self._look_for_who_has_gone),
            self._signs.answer(),
            self._transitions.welcome_home_assistant(self._look_at_everything),
            self._publish_differences(),
        )

    async def finish(self) -> None:
        """Returns between two differences: an event that is lost now would be told by nobody after a restart."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_FINISH_S):
                await self._publishing.acquire()

    async def say_offline(self) -> None:
        """The last word of a bridge that stops on purpose."""
        if self._signs.at_work:
            self._signs.at_work = False
            await self.publisher.put(self._topics.status, OFFLINE)

    async def clean(self) -> int:
        """Clears everything of this bridge from the broker, devices first; returns how many topics that were."""
        topics = sorted(self.publisher.retained, key=lambda topic: self._names.subject(topic) is None)
        for topic in topics:
            await self.publisher.put(topic, b"")
        return len(topics) + await self._clear_what_others_left()

    async def _begin(self) -> None:
        await self._connection.subscribe(
            [
                *self._topics.of_all_bridges,
                self._topics.command,
                self._topics.rig_command("+"),
                self._home_assistant.status_topic,
            ]
        )
        await self._learner.learn()
        self.elsewhere = frozenset(filter(self._owns, self._others.rigs())) if self._shard else frozenset()
        for topic, payload in self._learner.own(self._about().payload).items():
            if self._names.part_of(topic) not in self.elsewhere:
                self.publisher.learned(topic, payload)
        self._look_for_a_displacer()
        asked = [] if self._shard else self._others.heartbeats()
        if self.publisher.retained.get(self._topics.status) == ONLINE:
            asked.append(self._topics.heartbeat)
        if asked:
            await self._ask_for_others(asked)

    def _look_for_a_displacer(self) -> None:
        """Whether a bridge that began later with the same client id threw us out, and we it by coming back.

        To a broker two clients with one id are one client that has moved: whoever connects ends the other's
        connection. The one that was here first gives way, or they would do so for ever.
        """
        instance = heartbeat.instance_in(self.publisher.retained.get(self._topics.bridge, b""))
        if self._returning and instance is not None and instance > self._signs.instance:
            raise OtherBridgeError(
                f"another bridge has begun to work under the base topic {self._topics.base!r}, with the same "
                "mqtt.client_id",
                "stop one of them, or give this one its own mqtt.base_topic and mqtt.client_id",
            )

    async def _ask_for_others(self, heartbeats: list[str]) -> None:
        """Somebody may be at work here already, or a broken connection of our own has not been noticed yet."""
        if await self._signs.somebody_answers(heartbeats):
            raise OtherBridgeError(
                f"another bridge is at work under the base topic {self._topics.base!r}",
                "stop one of them, or give this one its own mqtt.base_topic and mqtt.client_id",
            )
        if not self._shard:
            self._others.nobody_answered()

    async def _listen(self) -> None:
        async for message in self._connection.received():
            await self._hear(message)

    async def _until_lost(self) -> None:
        await asyncio.shield(self._listening)

    async def _until_other_bridge(self) -> None:
        """Of two bridges that began at the same moment, the later one gives way."""
        await self._signs.until_another()
        raise OtherBridgeError(f"another bridge has begun to work under the base topic {self._topics.base!r}")

    async def _until_claimed(self) -> None:
        """Of two replicas that serve the same rig, the later one gives way: its next session leaves it alone."""
        await self._claimed.wait()
        raise BrokerError("another replica serves a rig of this one as well, and did so before; it keeps it")

    def _hear_another_bridge(self, message: Received) -> None:
        bridge = self._topics.of_bridge(message.topic)
        if self._shard is None:
            if bridge is not None and message.topic == bridge.heartbeat:
                self._signs.hear_beat(message.payload)
            return
        self._contested |= self._serving & self._others.rigs()
        if self._signs.at_work and self._free():
            self._changed.set()
        before = self._others.rigs(of_those_before=self._signs.instance)
        if before & self._serving:
            self._claimed.set()

    async def _hear(self, message: Received) -> None:
        self._learner.hear(message)
        if self._others.hear(message):
            self._hear_another_bridge(message)
        elif message.topic == self._topics.heartbeat:
            self._signs.hear(message.payload)
        elif message.topic == self._home_assistant.status_topic:
            self._hear_home_assistant(message)
        elif message.topic == self._topics.status:
            await self._hear_status(message)
        else:
            self._commands.hear(message)

    async def _hear_status(self, message: Received) -> None:
        if self._signs.at_work and not message.retain and message.payload != ONLINE:
            if self._complaints.use():
                _LOG.warning(
                    "somebody published %r on %s while this bridge works; putting it right",
                    message.payload[:_LONGEST_QUOTE],
                    message.topic,
                )
            await self.publisher.put(self._topics.status, ONLINE)

    def _hear_home_assistant(self, message: Received) -> None:
        self._news.is_up = message.payload == ONLINE
        if message.payload == ONLINE and not message.retain:
            self._news.births.set()

    def _is_of_others(self, rig_id: str) -> bool:
        return rig_id in self.elsewhere or not self._owns(rig_id)

    def _look_at_everything(self) -> None:
        self._due |= self.publisher.parts
        self._changed.set()

    def _look_for_who_has_gone(self) -> None:
        if self._free() or self._others.left_behind(self._shard):
            self._changed.set()

    async def _publish_differences(self) -> None:
        self._signs.at_work = True
        self._due = self._wanted().parts | self.publisher.parts
        if self._shard:
            # Before it is heard that this replica is online: what it served when it was last cannot count any more.
            await self.publisher.put(self._topics.bridge, self._about().payload)
        await self.publisher.put(self._topics.status, ONLINE)
        async with self._publishing:
            later = await self._publish_difference()
        if not await self._learner.held([self._topics.bridge]):
            _LOG.error(
                "the broker does not keep retained messages: Home Assistant will know nothing after a restart; "
                "allow them in the broker's configuration"
            )
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(later):
                    await self._changed.wait()
            self._changed.clear()
            async with self._publishing:
                later = await self._publish_difference()

    async def _publish_difference(self) -> float | None:
        """Of the rigs that changed, and of those that were not finished with; answers when to look again."""
        await self._take_over()
        wanted = self._wanted()
        self._serving = wanted.parts - {BRIDGE.rig_id}
        due, self._due = self._due | wanted.take_changed(), set()
        messages = {self._topics.bridge: self._about(), **wanted.of(due)}
        retained = self.publisher.retained_of(due)
        stale = list(wanted.stale(messages, retained))
        await self._transitions.record_removals(messages, [old.topic for old in stale])
        transitional = self._transitions.messages(messages)
        reworded = self._transitions.reworded(messages)
        adopted = adopted_devices(self._names, messages, retained, {old.topic for old in stale})
        later = await self.publisher.publish(messages | transitional | adopted, stale)
        await self._look_again()
        await self._transitions.tell_again(reworded)
        await self._publish_events()
        await self._clear_what_others_left()
        if transitional and (self._news.is_up or reworded):
            # Once seen, tombstones and old words can go: look again when they have settled.
            later = min(later or SETTLE_S, SETTLE_S)
        if later is not None:
            self._due |= due
        return later

    async def _look_again(self) -> None:
        """At what a broker in trouble has acknowledged: what it did not keep is published anew."""
        doubtful = self.publisher.doubtful()
        if not doubtful:
            return
        held = await self._learner.held(doubtful)
        for topic in doubtful:
            if held.get(topic, b"") != self.publisher.retained.get(topic, b""):
                _LOG.warning("the broker was slow and has not kept what it acknowledged on %s", topic)
                self.publisher.learned(topic, held.get(topic, b""))
                if topic == self._topics.status:
                    await self.publisher.put(topic, ONLINE)
                if part := self._names.part_of(topic):
                    self._due.add(part)
                self._changed.set()

    def _free(self) -> frozenset[str]:
        return (self.elsewhere | self._contested) - self._others.rigs()

    async def _take_over(self) -> None:
        """Takes up the rigs of this replica that nobody else serves any more, or serves beside it."""
        free = self._free()
        if not free:
            return
        _LOG.info("taking over from another replica: %s", ", ".join(sorted(free)))
        learned = await self._learner.learn_again(free)
        for topic in self.publisher.retained_of(free):
            self.publisher.learned(topic, b"")
        for topic, payload in learned.items():
            self.publisher.learned(topic, payload)
        self.elsewhere -= free
        self._contested -= free
        self._due |= free
        self._take_up(free, learned)

    async def _clear_what_others_left(self) -> int:
        """What is about replicas that there are no more, as one of those that stay; answers how much that was."""
        if self._shard and self._shard.index != 0:
            return 0
        count = 0
        for bridge, topics in self._others.left_behind(self._shard).items():
            device = DiscoveryIds(self._names.prefix, bridge).topic(BRIDGE)
            # Home Assistant complains about the removal of something it does not know.
            devices = [device] if await self._learner.held([device]) else []
            for topic in (*devices, *topics):
                await self.publisher.put(topic, b"")
                count += 1
            self._others.forget(bridge)
        return count

    async def _publish_events(self) -> None:
        """In their order, after the state that they led to."""
        while self._events:
            oldest = self._events[0]
            await self._publish_event(*oldest)
            # Of too many the oldest are dropped, and so perhaps this one while it was under way.
            if self._events[0] is oldest:
                self._events.popleft()

    async def _publish_event(self, rig_id: str, payload: bytes) -> None:
        """Waits where Home Assistant has only just heard of the rig and does not listen to its events yet."""
        if self._home_assistant.enabled:
            await self.publisher.settled(self._names.topic(Subject(rig_id)), SETTLE_S)
        done = await self._connection.publish(self._topics.rig_event(rig_id), payload, retain=False)
        await done


async def _first_to_end(*works: Coroutine[None, None, None]) -> None:
    """Runs all until the first of them ends or fails; the others are cancelled, the failure is raised."""
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
