"""A real InfluxDB of the test's own, version 1 as Debian has it, on free ports of 127.0.0.1."""

from __future__ import annotations

import asyncio
import shutil
import signal
import subprocess
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import httpx

from tests.support.mosquitto import free_port

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

_PATIENCE_S = 30.0
_DATABASE = "astro"


def influxdb_is_installed() -> bool:
    return shutil.which("influxd") is not None


class InfluxDB:
    """Made by running_influxdb(), with one empty database."""

    def __init__(self, url: str, client: httpx.AsyncClient) -> None:
        self.write_url = f"{url}/write?db={_DATABASE}&precision=ns"
        self._client = client

    async def query(self, query: str) -> list[dict[str, Any]]:
        """The rows of an InfluxQL query, by column."""
        answer = await self._client.post("/query", params={"db": _DATABASE, "q": query, "epoch": "ns"})
        answer.raise_for_status()
        (result,) = answer.json()["results"]
        return [
            dict(zip(series["columns"], row, strict=True))
            for series in result.get("series", ())
            for row in series["values"]
        ]


@asynccontextmanager
async def running_influxdb(directory: Path) -> AsyncIterator[InfluxDB]:
    port = free_port()
    configuration = _configuration(directory, port)
    process = await asyncio.create_subprocess_exec(
        *("influxd", "-config", str(configuration)),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    assert process.stderr
    reading = asyncio.create_task(_read_until(process.stderr, b"Listening on HTTP"))
    try:
        await asyncio.wait_for(reading, _PATIENCE_S)
        # It goes on talking, and would stop when nobody listened.
        reading = asyncio.create_task(_read_until(process.stderr))
        url = f"http://127.0.0.1:{port}"
        async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=_PATIENCE_S) as client:
            influxdb = InfluxDB(url, client)
            await influxdb.query(f"CREATE DATABASE {_DATABASE}")
            yield influxdb
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        await process.wait()
        await reading


async def _read_until(stream: asyncio.StreamReader, text: bytes | None = None) -> None:
    async for line in stream:
        if text and text in line:
            return


def _configuration(directory: Path, port: int) -> Path:
    """Without reports to its maker."""
    directory.mkdir()
    file = directory / "influxdb.conf"
    file.write_text(f"""
reporting-disabled = true
bind-address = "127.0.0.1:{free_port()}"
[meta]
dir = "{directory}/meta"
[data]
dir = "{directory}/data"
wal-dir = "{directory}/wal"
[monitor]
store-enabled = false
[http]
bind-address = "127.0.0.1:{port}"
""")
    return file
