"""One connection's life at the broker: learn what it holds, then keep it true until the connection ends."""

from __future__ import annotations

import asyncio
import logging
import random
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ts2mqtt import heartbeat
from ts2mqtt.allowance import Allowance
from ts2mqtt.errors import BrokerError, BrokerUnreachableError, OtherBridgeError
from ts2mqtt.home_assistant import removal, rewording
from ts2mqtt.home_assistant.adoption import adopted_devices
from ts2mqtt.home_assistant.devices import SETTLE_S, DiscoveryNames
from ts2mqtt.learning import Learner
from ts2mqtt.message import Message
from ts2mqtt.publisher import Publisher
from ts2mqtt.replicas import OtherBridges
from ts2mqtt.topics.names import BRIDGE, Subject

if TYPE_CHECKING:
    from collections import deque
    from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping, Set as AbstractSet

    from ts2mqtt.config import HomeAssistantConfig
    from ts2mqtt.failures import FailureLog
    from ts2mqtt.mqtt import Connection, Received
    from ts2mqtt.sharding import Shard
    from ts2mqtt.topics.payloads import Heartbeat
    from ts2mqtt.wanted import WantedMessages

_LOG = logging.getLogger(__name__)

ONLINE, OFFLINE = b"online", b"offline"
_ANSWER_S = 2.0
"""How long another bridge may take to answer a question on the heartbeat topic."""

_FENCE_S = 15.0
_FENCE_AGAIN_S = 1.0
_LEAST_QUESTION_GAP_S = 0.5
_BIRTH_DELAYS_S = (0.5, 3.0)
_LONGEST_QUOTE = 60
_COMMANDS_AT_ONCE = 10
_COMMAND_EVERY_S = 3.0
_COMPLAINT_EVERY_S = 60.0
_MOST_COMMANDED = 1_000
_LEAST_BIRTH_GAP_S = 10.0
"""However often somebody asks for it, Home Assistant is not told everything more often than this."""
_FINISH_S = 1.0


@dataclass(frozen=True, slots=True)
class Commands:
    """What commands from the broker do."""

    log_level: Callable[[str], bool]
    refresh: Callable[[str], bool]
    refresh_plan: Callable[[str], bool]


