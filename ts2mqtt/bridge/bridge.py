"""The bridge: starts what watches the rigs, stays connected to the broker, keeps the one true at the other."""

from __future__ import annotations

import asyncio
import logging
import random
from collections import deque
from datetime import datetime
from functools import partial
from operator import attrgetter
from typing import TYPE_CHECKING

from ts2mqtt import __version__
from ts2mqtt.bridge.commands import Commands
from ts2mqtt.bridge.desired_state import DesiredState
from ts2mqtt.bridge.heartbeat import new_instance
from ts2mqtt.bridge.night_work import NightWork
from ts2mqtt.bridge.rig_summary import rig_summary
from ts2mqtt.bridge.session import Session
from ts2mqtt.bridge.transitions import HomeAssistantStatus
from ts2mqtt.config import changes, taken_up
from ts2mqtt.config.words import LOG_LEVELS
from ts2mqtt.errors import BrokerError, LoginRefusedError, OtherBridgeError
from ts2mqtt.home_assistant.ids import DiscoveryIds
from ts2mqtt.home_assistant.languages import LANGUAGES
from ts2mqtt.logs import format as log_format
from ts2mqtt.logs.failures import FailureLog
from ts2mqtt.mqtt.connection import Will, connect
from ts2mqtt.mqtt.packet_sizes import PacketSizes
from ts2mqtt.observatory.changes import Watch, observe
from ts2mqtt.observatory.night import next_noon
from ts2mqtt.observatory.present import live, next_edge
from ts2mqtt.observatory.sky import Site
from ts2mqtt.scheduler.client import public_url
from ts2mqtt.scheduler.poller import RigPoller
from ts2mqtt.topics import decode, payloads
from ts2mqtt.topics.encode import OFFLINE, RigView, event_payload
from ts2mqtt.topics.message import Message
from ts2mqtt.topics.names import TopicNames

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Set as AbstractSet

    from ts2mqtt.config import Changes, Config
    from ts2mqtt.observatory.model import Rig

_LOG = logging.getLogger(__name__)

_FIRST_RETRY_S = 1.0
_LONGEST_RETRY_S = 60.0
_SLOW_RETRY_S = 60.0
_STEADY_S = 60.0
"""A connection that lasted this long was a good one: the next failure is a new one."""

_FAREWELL_S = 3.5
"""What a stopping bridge has for its last words; a container's engine kills it after a few seconds more."""

_BEGUN_AT_ONCE, _BEGIN_AGAIN_S = 20, 1.0
"""When a thousand rigs are begun at once, what each waits for is the bridge, until it seems silent."""

_AFTER_A_BUG_S = 60.0
_MOST_EVENTS = 1_000
"""Kept while the broker is away; older ones are dropped first."""

_LONGEST_PROBLEM = 500


