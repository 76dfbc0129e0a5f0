"""Small passes without network, broker or clock, for their instructions to be counted: test_instructions.py.

python -m tests.small_pass COLD EXPOSURES

So many rigs of which nothing was known, and then so many exposures of the first: from the bytes of the API's answers
to the messages that should stand on the broker.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ts2mqtt.config import PollingConfig, RigConfig
from ts2mqtt.failures import FailureLog
from ts2mqtt.home_assistant.names import DiscoveryNames
from ts2mqtt.observatory.live import live
from ts2mqtt.observatory.model import ACTIVE, Rig, Target
from ts2mqtt.observatory.watch import Watch, observe
from ts2mqtt.scheduler.client import TargetSchedulerClient
from ts2mqtt.scheduler.rig_reader import RigReader
from ts2mqtt.simulator.observatory import SimulatedObservatory
from ts2mqtt.topics.messages import RigView
from ts2mqtt.topics.names import TopicNames
from ts2mqtt.wanted import WantedMessages

if TYPE_CHECKING:
    from collections.abc import Mapping

_LOG = logging.getLogger(__name__)
_EVENING = datetime(2026, 1, 10, 20, tzinfo=UTC)
_PROJECTS = 3


class _WrittenAnswers(TargetSchedulerClient):
    """Has the answers already."""

    def __init__(self, observatory: SimulatedObservatory) -> None:
        super().__init__(RigConfig(name="Rig", url=("http://127.0.0.1",)), "http://127.0.0.1", PollingConfig())
        self._answers = _written(observatory)

    async def _get(self, path: str, *, timeout: float | None = None, repeat: bool = True) -> bytes:  # noqa: ARG002, ASYNC109 - as the real one
        return self._answers[path]


class _Passes:
    """The looks at one rig, one after the other."""

    def __init__(self, rig_id: str, wanted: WantedMessages) -> None:
        self._rig = Rig(id=rig_id, name="Rig", api_version="v0", url="http://127.0.0.1", online=True)
        self._wanted = wanted
        self._reader = RigReader("Rig", FailureLog(_LOG))
        self._watch = Watch()

    async def look(self, client: TargetSchedulerClient) -> int:
        """How many messages are wanted of the rig."""
        reader = self._reader
        profiles = await reader.read_profiles(client)
        for profile in profiles.items:
            await reader.read_projects(client, profile)
            for project in reader.projects_of(profile):
                await reader.read_targets(client, project)
        assembled = tuple(reader.assembled(profile, _without_statistics) for profile in profiles.items)
        rig = replace(self._rig, profiles=replace(profiles, items=assembled))
        doing = live(rig, None, None, _EVENING)
        self._watch, _ = observe(self._watch, rig, None, doing, _EVENING, UTC)
        self._wanted.update(RigView(rig, None, doing, self._watch))
        return len(self._wanted.of(self._wanted.take_changed()))


def _without_statistics(target: Target) -> Target:
    return target


def _observatory() -> SimulatedObservatory:
    observatory = SimulatedObservatory(now=_EVENING, timezone=UTC)
    profile = observatory.add_profile("Refractor")
    for number in range(_PROJECTS):
        project = observatory.add_project(profile, f"Project {number}", state="Active")
        target = observatory.add_target(project, f"Target {number}", ra_hours=5.5, dec_deg=22.0)
        for template in ("Lum", "Red", "Green", "Blue"):
            observatory.add_exposure_plan(target, template, exposure_s=120, desired=60)
    return observatory


def _written(observatory: SimulatedObservatory) -> Mapping[str, bytes]:
    profile = observatory.active_profile
    answers: dict[str, object] = {
        "/profiles": observatory.profiles_answer(),
        f"/profiles/{profile.id}/projects": observatory.projects_answer(profile.id),
    }
    for project in observatory.projects():
        answers[f"/projects/{project.id}/targets"] = observatory.targets_answer(project.id)
    return {path: json.dumps(answer).encode() for path, answer in answers.items()}


async def _run(cold: int, exposures: int) -> None:
    observatory = _observatory()
    before = _WrittenAnswers(observatory)
    observatory.acquire(next(observatory.targets()), accepted=True)
    after = _WrittenAnswers(observatory)
    names = DiscoveryNames("homeassistant", TopicNames("ts2mqtt"))
    wanted = WantedMessages(names, frozenset({ACTIVE}), home_assistant=True)
    first = _Passes("rig", wanted)
    messages = await first.look(before)
    # States of the rig, its profile, projects and targets, its status and its plan; and all their devices.
    assert messages == 2 * (2 + 2 * _PROJECTS) + 2
    for number in range(cold):
        await _Passes(f"rig-{number}", wanted).look(before)
    for number in range(exposures):
        await first.look(before if number % 2 else after)


if __name__ == "__main__":
    asyncio.run(_run(int(sys.argv[1]), int(sys.argv[2])))
