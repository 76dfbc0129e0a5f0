"""One fault for hours, again and again, and how many lines the log gets of it in its worst hour.

python -m tests.faults.long_faults
"""

from __future__ import annotations

import asyncio
import logging
import random
import ssl
import sys
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from http import HTTPStatus
from itertools import cycle
from typing import TYPE_CHECKING, cast

from tests.faults.gate import Gate
from tests.support.clocks import LoopClock, MovedClock
from tests.support.log_lines import LogLines
from tests.support.simulated_time import run_in_simulated_time
from tests.support.topics_of_example import NAMES
from ts2mqtt.bridge.bridge import Bridge
from ts2mqtt.bridge.carried_over import CarriedOver
from ts2mqtt.bridge.desired_state import DesiredState
from ts2mqtt.bridge.publisher import Publisher
from ts2mqtt.config import Config, HomeAssistantConfig, LogConfig, MqttConfig, PollingConfig, RigConfig
from ts2mqtt.errors import NotFoundError, PublishRefusedError
from ts2mqtt.logs.failures import FailureLog
from ts2mqtt.mqtt.packet_sizes import PacketSizes
from ts2mqtt.scheduler.rig_failures import RigFailures, Subject
from ts2mqtt.simulator.api import SimulatedApi
from ts2mqtt.simulator.broker import EmbeddedBroker
from ts2mqtt.simulator.faults import Fault
from ts2mqtt.simulator.mqtt_connection import Limits
from ts2mqtt.simulator.mqtt_packets import Message
from ts2mqtt.simulator.observatory import SimulatedObservatory
from ts2mqtt.timing import Timings
from ts2mqtt.topics.message import Message as Wanted

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Mapping

    from ts2mqtt.mqtt.connection import Connection

HOURS = 1
_SECONDS = HOURS * 3_600
_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
_POLLING = PollingConfig(interval=40.0, slow_interval=60.0, statistics_interval=600.0, plan="manual")
_ODD_ROWS = b'[{"Id": 7}, null, {"Id": "../#"}, []]'


class _NoRandomNumbers(random.Random):
    """Whoever asks for one meets a fault in ts2mqtt."""

    def uniform(self, a: float, b: float) -> float:
        raise RuntimeError(f"no number between {a} and {b}")


