"""Broker, rigs, bridges, strangers and Home Assistant in one process, and everything that may happen to them."""

from __future__ import annotations

import asyncio
import ssl
from contextlib import ExitStack
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, NamedTuple, Self

from tests.faults.gate import Gate
from tests.faults.rigs import RandomRig
from tests.faults.truth import comparable, differences
from tests.faults.watched_broker import STATUS, WatchedBroker
from tests.support.log_lines import MOST_IN_AN_HOUR, LogLines
from tests.support.topics_of_example import NAMES
from ts2mqtt.bridge.bridge import Bridge
from ts2mqtt.config import Config, HomeAssistantConfig, LogConfig, MqttConfig, PollingConfig, RigConfig
from ts2mqtt.simulator.broker import EmbeddedBroker
from ts2mqtt.simulator.random_numbers import random_numbers

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from ts2mqtt.topics.names import Subject

_NOON = datetime(2026, 2, 27, 12, tzinfo=timezone(timedelta(hours=-5)))
_POLLING = PollingConfig(interval=40.0, slow_interval=60.0, statistics_interval=600.0, plan="manual")
_GARBAGE = (b"\xff\xfe", b"[]", b"null", b"{", b'{"id": 7}', b"{}", b"[" * 3_000, b"offline")
_FOREIGN = {
    "ts2mqtt/notes/of/mine": b"kept",
    "ts2mqtt/backyard/target/a/b": b"kept",
    "homeassistant/device/other/backyard/config": b"{}",
    "homeassistant/sensor/ts2mqtt/backyard/config": b"{}",
    "zigbee2mqtt/bridge/state": b"online",
}
_SETTLED_S = 150.0
_PATIENCE_S = 3_600.0
# Not 15 s, after which the API closes a connection: in simulated time a request would cross that every time.
_LOOK_S = 16.0
_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
_RIVALRY_S = 600.0


class _RunningBridge(NamedTuple):
    bridge: Bridge
    task: asyncio.Task[None]
    gate: Gate
    rig_ids: frozenset[str]


class _MachineClock:
    """That of the machine on which the bridges run: somebody may set it wrong."""

    def __init__(self, world: World) -> None:
        self._world = world

    def now(self) -> datetime:
        return self._world.now()

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()

    def seconds_until(self, moment: datetime) -> float:
        return (moment - self.now()).total_seconds()


