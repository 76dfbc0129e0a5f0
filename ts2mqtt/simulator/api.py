"""The web server of the simulated Target Scheduler API, with the plugin's quirks and the faults that a test adds.

    async with SimulatedApi(observatory) as api:              # 127.0.0.1, a free port
        api.url, api.port                                     # "http://127.0.0.1:40123"
        await api.wait_for_request("/targets/*/statistics")   # instead of sleeping
        api.faults.add("/profiles", Fault.status(500))        # see faults.py
        api.requests, api.max_concurrent                      # all requests, and how many at once
        await api.stop(); await api.start()                   # the same port again

Options are fields and may be changed while it runs.
"""

from __future__ import annotations

import asyncio
from dataclasses import KW_ONLY, dataclass, replace
from http import HTTPStatus
from typing import TYPE_CHECKING

from ts2mqtt.simulator.http1 import Answer, Request, accepted_coding, encoded, html_page
from ts2mqtt.simulator.ports import next_port
from ts2mqtt.simulator.routes import answer_to, is_preview
from ts2mqtt.simulator.web_server import WebServer

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime


@dataclass(eq=False)
class SimulatedApi(WebServer):
    """The API's web server.

    clock: the observatory is advanced to this time before every answer; without a clock its time stands still.
    gzip: compress answers for clients that accept it.
    pretty, bare_version: indent JSON, and write the version without quotes.
    preview_seconds: how long a preview takes.
    """

    what = "The simulated API"

    _: KW_ONLY
    clock: Callable[[], datetime] | None = None
    api_version: str = "v0"
    gzip: bool = True
    pretty: bool = False
    bare_version: bool = False
    preview_seconds: float = 0.0

    @property
    def advice(self) -> str:
        return f"choose another port: ts2mqtt simulate --port {next_port(self.port)}"

    async def regular_answer(self, request: Request) -> Answer:
        if is_preview(request):
            await asyncio.sleep(self.preview_seconds)
        self.pass_time()
        answer = answer_to(
            self.observatory,
            request,
            api_version=self.api_version,
            pretty=self.pretty,
            bare_version=self.bare_version,
        )
        coding = accepted_coding(request.headers.get("accept-encoding"))
        if coding is None:
            if answer.status != HTTPStatus.OK:
                # The server fails to answer a failed request in a coding that it knows: its listener ends.
                self.refuse_connections()
                raise ConnectionAbortedError
            return html_page(HTTPStatus.NOT_ACCEPTABLE)
        if self.clock is not None:
            answer = replace(answer, time=self.observatory.now)
        return encoded(answer, coding if self.gzip else "identity")

    def pass_time(self) -> None:
        if self.clock is not None:
            self.observatory.advance(self.clock())
