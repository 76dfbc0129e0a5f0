"""A connection to Home Assistant's WebSocket API: commands with their results, and every event of its bus."""

from __future__ import annotations

import asyncio
import json
from itertools import count
from typing import TYPE_CHECKING, Any

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

if TYPE_CHECKING:
    from collections.abc import Callable

    from websockets.asyncio.client import ClientConnection

_PATIENCE_S = 45.0


async def connected(
    port: int, token: str, on_event: Callable[[dict[str, Any]], None], *, follows: bool = True
) -> HassConnection:
    """Logged in, and subscribed to all events where it `follows`."""
    socket = await connect(f"ws://127.0.0.1:{port}/api/websocket", max_size=None, proxy=None, ping_interval=None)
    asked = json.loads(await socket.recv())
    assert asked["type"] == "auth_required", asked
    await socket.send(json.dumps({"type": "auth", "access_token": token}))
    answer = json.loads(await socket.recv())
    assert answer["type"] == "auth_ok", answer
    connection = HassConnection(socket, on_event)
    if follows:
        await connection.command("subscribe_events")
    return connection


class HassConnection:
    """Made by connected()."""

    def __init__(self, socket: ClientConnection, on_event: Callable[[dict[str, Any]], None]) -> None:
        self._socket = socket
        self._on_event = on_event
        self._ids = count(1)
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._reading = asyncio.create_task(self._read())

    async def command(self, command: str, **fields: Any) -> Any:
        """The result; AssertionError with Home Assistant's words if it refuses."""
        number = next(self._ids)
        coming = self._answers[number] = asyncio.get_running_loop().create_future()
        await self._socket.send(json.dumps({"id": number, "type": command, **fields}))
        async with asyncio.timeout(_PATIENCE_S):
            answer = await coming
        assert answer["success"], f"{command}: {answer.get('error')}"
        return answer["result"]

    async def close(self) -> None:
        await self._socket.close()
        await self._reading

    async def _read(self) -> None:
        try:
            async for text in self._socket:
                told = json.loads(text)
                for message in told if isinstance(told, list) else [told]:
                    self._take(message)
        except ConnectionClosed:
            # A Home Assistant that is killed says no goodbye.
            pass
        finally:
            for answer in self._answers.values():
                if not answer.done():
                    answer.set_exception(AssertionError("Home Assistant has closed the connection"))

    def _take(self, message: dict[str, Any]) -> None:
        if message["type"] == "event":
            self._on_event(message["event"])
        elif message["type"] == "result":
            answer = self._answers.pop(message["id"])
            # Whoever asked may have been cancelled.
            if not answer.done():
                answer.set_result(message)
