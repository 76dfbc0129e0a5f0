"""Whatever an answer of a rig looks like: nothing is lost on the broker, nothing odd gets there, the rest goes on."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.bridge.test_bridge import all_published, later_change
from tests.support import topics_of_example as of
from tests.support.broken_answers import BROKEN_ANSWERS, PROFILES, PROJECTS, STATISTICS, TARGETS, BrokenAnswer
from tests.support.running import TALKATIVE, bridge_config, running_bridge
from ts2mqtt.simulator.api import SimulatedApi
from ts2mqtt.simulator.example import documentation_example
from ts2mqtt.timing import RigTimings

if TYPE_CHECKING:
    from tests.support.mosquitto import Mosquitto
    from tests.support.observer import Observer
    from tests.support.running import Log
    from ts2mqtt.simulator.observatory import SimulatedObservatory


VERY_IMPATIENT = replace(TALKATIVE, rig=RigTimings(first_retry_s=0.02, longest_retry_s=0.1))


def one_list(path: str) -> str:
    """The list of the first profile, project or target alone."""
    return path.replace("*", {PROJECTS: of.PROFILE_1, TARGETS: of.P1, STATISTICS: of.M31}.get(path, "*"))


def taken_in_turn(path: str) -> list[tuple[BrokenAnswer, ...]]:
    """A path's broken answers in portions that one bridge has to bear, one answer after the other."""
    broken = [one for one in BROKEN_ANSWERS if one.path == path]
    return [tuple(broken[start : start + 20]) for start in range(0, len(broken), 20)]


@pytest.mark.parametrize(
    "answers",
    [answers for path in (PROFILES, PROJECTS, TARGETS, STATISTICS) for answers in taken_in_turn(path)],
    ids=lambda answers: f"{answers[0]} and so on",
)
async def test_broken_answers_harm_neither_what_is_on_the_broker_nor_another_rig(
    mosquitto: Mosquitto, observer: Observer, log: Log, answers: tuple[BrokenAnswer, ...]
) -> None:
    backyard, remote = documentation_example(), documentation_example()
    async with (
        SimulatedApi(backyard) as api,
        SimulatedApi(remote) as other,
        running_bridge(bridge_config(mosquitto.port, api, other), timings=VERY_IMPATIENT),
    ):
        await all_published(observer)
        await observer.wait_until(lambda: of.all_devices("remote") <= observer.held.keys())
        for broken in answers:
            await _bear(broken, observer, log, api, remote)


async def _bear(
    broken: BrokenAnswer, observer: Observer, log: Log, api: SimulatedApi, remote: SimulatedObservatory
) -> None:
    log.lines.clear()
    topics, mark = observer.held_below(""), observer.mark()
    rule = api.faults.add(one_list(broken.path), broken.fault())
    _expose(api, broken)
    line = await log.says("WARNING", "Backyard")
    assert re.search(broken.says, line), broken
    await later_change(observer, remote, rig="remote")
    assert observer.held_below("") == topics, broken
    assert not [seen for seen in observer.since(mark) if not seen.payload], broken
    rule.remove()
    _expose(api, broken)
    await log.says("INFO", "recovered")
    assert log.problems == [line], broken


def _expose(api: SimulatedApi, broken: BrokenAnswer) -> None:
    """Statistics are read when counts have moved."""
    if broken.path == STATISTICS:
        api.observatory.acquire(api.observatory.target(of.M31), hfr=2.0, fwhm=3.0, eccentricity=0.4)


async def test_a_broken_list_at_the_very_start_holds_nothing_else_up(
    mosquitto: Mosquitto, observer: Observer, example_api: SimulatedApi, log: Log
) -> None:
    example_api.faults.add(one_list(TARGETS), next(one for one in BROKEN_ANSWERS if one.path == TARGETS).fault())
    async with running_bridge(bridge_config(mosquitto.port, example_api), timings=VERY_IMPATIENT):
        await observer.wait_until(lambda: of.all_devices() - {of.target_device(of.M31)} <= observer.held.keys())
        await log.says("WARNING Backyard")
        assert of.target(of.M31) not in observer.held
        example_api.faults.clear()
        await all_published(observer)
