"""The least any program on these libraries could do: the same requests, the same bytes validated and published.

python -m benchmarks.floor ERRAND    (a JSON file, see Errand)

It knows nothing, compares nothing, recovers from nothing: bare httpx, bare pydantic, bare paho.
"""

from __future__ import annotations

import asyncio
import ssl
import sys
from pathlib import Path

import httpx
from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion
from pydantic import BaseModel, TypeAdapter

from ts2mqtt.scheduler import wire

PROFILES = TypeAdapter(list[wire.Profile])
PROJECTS = TypeAdapter(list[wire.Project])
TARGETS = TypeAdapter(list[wire.Target])
_AT_ONCE_TO_A_RIG = 2
_WINDOW = 1_000


class Retained(BaseModel):
    topic: str
    payload: str


class Errand(BaseModel):
    """Reads every rig once and publishes `messages`; then reads what is live every `interval_s`, if that is set."""

    broker_port: int
    urls: list[str]
    messages: list[Retained]
    interval_s: float | None = None


class Rig:
    def __init__(self, url: str, tls: ssl.SSLContext) -> None:
        self._http = httpx.AsyncClient(
            base_url=f"{url}/ts/v0",
            headers={"Accept-Encoding": "identity"},
            verify=tls,
            trust_env=False,
            limits=httpx.Limits(max_connections=_AT_ONCE_TO_A_RIG),
            timeout=20,
        )
        self._places = asyncio.Semaphore(_AT_ONCE_TO_A_RIG)
        self._live: list[str] = ["/profiles"]

    async def read(self) -> None:
        await self._get("/version")
        for profile in PROFILES.validate_json(await self._get("/profiles")):
            path = f"/profiles/{profile.id}/projects"
            projects = PROJECTS.validate_json(await self._get(path))
            targets = [f"/projects/{project.id}/targets" for project in projects]
            self._live += [path, *targets]
            for body in await asyncio.gather(*map(self._get, targets)):
                TARGETS.validate_json(body)

    async def look(self, interval_s: float) -> None:
        loop = asyncio.get_running_loop()
        while True:
            started = loop.time()
            for path in self._live[:2]:
                await self._get(path)
            await asyncio.gather(*map(self._get, self._live[2:]))
            await asyncio.sleep(started + interval_s - loop.time())

    async def _get(self, path: str) -> bytes:
        async with self._places:
            return (await self._http.get(path)).content


async def main(errand: Errand) -> None:
    client = paho.Client(CallbackAPIVersion.VERSION2, client_id="floor")
    client.max_inflight_messages_set(0)
    arrived, on_their_way = asyncio.Event(), set[int]()
    loop = asyncio.get_running_loop()

    def acknowledged(_client: paho.Client, _userdata: object, mid: int, *_: object) -> None:
        on_their_way.discard(mid)
        if len(on_their_way) < _WINDOW:
            arrived.set()

    client.on_publish = acknowledged
    client.connect("127.0.0.1", errand.broker_port)
    sock = client.socket()
    assert sock is not None
    loop.add_reader(sock.fileno(), client.loop_read)
    while not client.is_connected():
        await asyncio.sleep(0)

    tls = ssl.create_default_context()
    rigs = [Rig(url, tls) for url in errand.urls]
    for rig in rigs:
        await rig.read()
    for message in errand.messages:
        while len(on_their_way) >= _WINDOW:
            arrived.clear()
            await arrived.wait()
        on_their_way.add(client.publish(message.topic, message.payload.encode(), qos=1, retain=True).mid)
        await asyncio.sleep(0)
    while on_their_way:
        arrived.clear()
        await arrived.wait()
    if errand.interval_s is not None:
        await asyncio.gather(*(rig.look(errand.interval_s) for rig in rigs))


if __name__ == "__main__":
    asyncio.run(main(Errand.model_validate_json(Path(sys.argv[1]).read_bytes())))
