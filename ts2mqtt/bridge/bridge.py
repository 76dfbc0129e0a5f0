"""The bridge: has every rig watched, and what the rigs report published, whenever there is a broker."""

from __future__ import annotations

import asyncio
import logging
import random
from typing import TYPE_CHECKING

from ts2mqtt import __version__
from ts2mqtt.bridge.about import Identity
from ts2mqtt.bridge.carried_over import CarriedOver
from ts2mqtt.bridge.commands import Commands
from ts2mqtt.bridge.desired_state import DesiredState
from ts2mqtt.bridge.heartbeat import new_instance
from ts2mqtt.bridge.inbox import BridgeChanged, Inbox, Stop, most_events_of_a_rig
from ts2mqtt.bridge.main_loop_watch import MainLoopWatch
from ts2mqtt.bridge.rig_worker import RigWorker, Surroundings
from ts2mqtt.bridge.session import Session
from ts2mqtt.bridge.setting import Setting
from ts2mqtt.bridge.side_by_side import release_frames
from ts2mqtt.bridge.sign_of_life import RHYTHM_S
from ts2mqtt.config import changes, taken_up
from ts2mqtt.errors import BrokerError, LoginRefusedError, OtherBridgeError
from ts2mqtt.home_assistant.devices import DeviceWriter, bridge_device_message
from ts2mqtt.home_assistant.ids import DiscoveryIds
from ts2mqtt.home_assistant.languages import LANGUAGES
from ts2mqtt.logs.failures import KEEPS_TRYING, FailureLog
from ts2mqtt.logs.tallies import Kind, Tallies
from ts2mqtt.mqtt.connection import connect
from ts2mqtt.mqtt.message import Will
from ts2mqtt.mqtt.packet_sizes import PacketSizes
from ts2mqtt.observatory.changes import Watch
from ts2mqtt.timing import SystemClock, Timings
from ts2mqtt.topics import decode
from ts2mqtt.topics.encode import OFFLINE
from ts2mqtt.topics.names import TopicNames

if TYPE_CHECKING:
    import ssl
    from collections.abc import Coroutine, Mapping

    from ts2mqtt.bridge.sign_of_life import SignOfLife
    from ts2mqtt.config import Changes, Config
    from ts2mqtt.timing import Clock

_LOG = logging.getLogger(__name__)

_LOST = Kind("losses of the broker")
_CONNECTED = Kind("connections to the broker")
_LOWER_QOS = Kind("connections with a lower QoS than configured")

_FINISH_S = 1.0
_RIGS_AT_ONCE, _NEXT_RIGS_S = 20, 1.0
"""When a thousand rigs are begun at once, what each waits for is the bridge, until it seems silent."""