@dataclass(slots=True)
class Stage:
    """A bridge with its broker and its rigs."""

    broker: EmbeddedBroker
    gate: Gate
    rigs: list[SimulatedApi]
    clock: MovedClock

    def say(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Somebody else publishes."""
        self.broker._exchange.publish(Message(topic, payload, qos=0, retain=retain))

    def login_as(self, username: str | None) -> None:
        """From now on the broker lets only this user in, or everybody."""
        self.broker._exchange._login = (username, None)


async def _the_broker_flaps(stage: Stage) -> None:
    while True:
        await asyncio.sleep(10.0)
        stage.gate.cut()


async def _the_broker_is_gone(stage: Stage) -> None:
    stage.gate.closed()


async def _the_broker_comes_and_goes(stage: Stage) -> None:
    while True:
        stage.gate.closed()
        await asyncio.sleep(20.0)
        await stage.gate.open()
        await asyncio.sleep(60.0)


async def _the_broker_refuses_the_login_at_times(stage: Stage) -> None:
    while True:
        for username in ("somebody else", None):
            stage.login_as(username)
            stage.gate.cut()
            await asyncio.sleep(90.0)


async def _the_broker_takes_only_small_packets(stage: Stage) -> None:
    stage.broker._limits = Limits(packet_bytes=400)
    stage.gate.cut()


async def _another_bridge_fights_for_the_client_id(stage: Stage) -> None:
    while True:
        await asyncio.sleep(5.0)
        for connection in tuple(stage.broker._exchange.connections):
            connection.end("another has this client id")


async def _home_assistant_restarts_without_end(stage: Stage) -> None:
    while True:
        await asyncio.sleep(30.0)
        stage.say("homeassistant/status", b"offline")
        stage.say("homeassistant/status", b"online")


async def _a_flood_of_commands(stage: Stage) -> None:
    number = 0
    while True:
        for topic, payload in (
            (NAMES.topics.command, b"rediscover"),
            (NAMES.topics.command, b"\xff\x00 nonsense"),
            (NAMES.topics.rig_command("rig0"), b"refresh_plan"),
            (NAMES.topics.rig_command(f"nobody{number}"), b"refresh"),
        ):
            stage.say(topic, payload)
        number += 1
        await asyncio.sleep(0.5)


async def _plans_are_asked_for_without_end(stage: Stage) -> None:
    while True:
        stage.say(NAMES.topics.rig_command("rig0"), b"refresh_plan")
        await asyncio.sleep(4.0)


async def _the_status_is_overwritten_without_end(stage: Stage) -> None:
    while True:
        stage.say(NAMES.topics.status, b"offline", retain=True)
        await asyncio.sleep(2.0)


async def _a_rig_is_off(stage: Stage) -> None:
    await stage.rigs[0].stop()


async def _a_rig_flaps(stage: Stage) -> None:
    while True:
        await stage.rigs[0].stop()
        await asyncio.sleep(120.0)
        await stage.rigs[0].start()
        await asyncio.sleep(60.0)


async def _all_rigs_are_off(stage: Stage) -> None:
    for rig in stage.rigs:
        await rig.stop()


async def _all_rigs_flap(stage: Stage) -> None:
    while True:
        for rig in stage.rigs:
            await rig.stop()
        await asyncio.sleep(120.0)
        for rig in stage.rigs:
            await rig.start()
        await asyncio.sleep(60.0)


async def _lists_fail_in_turns(stage: Stage) -> None:
    patterns = [f"/projects/{project.id}/targets" for project in stage.rigs[0].observatory.projects()]
    while True:
        for pattern in patterns:
            rule = stage.rigs[0].faults.add(pattern, Fault.status(500))
            await asyncio.sleep(70.0)
            rule.remove()


async def _causes_change_without_end(stage: Stage) -> None:
    for status in cycle(status for status in HTTPStatus if status >= HTTPStatus.BAD_REQUEST):
        stage.rigs[0].faults.clear()
        stage.rigs[0].faults.add("/projects/*/targets", Fault.status(status))
        await asyncio.sleep(61.0)


async def _every_answer_has_odd_rows(stage: Stage) -> None:
    for rig in stage.rigs:
        rig.faults.add("/projects/*/targets", Fault.body(_ODD_ROWS))
        rig.faults.add("/targets/*/statistics", Fault.body(_ODD_ROWS))


async def _odd_rows_come_and_go(stage: Stage) -> None:
    while True:
        stage.rigs[0].faults.add("*", Fault.body(_ODD_ROWS))
        await asyncio.sleep(130.0)
        stage.rigs[0].faults.clear()
        await asyncio.sleep(70.0)


async def _targets_are_renamed_into_oddities(stage: Stage) -> None:
    number = 0
    while True:
        for target in stage.rigs[0].observatory.targets():
            target.raw["Id"] = None if number % 2 else target.id
            target.raw["Name"] = f"{number} {'x' * 300}"
            number += 1
        await asyncio.sleep(61.0)


async def _statistics_of_all_targets_are_unknown(stage: Stage) -> None:
    for rig in stage.rigs:
        rig.faults.add("/targets/*/statistics", Fault.status(404))


async def _the_clock_is_set_back_without_end(stage: Stage) -> None:
    while True:
        await asyncio.sleep(60.0)
        stage.clock.moved -= timedelta(hours=1)


async def _nothing(_: Stage) -> None:
    """The fault is in the bridge from the beginning."""


@dataclass(frozen=True, slots=True)
class LongFault:
    """`begin` brings the fault about, and goes on with it if it does not return."""

    begin: Callable[[Stage], Awaitable[None]]
    rigs: int = 1
    projects: int = 6
    targets: int = 2
    rng: random.Random | None = None


FAULTS = {
    "the broker breaks the connection every 10 s": LongFault(_the_broker_flaps),
    "the broker is gone": LongFault(_the_broker_is_gone),
    "the broker is gone for 20 s of each 80 s": LongFault(_the_broker_comes_and_goes),
    "the broker refuses the login every other 90 s": LongFault(_the_broker_refuses_the_login_at_times),
    "the broker takes packets of 400 bytes": LongFault(_the_broker_takes_only_small_packets),
    "another client takes the client id every 5 s": LongFault(_another_bridge_fights_for_the_client_id),
    "Home Assistant restarts every 30 s": LongFault(_home_assistant_restarts_without_end),
    "eight commands a second": LongFault(_a_flood_of_commands),
    "a plan is asked for every 4 s": LongFault(_plans_are_asked_for_without_end),
    "the status is overwritten every 2 s": LongFault(_the_status_is_overwritten_without_end),
    "a rig is off": LongFault(_a_rig_is_off),
    "a rig is off for 2 of each 3 minutes": LongFault(_a_rig_flaps),
    "40 rigs are off": LongFault(_all_rigs_are_off, rigs=40, projects=1),
    "40 rigs are off for 2 of each 3 minutes": LongFault(_all_rigs_flap, rigs=40, projects=1),
    "another list fails every 70 s": LongFault(_lists_fail_in_turns, projects=30),
    "all lists of targets fail, each minute with another status": LongFault(_causes_change_without_end, projects=30),
    "odd rows in all answers of 10 rigs": LongFault(_every_answer_has_odd_rows, rigs=10),
    "odd rows in all answers for 2 of each 3 minutes": LongFault(_odd_rows_come_and_go, projects=30),
    "targets lose their ids and get other names each minute": LongFault(_targets_are_renamed_into_oddities),
    "500 targets without statistics": LongFault(_statistics_of_all_targets_are_unknown, projects=50, targets=10),
    "the clock is set back every minute": LongFault(_the_clock_is_set_back_without_end),
    "a fault in ts2mqtt, for 10 rigs": LongFault(_nothing, rigs=10, rng=_NoRandomNumbers()),
}


async def _play(fault: LongFault) -> LogLines:
    clock = MovedClock(LoopClock())
    lines = LogLines(clock)
    async with AsyncExitStack() as stack:
        stack.enter_context(lines.counted())
        broker = await stack.enter_async_context(EmbeddedBroker())
        rigs = [await stack.enter_async_context(_rig(fault, clock)) for _ in range(fault.rigs)]
        gate = Gate(broker.port)
        await gate.open()
        stack.callback(gate.closed)
        stage = Stage(broker, gate, rigs, clock)
        bridge = Bridge(_config(stage), clock=clock, tls=_TLS, rng=fault.rng)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(bridge.run())
            await asyncio.sleep(90.0)
            going_on = tasks.create_task(_begin(fault, stage))
            await asyncio.sleep(_SECONDS)
            going_on.cancel()
            bridge.stop()
    return lines


async def _begin(fault: LongFault, stage: Stage) -> None:
    await fault.begin(stage)


def _rig(fault: LongFault, clock: MovedClock) -> SimulatedApi:
    observatory = SimulatedObservatory(now=clock.now())
    profile = observatory.add_profile("Backyard")
    for project_number in range(fault.projects):
        project = observatory.add_project(profile, f"Project {project_number}")
        for number in range(fault.targets):
            target = observatory.add_target(project, f"M {number}", ra_hours=5.0, dec_deg=20.0)
            observatory.add_exposure_plan(target, "Lum")
    return SimulatedApi(observatory, clock=clock.true.now)


def _config(stage: Stage) -> Config:
    return Config(
        mqtt=MqttConfig(host="127.0.0.1", port=stage.gate.port),
        home_assistant=HomeAssistantConfig(),
        rigs=tuple(
            RigConfig(name=f"Rig {number}", id=f"rig{number}", url=(rig.url,))
            for number, rig in enumerate(stage.rigs)
        ),
        polling=_POLLING,
        log=LogConfig(),
    )


class _RefusingConnection:
    """Every publication is refused, as by access rules with MQTT 5."""

    def __init__(self, clock: LoopClock) -> None:
        self.sizes = PacketSizes(clock)

    async def publish(self, topic: str, payload: bytes, *, retain: bool) -> asyncio.Future[float]:
        refused: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        refused.set_exception(PublishRefusedError(f"refused ({len(topic)}, {len(payload)}, {retain})"))
        return refused


async def _refuse_300_topics() -> LogLines:
    """With each connection again, once a minute."""
    clock = LoopClock()
    lines, failures = LogLines(clock), FailureLog(logging.getLogger("ts2mqtt.test"), clock)
    carried = CarriedOver(desired=DesiredState(NAMES, []), failures=failures)
    wanted = {f"ts2mqtt/rig/target/{number}": Wanted(b"{}") for number in range(300)}
    connection = cast("Connection", _RefusingConnection(clock))
    with lines.counted():
        for _ in range(HOURS * 60):
            publisher = Publisher(connection, NAMES, carried, clock, Timings())
            await publisher.publish(wanted, ())
            await asyncio.sleep(60.0)
    return lines


async def _fail_20000_targets() -> LogLines:
    """As when all statistics are asked for again, once a minute."""
    clock = LoopClock()
    lines, failures = LogLines(clock), RigFailures("Backyard", clock)
    with lines.counted():
        for _ in range(HOURS):
            for number in range(20_000):
                with failures.reading(Subject("statistics of target", f"M {number}", str(number))):
                    raise NotFoundError("the API does not know this target")
            await asyncio.sleep(3_600.0)
    return lines


LONG_FAULTS: Mapping[str, Callable[[], Coroutine[None, None, LogLines]]] = {
    "300 topics are refused, at each connection": _refuse_300_topics,
    "20,000 targets without statistics": _fail_20000_targets,
    **{words: partial(_play, fault) for words, fault in FAULTS.items()},
}
"""Every fault, in words, and what plays it and returns the log."""


def log_of(words: str) -> LogLines:
    """Plays the fault in simulated time."""
    return run_in_simulated_time(LONG_FAULTS[words])


def main() -> int:
    logging.getLogger("ts2mqtt").propagate = False
    for words in LONG_FAULTS:
        sys.stdout.write(f"{log_of(words).most_in_an_hour():8,} {words}\n")
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        sys.exit(main())
