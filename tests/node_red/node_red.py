"""A real Node-RED of the test's own: an empty user directory, a free port of 127.0.0.1, what it says in its log."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import httpx

from tests.support.mosquitto import free_port
from tests.support.project import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

Node = dict[str, Any]
"""A node of a flow, as it stands in an exported file."""

FLOWS = ROOT / "nodered"
_HERE = Path(__file__).parent
# A busy machine takes its time to start it.
_PATIENCE_S = 40.0
_ERROR, _WARNING = 20, 30
_TAP = "tap"
_LONGEST_LINE = 1 << 22


@dataclass(frozen=True, slots=True)
class Release:
    """A Node-RED that install.sh installs: the file that names it, and how its folder's name ends."""

    package: Path
    suffix: str = ""

    def folder(self) -> Path:
        """Where install.sh puts it."""
        cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        first = Path(os.environ.get("NODE_RED_FOLDER") or cache / "ts2mqtt" / "node-red")
        return first.with_name(first.name + self.suffix)

    def node(self) -> str:
        """The Node.js that runs it: this machine's, unless install.sh has added another one."""
        added = next(self.folder().glob("node_modules/node-linux-*/bin/node"), None)
        return str(added or "node")

    def is_installed(self) -> bool:
        """As wanted by its package.json, and something to run it with."""
        installed = self.folder() / "installed.json"
        return (
            shutil.which("node") is not None
            and installed.exists()
            and installed.read_text() == self.package.read_text()
        )


NODE_RED_4 = Release(_HERE / "package.json")
NODE_RED_5 = Release(_HERE / "node-red-5" / "package.json", "-5")


class Flow:
    """A flow of the project, read from its file, which a test may point elsewhere and listen to."""

    def __init__(self, name: str) -> None:
        self.nodes: list[Node] = json.loads((FLOWS / f"{name}.json").read_text(encoding="utf-8"))

    def node(self, name: str) -> Node:
        (found,) = [node for node in self.nodes if node.get("name") == name]
        return found

    def topics(self) -> set[str]:
        return {node["topic"] for node in self.nodes if node["type"] == "mqtt in"}

    def set(self, name: str, **settings: object) -> Self:
        """As a user does it who edits the rows of the change node with this name."""
        for rule in self.node(name)["rules"]:
            key = rule["p"].removeprefix("settings.")
            if key in settings:
                value = settings.pop(key)
                is_text = isinstance(value, str)
                rule.update(to=value if is_text else json.dumps(value), tot="str" if is_text else "json")
        assert not settings, f"{name} has no row for {settings}"
        return self

    def tap(self, name: str, output: int = 0) -> Self:
        """What leaves this node stands in Node-RED's log from now on: for Node.RED.tapped()."""
        node = self.node(name)
        listener = {
            "id": f"{_TAP}-{node['id']}-{output}",
            "type": "function",
            "z": node["z"],
            "name": f"{_TAP} {name}",
            "func": "node.log(JSON.stringify({topic: msg.topic, payload: msg.payload, reason: msg.reason, "
            "attachments: msg.attachments}));",
            "outputs": 0,
            "libs": [],
            "wires": [],
        }
        node["wires"][output].append(listener["id"])
        self.nodes.append(listener)
        return self


@dataclass(frozen=True, slots=True)
class Line:
    """A line of Node-RED's log, and the node that wrote it."""

    level: int
    node: str
    text: str


class NodeRed:
    """One Node-RED; a deployed flow replaces the one before."""

    def __init__(self, directory: Path, release: Release = NODE_RED_4) -> None:
        self.port = free_port()
        self.lines: list[Line] = []
        self._directory = directory
        self._release = release
        self._process: asyncio.subprocess.Process | None = None
        self._listening: asyncio.Task[None] | None = None
        self._said = asyncio.Event()
        self._http = httpx.AsyncClient(base_url=self.url, trust_env=False, timeout=_PATIENCE_S)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def __aenter__(self) -> Self:
        self._directory.mkdir(parents=True, exist_ok=True)
        self._process = await asyncio.create_subprocess_exec(
            *(self._release.node(), str(self._release.folder() / "node_modules" / "node-red" / "red.js")),
            *("--userDir", str(self._directory), "--settings", str(_HERE / "settings.js"), "--port", str(self.port)),
            cwd=self._directory,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            limit=_LONGEST_LINE,
        )
        self._listening = asyncio.create_task(self._listen(self._process))
        await self.says("Started flows")
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()
        if self._process and self._process.returncode is None:
            self._process.send_signal(signal.SIGTERM)
            await self._process.wait()
        if self._listening:
            await self._listening

    @property
    def problems(self) -> list[str]:
        """What a node, or Node-RED itself, reported as an error or a warning."""
        return [f"{line.node}: {line.text}" for line in self.lines if line.level in (_ERROR, _WARNING)]

    async def deploy(self, flows: Iterable[Flow], broker_port: int) -> None:
        """Returns when the flows run; their broker is the one on this port."""
        nodes = {node["id"]: node for flow in flows for node in flow.nodes}
        for node in nodes.values():
            if node["type"] == "mqtt-broker":
                node |= {"broker": "127.0.0.1", "port": str(broker_port)}
        self.lines.clear()
        answer = await self._http.post(
            "/flows", json=list(nodes.values()), headers={"Node-RED-Deployment-Type": "full"}
        )
        answer.raise_for_status()
        await self.says("Started flows")

    async def press(self, node: Node) -> None:
        """Presses the button of an inject node."""
        (await self._http.post(f"/inject/{node['id']}")).raise_for_status()

    def tapped(self, name: str) -> list[Any]:
        """The messages that have left a tapped node."""
        return [json.loads(line.text) for line in self.lines if line.node == f"{_TAP} {name}"]

    async def says(self, text: str) -> None:
        await self.until(lambda: any(text in line.text for line in self.lines), text)

    async def tells(self, name: str, after: int = 0) -> Any:
        """The next message that leaves a tapped node, after so many."""
        await self.until(lambda: len(self.tapped(name)) > after, f"a message from {name}")
        return self.tapped(name)[after]

    async def until(self, condition: Callable[[], bool], what: str) -> None:
        """Looks again at every line of the log."""
        try:
            async with asyncio.timeout(_PATIENCE_S):
                while not condition():
                    assert self._listening
                    assert not self._listening.done(), f"Node-RED ended: {self.lines}"
                    self._said.clear()
                    await self._said.wait()
        except TimeoutError:
            raise AssertionError(f"waited in vain for {what}: {self.lines[-20:]}") from None

    async def _listen(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout
        async for raw in process.stdout:
            text = raw.decode(errors="replace").rstrip()
            try:
                said = json.loads(text)
                self.lines.append(Line(said["level"], said["node"], said["text"]))
            except (ValueError, TypeError, KeyError):
                # Before its own logging works, or when it dies.
                self.lines.append(Line(_WARNING, "", text))
            self._said.set()
        self._said.set()