class Bridge:
    """Bridges the configured rigs to the broker until it is stopped."""

    def __init__(  # noqa: PLR0913 - what a test replaces, and what only a process of its own has
        self,
        config: Config,
        *,
        clock: Clock | None = None,
        timings: Timings | None = None,
        tls: ssl.SSLContext | None = None,
        rng: random.Random | None = None,
        sign_of_life: SignOfLife | None = None,
    ) -> None:
        """`tls` is for the APIs of all rigs, by default as each is configured; `rng` spreads the looks.

        `sign_of_life` is shown while the main loop turns.
        """
        self._config = config
        self._clock = clock or SystemClock()
        self._timings = timings or Timings()
        self._ids = DiscoveryIds(config.home_assistant.discovery_prefix, TopicNames(config.mqtt.base_topic))
        self._setting = Setting(
            ids=self._ids,
            identity=Identity.of(config, new_instance(self._clock), self._clock.now().replace(microsecond=0)),
            home_assistant=config.home_assistant,
            clock=self._clock,
            timings=self._timings,
        )
        self._client_id = config.mqtt.client_id
        self._sizes = PacketSizes(self._clock)
        self._tallies = Tallies(self._clock, self._timings.log)
        self._failures = FailureLog(_LOG, self._clock, self._tallies)
        events_of_a_rig = most_events_of_a_rig(len(config.rigs))
        self._inbox = Inbox(events_of_a_rig, failures=self._failures)
        language = LANGUAGES[config.home_assistant.language]
        is_told = config.home_assistant.enabled
        surroundings = Surroundings(
            ids=self._ids,
            writer=DeviceWriter(self._ids, language, {rig.id: rig.name for rig in config.rigs}) if is_told else None,
            clock=self._clock,
            timings=self._timings,
            tls=tls,
            rng=rng,
            tallies=self._tallies,
        )
        self._workers = {
            rig.id: RigWorker(rig, config.polling, _project_states(config), surroundings, self._inbox)
            for rig in config.rigs
        }
        self._carried = CarriedOver(
            desired=DesiredState(
                self._ids, self._workers, bridge_device_message(self._ids, language) if is_told else None
            ),
            failures=self._failures,
            events_of_a_rig=events_of_a_rig,
        )
        self._reload_ordered = asyncio.Event()
        self._commands = Commands(self._ids.topics, self._workers, self._clock, self._failures, self._reload_ordered)
        self._stopping = asyncio.Event()
        self._sign_of_life = sign_of_life
        self._is_publishing = False

    def stop(self) -> None:
        """Ends run(): what is under way is finished, `offline` is published."""
        self._stopping.set()
        self._inbox.put(Stop())

    def reload(self, config: Config) -> Changes:
        """Takes up what can change while the bridge works, and nothing else; `log` is its caller's matter."""
        running, self._config = self._config, taken_up(self._config, config)
        for worker in self._workers.values():
            if self._config.polling != running.polling:
                worker.use(self._config.polling)
            if _project_states(self._config) != _project_states(running):
                worker.show(_project_states(self._config))
        # The level of the log stands on the bridge's own topic.
        self._inbox.put(BridgeChanged())
        return changes(running, config)

    async def take_reload_order(self) -> None:
        """Returns when somebody has ordered over MQTT to read the configuration again."""
        await self._reload_ordered.wait()
        self._reload_ordered.clear()

    def refresh(self, rig_id: str) -> None:
        """As the rig's command `refresh`."""
        self._workers[rig_id].refresh()

    def refresh_plan(self, rig_id: str) -> None:
        """As the rig's command `refresh_plan`."""
        self._workers[rig_id].refresh_plan()

    async def run(self) -> None:
        """Watches every rig, and keeps the broker true whenever there is one, until stop() is called."""
        _LOG.info("ts2mqtt %s starts: %s", __version__, ", ".join(rig.name for rig in self._config.rigs))
        watching = [
            asyncio.create_task(worker.run(number // _RIGS_AT_ONCE * _NEXT_RIGS_S))
            for number, worker in enumerate(self._workers.values())
        ]
        watching.append(asyncio.create_task(self._sum_up_for_ever()))
        if self._sign_of_life:
            watching.append(asyncio.create_task(self._show_life(self._sign_of_life)))
        try:
            await self._stay_connected()
        finally:
            for task in watching:
                task.cancel()
            await asyncio.wait(watching, timeout=_FINISH_S)
            self._tallies.sum_up(at_the_end=True)
            if self._sign_of_life:
                self._sign_of_life.remove()
        _LOG.info("ts2mqtt has stopped")

    async def _sum_up_for_ever(self) -> None:
        while True:
            await asyncio.sleep(self._timings.log.first_sum_s)
            self._tallies.sum_up()

    async def _show_life(self, sign_of_life: SignOfLife) -> None:
        """For ever, in the event loop in which everything happens: when that hangs, the sign grows old."""
        watch = MainLoopWatch(self._inbox, self._clock)
        while True:
            if watch.look(is_publishing=self._is_publishing):
                sign_of_life.show()
            await asyncio.sleep(RHYTHM_S)

    async def _stay_connected(self) -> None:
        timings = self._timings.broker
        attempts = 0
        while not self._stopping.is_set():
            started = self._clock.monotonic()
            try:
                await self._until_stopped(self._be_connected(), timings.farewell_s)
            except (LoginRefusedError, OtherBridgeError) as error:
                self._failures.failed("MQTT", self._explained(error), kind=_LOST, level=logging.ERROR)
                delay_s = timings.refused_retry_s
                release_frames(error)
                if isinstance(error, OtherBridgeError):
                    self._take_another_client_id()
            except BrokerError as error:
                self._failures.failed("MQTT", self._explained(error), kind=_LOST)
                was_steady = self._clock.monotonic() - started > timings.steady_s
                attempts = 1 if was_steady else attempts + 1
                delay_s = min(timings.longest_retry_s, timings.first_retry_s * 2.0 ** min(attempts - 1, 10))
                release_frames(error)
            else:
                return
            await self._until_stopped(asyncio.sleep(delay_s * random.uniform(0.5, 1.0)))  # noqa: S311 - spreads load

    def _explained(self, error: BrokerError) -> str:
        is_told = self._carried.has_worked or isinstance(error, OtherBridgeError)
        return str(error) if is_told else f"{error}; {KEEPS_TRYING}"

    def _take_another_client_id(self) -> None:
        """The other bridge may have the same one: to connect with it again would cut that bridge off."""
        self._client_id = f"{self._config.mqtt.client_id}-{self._setting.identity.instance[-8:]}"
        self._carried.has_worked = False

    async def _be_connected(self) -> None:
        """One connection, from the login to its end; returns only when the bridge is stopped."""
        mqtt = self._config.mqtt
        will = Will(self._ids.topics.status, OFFLINE)
        async with connect(
            mqtt,
            client_id=self._client_id,
            will=will,
            sizes=self._sizes,
            clock=self._clock,
            timings=self._timings.broker,
        ) as connection:
            session = Session(connection, self._setting, self._carried, self._inbox, self._commands)
            async with session.begun():
                self._recall(session.retained)
                self._failures.succeeded("MQTT")
                text = f"connected to the broker at {mqtt.host}:{mqtt.port}"
                self._failures.noted(_CONNECTED, "MQTT", text, level=logging.INFO)
                if connection.qos < mqtt.qos:
                    text = f"the broker takes nothing above QoS {connection.qos}: it acknowledges no message"
                    self._failures.noted(_LOWER_QOS, "MQTT", text)
                self._is_publishing = True
                try:
                    await self._until_stopped(session.keep_true(), _FINISH_S)
                except OtherBridgeError:
                    raise
                except BrokerError:
                    if not self._stopping.is_set():
                        raise
                finally:
                    self._is_publishing = False
                await session.say_offline()

    def _recall(self, retained: Mapping[str, bytes]) -> None:
        """Lets every rig's worker take up where an earlier run left off."""
        recalled = decode.recall(self._ids.topics, retained)
        for rig_id, worker in self._workers.items():
            worker.recall(recalled.get(rig_id, decode.Recalled(Watch())))

    async def _until_stopped(self, work: Coroutine[None, None, None], farewell_s: float = 0.0) -> None:
        """Ends with the work; when the bridge is stopped, the work may end by itself within so many seconds."""
        working = asyncio.create_task(work)
        stopping = asyncio.create_task(self._stopping.wait())
        try:
            await asyncio.wait((working, stopping), return_when=asyncio.FIRST_COMPLETED)
            if not working.done() and farewell_s:
                await asyncio.wait((working,), timeout=farewell_s)
            if working.done():
                working.result()
        finally:
            for task in (working, stopping):
                task.cancel()
            await asyncio.gather(working, stopping, return_exceptions=True)


def _project_states(config: Config) -> frozenset[str]:
    return frozenset(state.lower() for state in config.home_assistant.project_states)
