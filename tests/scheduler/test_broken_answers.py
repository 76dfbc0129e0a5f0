"""Whatever an answer looks like: the poller lives on, all else is still there, and one line says what is wrong."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.support.broken_answers import (
    BROKEN_ANSWERS,
    PROFILES,
    PROJECTS,
    STATISTICS,
    TARGETS,
    VERSION,
    BrokenAnswer,
)
from tests.support.watching import Watched, at_work, looks, more_looks, projects_of, targets_of, two_profiles
from ts2mqtt.simulator.api import SimulatedApi

if TYPE_CHECKING:
    from tests.support.running import Log
    from ts2mqtt.observatory.model import Rig
    from ts2mqtt.simulator.observatory import SimulatedObservatory


def at(path: str) -> list[BrokenAnswer]:
    return [broken for broken in BROKEN_ANSWERS if broken.path == path]


def one_list(broken: BrokenAnswer, observatory: SimulatedObservatory) -> str:
    """The broken answer's path, for the first profile, project or target alone."""
    profile = observatory.profiles[0]
    first = {PROJECTS: profile.id, TARGETS: profile.projects[0].id, STATISTICS: profile.projects[0].targets[0].id}
    return broken.path.replace("*", first.get(broken.path, "*"))


def untouched(rig: Rig, path: str, observatory: SimulatedObservatory) -> list[object]:
    """What has nothing to do with the broken list: other profiles, other projects, other targets."""
    broken_profile = observatory.profiles[0].id
    broken_project = observatory.profiles[0].projects[0].id
    if path in (PROFILES, PROJECTS):
        return [profile for profile in rig.known_profiles if profile.id != broken_profile]
    if path == TARGETS:
        return [project for project in projects_of(rig).values() if project.id != broken_project]
    return [target for name, target in targets_of(rig).items() if not name.startswith("Wide 1")]


def lines_about(log: Log, broken: BrokenAnswer) -> None:
    """Exactly one line, and it says what is wrong, with which rig, at a length that one reads."""
    (line,) = log.problems
    assert line.startswith("WARNING Backyard"), line
    assert re.search(broken.says, line), line
    assert len(line) < 800, line
    assert line.isprintable(), line


@pytest.mark.parametrize("broken", [b for b in BROKEN_ANSWERS if b.path not in (VERSION, PROFILES)], ids=str)
async def test_a_broken_list(broken: BrokenAnswer, log: Log) -> None:
    observatory = two_profiles()
    imaged, resting = observatory.profiles[0].projects[0].targets
    async with (
        SimulatedApi(observatory) as api,
        at_work(Watched(looks(interval=0.005, slow_interval=0.05), api.url)) as watched,
    ):
        before = await watched.until(lambda rig: rig.online is True)
        rule = api.faults.add(one_list(broken, observatory), broken.fault())
        if broken.path == STATISTICS:
            observatory.acquire(imaged, hfr=2.0, fwhm=3.0, eccentricity=0.5)
        await log.says("WARNING")
        await more_looks(api, 2)

        assert watched.rig.online
        assert rule.hits > 0
        assert untouched(watched.rig, broken.path, observatory) == untouched(before, broken.path, observatory)
        lines_about(log, broken)

        rule.remove()
        observatory.rename(resting, "Renamed")
        if broken.path == STATISTICS:
            observatory.acquire(imaged, hfr=2.0, fwhm=3.0, eccentricity=0.5)
        after = await watched.until(lambda rig: "Renamed" in targets_of(rig))
        await log.says("INFO", "recovered")
        assert set(projects_of(after)) == set(projects_of(before))
        assert len(log.problems) == 1


@pytest.mark.parametrize("broken", at(PROFILES), ids=str)
async def test_a_broken_list_of_profiles(broken: BrokenAnswer, log: Log) -> None:
    observatory = two_profiles()
    async with SimulatedApi(observatory) as api, at_work(Watched(looks(interval=0.005), api.url)) as watched:
        before = await watched.until(lambda rig: rig.online is True)
        rule = api.faults.add(broken.path, broken.fault())
        await log.says("WARNING")
        await more_looks(api, 2)

        if watched.rig.online:
            assert untouched(watched.rig, broken.path, observatory) == untouched(before, broken.path, observatory)
        else:
            assert watched.rig.profiles == before.profiles
        lines_about(log, broken)

        rule.remove()
        observatory.rename(observatory.profiles[0].projects[0].targets[0], "Renamed")
        after = await watched.until(lambda rig: rig.online is True and "Renamed" in targets_of(rig))
        await log.says("INFO", "recovered")
        assert set(projects_of(after)) == set(projects_of(before))
        assert len(log.problems) == 1


@pytest.mark.parametrize("broken", at(VERSION), ids=str)
async def test_a_broken_version_at_the_start(broken: BrokenAnswer, log: Log) -> None:
    async with SimulatedApi(two_profiles()) as api:
        rule = api.faults.add(broken.path, broken.fault())
        async with at_work(Watched(looks(interval=0.005), api.url)) as watched:
            await watched.until(lambda rig: rig.online is False)
            await api.wait_for_request("/version", after=rule.hits + 1)
            lines_about(log, broken)

            rule.remove()
            rig = await watched.until(lambda rig: rig.online is True)
            assert len(targets_of(rig)) == 12
            assert len(log.problems) == 1