class Bridge:
    """Bridges the configured rigs to the broker until it is stopped."""

    def __init__(
        self, config: Config, *, now: Callable[[], datetime] = lambda: datetime.now().astimezone(), pace: float = 1.0
    ) -> None:
        """`now` may run `pace` times as fast as the event loop's clock, beside a simulated observatory."""
        self._config = config
        self._pace = pace
        self._now = now
        self._since = now().replace(microsecond=0)
        self._instance = new_instance()
        self._changed = asyncio.Event()
        self._news = HomeAssistantStatus()
        self._sizes = PacketSizes()
        self._stopping = asyncio.Event()
        self._failures = FailureLog(_LOG, on_change=self._changed.set)
        self._names = DiscoveryIds(
            config.home_assistant.discovery_prefix, TopicNames(config.mqtt.base_topic, config.replica)
        )
        shard = config.shard
        self._rigs = {rig.id: rig for rig in config.rigs if shard is None or shard.owns(rig.id)}
        self._pollers = {rig_id: self._poller(rig_id) for rig_id in self._rigs}
        self._watching: dict[str, asyncio.Task[None]] = {}
        self._wanted = DesiredState(
            self._names,
            _project_states(config),
            home_assistant=config.home_assistant.enabled,
            language=LANGUAGES[config.home_assistant.language],
        )
        self._watches = {rig_id: Watch() for rig_id in self._rigs}
        self._events: deque[tuple[str, bytes]] = deque(maxlen=_MOST_EVENTS)
        self._nightly = NightWork(self._mark)
        self._about_rigs = {
            rig.id: payloads.BridgeRig(id=rig.id, name=rig.name, url=public_url(rig.urls[0]))
            for rig in self._rigs.values()
        }
        self._sites = {
            rig.id: Site(latitude_deg=rig.site.latitude, longitude_deg=rig.site.longitude)
            for rig in config.rigs
            if rig.site
        }
        self._marked: set[str] = set()
        self._found: set[str] = set()
        self._edges: dict[str, asyncio.TimerHandle] = {}
        self._client_id = config.mqtt.client_id if shard is None else f"{config.mqtt.client_id}-{shard.index}"
        self._was_at_work = False

    def stop(self) -> None:
        """Ends run(): what is under way is finished, `offline` is published."""
        self._stopping.set()

    def reload(self, config: Config) -> Changes:
        """Takes up what can change while the bridge works, and nothing else; `log` is its caller's matter."""
        running, self._config = self._config, taken_up(self._config, config)
        if self._config.polling != running.polling:
            for poller in self._pollers.values():
                poller.use(self._config.polling)
        if _project_states(self._config) != _project_states(running):
            self._wanted.show(_project_states(self._config))
            for rig_id in self._pollers:
                self._mark(rig_id)
        # The level of the log stands on the bridge's own topic.
        self._changed.set()
        return changes(running, config)

    async def run(self) -> None:
        """Watches every rig, and keeps the broker true whenever there is one.

        A replica asks no rig before the broker has told which of them another one still serves.
        """
        replica = f" as replica {self._config.shard}" if self._config.shard else ""
        _LOG.info("ts2mqtt %s starts%s: %s", __version__, replica, ", ".join(rig.name for rig in self._rigs.values()))
        if self._config.shard is None:
            self._begin_to_watch(self._rigs.keys())
        try:
            await self._stay_connected()
        finally:
            for task in self._watching.values():
                task.cancel()
            await asyncio.gather(*self._watching.values(), return_exceptions=True)
            for edge in self._edges.values():
                edge.cancel()
            await self._nightly.stop()
        _LOG.info("ts2mqtt has stopped")

    def _poller(self, rig_id: str) -> RigPoller:
        return RigPoller(self._rigs[rig_id], self._config.polling, partial(self._mark, rig_id), now=self._now)

    def _begin_to_watch(self, rig_ids: AbstractSet[str]) -> None:
        for place, rig_id in enumerate(sorted(rig_ids - self._watching.keys())):
            work = self._watch(self._pollers[rig_id], place // _BEGUN_AT_ONCE * _BEGIN_AGAIN_S)
            self._watching[rig_id] = asyncio.create_task(work)
            self._mark(rig_id)

    def _take_up(self, rig_ids: AbstractSet[str], retained: Mapping[str, bytes]) -> None:
        """Serves those of these rigs that are configured, from where it stands on the broker."""
        configured = rig_ids & self._rigs.keys()
        self._begin_to_watch(configured)
        self._recall(configured, retained)

    def _let_go(self, rig_ids: AbstractSet[str]) -> None:
        """Another replica serves these now: what this one knows of them will be old when it serves them again."""
        waiting = rig_ids & self._rigs.keys()
        if waiting:
            _LOG.info("another replica still serves %s; waiting until it lets go", ", ".join(sorted(waiting)))
        for rig_id in waiting & self._watching.keys():
            self._watching.pop(rig_id).cancel()
            self._marked.discard(rig_id)
            if rig_id in self._edges:
                self._edges.pop(rig_id).cancel()
            self._wanted.forget(rig_id)
            self._watches[rig_id] = Watch()
            self._pollers[rig_id] = self._poller(rig_id)

    async def _watch(self, poller: RigPoller, after_s: float) -> None:
        """Each rig keeps the rhythm in which it was begun: they are looked at one after the other from then on."""
        await asyncio.sleep(after_s)
        while True:
            try:
                await poller.run()
            except Exception:  # noqa: BLE001 - see below
                # A fault of ours in dealing with one rig must not end what all the others rely on.
                _LOG.exception(
                    "%s: a fault in ts2mqtt; this rig is tried again in a minute, please report it", poller.rig.name
                )
            await asyncio.sleep(_AFTER_A_BUG_S)

    async def _stay_connected(self) -> None:
        attempts = 0
        loop = asyncio.get_running_loop()
        while not self._stopping.is_set():
            started = loop.time()
            try:
                await self._be_connected_until_stopped()
            except (LoginRefusedError, OtherBridgeError) as error:
                self._failures.failed("MQTT", str(error), level=logging.ERROR)
                delay = _SLOW_RETRY_S
                if isinstance(error, OtherBridgeError):
                    # If it has our client id, our next look would end its connection.
                    self._client_id = f"{self._config.mqtt.client_id}-{self._instance[-8:]}"
                    self._was_at_work = False
            except BrokerError as error:
                self._failures.failed("MQTT", str(error))
                attempts = 0 if loop.time() - started > _STEADY_S else attempts + 1
                delay = min(_LONGEST_RETRY_S, _FIRST_RETRY_S * 2 ** min(attempts, 10))
            else:
                return
            await self._stopped_within(delay * random.uniform(0.5, 1.0))  # noqa: S311 - spreads load, guards nothing

    async def _be_connected_until_stopped(self) -> None:
        """Lets a connection end by itself; one that is still being made when the bridge stops is given up."""
        connected = asyncio.create_task(self._be_connected())
        stopping = asyncio.create_task(self._stopping.wait())
        try:
            await asyncio.wait((connected, stopping), return_when=asyncio.FIRST_COMPLETED)
            if not connected.done():
                await asyncio.wait((connected,), timeout=_FAREWELL_S)
            if connected.done():
                connected.result()
        finally:
            for task in (connected, stopping):
                task.cancel()
            await asyncio.gather(connected, stopping, return_exceptions=True)

    async def _be_connected(self) -> None:
        """One connection, from the login to its end; returns only when the bridge is stopped."""
        mqtt = self._config.mqtt
        stopping = asyncio.create_task(self._stopping.wait())
        try:
            will = Will(self._names.topics.status, OFFLINE)
            async with connect(mqtt, client_id=self._client_id, will=will, sizes=self._sizes) as connection:
                session = Session(
                    connection,
                    self._names,
                    self._config.home_assistant,
                    instance=self._instance,
                    about=self._about,
                    wanted=self._current,
                    events=self._events,
                    commands=Commands(self._set_log_level, self._refresh, self._refresh_plan),
                    changed=self._changed,
                    news=self._news,
                    returning=self._was_at_work,
                    failures=self._failures,
                    shard=self._config.shard,
                    take_up=self._take_up,
                )
                async with session.running():
                    self._was_at_work = True
                    self._let_go(session.elsewhere)
                    self._take_up(self._rigs.keys() - session.elsewhere, session.publisher.retained)
                    self._failures.succeeded("MQTT")
                    _LOG.info("connected to the broker at %s:%s", mqtt.host, mqtt.port)
                    keeping = asyncio.create_task(session.keep_true())
                    try:
                        await asyncio.wait((keeping, stopping), return_when=asyncio.FIRST_COMPLETED)
                        if self._stopping.is_set():
                            await session.finish()
                    finally:
                        keeping.cancel()
                        await asyncio.gather(keeping, return_exceptions=True)
                    if not self._stopping.is_set():
                        keeping.result()
                    await session.say_offline()
        finally:
            stopping.cancel()

    def _mark(self, rig_id: str) -> None:
        """Has a rig looked at again: it was read anew, or time has come for it."""
        if rig_id in self._watching:
            self._marked.add(rig_id)
            self._changed.set()

    def _current(self) -> DesiredState:
        """What should stand on the broker right now."""
        now = self._now()
        while self._marked:
            poller = self._pollers[self._marked.pop()]
            self._wanted.update(self._look_at(poller, now))
            self._tell_once_what_was_found(poller.rig)
            self._wake_at_next_edge(poller, now)
        return self._wanted

    def _look_at(self, poller: RigPoller, now: datetime) -> RigView:
        rig, plan = poller.rig, poller.plan
        doing = live(rig, plan, poller.last, now)
        watch, happened = observe(self._watches[rig.id], rig, plan, doing, now, poller.zone)
        self._watches[rig.id] = watch
        self._events += ((rig.id, event_payload(rig, event)) for event in happened)
        nightly = self._nightly.result(rig, plan, now, poller.zone, self._sites.get(rig.id))
        return RigView(rig, plan, doing, watch, nightly.picture, nightly.skies)

    def _tell_once_what_was_found(self, rig: Rig) -> None:
        if rig.online and rig.id not in self._found:
            self._found.add(rig.id)
            _LOG.info("%s: %s", rig.name, rig_summary(rig, self._wanted.announced(rig.id)))

    def _wake_at_next_edge(self, poller: RigPoller, now: datetime) -> None:
        """Activity and targets change when a block of the plan begins or ends, whether or not a rig is asked then."""
        rig_id = poller.rig.id
        if rig_id in self._edges:
            self._edges[rig_id].cancel()
        noon = next_noon(now, poller.zone)
        edge = min(next_edge(poller.rig, poller.plan, poller.last, now) or noon, noon)
        seconds = (edge - now).total_seconds() / self._pace
        self._edges[rig_id] = asyncio.get_running_loop().call_later(seconds, self._mark, rig_id)

    def _recall(self, rig_ids: AbstractSet[str], retained: Mapping[str, bytes]) -> None:
        """Takes up where an earlier run of the bridge left off; what this run has seen itself counts more."""
        recalled = decode.recall(self._names.topics, retained)
        for rig_id in rig_ids:
            remembered = recalled.get(rig_id, decode.Recalled(Watch()))
            self._pollers[rig_id].recall(remembered.watch.plan, remembered.statistics, remembered.dates)
            if self._watches[rig_id].rig is None:
                self._watches[rig_id] = remembered.watch

    def _about(self) -> Message:
        about = payloads.Bridge(
            version=__version__,
            instance=self._instance,
            since=self._since,
            protocol=self._config.mqtt.protocol,
            log_level=log_format.level(),
            last_problem=self._last_problem(),
            rigs_online=sum(poller.rig.online is True for poller in self._pollers.values()),
            rigs=[rig for rig_id, rig in self._about_rigs.items() if rig_id in self._watching],
        )
        shard = self._config.shard
        if shard is not None:
            about = payloads.Replica(**about.model_dump(), replica=shard.index, replicas=shard.count)
        return Message(about.to_bytes())

    def _last_problem(self) -> str | None:
        found = [self._failures.latest, *(poller.problem for poller in self._pollers.values())]
        latest = max(filter(None, found), key=attrgetter("told"), default=None)
        return latest.text[:_LONGEST_PROBLEM] if latest else None

    def _set_log_level(self, level: str) -> bool:
        if level not in LOG_LEVELS:
            return False
        _LOG.warning("the log level changes to %s", level)
        logging.getLogger("ts2mqtt").setLevel(level.upper())
        self._changed.set()
        return True

    def _refresh(self, rig_id: str) -> bool:
        if rig_id not in self._watching:
            return False
        self._pollers[rig_id].refresh()
        return True

    def _refresh_plan(self, rig_id: str) -> bool:
        if rig_id not in self._watching:
            return False
        self._pollers[rig_id].refresh_plan()
        return True

    async def _stopped_within(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
        except TimeoutError:
            return


def _project_states(config: Config) -> frozenset[str]:
    return frozenset(state.lower() for state in config.home_assistant.project_states)