@dataclass(slots=True)
class HomeAssistantNews:
    """What Home Assistant was last heard to say of itself; outlives a session that could not act on it.

    `births` is set when it is to be told everything again; `is_up` is None where that is not known.
    """

    births: asyncio.Event = field(default_factory=asyncio.Event)
    is_up: bool | None = None


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
        names: DiscoveryNames,
        home_assistant: HomeAssistantConfig,
        *,
        instance: str,
        about: Callable[[], Message],
        wanted: Callable[[], WantedMessages],
        events: deque[tuple[str, bytes]],
        commands: Commands,
        changed: asyncio.Event,
        news: HomeAssistantNews,
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
        self._commands = commands
        self._changed = changed
        self._news = news
        if not news.births.is_set():
            # What it did while we were away, nobody knows.
            news.is_up = None
        self._returning = returning
        self._pulse = heartbeat.Pulse(instance)
        self._pulse_returned = asyncio.Event()
        self._shard = shard
        self._take_up = take_up
        self._owns = shard.owns if shard else lambda _: True
        self._learner = Learner(connection, names, self._fence, self._owns)
        self._others = OtherBridges(names.topics, asyncio.get_running_loop().time)
        self._claimed = asyncio.Event()
        self.elsewhere: frozenset[str] = frozenset()
        self._serving: set[str] = set()
        self._contested: set[str] = set()
        self._at_work = False
        self._obedience: dict[str, Allowance] = {}
        self._complaints = Allowance(1, _COMPLAINT_EVERY_S)
        self._asked = asyncio.Event()
        self._other: Heartbeat | None = None
        self._other_heard = asyncio.Event()
        self._due: set[str] = set()
        self._publishing = asyncio.Lock()

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
            self._beat(),
            self._answer_questions(),
            self._welcome_home_assistant(),
            self._publish_differences(),
        )

    async def finish(self) -> None:
        """Returns between two differences: an event that is lost now would be told by nobody after a restart."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_FINISH_S):
                await self._publishing.acquire()

    async def say_offline(self) -> None:
        """The last word of a bridge that stops on purpose."""
        if self._at_work:
            self._at_work = False
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
        if self._returning and instance is not None and instance > self._pulse.instance:
            raise OtherBridgeError(
                f"another bridge has begun to work under the base topic {self._topics.base!r}, with the same "
                "mqtt.client_id; stop one of them, or give this one its own mqtt.base_topic and mqtt.client_id"
            )

    async def _ask_for_others(self, heartbeats: list[str]) -> None:
        """Somebody may be at work here already, or a broken connection of our own has not been noticed yet."""
        for topic in heartbeats:
            await (await self._connection.publish(topic, heartbeat.ASK, retain=False))
        with suppress(TimeoutError):
            async with asyncio.timeout(_ANSWER_S):
                await self._other_heard.wait()
        if self._other is not None:
            raise OtherBridgeError(
                f"another bridge is at work under the base topic {self._topics.base!r}; stop one of them, or give "
                "this one its own mqtt.base_topic and mqtt.client_id"
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
        await self._other_heard.wait()
        raise OtherBridgeError(f"another bridge has begun to work under the base topic {self._topics.base!r}")

    async def _until_claimed(self) -> None:
        """Of two replicas that serve the same rig, the later one gives way: its next session leaves it alone."""
        await self._claimed.wait()
        raise BrokerError("another replica serves a rig of this one as well, and did so before; it keeps it")

    def _hear_another_bridge(self, message: Received) -> None:
        bridge = self._topics.of_bridge(message.topic)
        if self._shard is None:
            if bridge is not None and message.topic == bridge.heartbeat:
                self._hear_beat(message.payload)
            return
        self._contested |= self._serving & self._others.rigs()
        if self._at_work and self._free():
            self._changed.set()
        before = self._others.rigs(of_those_before=self._pulse.instance)
        if before & self._serving:
            self._claimed.set()

    async def _hear(self, message: Received) -> None:
        self._learner.hear(message)
        if self._others.hear(message):
            self._hear_another_bridge(message)
        elif message.topic == self._topics.heartbeat:
            await self._hear_heartbeat(message)
        elif message.topic == self._home_assistant.status_topic:
            self._hear_home_assistant(message)
        elif message.topic == self._topics.status:
            await self._hear_status(message)
        elif not message.retain:
            # A retained command would be carried out again at every start: it is not meant.
            self._hear_command(message)

    async def _hear_heartbeat(self, message: Received) -> None:
        if self._at_work and heartbeat.is_question(message.payload):
            self._asked.set()
        self._hear_beat(message.payload)

    def _hear_beat(self, payload: bytes) -> None:
        beat = heartbeat.read(payload)
        if beat is None:
            return
        if beat.instance == self._pulse.instance:
            self._pulse.returned = max(self._pulse.returned, min(beat.number, self._pulse.sent))
            self._pulse_returned.set()
        elif beat.working and (not self._at_work or beat.instance < self._pulse.instance):
            self._other = beat
            self._other_heard.set()

    async def _answer_questions(self) -> None:
        """Seldom, but each: who asks while a healthcheck is answered must not think that nobody is at work."""
        while True:
            await self._asked.wait()
            self._asked.clear()
            await self._send_heartbeat()
            await asyncio.sleep(_LEAST_QUESTION_GAP_S)

    async def _hear_status(self, message: Received) -> None:
        if self._at_work and not message.retain and message.payload != ONLINE:
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

    def _hear_command(self, message: Received) -> None:
        if message.topic != self._topics.command and self._topics.commanded_rig(message.topic) is None:
            return
        if not self._allowance_of(message.topic).use():
            if self._complaints.use():
                _LOG.warning(
                    "commands come faster than one in %g s, the last on %s; what is too much is ignored",
                    _COMMAND_EVERY_S,
                    message.topic,
                )
            return
        words = message.payload[: 4 * _LONGEST_QUOTE].decode(errors="replace").split()
        rig_id = self._topics.commanded_rig(message.topic)
        if message.topic == self._topics.command:
            understood = self._bridge_command(words)
        else:
            understood = rig_id is not None and self._rig_command(rig_id, words)
        is_of_others = rig_id is not None and (rig_id in self.elsewhere or not self._owns(rig_id))
        if not understood and not is_of_others:
            _LOG.warning("a command on %s is not understood: %r", message.topic, message.payload[:_LONGEST_QUOTE])

    def _allowance_of(self, topic: str) -> Allowance:
        """Each topic has its own, so that a flood on one leaves the others alone; beyond many they share one."""
        known = topic if topic in self._obedience or len(self._obedience) < _MOST_COMMANDED else ""
        return self._obedience.setdefault(known, Allowance(_COMMANDS_AT_ONCE, _COMMAND_EVERY_S))

    def _bridge_command(self, words: list[str]) -> bool:
        match words:
            case ["rediscover"]:
                self._news.births.set()
                return True
            case ["log_level", level]:
                return self._commands.log_level(level)
            case _:
                return False

    def _rig_command(self, rig_id: str, words: list[str]) -> bool:
        match words:
            case ["refresh"]:
                return self._commands.refresh(rig_id)
            case ["refresh_plan"]:
                return self._commands.refresh_plan(rig_id)
            case _:
                return False

    async def _fence(self) -> None:
        """Returns when a message sent now has come back, and with it all that the broker sent before it."""
        try:
            async with asyncio.timeout(_FENCE_S):
                await self._heartbeat_returns()
        except TimeoutError as error:
            raise BrokerUnreachableError(
                f"the broker does not give back what is published on {self._topics.heartbeat}; may this login "
                "read and write there?"
            ) from error

    async def _heartbeat_returns(self) -> None:
        """Sends one, and another each second: a broker whose queue for us is full of what it retains drops it."""
        await self._send_heartbeat()
        awaited = self._pulse.sent
        while self._pulse.returned < awaited:
            self._pulse_returned.clear()
            try:
                async with asyncio.timeout(_FENCE_AGAIN_S):
                    await self._pulse_returned.wait()
            except TimeoutError:
                await self._send_heartbeat()

    async def _send_heartbeat(self) -> None:
        await self._connection.publish(self._topics.heartbeat, self._pulse.next(working=self._at_work), retain=False)

    async def _beat(self) -> None:
        while True:
            if self._pulse.is_lost:
                raise BrokerUnreachableError("heartbeats no longer come back through the broker")
            await self._send_heartbeat()
            await asyncio.sleep(heartbeat.INTERVAL_S)
            if self._others_have_gone():
                self._changed.set()

    async def _publish_differences(self) -> None:
        self._at_work = True
        self._due = self._wanted().parts | self.publisher.parts
        if self._shard:
            # Before it is heard that this replica is online: what it served when it was last cannot count any more.
            await self.publisher.put(self._topics.bridge, self._about().payload)
        await self.publisher.put(self._topics.status, ONLINE)
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
        await self._record_removals(messages, [old.topic for old in stale])
        transitional = self._in_transition(messages)
        reworded = self._reworded(messages)
        adopted = adopted_devices(self._names, messages, retained, {old.topic for old in stale})
        later = await self.publisher.publish(messages | transitional | adopted, stale)
        await self._look_again()
        await self._tell_again(reworded)
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
            device = DiscoveryNames(self._names.prefix, bridge).topic(BRIDGE)
            # Home Assistant complains about the removal of something it does not know.
            devices = [device] if await self._learner.held([device]) else []
            for topic in (*devices, *topics):
                await self.publisher.put(topic, b"")
                count += 1
            self._others.forget(bridge)
        return count

    def _others_have_gone(self) -> bool:
        return bool(self._free() or self._others.left_behind(self._shard))

    async def _publish_events(self) -> None:
        """In their order, after the state that they led to."""
        while self._events:
            rig_id, payload = self._events[0]
            await self._publish_event(rig_id, payload)
            self._events.popleft()

    async def _publish_event(self, rig_id: str, payload: bytes) -> None:
        """Waits where Home Assistant has only just heard of the rig and does not listen to its events yet."""
        if self._home_assistant.enabled:
            await self.publisher.settled(self._names.topic(Subject(rig_id)), SETTLE_S)
        done = await self._connection.publish(self._topics.rig_event(rig_id), payload, retain=False)
        await done

    def _changed_devices(self, messages: Mapping[str, Message]) -> Iterator[tuple[str, str, Message, bytes]]:
        """Topic, object id, message and what the broker holds, of every device that is there and has changed."""
        for topic, message in messages.items():
            object_id = self._names.object_id_of(topic)
            held = self.publisher.retained.get(topic)
            if object_id is None or held is None or held == message.payload or message.provisional:
                continue
            yield topic, object_id, message, held

    def _in_transition(self, messages: Mapping[str, Message]) -> dict[str, Message]:
        """The messages of devices that have lost a component, or have other words for what they show."""
        rewritten: dict[str, Message] = {}
        for topic, object_id, message, held in self._changed_devices(messages):
            recorded = self._topics.removed(object_id) in self.publisher.retained
            payload = rewording.with_old_words(message.payload, held)
            payload = removal.with_tombstones(payload, held, keep_old=recorded)
            if payload != message.payload:
                rewritten[topic] = Message(payload, settle_s=message.settle_s)
        return rewritten

    def _reworded(self, messages: Mapping[str, Message]) -> dict[str, frozenset[str]]:
        """By device, the state topics that Home Assistant has to read again to show them as the device now says."""
        found = {
            topic: rewording.state_topics_to_tell_again(message.payload, held)
            for topic, _, message, held in self._changed_devices(messages)
        }
        return {topic: states for topic, states in found.items() if states}

    async def _tell_again(self, reworded: Mapping[str, frozenset[str]]) -> None:
        for topic, states in reworded.items():
            await self.publisher.settled(topic, SETTLE_S)
            for state in sorted(states & self.publisher.retained.keys()):
                await self.publisher.put(state, self.publisher.retained[state])

    async def _record_removals(self, messages: Mapping[str, Message], stale: list[str]) -> None:
        """Before anything goes that Home Assistant may not see going, what it was is put down on the broker."""
        if self._news.is_up or not self._home_assistant.enabled:
            return
        retained = self.publisher.retained
        going = [topic for topic in stale if self._names.object_id_of(topic)]
        going += [
            topic
            for topic, _, message, held in self._changed_devices(messages)
            if removal.vanished_components(message.payload, held)
        ]
        for topic in going:
            await self._record_removal(topic, retained[topic])

    async def _record_removal(self, topic: str, held: bytes) -> None:
        record_topic = self._topics.removed(self._names.object_id_of(topic) or "")
        earlier = removal.read_record(self.publisher.retained.get(record_topic, b""))
        record = removal.record(held, earlier, datetime.now(UTC))
        if record is not None and (earlier is None or earlier.discovery != record.discovery):
            await self.publisher.put(record_topic, record.to_bytes())

    async def _welcome_home_assistant(self) -> None:
        """After its birth message Home Assistant is told everything again, and what went while it was away."""
        while True:
            await self._news.births.wait()
            await asyncio.sleep(random.uniform(*_BIRTH_DELAYS_S))  # noqa: S311 - spreads load, guards nothing
            self._news.births.clear()
            if not self._home_assistant.enabled:
                continue
            _LOG.info("Home Assistant has started: telling it everything again")
            try:
                await self._tell_everything_again()
            except (BrokerError, asyncio.CancelledError):
                # Home Assistant does not repeat its birth.
                self._news.births.set()
                raise
            self._due |= self.publisher.parts
            self._changed.set()
            await asyncio.sleep(_LEAST_BIRTH_GAP_S)

    async def _tell_everything_again(self) -> None:
        devices = {t: p for t, p in self.publisher.retained.items() if self._names.object_id_of(t)}
        for topic, payload in devices.items():
            await self.publisher.put(topic, payload)
        await self._show_what_was_removed()

    async def _show_what_was_removed(self) -> None:
        prefix = self._topics.removed("")
        records = {topic: payload for topic, payload in self.publisher.retained.items() if topic.startswith(prefix)}
        for record_topic, payload in records.items():
            record = removal.read_record(payload)
            device_topic = self._names.topic_of_object(record_topic.removeprefix(prefix))
            if record is not None and datetime.now(UTC) - record.removed < removal.LONGEST_MEMORY:
                current = self.publisher.retained.get(device_topic)
                await self.publisher.put(device_topic, removal.whole_again(record, current))
            await self.publisher.put(record_topic, b"")


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
