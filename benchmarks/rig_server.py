"""Rigs whose answers are written in advance, a web server each, in a process of their own.

python -m benchmarks.rig_server COUNT [PROJECTS TARGETS_A_PROJECT PLANS_A_TARGET]

Says where they listen, and then answers each line of its standard input with a line of JSON: hosting_site.py.
It does as little as a server can, for it shares the machine's cores with what is measured.
"""

from __future__ import annotations

import asyncio
import sys
import time
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from pydantic import BaseModel

from tests.support.small_rig import written_answers
from ts2mqtt.simulator.observatory import SimulatedObservatory

if TYPE_CHECKING:
    from collections.abc import Mapping

PROJECTS, TARGETS_A_PROJECT, PLANS_A_TARGET = 10, 2, 4
TARGETS = PROJECTS * TARGETS_A_PROJECT
LIVE_REQUESTS = 2 + PROJECTS
"""Of one look: profiles, projects, the targets of each Active project."""

STATE_TOPICS = 2 + 1 + PROJECTS + TARGETS
DEVICES = 1 + 1 + PROJECTS + TARGETS
MESSAGES = STATE_TOPICS + DEVICES
"""What the bridge retains of one rig without a night plan."""

EXPOSE, COUNT, FORGET = "expose", "count", "forget"
_ROOT = "/ts/v0"
_NOT_FOUND = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Size:
    """Of a rig: Active projects, targets of each, exposure plans of each target."""

    projects: int = PROJECTS
    targets_a_project: int = TARGETS_A_PROJECT
    plans_a_target: int = PLANS_A_TARGET

    @property
    def devices(self) -> int:
        """Of the rig, its profile, its projects and targets."""
        return 1 + 1 + self.projects * (1 + self.targets_a_project)


USUAL = Size()


class Listening(BaseModel):
    urls: list[str]


class Counted(BaseModel):
    """Since the start or `forget`; times are those of CLOCK_MONOTONIC."""

    requests: int = 0
    bytes_sent: int = 0
    longest_gap_s: float = 0.0
    """Between two looks at the same rig."""

    told_at: float | None = None
    """When the last exposure was told."""

    answered_at: float = 0.0
    """When the first rig gave its last answer."""


@dataclass(slots=True)
class _Rig:
    number: int
    size: Size
    requests: int = 0
    bytes_sent: int = 0
    longest_gap_s: float = 0.0
    told_at: float | None = None
    answered_at: float = 0.0
    _looked_at: float | None = None
    _awaited: str = ""
    _observatory: SimulatedObservatory = field(init=False)
    _answers: Mapping[str, bytes] = field(init=False)

    def __post_init__(self) -> None:
        self._observatory = SimulatedObservatory(seed=self.number)
        profile = self._observatory.add_profile("Observatory")
        for project_number in range(self.size.projects):
            project = self._observatory.add_project(profile, f"Project {project_number}")
            for target_number in range(self.size.targets_a_project):
                name = f"Target {project_number}.{target_number}"
                target = self._observatory.add_target(project, name, ra_hours=self.number % 24 / 1.1, dec_deg=41.3)
                for template in ("Lum", "Red", "Green", "Blue")[: self.size.plans_a_target]:
                    self._observatory.add_exposure_plan(target, template, exposure_s=120, desired=60)
        self._answers = self._written()

    def answer(self, path: str) -> bytes:
        answer = self._answers.get(path, _NOT_FOUND)
        self.requests += 1
        self.bytes_sent += len(answer)
        self.answered_at = time.monotonic()
        if path == f"{_ROOT}/profiles":
            if self._looked_at is not None:
                self.longest_gap_s = max(self.longest_gap_s, self.answered_at - self._looked_at)
            self._looked_at = self.answered_at
        elif path == self._awaited:
            self._awaited, self.told_at = "", self.answered_at
        return answer

    def expose(self) -> None:
        """One more accepted exposure of the first target."""
        project = next(self._observatory.projects())
        self._observatory.acquire(project.targets[0], 0, accepted=True)
        self._answers = self._written()
        self._awaited, self.told_at = f"{_ROOT}/projects/{project.id}/targets", None

    def forget(self) -> None:
        self.requests = self.bytes_sent = 0
        self.longest_gap_s, self._looked_at = 0.0, None

    def _written(self) -> Mapping[str, bytes]:
        return {_ROOT + path: _ok(body) for path, body in written_answers(self._observatory).items()}


def _ok(body: bytes) -> bytes:
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


class _Connection(asyncio.Protocol):
    def __init__(self, rig: _Rig) -> None:
        self._rig = rig
        self._buffer = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if isinstance(transport, asyncio.Transport):
            self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while b"\r\n\r\n" in self._buffer and self._transport is not None:
            head, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
            self._transport.write(self._rig.answer(head.split(b" ", 2)[1].decode()))


async def _serve(count: int, size: Size) -> None:
    loop = asyncio.get_running_loop()
    rigs = [_Rig(number, size) for number in range(count)]
    urls = []
    for rig in rigs:
        server = await loop.create_server(partial(_Connection, rig), "127.0.0.1", 0)
        urls.append(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
    _say(Listening(urls=urls))
    commands = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(commands), sys.stdin)
    async for line in commands:
        match line.decode().strip():
            case "expose":
                rigs[0].expose()
            case "forget":
                for rig in rigs:
                    rig.forget()
        _say(
            Counted(
                requests=sum(rig.requests for rig in rigs),
                bytes_sent=sum(rig.bytes_sent for rig in rigs),
                longest_gap_s=max(rig.longest_gap_s for rig in rigs),
                told_at=rigs[0].told_at,
                answered_at=rigs[0].answered_at,
            )
        )


def _say(answer: BaseModel) -> None:
    sys.stdout.write(f"{answer.model_dump_json()}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1]), Size(*map(int, sys.argv[2:]))))
