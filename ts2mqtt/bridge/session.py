"""One connection's life at the broker: read what it holds, make sure of being alone, then keep it true."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from itertools import islice
from typing import TYPE_CHECKING

from ts2mqtt.bridge.agenda import (
    Agenda,
    BeginWelcome,
    ForgetRecord,
    LookAgain,
    RemoveAgain,
    TellMore,
    TellStatesAgain,
)
from ts2mqtt.bridge.deliveries import BrokerCounted, broker_counted
from ts2mqtt.bridge.difference import Difference
from ts2mqtt.bridge.inbox import (
    BridgeChanged,
    CommandCame,
    HomeAssistantSpoke,
    RigUpdate,
    StatusOverwritten,
    Stop,
)
from ts2mqtt.bridge.liveness import Liveness
from ts2mqtt.bridge.publisher import Publisher
from ts2mqtt.bridge.read_back import ReadBack
from ts2mqtt.bridge.renamed_rigs import renamed_rigs
from ts2mqtt.bridge.repetition import Repetition
from ts2mqtt.bridge.retained_reader import RetainedReader
from ts2mqtt.bridge.side_by_side import first_to_end
from ts2mqtt.bridge.welcome import Welcome
from ts2mqtt.errors import BrokerError
from ts2mqtt.home_assistant.devices import SETTLE_S
from ts2mqtt.home_assistant.transition import Presence
from ts2mqtt.logs.tallies import Kind
from ts2mqtt.topics.decode import rigs_told_in
from ts2mqtt.topics.encode import OFFLINE, ONLINE
from ts2mqtt.topics.names import BRIDGE, Subject

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from ts2mqtt.bridge.agenda import Task
    from ts2mqtt.bridge.carried_over import CarriedOver
    from ts2mqtt.bridge.commands import Commands
    from ts2mqtt.bridge.inbox import Happening, Inbox
    from ts2mqtt.bridge.setting import Setting
    from ts2mqtt.mqtt.connection import Connection
    from ts2mqtt.mqtt.message import Received

_OVERWRITTEN = Kind("words of others on the topic of our status")
_NOT_RETAINING = Kind("connections to a broker that retains nothing")
_NOT_KEPT = Kind("topics that the broker has not kept")
_RENAMED = Kind("rigs that were called otherwise before")
_TOO_LARGE = Kind("messages that are too large")

_LONGEST_QUOTE = 60
_LONGEST_COMMAND = 240
_RIGS_AT_ONCE, _EVENTS_AT_ONCE = 25, 100
"""So many are published before anything else is dealt with."""


class Session:
    """Publishes for one connection; a new connection gets a new session, which believes nothing of the old one's.

    One task takes what happens out of the inbox and publishes; what outlives the connection is in `carried`.
    Raises OtherBridgeError when another bridge is at work under the same base topic.
    """

    def __init__(
        self, connection: Connection, setting: Setting, carried: CarriedOver, inbox: Inbox, commands: Commands
    ) -> None:
        ids, clock, timings = setting.ids, setting.clock, setting.timings
        self._connection = connection
        self._ids = ids
        self._identity = setting.identity
        self._home_assistant = setting.home_assistant
        self._carried = carried
        self._inbox = inbox
        self._commands = commands
        self._publisher = Publisher(connection, ids, carried, clock, timings)
        self._liveness = Liveness(connection, ids.topics, setting.identity.instance, timings.broker)
        self._heard = (
            ids.topics.status,
            ids.topics.heartbeat,
            ids.topics.command,
            ids.topics.rig_command("+"),
            setting.home_assistant.status_topic,
        )
        self._reader = RetainedReader(connection, ids, self._liveness, timings.broker, self._heard)
        self._read_back = ReadBack(ids, self._reader, self._publisher, carried, timings.broker.slow_acknowledgement_s)
        self._agenda = Agenda(clock)
        self._difference = Difference(setting, self._publisher, carried, self._agenda)
        self._welcome = Welcome(setting, self._publisher, carried, self._agenda)
        self._repetition = Repetition(setting, connection, self._publisher, carried, self._agenda)
        # In the order in which they became due, so that each gets its turn.
        self._due: dict[str, None] = {}
        # Of these, too, one has its turn after the other, as there is room for their devices.
        self._without_room: dict[str, None] = {}
        # What Home Assistant did while there was no connection, nobody knows.
        self._presence = Presence.UNKNOWN
        self._began = clock.monotonic()
        self._clock = clock
        self._problem_told = carried.failures.latest
        self._has_more_events = False

    @property
    def retained(self) -> Mapping[str, bytes]:
        """What the broker holds of ours, by topic."""
        return self._publisher.retained

    @asynccontextmanager
    async def begun(self) -> AsyncIterator[None]:
        """Listens, reads what the broker holds, and makes sure of being alone; then the block may keep_true()."""
        self._hearing = asyncio.create_task(self._hear_everything())
        try:
            await first_to_end(self._begin(), self._until_lost())
            yield
        finally:
            self._hearing.cancel()
            with suppress(asyncio.CancelledError, BrokerError):
                await self._hearing
            # The task holds its failure, which holds this session: side_by_side.py.
            del self._hearing

    async def keep_true(self) -> None:
        """Publishes every difference as it arises; returns between two of them when the bridge is to stop.

        Heartbeats have a task of their own: they go on while thousands of messages are published.
        """
        await first_to_end(self._until_lost(), self._liveness.run(), self._publish_what_happens())

    async def say_offline(self) -> None:
        """The last word of a bridge that stops on purpose."""
        if self._liveness.at_work:
            self._liveness.at_work = False
            await self._publisher.put(self._ids.topics.status, OFFLINE)

    async def _begin(self) -> None:
        await self._connection.subscribe(self._heard)
        for topic, payload in (await self._reader.read(rig.id for rig in self._identity.rigs)).items():
            self._publisher.note_retained(topic, payload)
            self._carried.kept.note(topic, payload)
        await self._liveness.make_sure_of_being_alone(self.retained, is_returning=self._carried.has_worked)
        told_before = rigs_told_in(self.retained.get(self._ids.topics.bridge, b""))
        for name, text in renamed_rigs(self._identity.rigs, told_before):
            self._carried.failures.noted(_RENAMED, name, text)

    async def _until_lost(self) -> None:
        await asyncio.shield(self._hearing)

    async def _hear_everything(self) -> None:
        async for message in self._connection.received():
            self._reader.hear(message)
            if message.size is not None:
                self._note_too_large(message.topic, message.size, is_retained=message.retain)
            if message.topic == self._ids.topics.heartbeat:
                self._liveness.hear(message.payload)
            elif happening := self._happening(message):
                self._inbox.put(happening)

    def _note_too_large(self, topic: str, size: int, *, is_retained: bool) -> None:
        kept = "retained " if is_retained else ""
        remedy = f"; remove it with: mosquitto_pub -r -n -t '{topic}'" if is_retained else ""
        text = f"the broker sent a {kept}message of {size:,} bytes on {topic}, of which only the beginning was read"
        self._carried.failures.noted(_TOO_LARGE, topic, f"{text}{remedy}")

    def _happening(self, message: Received) -> Happening | None:
        """What a message means to this bridge; a retained command would be carried out at every start."""
        topics = self._ids.topics
        if message.topic == self._home_assistant.status_topic:
            return HomeAssistantSpoke(message.payload == ONLINE, message.retain, self._clock.monotonic())
        if counted := broker_counted(message):
            return counted
        if message.retain:
            return None
        if message.topic == topics.status:
            is_wrong = self._liveness.at_work and message.payload != ONLINE
            return StatusOverwritten(message.payload) if is_wrong else None
        if message.topic == topics.command or topics.commanded_rig(message.topic) is not None:
            return CommandCame(message.topic, message.payload[:_LONGEST_COMMAND])
        return None

    async def _publish_what_happens(self) -> None:
        """The main loop: what happens, what is due, and so on until the bridge stops."""
        await self._go_online()
        while True:
            happenings = self._inbox.take_all()
            for happening in happenings:
                self._deal_with(happening)
            for task in self._agenda.take_due():
                await self._do(task)
            await self._publish_some()
            if Stop() in happenings:
                await self._publish_last_events()
                return
            await self._until_there_is_something_to_do()

    async def _go_online(self) -> None:
        self._liveness.at_work = self._carried.has_worked = True
        await self._publisher.put(self._ids.topics.status, ONLINE)
        self._mark_due(BRIDGE.rig_id, *sorted(self._carried.desired.parts | self._publisher.parts))
        if self._carried.welcome_is_owed:
            self._plan_welcome()

    async def _publish_some(self) -> None:
        """Of a thousand rigs each gets its turn, and what happens meanwhile is not kept waiting."""
        await self._repetition.listen_if_there_is_much()
        parts = frozenset(islice(self._due, _RIGS_AT_ONCE))
        for part in parts:
            del self._due[part]
        if parts:
            await self._difference.publish(parts, self._presence)
            self._note_without_room(parts)
        await self._publish_events()
        await self._welcome.go_on()
        await self._repetition.go_on()
        await self._read_back_some()
        if self._carried.failures.latest is not self._problem_told:
            self._problem_told = self._carried.failures.latest
            self._mark_due(BRIDGE.rig_id)

    def _note_without_room(self, parts: frozenset[str]) -> None:
        """Only the first of those that wait is looked at when there is room: with many, a look at all takes long."""
        without_room = self._publisher.take_without_room()
        for part in parts - without_room:
            self._without_room.pop(part, None)
        self._without_room |= dict.fromkeys(sorted(without_room))
        if self._without_room:
            self._agenda.add(self._publisher.room_in_s(), TellMore())

    async def _read_back_some(self) -> None:
        is_all_published = not (self._due or self._has_more_to_tell)
        self._mark_due(*await self._read_back.go_on(is_all_published=is_all_published))

    @property
    def _has_more_to_tell(self) -> bool:
        return self._welcome.has_more_to_tell or self._repetition.has_more_to_tell

    async def _until_there_is_something_to_do(self) -> None:
        if self._due or self._has_more_events or self._read_back.has_more or self._has_more_to_tell:
            # What is heard, and heartbeats, get their turn.
            await asyncio.sleep(0)
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(self._agenda.next_due_in_s()):
                await self._inbox.filled()

    def _deal_with(self, happening: Happening) -> None:
        """Waits for nothing: what was taken from the inbox must not be lost with the connection."""
        match happening:
            case RigUpdate():
                self._take_update(happening)
            case HomeAssistantSpoke():
                if happening.heard >= self._began:
                    self._presence = Presence.UP if happening.is_up else Presence.DOWN
                if happening.is_up and not happening.is_retained:
                    self._plan_welcome()
            case CommandCame():
                if self._commands.carry_out(happening.topic, happening.payload):
                    self._plan_welcome()
                self._mark_due(BRIDGE.rig_id)
            case StatusOverwritten():
                self._note_overwritten_status(happening.payload)
            case BrokerCounted():
                self._repetition.take(happening)
            case BridgeChanged():
                self._mark_due(BRIDGE.rig_id)

    async def _do(self, task: Task) -> None:
        match task:
            case LookAgain():
                self._mark_due(task.part)
            case TellStatesAgain():
                await self._publisher.put_again(task.state_topics)
            case BeginWelcome():
                self._welcome.begin()
            case RemoveAgain():
                await self._welcome.remove_again(task)
            case ForgetRecord():
                await self._forget_record(task)
            case TellMore():
                self._mark_due(*islice(self._without_room, 1))

    def _plan_welcome(self) -> None:
        if self._home_assistant.enabled:
            self._welcome.plan()

    def _take_update(self, update: RigUpdate) -> None:
        earlier = self._carried.desired.latest(update.rig_id)
        self._carried.desired.put(update)
        if update.events:
            self._carried.add_events(update.rig_id, update.events)
        self._mark_due(update.rig_id)
        if earlier is None or (earlier.rig.online, earlier.problem) != (update.rig.online, update.problem):
            self._mark_due(BRIDGE.rig_id)

    def _mark_due(self, *parts: str) -> None:
        self._due |= dict.fromkeys(parts)

    async def _forget_record(self, task: ForgetRecord) -> None:
        """Unless Home Assistant has gone down since, or was started anew: then it has to be shown again what went.

        That it was shown on this connection is known even where its birth was heard on an earlier one.
        """
        is_safe = self._presence is not Presence.DOWN and not self._carried.welcome_is_owed
        if is_safe and self.retained.get(task.topic) == task.record:
            await self._publisher.put(task.topic, b"")
            if part := self._ids.part_of(task.topic):
                self._mark_due(part)

    def _note_overwritten_status(self, payload: bytes) -> None:
        status = self._ids.topics.status
        self._carried.failures.noted(
            _OVERWRITTEN,
            status,
            f"somebody published {payload[:_LONGEST_QUOTE]!r} on {status} while this bridge works; putting it right",
        )
        self._publisher.note_retained(status, payload)
        self._mark_due(BRIDGE.rig_id)

    async def _publish_events(self, *, at_once: bool = False) -> None:
        """In their order, each after the state that it led to, and at most once.

        Home Assistant may have heard of a rig only just now: it does not listen to events before that has settled,
        for which a bridge that stops cannot wait.
        """
        left = _EVENTS_AT_ONCE
        self._has_more_events = False
        for rig_id in [rig_id for rig_id in self._carried.events if rig_id not in self._due]:
            wait_s = self._publisher.unsettled_s(self._ids.topic(Subject(rig_id)), SETTLE_S)
            if self._home_assistant.enabled and wait_s > 0 and not at_once:
                self._agenda.add(wait_s, LookAgain(rig_id))
                continue
            waiting = self._carried.events[rig_id]
            while waiting and left:
                left -= 1
                arrived = await self._publisher.tell(self._ids.topics.rig_event(rig_id), waiting[0])
                # Should the connection break now, nobody knows whether the broker has it: better not than twice.
                waiting.popleft()
                await arrived
            if waiting:
                self._has_more_events = True
                return
            del self._carried.events[rig_id]

    async def _publish_last_events(self) -> None:
        await self._publish_events(at_once=True)
        while self._has_more_events:
            await self._publish_events(at_once=True)
