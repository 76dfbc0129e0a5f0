"""The Target Scheduler API of a simulated observatory without a socket: an httpx transport that answers itself."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

import httpx

from ts2mqtt.simulator.http1 import Request
from ts2mqtt.simulator.routes import answer_to

if TYPE_CHECKING:
    from datetime import datetime

    from ts2mqtt.simulator.observatory import SimulatedObservatory
    from ts2mqtt.timing import Clock


@dataclass(frozen=True, slots=True)
class RequestInMemory:
    """A request that came; `path` is that below `/ts/v0`."""

    time: datetime
    seconds: float
    path: str
    start: str | None
    """The startTime of a preview, as it stood in the request."""


class ApiInMemory(httpx.AsyncBaseTransport):
    """Answers what the observatory is at the clock's time; nobody answers while it is not `on`."""

    def __init__(self, observatory: SimulatedObservatory, clock: Clock) -> None:
        self.on = True
        self.requests: list[RequestInMemory] = []
        self._observatory = observatory
        self._clock = clock

    def requests_to(self, ending: str) -> list[RequestInMemory]:
        """The requests so far whose path ends so."""
        return [request for request in self.requests if request.path.endswith(ending)]

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        # The other tasks get their turn, as they do while a real request travels.
        await asyncio.sleep(0)
        now, query = self._clock.now(), dict(request.url.params)
        path = request.url.path.removeprefix("/ts/v0")
        self.requests.append(RequestInMemory(now, self._clock.monotonic(), path, query.get("startTime")))
        if not self.on:
            raise httpx.ConnectError("the PC is off")
        self._observatory.advance(now)
        asked = Request(request.method, request.url.path, query)
        answer = answer_to(self._observatory, asked, api_version="v0", pretty=False, bare_version=False)
        headers = {"Content-Type": answer.content_type}
        return httpx.Response(answer.status, headers=headers, content=answer.body)
