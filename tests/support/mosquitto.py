"""A Mosquitto of the test's own: on a free port of 127.0.0.1, with its own configuration, ended by its pid."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
import subprocess
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from tests.support.certificates import Certificates

_PATIENCE_S = 30.0
# Debian keeps it out of an ordinary user's path.
MOSQUITTO_PATH = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin", "/usr/local/sbin"))


def mosquitto_is_installed() -> bool:
    return shutil.which("mosquitto", path=MOSQUITTO_PATH) is not None


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Mosquitto:
    """One broker; it may be killed and started again, on the same port.

    `users` are passwords by user name; `acl` the lines of an access file; `tls` makes its port a TLS one, which
    asks for a client certificate with `client_certificates`; `options` are further lines of its configuration.
    Limits are Mosquitto's defaults. `log` holds what it said.
    """

    def __init__(  # noqa: PLR0913 - each is a kind of broker of its own
        self,
        directory: Path,
        *,
        users: Mapping[str, str] | None = None,
        acl: Iterable[str] = (),
        tls: Certificates | None = None,
        client_certificates: bool = False,
        options: Iterable[str] = (),
        port: int | None = None,
    ) -> None:
        self.port = port or free_port()
        self.log: list[str] = []
        self._directory = directory
        self._process: asyncio.subprocess.Process | None = None
        self._listening: asyncio.Task[None] | None = None
        self._said = asyncio.Event()
        directory.mkdir(parents=True, exist_ok=True)
        self._configuration = directory / "mosquitto.conf"
        lines = [
            f"listener {self.port} 127.0.0.1",
            # Started by root it would otherwise become another user, who may not write here.
            "user root",
            "log_dest stderr",
            "log_type all",
            # Else an answer waits 40 ms for the acknowledgement of the packet before it: Nagle's algorithm here,
            # delayed acknowledgement there. Tests wait for thousands of answers.
            "set_tcp_nodelay true",
            "persistence true",
            f"persistence_location {directory}/",
            *self._login_lines(users or {}, tuple(acl)),
        ]
        if tls:
            lines += [f"cafile {tls.ca}", f"certfile {tls.server}", f"keyfile {tls.server_key}"]
            lines += [f"require_certificate {'true' if client_certificates else 'false'}"]
        self._configuration.write_text("\n".join([*lines, *options, ""]))

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        # SIGTERM would be looked at only at the end of Mosquitto's turn of 100 ms.
        await self.kill()

    async def start(self, *, keep_retained: bool = True) -> None:
        """Listens again on the same port, with or without what it had retained."""
        if not keep_retained:
            (self._directory / "mosquitto.db").unlink(missing_ok=True)
        self.log.clear()
        self._process = await asyncio.create_subprocess_exec(
            shutil.which("mosquitto", path=MOSQUITTO_PATH) or "mosquitto",
            "-c",
            str(self._configuration),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        self._listening = asyncio.create_task(self._listen(self._process))
        await self.says(" running")

    async def stop(self) -> None:
        """Ends in peace; nothing if it does not run."""
        await self._end(signal.SIGTERM)

    async def kill(self) -> None:
        """As when the power fails: no goodbye, no last wills."""
        await self._end(signal.SIGKILL)

    async def save(self) -> None:
        """Begins to write what it retains to the disk, as it does every half hour; done before its next answer."""
        if self._process:
            saved = len(self.lines("Saving in-memory database"))
            self._process.send_signal(signal.SIGUSR1)
            await self.says("Saving in-memory database", after=saved)

    def let_in(self, users: Mapping[str, str]) -> None:
        """Other users and passwords, from the next start on."""
        passwords = self._directory / "passwords"
        passwords.write_text("".join(f"{user}:{password}\n" for user, password in users.items()))
        passwords.chmod(0o600)
        # Replaces the passwords in the file by their hashes.
        subprocess.run(["mosquitto_passwd", "-U", str(passwords)], check=True)  # noqa: S603, S607 - our own file

    def freeze(self) -> None:
        """Takes connections and bytes, and does nothing with them, until thaw()."""
        if self._process:
            self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        if self._process:
            self._process.send_signal(signal.SIGCONT)

    def lines(self, text: str) -> list[str]:
        """The lines of its log with this text in them."""
        return [line for line in self.log if text in line]

    async def says(self, text: str, *, after: int = 0) -> None:
        """Returns when its log has more than so many lines with this text in them."""
        async with asyncio.timeout(_PATIENCE_S):
            while len(self.lines(text)) <= after:
                if self._listening and self._listening.done():
                    raise AssertionError(f"Mosquitto ended without saying {text!r}: {self.log}")
                self._said.clear()
                await self._said.wait()

    def _login_lines(self, users: Mapping[str, str], acl: tuple[str, ...]) -> list[str]:
        lines = []
        if users:
            self.let_in(users)
            lines.append(f"password_file {self._directory}/passwords")
        lines.append(f"allow_anonymous {'false' if users else 'true'}")
        if acl:
            access = self._directory / "access"
            access.write_text("\n".join([*acl, ""]))
            access.chmod(0o600)
            lines.append(f"acl_file {access}")
        return lines

    async def _listen(self, process: asyncio.subprocess.Process) -> None:
        if process.stderr is None:
            return
        async for line in process.stderr:
            self.log.append(line.decode(errors="replace").rstrip())
            self._said.set()
        self._said.set()

    async def _end(self, number: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        async with asyncio.timeout(_PATIENCE_S):
            while process.returncode is None:
                process.send_signal(number)
                if number is not signal.SIGKILL:
                    # A frozen one hears nothing but a kill.
                    process.send_signal(signal.SIGCONT)
                # Mosquitto forgets a SIGTERM that comes just before its main loop begins.
                await asyncio.wait((asyncio.ensure_future(process.wait()),), timeout=1.0)
            if self._listening:
                await self._listening
