"""Clients of a simulated API, and servers that are none."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from datetime import timedelta, timezone
from typing import TYPE_CHECKING, Any

from ts2mqtt.config import PollingConfig, RigConfig
from ts2mqtt.scheduler.client import HttpOptions, TargetSchedulerClient

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator, Awaitable, Callable

    Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

# The first ids of the API's documentation, and its time zone.
PROFILE = "c0e1645f-4d4c-4cff-b6f8-c66a58be9cd4"
PROJECT = "d900ba4a-5f70-4eb1-bd30-cd4c9b45d1c4"
TARGET = "134973bf-f949-462d-9c4b-8baad53d75a8"
EST = timezone(timedelta(hours=-5))


def polling(**keys: Any) -> PollingConfig:
    """Patient enough for a busy machine, and quicker than a user may ask for, edits as quick as all else."""
    edit_interval = keys.get("interval", PollingConfig().edit_interval)
    patient = {"timeout": 10.0, "plan_timeout": 10.0, "edit_interval": edit_interval}
    return PollingConfig().model_copy(update=patient | keys)


def asking(
    url: str, looks: PollingConfig | None = None, http: HttpOptions = HttpOptions(), **rig: Any
) -> TargetSchedulerClient:
    """A client of the API at this URL; `rig` are keys of the rig's configuration."""
    config = RigConfig.model_validate({"url": "http://rig", **rig})
    return TargetSchedulerClient(config, url, looks or polling(), http)


@asynccontextmanager
async def serving(serve: Serve, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """Another server on a free port of 127.0.0.1: the port."""
    connections: set[asyncio.Task[None]] = set()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        connections.add(task)
        try:
            await serve(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            connections.discard(task)
            writer.transport.abort()

    server = await asyncio.start_server(accept, "127.0.0.1", 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in tuple(connections):
            task.cancel()
        await server.wait_closed()


async def head_of_request(reader: asyncio.StreamReader) -> bytes:
    """Everything up to the empty line."""
    return await reader.readuntil(b"\r\n\r\n")
