"""The container engine on this machine, through its own command line, and containers that end with their block."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

BASE_IMAGE = "python:3.13-slim"
# Hardened as docs/container.md says; the shells are covered up to show that nobody misses them.
HARDENED = (
    *("--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--memory", "128m"),
    *(part for shell in ("sh", "dash", "bash") for part in ("--volume", f"/dev/null:/usr/bin/{shell}:ro")),
)
_PATIENCE_S = 30.0


class DockerError(AssertionError):
    """A docker command failed; the text is what it said."""


def why_there_is_no_engine() -> str | None:
    """None where an engine answers and has the base image, or can get it."""
    if shutil.which("docker") is None:
        return "docker"
    if not _works("version"):
        return "a container engine that answers"
    if not _works("buildx", "version"):
        return "docker buildx"
    return None if has_image(BASE_IMAGE) else f"the image {BASE_IMAGE}"


def has_image(name: str) -> bool:
    """Whether it is there or can be had."""
    return _works("image", "inspect", name) or _works("pull", "--quiet", name)


def _works(*arguments: str) -> bool:
    command = ("docker", *arguments)
    return not subprocess.run(command, capture_output=True, check=False).returncode  # noqa: S603 - from above


async def docker(*arguments: str) -> str:
    """What a docker command prints; raises DockerError when it fails."""
    process = await asyncio.create_subprocess_exec(
        "docker", *arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    out, err = await process.communicate()
    if process.returncode:
        raise DockerError(f"docker {' '.join(arguments)}: {err.decode()}")
    return out.decode().strip()


async def inspect(thing: str) -> Any:
    (found,) = json.loads(await docker("inspect", thing))
    return found


@dataclass(frozen=True, slots=True)
class Container:
    """One container, by its id."""

    id: str

    async def log(self) -> str:
        process = await asyncio.create_subprocess_exec(
            "docker", "logs", self.id, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        out, _ = await process.communicate()
        return out.decode()

    async def exit_code(self) -> int:
        """Waits for its end."""
        async with asyncio.timeout(_PATIENCE_S):
            return int(await docker("wait", self.id))

    async def uids(self) -> set[str]:
        """Of all its processes, as the machine outside sees them."""
        _, *processes = (await docker("top", self.id, "-o", "uid,pid")).splitlines()
        return {process.split()[0] for process in processes}

    async def memory_bytes(self) -> int:
        """What its processes have and what cannot be taken from them, as `docker stats` counts it."""
        used, _, _ = (await docker("stats", "--no-stream", "--format", "{{.MemUsage}}", self.id)).partition("/")
        return _bytes(used.strip())

    @asynccontextmanager
    async def health(self) -> AsyncIterator[Health]:
        """Tells from here on what the engine finds about its health."""
        process = await asyncio.create_subprocess_exec(
            *("docker", "events", "--filter", f"container={self.id}", "--filter", "event=health_status"),
            *("--format", "{{.Action}}"),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
        )
        assert process.stdout
        try:
            yield Health(self, process.stdout)
        finally:
            process.terminate()
            await process.wait()


@dataclass(frozen=True, slots=True)
class Health:
    """The engine's findings about one container as they come."""

    container: Container
    _events: asyncio.StreamReader

    async def becomes(self, wished: str, *, within_s: float) -> float:
        """Waits for it; returns the seconds that took."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            async with asyncio.timeout(within_s):
                while (await self._events.readline()).decode().rpartition(" ")[2].strip() != wished:
                    pass
        except TimeoutError:
            state = (await inspect(self.container.id))["State"]
            raise AssertionError(f"not {wished} within {within_s:g} s: {state}") from None
        return loop.time() - began


@asynccontextmanager
async def container(
    image: str, *arguments: str, options: Iterable[str] = (), variables: dict[str, str] | None = None
) -> AsyncIterator[Container]:
    """Runs while the block does, in the machine's own network, so that 127.0.0.1 is the machine's."""
    settings = [part for name, value in (variables or {}).items() for part in ("--env", f"{name}={value}")]
    made = Container(
        await docker("create", "--pull", "never", "--network", "host", *options, *settings, image, *arguments)
    )
    try:
        await docker("start", made.id)
        yield made
    finally:
        with suppress(DockerError):
            await docker("rm", "--force", "--volumes", made.id)


def _bytes(text: str) -> int:
    for unit, size in (("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10), ("B", 1)):
        if text.endswith(unit):
            return round(float(text.removesuffix(unit)) * size)
    raise AssertionError(f"{text!r} is no amount of memory")
