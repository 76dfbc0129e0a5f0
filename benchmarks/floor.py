"""The least any program on these libraries could do: the same requests, the same bytes validated and published.

python -m benchmarks.floor ERRAND    (a JSON file, see Errand)

It translates nothing, compares only bytes, recovers from nothing: bare httpx, bare pydantic, bare paho. What the
bridge has learned that costs nothing, to keep connections and to collect garbage seldom, it knows as well.
"""

from __future__ import annotations

import asyncio
import gc
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
_KEEPALIVE_S = 10.0
_NEW_OBJECTS_A_COLLECTION = 20_000
_WINDOW = 1_000
_HANDFUL = 100


class Retained(BaseModel):
    topic: str
    payload: str


class Errand(BaseModel):
    """Reads every rig once and publishes `messages`; then reads what is live every `interval_s`, if that is set.

    Where an answer differs from the last, its targets are validated and `on_change` is published.
    """

    broker_port: int
    urls: list[str]
    messages: list[Retained]
    on_change: list[Retained] = []
    interval_s: float | None = None


class _Broker:
    """A connection with a window of its own, for paho's costs more the larger it is."""

    def __init__(self, port: int) -> None:
        self._on_their_way: set[int] = set()
        self._arrived = asyncio.Event()
        self._client = paho.Client(CallbackAPIVersion.VERSION2, client_id="floor")
        self._client.max_inflight_messages_set(0)
        self._client.on_connect = lambda *_: self._arrived.set()
        self._client.on_publish = self._acknowledged
        # Nothing here would keep the connection alive, and the broker would close it after 90 s.
        self._client.connect("127.0.0.1", port, keepalive=0)

    async def log_in(self) -> None:
        sock = self._client.socket()
        assert sock is not None
        loop = asyncio.get_running_loop()
        loop.add_reader(sock.fileno(), self._client.loop_read)
        # Called when the network takes no more for now.
        self._client.on_socket_register_write = lambda *_: loop.add_writer(sock.fileno(), self._client.loop_write)
        self._client.on_socket_unregister_write = self._nothing_to_write
        await self._arrived.wait()

    async def publish(self, messages: list[Retained]) -> None:
        """Returns when all are acknowledged."""
        for number, message in enumerate(messages, start=1):
            await self._until_fewer_than(_WINDOW)
            info = self._client.publish(message.topic, message.payload.encode(), qos=1, retain=True)
            self._on_their_way.add(info.mid)
            if number % _HANDFUL == 0:
                # For the loop to write these and to read what is acknowledged.
                await asyncio.sleep(0)
        await self._until_fewer_than(1)

    async def _until_fewer_than(self, count: int) -> None:
        while len(self._on_their_way) >= count:
            self._arrived.clear()
            await self._arrived.wait()

    def _nothing_to_write(self, _client: paho.Client, _userdata: object, sock: paho.SocketLike) -> None:
        asyncio.get_running_loop().remove_writer(sock.fileno())

    def _acknowledged(self, _client: paho.Client, _userdata: object, mid: int, *_: object) -> None:
        self._on_their_way.discard(mid)
        self._arrived.set()


class _Rig:
    def __init__(self, url: str, tls: ssl.SSLContext) -> None:
        self._http = httpx.AsyncClient(
            base_url=f"{url}/ts/v0",
            headers={"Accept-Encoding": "identity"},
            verify=tls,
            trust_env=False,
            limits=httpx.Limits(max_connections=_AT_ONCE_TO_A_RIG, keepalive_expiry=_KEEPALIVE_S),
            # Each read with a time-out has a timer of its own.
            timeout=None,  # noqa: S113
        )
        self._places = asyncio.Semaphore(_AT_ONCE_TO_A_RIG)
        self._above: list[str] = []
        self._targets: dict[str, bytes] = {}

    async def read(self) -> None:
        await self._get("/version")
        self._above = ["/profiles"]
        for profile in PROFILES.validate_json(await self._get("/profiles")):
            path = f"/profiles/{profile.id}/projects"
            self._above.append(path)
            paths = [f"/projects/{project.id}/targets" for project in PROJECTS.validate_json(await self._get(path))]
            for path, body in zip(paths, await asyncio.gather(*map(self._get, paths)), strict=True):
                TARGETS.validate_json(body)
                self._targets[path] = body

    async def look_every(self, interval_s: float, broker: _Broker, on_change: list[Retained]) -> None:
        loop = asyncio.get_running_loop()
        while True:
            started = loop.time()
            for path in self._above:
                await self._get(path)
            bodies = await asyncio.gather(*map(self._get, self._targets))
            for path, body in zip(self._targets, bodies, strict=True):
                if body != self._targets[path]:
                    TARGETS.validate_json(body)
                    self._targets[path] = body
                    await broker.publish(on_change)
            await asyncio.sleep(started + interval_s - loop.time())

    async def _get(self, path: str) -> bytes:
        async with self._places:
            return (await self._http.get(path)).content


async def _run(errand: Errand) -> None:
    gc.freeze()
    gc.set_threshold(_NEW_OBJECTS_A_COLLECTION)
    broker = _Broker(errand.broker_port)
    await broker.log_in()
    tls = ssl.create_default_context()
    rigs = [_Rig(url, tls) for url in errand.urls]
    for rig in rigs:
        await rig.read()
    await broker.publish(errand.messages)
    if errand.interval_s is not None:
        await asyncio.gather(*(rig.look_every(errand.interval_s, broker, errand.on_change) for rig in rigs))


if __name__ == "__main__":
    asyncio.run(_run(Errand.model_validate_json(Path(sys.argv[1]).read_bytes())))
