"""Kindness and quiet: what a rig and a broker bear in a simulated day and night, beside the obvious alternatives.

The rig is the demo's: two profiles with twelve projects in every state, six of them Active, one clear night; and the
same with the finished projects of some years. The bridge is whole, over real sockets with an embedded broker; the
others ask the same observatory without a network.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from benchmarks.tables import table
from tests.support.clocks import LoopClock
from tests.support.costs import counted
from tests.support.simulated_time import run_in_simulated_time
from ts2mqtt.bridge.bridge import Bridge
from ts2mqtt.config import Config, HomeAssistantConfig, MqttConfig, RigConfig
from ts2mqtt.simulator.api import SimulatedApi
from ts2mqtt.simulator.broker import EmbeddedBroker
from ts2mqtt.simulator.busy_observatory import busy_observatory

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.support.costs import Costs
    from ts2mqtt.simulator.observatory import SimulatedObservatory

_NOON = datetime(2026, 1, 10, 12, tzinfo=UTC)
_INTERVAL = timedelta(seconds=30)
_CLEAR = 4
"""The seed of a night in which 206 images are taken."""

_LOOKS = timedelta(days=1) // _INTERVAL

_OF_YEARS = 40
"""Projects that are Closed, of two targets each."""

_IMAGES = 20


@dataclass(slots=True)
class _Asked:
    """What an alternative asked for, by the kind of answer."""

    requests: Counter[str] = field(default_factory=Counter)
    bytes_read: int = 0

    def answer(self, kind: str, value: object) -> None:
        self.requests[kind] += 1
        self.bytes_read += len(b"" if value is None else json.dumps(value).encode())


def measure() -> str:
    kindness: list[Sequence[object]] = []
    quiet: list[Sequence[object]] = []
    for finished in (0, _OF_YEARS):
        costs, without = run_in_simulated_time(partial(_bridge, finished))
        loop, viewer = _polling_loop(finished), _viewer(finished)
        targets = sum(1 for _ in _rig(finished).targets())
        kindness += (
            (targets, "ts2mqtt", *_asked(costs.requests, costs.bytes_read)),
            (targets, "a loop that reads what is live every 30 s", *_asked(loop.requests, loop.bytes_read)),
            (targets, "a viewer that reads everything every 30 s", *_asked(viewer.requests, viewer.bytes_read)),
        )
        retained = costs.messages.total() - costs.messages_to("/event")
        quiet += (
            (targets, "ts2mqtt", costs.messages.total(), retained, f"{costs.bytes_published / 1e6:.1f}"),
            (targets, "every look publishes all states", *without.told()),
        )
    return (
        table(("targets", "one day and night", "requests", "of them statistics", "previews", "MB read"), kindness)
        + "\n"
        + table(("targets", "one day and night", "MQTT messages", "of them retained", "MB published"), quiet)
    )


def _asked(requests: Counter[str], bytes_read: int) -> tuple[object, ...]:
    return requests.total(), requests["statistics"], requests["preview"], f"{bytes_read / 1e6:.1f}"


@dataclass(slots=True)
class _WithoutChangeDetection:
    """All state topics of the rig, published anew at every look."""

    messages: int = 0
    bytes_published: int = 0

    def look(self, retained: Iterator[bytes]) -> None:
        for payload in retained:
            self.messages += 1
            self.bytes_published += len(payload)

    def told(self) -> tuple[object, ...]:
        return self.messages, self.messages, f"{self.bytes_published / 1e6:.1f}"


async def _bridge(finished: int) -> tuple[Costs, _WithoutChangeDetection]:
    def now() -> datetime:
        return _NOON + timedelta(seconds=asyncio.get_running_loop().time())

    without = _WithoutChangeDetection()
    async with EmbeddedBroker() as broker, SimulatedApi(_rig(finished), clock=now) as api:
        config = Config(
            mqtt=MqttConfig(host="127.0.0.1", port=broker.port, keepalive=300.0),
            home_assistant=HomeAssistantConfig(),
            rigs=(RigConfig(name="Rig", url=(api.url,)),),
        )
        with counted() as costs:
            bridge = Bridge(config, clock=LoopClock(_NOON))
            running = asyncio.create_task(bridge.run())
            for _ in range(_LOOKS):
                await asyncio.sleep(_INTERVAL.total_seconds())
                # What the simulator notes for tests would grow all night.
                api.requests.clear()
                api.answered.clear()
                without.look(
                    payload for topic, payload in broker.retained.items() if topic.startswith("ts2mqtt/rig/")
                )
            bridge.stop()
            await running
    return costs, without


def _rig(finished: int) -> SimulatedObservatory:
    """The demo's observatory, with so many finished projects more."""
    observatory = busy_observatory(seed=_CLEAR, start=_NOON)
    for number in range(finished):
        project = observatory.add_project(observatory.active_profile, f"Finished {number}", state="Closed")
        for panel in ("1", "2"):
            target = observatory.add_target(project, f"Finished {number}.{panel}", ra_hours=5.6, dec_deg=-5.4)
            observatory.add_exposure_plan(target, "Lum", exposure_s=120, desired=_IMAGES)
            for _ in range(_IMAGES):
                observatory.acquire(target, accepted=True, hfr=2.0, fwhm=2.8, eccentricity=0.4)
    return observatory


def _polling_loop(finished: int) -> _Asked:
    """The least that shows the same live data with the same delay, and nothing else."""
    asked, observatory = _Asked(), _rig(finished)
    for _ in _through_the_night(observatory):
        asked.answer("profiles", observatory.profiles_answer())
        profile = observatory.active_profile
        asked.answer("projects", observatory.projects_answer(profile.id))
        for project in profile.projects:
            if project.state == "Active":
                asked.answer("targets", observatory.targets_answer(project.id))
    return asked


def _viewer(finished: int) -> _Asked:
    """All that the bridge shows, with the same delay: statistics and the preview too."""
    asked, observatory = _Asked(), _rig(finished)
    preview: object = None
    for index, _ in enumerate(_through_the_night(observatory)):
        asked.answer("version", observatory.version_answer())
        asked.answer("profiles", observatory.profiles_answer())
        for profile in observatory.profiles:
            asked.answer("projects", observatory.projects_answer(profile.id))
            for project in profile.projects:
                asked.answer("targets", observatory.targets_answer(project.id))
                for target in project.targets:
                    asked.answer("statistics", observatory.statistics_answer(target.id))
        if index % _LOOKS_A_PREVIEW == 0:
            preview = observatory.preview_answer(observatory.active_profile.id, None)
        asked.answer("preview", preview)
    return asked


_LOOKS_A_PREVIEW = 120
"""The simulator plans anew once an hour only: a preview is its dearest answer, and its size hardly changes."""


def _through_the_night(observatory: SimulatedObservatory) -> Iterator[datetime]:
    for number in range(1, _LOOKS + 1):
        moment = _NOON + number * _INTERVAL
        observatory.advance(moment)
        yield moment
