"""The Target Scheduler API of a simulated observatory without a socket: what carries a request answers it."""

from __future__ import annotations

import asyncio
import json
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from unittest.mock import patch
from urllib.parse import parse_qsl, urlsplit

import httpcore

from ts2mqtt.errors import NotFoundError
from ts2mqtt.scheduler.client import TargetSchedulerClient

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ts2mqtt.simulator.observatory import SimulatedObservatory
    from ts2mqtt.simulator.rows import JsonValue
    from ts2mqtt.timing import Clock


@dataclass(frozen=True, slots=True)
class RequestInMemory:
    """A request that came; `path` is that below `/ts/v0`."""

    time: datetime
    seconds: float
    path: str
    start: str | None
    """The startTime of a preview, as it stood in the request."""


class ApiInMemory:
    """Answers what the observatory is at the clock's time; nobody answers while it is not `on`."""

    def __init__(self, observatory: SimulatedObservatory, clock: Clock) -> None:
        self.on = True
        self.requests: list[RequestInMemory] = []
        self._observatory = observatory
        self._clock = clock

    def requests_to(self, ending: str) -> list[RequestInMemory]:
        """The requests so far whose path ends so."""
        return [request for request in self.requests if request.path.endswith(ending)]

    async def handle_async_request(self, request: httpcore.Request) -> httpcore.Response:
        try:
            body = await self.body(request.url.target.decode().removeprefix("/ts/v0"))
        except NotFoundError:
            return httpcore.Response(404)
        return httpcore.Response(200, content=body)

    async def aclose(self) -> None:
        pass

    async def body(self, target: str) -> bytes:
        """What is answered below `/ts/v0`; NotFoundError, or httpcore.ConnectError while nobody answers."""
        route = urlsplit(target)
        path, start = route.path, dict(parse_qsl(route.query)).get("startTime")
        # The other tasks get their turn, as they do while a real request travels.
        await asyncio.sleep(0)
        now = self._clock.now()
        self.requests.append(RequestInMemory(now, self._clock.monotonic(), path, start))
        if not self.on:
            raise httpcore.ConnectError("the PC is off")
        self._observatory.advance(now)
        value = self._value(path, start)
        return b"" if value is None else json.dumps(value).encode()

    def _value(self, path: str, start: str | None) -> JsonValue:
        """As JSON of Python's: as the plugin writes it (SimulatedApi) takes most of a simulated night's time."""
        match path.split("/")[1:]:
            case ["version"]:
                return self._observatory.version_answer()
            case ["profiles"]:
                return self._observatory.profiles_answer()
            case ["profiles", profile_id, "projects"]:
                return self._observatory.projects_answer(profile_id)
            case ["projects", project_id, "targets"]:
                return self._observatory.targets_answer(project_id)
            case ["targets", target_id, "statistics"]:
                return self._observatory.statistics_answer(target_id)
            case ["profiles", profile_id, "preview"]:
                return self._observatory.preview_answer(profile_id, datetime.fromisoformat(start) if start else None)
            case _:
                raise NotFoundError(path)


@contextmanager
def answering_every_client(api: ApiInMemory) -> Iterator[None]:
    """The same as comes through the transport, without httpcore, which would take most of a night's time."""

    async def answered_at_once(_: TargetSchedulerClient, path: str) -> bytes:
        return await api.body(path)

    with patch.object(TargetSchedulerClient, "_get_once", answered_at_once):
        yield
