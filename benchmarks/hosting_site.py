"""Many rigs on one machine: a web server a rig that answers as the API does, from answers written in advance."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from ts2mqtt.simulator.observatory import SimulatedObservatory

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from ts2mqtt.simulator.entities import SimulatedTarget

PROJECTS, TARGETS_A_PROJECT, PLANS_A_TARGET = 10, 2, 4
LIVE_REQUESTS = 2 + PROJECTS
"""Of one steady look: profiles, projects, the targets of each Active project."""

STATE_TOPICS = 3 + 1 + PROJECTS + PROJECTS * TARGETS_A_PROJECT
DEVICES = 1 + 1 + PROJECTS + PROJECTS * TARGETS_A_PROJECT
MESSAGES_A_RIG = STATE_TOPICS + DEVICES


class RigServer(asyncio.Protocol):
    """One connection to one rig."""

    def __init__(self, rig: HostedRig) -> None:
        self._rig = rig
        self._buffer = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while b"\r\n\r\n" in self._buffer and self._transport is not None:
            head, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
            path = head.split(b" ", 2)[1].decode().partition("?")[0]
            self._transport.write(self._rig.answer(path))


class HostedRig:
    """A rig with ten Active projects of two targets with four exposure plans each; imaging by expose()."""

    def __init__(self, number: int) -> None:
        self.url = ""
        self.requests: Counter[str] = Counter()
        self.bytes_sent = 0
        self.exposed_at = 0.0
        self._observatory = SimulatedObservatory(seed=number)
        self._profile = self._observatory.add_profile("Observatory")
        for project_number in range(PROJECTS):
            project = self._observatory.add_project(self._profile, f"Project {project_number}")
            for target_number in range(TARGETS_A_PROJECT):
                target = self._observatory.add_target(
                    project, f"Target {project_number}.{target_number}", ra_hours=number % 24 / 1.1, dec_deg=41.3
                )
                for name in ("Lum", "Red", "Green", "Blue")[:PLANS_A_TARGET]:
                    self._observatory.add_exposure_plan(target, name, exposure_s=120, desired=60)
        self._answers: dict[str, bytes] = dict(self._written())

    def answer(self, path: str) -> bytes:
        self.requests[path.split("/")[-1]] += 1
        answer = self._answers.get(path, _NOT_FOUND)
        self.bytes_sent += len(answer)
        if self.exposed_at < 0 and path == self._watched:
            self.exposed_at = time.perf_counter()
        return answer

    def expose(self) -> SimulatedTarget:
        """One more accepted exposure of the first target; the moment it is told is noted in `exposed_at`."""
        project = self._profile.projects[0]
        target = project.targets[0]
        self._observatory.acquire(target, 0, accepted=True)
        self._answers |= self._written()
        self._watched = f"/ts/v0/projects/{project.id}/targets"
        self.exposed_at = -1.0
        return target

    _watched = ""

    def _written(self) -> Mapping[str, bytes]:
        observatory, root = self._observatory, "/ts/v0"
        answers = {
            f"{root}/version": observatory.version_answer(),
            f"{root}/profiles": observatory.profiles_answer(),
            f"{root}/profiles/{self._profile.id}/projects": observatory.projects_answer(self._profile.id),
        }
        for project in self._profile.projects:
            answers[f"{root}/projects/{project.id}/targets"] = observatory.targets_answer(project.id)
            for target in project.targets:
                answers[f"{root}/targets/{target.id}/statistics"] = observatory.statistics_answer(target.id)
        return {path: _ok(json.dumps(answer).encode()) for path, answer in answers.items()}


@asynccontextmanager
async def hosting(count: int) -> AsyncIterator[list[HostedRig]]:
    """So many rigs, each with a port of its own on 127.0.0.1."""
    loop = asyncio.get_running_loop()
    rigs = [HostedRig(number) for number in range(count)]
    servers = []
    for rig in rigs:
        server = await loop.create_server(lambda rig=rig: RigServer(rig), "127.0.0.1", 0)
        rig.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        servers.append(server)
    try:
        yield rigs
    finally:
        for server in servers:
            server.close()


def _ok(body: bytes) -> bytes:
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


_NOT_FOUND = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
