"""An API whose answers are written in a file, by path; a test changes them between two looks."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import httpcore

if TYPE_CHECKING:
    from pathlib import Path

VERSION = "5.9.3.0"


class AnswersInMemory:
    """Answers with `answers`, the JSON of each path below the API's root; statistics and the plan are empty."""

    def __init__(self, case: Path) -> None:
        content: dict[str, Any] = json.loads(case.read_text())
        self.answers: dict[str, Any] = {"/version": VERSION, **content["answers"]}
        self.requests: list[str] = []
        self._asked = asyncio.Event()
        self._then: dict[str, Any] = content.get("then", {})
        self._before = dict(self.answers)

    def go_on(self) -> None:
        """From now on with what the file says of later."""
        self.answers |= self._then

    def go_back(self) -> None:
        self.answers = dict(self._before)

    async def next_request(self) -> None:
        """Waits until another request comes."""
        self._asked.clear()
        await self._asked.wait()

    async def handle_async_request(self, request: httpcore.Request) -> httpcore.Response:
        path = request.url.target.decode().removeprefix("/ts/v0")
        self.requests.append(path)
        self._asked.set()
        if path in self.answers:
            return httpcore.Response(200, content=json.dumps(self.answers[path]).encode())
        if path.endswith("/preview"):
            return httpcore.Response(200, content=b"[]")
        return httpcore.Response(200 if path.endswith("/statistics") else 404)

    async def aclose(self) -> None:
        pass
