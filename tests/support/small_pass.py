"""Small passes without network, broker or clock, for their instructions to be counted: test_instructions.py.

python -m tests.support.small_pass COLD EXPOSURES

So many rigs of which nothing was known, and then so many exposures of the first: from the bytes of the API's answers
to the messages that should stand on the broker, each written once.
"""

from __future__ import annotations

import asyncio
import gc
import sys
from dataclasses import replace
from datetime import UTC
from itertools import chain
from typing import TYPE_CHECKING

from tests.support.small_rig import EVENING, small_rig, written_answers
from ts2mqtt.bridge.desired_state import DesiredState
from ts2mqtt.bridge.inbox import RigUpdate
from ts2mqtt.bridge.retained_messages import RetainedMessages
from ts2mqtt.config import PollingConfig, RigConfig
from ts2mqtt.home_assistant.devices import DeviceWriter, RigDevices
from ts2mqtt.home_assistant.ids import DiscoveryIds
from ts2mqtt.observatory.changes import Watch, observe
from ts2mqtt.observatory.look import Look
from ts2mqtt.observatory.model import ACTIVE, Rig, Target
from ts2mqtt.scheduler.client import TargetSchedulerClient
from ts2mqtt.scheduler.lists import RigLists
from ts2mqtt.scheduler.rig_failures import RigFailures
from ts2mqtt.timing import SystemClock
from ts2mqtt.topics.encode import RigStates, RigView
from ts2mqtt.topics.names import TopicNames

if TYPE_CHECKING:
    from ts2mqtt.simulator.observatory import SimulatedObservatory

_PROJECTS, _ANNOUNCED = 4, 3
_MESSAGES = 3 + 1 + 2 * _PROJECTS + 2 + 2 * _ANNOUNCED
"""Status, state and plan of the rig, its profile, projects and targets; and devices, but not for what is a Draft."""


class _WrittenAnswers(TargetSchedulerClient):
    """Has the answers already."""

    def __init__(self, observatory: SimulatedObservatory) -> None:
        super().__init__(RigConfig(name="Rig", url=("http://127.0.0.1",)), "http://127.0.0.1", PollingConfig())
        self._answers = written_answers(observatory)

    async def _get(self, path: str, *, timeout: float | None = None, repeat: bool = True) -> bytes:  # noqa: ARG002, ASYNC109 - as the real one
        return self._answers[path]


class _Passes:
    """The looks at one rig, one after the other."""

    def __init__(self, rig_id: str, writer: DeviceWriter) -> None:
        self._rig = Rig(id=rig_id, name="Rig", api_version="v0", url="http://127.0.0.1", online=True)
        self._states = RigStates(writer.ids.topics)
        self._devices = RigDevices(writer)
        self._desired = DesiredState(writer.ids, [rig_id])
        self._lists = RigLists(RigFailures("Rig", SystemClock()), SystemClock())
        self._watch = Watch()
        self._retained = RetainedMessages()

    async def look(self, client: TargetSchedulerClient) -> int:
        """How many messages there should be of the rig."""
        lists = self._lists
        profiles = await lists.read_profiles(client)
        for profile in profiles.items:
            await lists.read_projects(client, profile)
            for project in lists.projects_of(profile):
                await lists.read_targets(client, project)
        assembled = tuple(lists.assembled(profile, _without_statistics) for profile in profiles.items)
        rig = replace(self._rig, profiles=replace(profiles, items=assembled))
        observation = observe(self._watch, Look(rig=rig, plan=None, now=EVENING, zone=UTC))
        self._watch = observation.watch
        states = self._states.messages(RigView(rig, None, observation.present, self._watch))
        devices = self._devices.messages(rig, frozenset({ACTIVE}))
        self._desired.put(RigUpdate(rig=rig, states=states, devices=devices))
        desired = self._desired.of({rig.id})
        for topic, message in chain(desired.states.items(), desired.devices.items()):
            if not self._retained.holds(topic, message):
                assert message.payload
                self._retained.put(topic, message.written)
        return len(desired.states) + len(desired.devices)


def _without_statistics(target: Target) -> Target:
    return target


async def _run(cold: int, exposures: int) -> None:
    observatory = small_rig()
    before = _WrittenAnswers(observatory)
    observatory.acquire(next(observatory.targets()), accepted=True)
    after = _WrittenAnswers(observatory)
    writer = DeviceWriter(DiscoveryIds("homeassistant", TopicNames("ts2mqtt")))
    first = _Passes("rig", writer)
    for answers in (before, after):
        assert await first.look(answers) == _MESSAGES
    for number in range(cold):
        await _Passes(f"rig-{number}", writer).look(before)
    for number in range(exposures):
        await first.look(after if number % 2 else before)


if __name__ == "__main__":
    # A collection that falls into one run and not into another takes more than ten passes.
    gc.disable()
    asyncio.run(_run(int(sys.argv[1]), int(sys.argv[2])))
