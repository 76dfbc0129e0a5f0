"""What an hour with a rig costs, counted: a change that makes the bridge dearer or louder shows here, on any machine.

Bounds are today's figures, with room only for the lengths of ids and times and for what a rig's slow rhythm shifts.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from tests.support.clocks import LoopClock
from tests.support.costs import counted
from tests.support.simulated_time import run_in_simulated_time
from tests.support.small_rig import EVENING, small_rig
from ts2mqtt.bridge.bridge import Bridge
from ts2mqtt.config import Config, HomeAssistantConfig, MqttConfig, PollingConfig, RigConfig
from ts2mqtt.simulator.api import SimulatedApi
from ts2mqtt.simulator.broker import EmbeddedBroker

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.support.costs import Costs
    from ts2mqtt.simulator.observatory import SimulatedObservatory

_LOOK_S, _HOUR_S = 30.0, 3_600.0
_BEFORE_A_LOOK_S = 1.5
"""No look falls on the very end of a part."""

_LIVE = 4
"""Requests of one look without a night plan: profiles, and the targets of three Active projects."""

_EDITS_S = 120.0
"""So often the projects are read, which nobody but a user changes."""

_EXPOSURE_S = 150.0
"""Between two exposures of 120 s; five looks."""

_STATES, _DEVICES = 3 + 1 + 4 + 4, 1 + 1 + 4 + 4
"""Status, state and plan of the rig, and its profile, projects and targets; devices for the rig and these."""

_OF_THE_BRIDGE = 3


async def _costs_of(parts: Sequence[Callable[[SimulatedObservatory], None]], seconds: float) -> list[Costs]:
    """Of each part in turn: what is done at its beginning, and then so many seconds."""

    def now() -> datetime:
        return EVENING + timedelta(seconds=asyncio.get_running_loop().time())

    found = []
    async with EmbeddedBroker() as broker, SimulatedApi(small_rig(), clock=now) as api:
        config = Config(
            mqtt=MqttConfig(host="127.0.0.1", port=broker.port),
            home_assistant=HomeAssistantConfig(),
            rigs=(RigConfig(name="Rig", url=(api.url,)),),
            polling=PollingConfig(plan="off"),
        )
        bridge = Bridge(config, clock=LoopClock(EVENING))
        running = asyncio.create_task(bridge.run())
        # Each part ends a little before a look.
        lengths = [seconds - _BEFORE_A_LOOK_S, *(seconds for _ in parts[1:])]
        for part, length in zip(parts, lengths, strict=True):
            with counted() as costs:
                part(api.observatory)
                await asyncio.sleep(length)
            found.append(costs)
        bridge.stop()
        await running
    return found


def costs_of(*parts: Callable[[SimulatedObservatory], None], seconds: float = _LOOK_S) -> list[Costs]:
    return run_in_simulated_time(lambda: _costs_of(parts, seconds))


def nothing(_: SimulatedObservatory) -> None:
    """The rig waits."""


def exposure(observatory: SimulatedObservatory) -> None:
    observatory.acquire(next(observatory.targets()), accepted=True)


def test_the_first_look_says_everything_once() -> None:
    (first,) = costs_of(nothing)

    assert first.requests == {"version": 1, "profiles": 1, "projects": 1, "targets": 4}
    assert first.parses == 6
    assert first.bytes_read == pytest.approx(3_941, rel=0.02)
    assert len(first.messages) == first.messages.total() == _STATES + _DEVICES + _OF_THE_BRIDGE
    assert first.bytes_published == pytest.approx(132_400, rel=0.02)


def test_an_hour_in_which_nothing_happens_costs_its_looks_and_nothing_else() -> None:
    _, hour = costs_of(nothing, nothing, seconds=_HOUR_S)

    slow = hour.requests.total() - _LIVE * _HOUR_S / _LOOK_S - _HOUR_S / _EDITS_S
    # The version and the targets of the Draft, each every eight to ten minutes.
    assert 12 <= slow <= 15
    assert hour.bytes_read == pytest.approx(228_700, rel=0.02)
    assert hour.parses == 0
    assert hour.messages == {}


def test_an_exposure_is_told_where_it_counts() -> None:
    _, first, second, after = costs_of(nothing, exposure, exposure, nothing, seconds=_EXPOSURE_S)

    for costs in (first, second):
        assert costs.requests["statistics"] == 1
        # The one list that it stands in; there are no statistics without Hocus Focus.
        assert costs.parses == 1
        retained = costs.messages.total() - costs.messages_to("/event")
        assert retained == 4
        assert costs.messages_to("/config") == 0
        assert costs.bytes_published == pytest.approx(6_000, rel=0.06)
    # That an image was saved and that it was accepted; before the first, that the target is begun.
    assert (first.messages_to("/event"), second.messages_to("/event")) == (3, 2)
    # What images is looked at when an exposure can be there, and nothing else more often than a user edits.
    assert (first.requests.total(), second.requests.total()) == (17, 15)
    assert (after.parses, after.messages) == (0, {})


def test_many_rigs_are_not_all_looked_at_at_once() -> None:
    looks = run_in_simulated_time(_looks_at_many_rigs)

    assert looks == [[0, 30, 60]] * 20 + [[1, 31, 61]] * 2


async def _looks_at_many_rigs() -> list[list[float]]:
    """Rig by rig, after how many seconds."""

    def now() -> datetime:
        return EVENING + timedelta(seconds=asyncio.get_running_loop().time())

    async with AsyncExitStack() as stack:
        broker = await stack.enter_async_context(EmbeddedBroker())
        apis = [await stack.enter_async_context(SimulatedApi(small_rig(), clock=now)) for _ in range(22)]
        config = Config(
            mqtt=MqttConfig(host="127.0.0.1", port=broker.port),
            rigs=tuple(RigConfig(name=f"Rig {number}", url=(api.url,)) for number, api in enumerate(apis)),
            polling=PollingConfig(plan="off"),
        )
        bridge = Bridge(config, clock=LoopClock(EVENING))
        running = asyncio.create_task(bridge.run())
        await asyncio.sleep(65)
        bridge.stop()
        await running
        return [
            [round((look.time - EVENING).total_seconds(), 2) for look in api.requests_to("/profiles")] for api in apis
        ]