class World:
    """All peers of one sequence. `happen` does one thing at random; `verdict` makes all well and compares."""

    def __init__(self, seed: int) -> None:
        self.faults_met: list[str] = []
        self._chance = random_numbers(seed, "world")
        self._seed = seed
        self._clock_offset = timedelta()
        self._rigs = tuple(
            RandomRig(rig_id, name, seed * 10 + number, random_numbers(seed, "rig", number), self._true_time)
            for number, (rig_id, name) in enumerate((("backyard", "Backyard"), ("remote", "Remote")))
        )[: self._chance.choice((1, 1, 2))]
        self._broker = WatchedBroker(self._exists, self._is_shown)
        self._bridges: list[_RunningBridge] = []
        self._is_patient = seed % 5 == 0
        self._ghosts_are_excused = False
        self._log_lines = LogLines(_MachineClock(self))
        self._counting = ExitStack()

    async def __aenter__(self) -> Self:
        self._counting.enter_context(self._log_lines.counted())
        await self._broker.start()
        self._gate, self._second_gate = Gate(self._broker.port), Gate(self._broker.port)
        await self._gate.open()
        await self._second_gate.open()
        for rig in self._rigs:
            await rig.start()
        self._plant_foreign()
        self._broker.home_assistant.start(self._broker.retained)
        self._start_bridge()
        return self

    async def __aexit__(self, *_: object) -> None:
        for bridge in tuple(self._bridges):
            await self._kill(bridge)
        self._gate.closed()
        self._second_gate.closed()
        for rig in self._rigs:
            await rig.stop()
        await self._broker.stop()
        self._counting.close()

    def now(self) -> datetime:
        """What the bridge's machine shows; it can be wrong."""
        return self._true_time() + self._clock_offset

    async def happen(self, kind: str) -> str:
        """What happened, in words."""
        words: str = await getattr(self, f"_{kind}")()
        return words

    async def verdict(self) -> list[str]:
        """Everything that is not as it must be, once all is well again and has settled."""
        await self._make_well()
        expected = await self._as_a_newcomer_says()
        problems = await self._settled(expected)
        return [*self._broker.breaches, *problems, *self._floods()]

    @property
    def most_lines_in_an_hour(self) -> int:
        """So many lines the log has in its worst hour, of all bridges together."""
        return self._log_lines.most_in_an_hour()

    # What may happen.

    async def _rig_is_disturbed(self) -> str:
        rig = self._chance.choice(self._rigs)
        return f"{rig.id} {await rig.disturb()}"

    async def _database_changes(self) -> str:
        rig = self._chance.choice(self._rigs)
        return f"{rig.id}: {', '.join(rig.change() for _ in range(self._chance.randint(1, 4)))}"

    async def _lists_come_in_part(self) -> str:
        rig = self._chance.choice(self._rigs)
        return f"{rig.id} {rig.answer_in_part()}"

    async def _rig_is_well(self) -> str:
        rig = self._chance.choice(self._rigs)
        await rig.make_well()
        return f"{rig.id} is well"

    async def _something_is_removed(self) -> str:
        rig = self._chance.choice(self._rigs)
        return f"{rig.id}: {rig.remove()}"

    async def _bridge_is_killed(self) -> str:
        if self._bridges:
            await self._kill(self._bridges[0])
        return "the bridge is killed"

    async def _bridge_is_killed_in_mid_message(self) -> str:
        octets = self._chance.choice((1, 100, 1_000, 3_000, 10_000, 30_000))
        if self._bridges:
            bridge = self._bridges[0]
            self._gate.cut_after(octets, lambda: _cancel(bridge.task))
        return f"the bridge will be killed after {octets} bytes"

    async def _bridge_stops(self) -> str:
        if self._bridges:
            stopped = self._bridges.pop(0)
            stopped.bridge.stop()
            await asyncio.wait((stopped.task,))
        return "the bridge stops in peace"

    async def _bridge_starts(self) -> str:
        self._bury()
        if not self._bridges:
            self._start_bridge()
        return "the bridge starts"

    async def _bridge_starts_without_a_rig(self) -> str:
        self._bury()
        if not self._bridges:
            self._start_bridge(self._rigs[:1])
        return "the bridge starts with its first rig alone"

    async def _second_bridge(self) -> str:
        self._bury()
        if len(self._bridges) == 1:
            client_id = self._chance.choice(("ts2mqtt", "ts2mqtt-too"))
            self._start_bridge(gate=self._second_gate, client_id=client_id)
            self._broker.expect_rivals(_RIVALRY_S)
            return f"a second bridge starts as {client_id}"
        if len(self._bridges) == 2:
            await self._kill(self._bridges[1])
        return "the second bridge is gone"

    async def _connection_breaks(self) -> str:
        kind = self._chance.choice(("cut", "stall", "swallow", "refuse", "cut_after", "open", "thaw"))
        match kind:
            case "cut_after":
                self._gate.cut_after(self._chance.choice((1, 50, 500, 2_000, 8_000, 20_000)))
            case "open":
                await self._gate.open()
            case _:
                getattr(self._gate, kind)()
        return f"the way to the broker: {kind}"

    async def _way_becomes_slow(self) -> str:
        self._gate.bytes_per_second = self._chance.choice((None, 5_000, 15_000, 60_000))
        return f"the way to the broker carries {self._gate.bytes_per_second or 'any number of'} bytes a second"

    async def _broker_loses_what_it_acknowledges(self) -> str:
        number = self._chance.choice((1, 3, 10))
        self._broker.lose(number)
        return f"the broker will lose {number} of what it acknowledges"

    async def _broker_restarts(self) -> str:
        keep = self._chance.random() < 0.6
        await self._broker.stop(publish_wills=self._chance.random() < 0.3)
        await asyncio.sleep(self._chance.choice((0.0, 3.0, 40.0)))
        await self._broker.start(keep_retained=keep)
        # Where nobody is left to know what there was, a ghost is nobody's fault.
        self._ghosts_are_excused |= not keep
        self._broker.home_assistant.reconnect(self._broker.retained)
        self._plant_foreign()
        return f"the broker restarts {'as it was' if keep else 'without its memory'}"

    async def _broker_refuses(self) -> str:
        self._broker.let_in(everybody=self._chance.random() < 0.5)
        self._gate.cut()
        return "the broker checks logins anew"

    async def _broker_limits(self) -> str:
        packet_bytes = self._chance.choice((None, 400, 1_500, 4_000))
        self._ghosts_are_excused |= packet_bytes is not None
        self._broker.limit(packet_bytes)
        self._gate.cut()
        return f"the broker takes packets of {packet_bytes or 'any'} bytes"

    async def _home_assistant_restarts(self) -> str:
        self._stop_home_assistant()
        await asyncio.sleep(self._chance.choice((0.0, 10.0)))
        await self._start_home_assistant()
        return "Home Assistant restarts"

    async def _home_assistant_is_down(self) -> str:
        self._stop_home_assistant()
        return "Home Assistant stops"

    async def _user_deletes_a_device(self) -> str:
        held = [topic for topic in self._broker.retained if NAMES.subject(topic)]
        if held:
            self._broker.say(self._chance.choice(held), b"", retain=True)
        return "a user deletes a device in Home Assistant"

    async def _command_comes(self) -> str:
        rig = self._chance.choice(self._rigs).id
        topic, payload = self._chance.choice(
            (
                (NAMES.topics.rig_command(rig), b"refresh"),
                (NAMES.topics.rig_command(rig), b"refresh_plan"),
                (NAMES.topics.command, b"rediscover"),
                (NAMES.topics.command, b"\xff\x00 nonsense"),
                (NAMES.topics.rig_command("nobody"), b"refresh"),
            )
        )
        self._broker.expect_rediscovery()
        for _ in range(self._chance.choice((1, 1, 50))):
            self._broker.say(topic, payload)
        return f"{payload!r} on {topic}"

    async def _stranger_speaks_live(self) -> str:
        """On our topics, not retained: that says nothing about what the broker keeps."""
        topics = [*self._broker.retained, *(NAMES.topic(subject) for subject in self._subjects())]
        topics = self._chance.sample(topics, min(5, len(topics)))
        topics.append(NAMES.topics.thing("backyard", "target", f"no-such-{len(topics)}"))
        if meanwhile := self._chance.random() < 0.7:
            self._gate.cut()
        for _ in range(self._chance.choice((1, 30))):
            for topic in topics:
                self._broker.say(topic, self._broker.retained.get(topic, b"live"))
            await asyncio.sleep(0.1)
        return f"somebody publishes live on our topics{' while the bridge comes back' if meanwhile else ''}"

    async def _stranger_says_offline(self) -> str:
        self._broker.say(STATUS, b"offline", retain=self._chance.random() < 0.5)
        return "somebody says that we are offline"

    async def _stranger_plants_garbage(self) -> str:
        """While the bridge is away: what it does not see, it cannot put right."""
        for bridge in tuple(self._bridges):
            await self._kill(bridge)
        self._ghosts_are_excused = True
        topics = [topic for topic in self._broker.retained if topic not in _FOREIGN]
        topics += [NAMES.topics.removed("backyard"), NAMES.topics.thing("backyard", "target", "no-such")]
        for topic in self._chance.sample(topics, min(4, len(topics))):
            self._broker.say(topic, self._chance.choice(_GARBAGE), retain=True)
        self._start_bridge()
        return "the bridge finds garbage at its start"

    async def _clock_jumps(self) -> str:
        jump = timedelta(seconds=self._chance.choice((-86_400, -3_600, -30, 45, 3_600, 90_000)))
        self._clock_offset += jump
        return f"the clock jumps by {jump}"

    # What must be true in the end.

    async def _make_well(self) -> None:
        self._clock_offset = timedelta()
        self._broker.let_in(everybody=True)
        self._broker.limit(None)
        self._broker.lose(0)
        await self._gate.open()
        for rig in self._rigs:
            await rig.make_well()
        for bridge in self._bridges[1:]:
            await self._kill(bridge)
        self._bury()
        if self._bridges and len(self._bridges[0].rig_ids) < len(self._rigs):
            await self._kill(self._bridges[0])
        if not self._bridges:
            self._start_bridge()
        # A connection that is half open is noticed after the keepalive and a few heartbeats.
        await asyncio.sleep(_SETTLED_S)
        await self._start_home_assistant()
        for rig in self._rigs:
            self._broker.say(NAMES.topics.rig_command(rig.id), b"refresh_plan")
        await asyncio.sleep(10.0)

    async def _as_a_newcomer_says(self) -> dict[str, Any]:
        """What a bridge that never met a fault publishes to an empty broker."""
        async with EmbeddedBroker() as broker:
            bridge = self._new_bridge(self._config(broker.port, self._rigs))
            running = asyncio.create_task(bridge.run())
            await asyncio.sleep(_LOOK_S)
            for rig in self._rigs:
                bridge.refresh_plan(rig.id)
            # Statistics are read at some time within the slow interval, at the next look.
            await asyncio.sleep(_POLLING.slow_interval)
            for rig in self._rigs:
                bridge.refresh(rig.id)
            await asyncio.sleep(_LOOK_S)
            expected = self._compared(broker.retained)
            running.cancel()
            await asyncio.wait((running,))
        return expected

    async def _settled(self, expected: dict[str, Any]) -> list[str]:
        deadline = asyncio.get_running_loop().time() + _PATIENCE_S
        while (problems := self._differences(expected)) and asyncio.get_running_loop().time() < deadline:
            if self._bridges and self._bridges[0].task.done():
                return [*problems, f"the bridge has ended: {self._bridges[0].task}"]
            await asyncio.sleep(_LOOK_S)
        return problems

    def _differences(self, expected: dict[str, Any]) -> list[str]:
        problems = differences(self._compared(self._broker.retained), expected, _FOREIGN)
        return problems or ([] if self._ghosts_are_excused else self._ghosts(expected))

    def _ghosts(self, expected: dict[str, Any]) -> list[str]:
        """What Home Assistant remembers and nobody wants any more, or does not know and should."""
        registry = self._broker.home_assistant.registry
        wanted = {topic: set(expected[topic]["components"]) for topic in expected if NAMES.subject(topic)}
        return [
            f"Home Assistant has {sorted(registry.get(topic, set()) ^ wanted.get(topic, set()))} wrong of {topic}"
            for topic in sorted(registry.keys() | wanted.keys())
            if registry.get(topic, set()) != wanted.get(topic, set())
        ]

    def _compared(self, retained: Mapping[str, bytes]) -> dict[str, Any]:
        return comparable(retained, with_the_moment=self._is_patient)

    def _floods(self) -> list[str]:
        most = self.most_lines_in_an_hour
        return [f"the log has {most} lines in an hour"] if most > MOST_IN_AN_HOUR else []

    # The parts.

    def _start_bridge(
        self, rigs: Iterable[RandomRig] | None = None, gate: Gate | None = None, client_id: str = "ts2mqtt"
    ) -> None:
        gate = gate or self._gate
        config = self._config(gate.port, rigs or self._rigs, client_id)
        bridge = self._new_bridge(config)
        rig_ids = frozenset(rig.id for rig in config.rigs)
        self._bridges.append(_RunningBridge(bridge, asyncio.create_task(bridge.run()), gate, rig_ids))

    def _new_bridge(self, config: Config) -> Bridge:
        """Reading this machine's certificate authorities would take long, and is beside the point."""
        return Bridge(config, clock=_MachineClock(self), tls=_TLS, rng=random_numbers(self._seed, "bridge"))

    async def _kill(self, killed: _RunningBridge) -> None:
        """As by SIGKILL: its connections break at once, and it says no more."""
        running, gate = killed.task, killed.gate
        is_listening = gate.is_open
        gate.closed()
        running.cancel()
        await asyncio.wait((running,))
        self._bridges.remove(killed)
        if is_listening:
            await gate.open()

    def _bury(self) -> None:
        """Of bridges that have died meanwhile."""
        self._bridges = [bridge for bridge in self._bridges if not bridge.task.cancelled()]

    def _config(self, port: int, rigs: Iterable[RandomRig], client_id: str = "ts2mqtt") -> Config:
        return Config(
            mqtt=MqttConfig(host="127.0.0.1", port=port, client_id=client_id),
            home_assistant=HomeAssistantConfig(),
            rigs=tuple(RigConfig(name=rig.name, id=rig.id, url=rig.urls) for rig in rigs),
            polling=_POLLING,
            log=LogConfig(),
        )

    def _stop_home_assistant(self) -> None:
        self._broker.home_assistant.stop()
        self._broker.say("homeassistant/status", b"offline")

    async def _start_home_assistant(self) -> None:
        """Its birth comes once it has discovered what is retained."""
        self._broker.home_assistant.start(self._broker.retained)
        await asyncio.sleep(6.0)
        self._broker.expect_rediscovery()
        self._broker.say("homeassistant/status", b"online")

    def _plant_foreign(self) -> None:
        for topic, payload in _FOREIGN.items():
            self._broker.say(topic, payload, retain=True)

    def _true_time(self) -> datetime:
        return _NOON + timedelta(seconds=asyncio.get_running_loop().time())

    def _subjects(self) -> list[Subject]:
        return [subject for rig in self._rigs for subject in rig.subjects()]

    def _exists(self, subject: Subject) -> bool:
        return self._is_configured(subject) and self._rig(subject).exists(subject)

    def _is_shown(self, subject: Subject) -> bool:
        return self._is_configured(subject) and self._rig(subject).is_shown(subject)

    def _is_configured(self, subject: Subject) -> bool:
        return all(subject.rig_id in bridge.rig_ids for bridge in self._bridges)

    def _rig(self, subject: Subject) -> RandomRig:
        return next(rig for rig in self._rigs if rig.id == subject.rig_id)


def _cancel(running: asyncio.Task[None]) -> None:
    running.cancel()
