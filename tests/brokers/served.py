"""Brokers as processes of the test's own: on free ports of 127.0.0.1, with one login, ended by their pid."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
import subprocess
from abc import ABC, abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Self

import nats

from tests.support.mosquitto import Mosquitto, free_port, mosquitto_is_installed
from ts2mqtt.simulator.broker import EmbeddedBroker

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

USER, PASSWORD = "ts2mqtt", "contract"
# An Erlang machine needs a quarter of a minute on a slow computer, more when that has other things to do.
_PATIENCE_S = 90.0
_HERE = Path(__file__).parent


class ServedBroker(ABC):
    """A broker in a process of its own; the same port again at every start."""

    name: ClassVar[str]
    speaks_mqtt_5: ClassVar[bool] = True

    def __init__(self, directory: Path) -> None:
        self.port = free_port()
        self.log: list[str] = []
        self._directory = directory
        self._process: asyncio.subprocess.Process | None = None
        self._listening: asyncio.Task[None] | None = None
        directory.mkdir(parents=True, exist_ok=True)

    @classmethod
    @abstractmethod
    def is_installed(cls) -> bool: ...

    @abstractmethod
    def _command(self) -> Iterable[str]: ...

    @property
    @abstractmethod
    def _running(self) -> str:
        """What its log says when it listens."""

    def _environment(self) -> Mapping[str, str]:
        return os.environ

    def _forget(self) -> None:
        shutil.rmtree(self._directory)
        self._directory.mkdir()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self, *, keep_retained: bool = True) -> None:
        if not keep_retained:
            self._forget()
        self._process = await asyncio.create_subprocess_exec(
            *self._command(),
            env=self._environment(),
            cwd=self._directory,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        said = asyncio.Event()
        self._listening = asyncio.create_task(self._listen(self._process, said))
        async with asyncio.timeout(_PATIENCE_S):
            await said.wait()
        if self._listening.done():
            raise AssertionError(f"{self.name} ended at once: {self.log[-20:]}")

    async def stop(self) -> None:
        await self._end(signal.SIGTERM)

    async def kill(self) -> None:
        """As when the power fails."""
        await self._end(signal.SIGKILL)

    async def _listen(self, process: asyncio.subprocess.Process, said: asyncio.Event) -> None:
        assert process.stdout
        async for line in process.stdout:
            self.log.append(line.decode(errors="replace").rstrip())
            if self._running in self.log[-1]:
                said.set()
        said.set()

    async def _end(self, number: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        if process.returncode is None:
            process.send_signal(number)
        async with asyncio.timeout(_PATIENCE_S):
            await process.wait()
        if self._listening:
            self._listening.cancel()


class NatsServer(ServedBroker):
    """With JetStream, which keeps what is retained; alone, or as one of a cluster."""

    name = "nats"
    speaks_mqtt_5 = False

    def __init__(
        self, directory: Path, *, address: str = "127.0.0.1", port: int | None = None, cluster: Mapping[str, int] = {}
    ) -> None:
        """`cluster` are the ports on which the nodes meet, by address."""
        super().__init__(directory)
        self.port = port or self.port
        self._address, self._nats_port = address, free_port()
        self._configuration = directory.with_suffix(".conf")
        lines = [
            f'server_name: "{directory.name}"',
            f'host: "{address}"',
            f"port: {self._nats_port}",
            f'jetstream {{ store_dir: "{directory}" }}',
            # Else it keeps as many copies as it knows nodes when its first client comes, which can be one.
            f'mqtt {{ host: "{address}", port: {self.port}, stream_replicas: {len(cluster) or 1} }}',
            f'authorization {{ user: "{USER}", password: "{PASSWORD}" }}',
        ]
        if cluster:
            routes = ", ".join(f'"nats://{node}:{port}"' for node, port in cluster.items())
            lines.append(
                f'cluster {{ name: "contract", host: "{address}", port: {cluster[address]}, routes: [{routes}] }}'
            )
        self._configuration.write_text("\n".join([*lines, ""]))

    @classmethod
    def is_installed(cls) -> bool:
        return shutil.which("nats-server", path=_PATH) is not None

    @property
    def tells_every_node(self) -> bool:
        """Whether each node hears of what is retained as long as a majority lives; known once it has started.

        After 2.10.10 it hears that from a consumer that is on one node only; docs/brokers.md tells what that means.
        """
        version = re.search(r" Version: +(\d+)\.(\d+)\.(\d+)", "\n".join(self.log))
        assert version, f"its log does not tell its version: {self.log[:20]}"
        return tuple(map(int, version.groups())) <= (2, 10, 10)

    async def topics_in_its_stream(self) -> set[str]:
        """What the cluster retains, whether or not each of its nodes gives it to newcomers; from 2.10 on."""
        server = f"nats://{self._address}:{self._nats_port}"
        async with await nats.connect(server, user=USER, password=PASSWORD) as client:
            stream = await client.jetstream().stream_info("$MQTT_rmsgs", subjects_filter=">")
        return {subject.removeprefix("$MQTT.rmsgs.").replace(".", "/") for subject in stream.state.subjects or ()}

    @property
    def _running(self) -> str:
        return "Server is ready"

    def _command(self) -> Iterable[str]:
        return (_found("nats-server"), "--config", str(self._configuration))


class RabbitMq(ServedBroker):
    """With its MQTT plugin."""

    name = "rabbitmq"

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self._epmd_port, self._erlang_port = free_port(), free_port()
        self._epmd: asyncio.subprocess.Process | None = None

    @classmethod
    def is_installed(cls) -> bool:
        return shutil.which(_RABBITMQ) is not None and shutil.which("epmd") is not None

    @property
    def _running(self) -> str:
        return "Server startup complete"

    def _command(self) -> Iterable[str]:
        return (_RABBITMQ,)

    def _environment(self) -> Mapping[str, str]:
        home = str(self._directory)
        (self._directory / "enabled_plugins").write_text("[rabbitmq_mqtt].\n")
        (self._directory / "rabbitmq.conf").write_text(
            f"listeners.tcp = none\nmqtt.listeners.tcp.1 = 127.0.0.1:{self.port}\nmqtt.allow_anonymous = false\n"
            f"default_user = {USER}\ndefault_pass = {PASSWORD}\n"
        )
        return dict(os.environ) | {
            "HOME": home,
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "ERL_EPMD_PORT": str(self._epmd_port),
            "RABBITMQ_CONF_ENV_FILE": os.devnull,
            "RABBITMQ_CONFIG_FILE": f"{home}/rabbitmq",
            "RABBITMQ_DIST_PORT": str(self._erlang_port),
            "RABBITMQ_ENABLED_PLUGINS_FILE": f"{home}/enabled_plugins",
            "RABBITMQ_LOGS": "-",
            "RABBITMQ_LOG_BASE": home,
            "RABBITMQ_MNESIA_BASE": f"{home}/kept",
            "RABBITMQ_NODENAME": f"contract-{self.port}@localhost",
            "RABBITMQ_PID_FILE": f"{home}/pid",
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
        }

    async def start(self, *, keep_retained: bool = True) -> None:
        # Erlang would start one of its own, in the background, which outlives the broker.
        epmd = shutil.which("epmd") or "epmd"
        self._epmd = await asyncio.create_subprocess_exec(
            *(epmd, "-port", str(self._epmd_port), "-address", "127.0.0.1"), stderr=subprocess.DEVNULL
        )
        await super().start(keep_retained=keep_retained)

    async def _end(self, number: signal.Signals) -> None:
        await super()._end(number)
        if self._epmd and self._epmd.returncode is None:
            self._epmd.terminate()
            await self._epmd.wait()


class Aedes(ServedBroker):
    """For Node.js, as in many a smart-home appliance; keeps everything in memory."""

    name = "aedes"
    speaks_mqtt_5 = False

    @classmethod
    def is_installed(cls) -> bool:
        return shutil.which("node") is not None and (_HERE / "aedes" / "node_modules" / "aedes").exists()

    @property
    def _running(self) -> str:
        return " running"

    def _command(self) -> Iterable[str]:
        return (_found("node"), str(_HERE / "aedes" / "broker.mjs"), str(self.port), USER, PASSWORD)


# Debian's own start script wants to become another user.
_RABBITMQ = os.environ.get("RABBITMQ_SERVER", "/usr/lib/rabbitmq/bin/rabbitmq-server")
_PATH = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin", "/usr/local/sbin"))
SERVED: Mapping[str, type[ServedBroker]] = {kind.name: kind for kind in (NatsServer, RabbitMq, Aedes)}
AnyServedBroker = ServedBroker | Mosquitto | EmbeddedBroker


def is_installed(name: str) -> bool:
    if name == "embedded":
        return True
    return mosquitto_is_installed() if name == "mosquitto" else SERVED[name].is_installed()


def broker_named(name: str, directory: Path) -> AnyServedBroker:
    """Not started yet."""
    if name == "embedded":
        return EmbeddedBroker(username=USER, password=PASSWORD)
    if name == "mosquitto":
        return Mosquitto(directory, users={USER: PASSWORD})
    return SERVED[name](directory)


def _found(program: str) -> str:
    return shutil.which(program, path=_PATH) or program
