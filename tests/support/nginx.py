"""An nginx of the test's own: one process on a free port of 127.0.0.1, ended by its pid."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from pathlib import Path

_PATIENCE_S = 60.0
# Debian keeps it out of an ordinary user's path.
_PATH = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin", "/usr/local/sbin"))

_AROUND = """\
daemon off;
master_process off;
pid {directory}/nginx.pid;
error_log stderr notice;
events {{}}
http {{
    access_log off;
    client_body_temp_path {directory}/body;
    proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi;
    uwsgi_temp_path {directory}/uwsgi;
    scgi_temp_path {directory}/scgi;
    include {site};
}}
"""


def nginx_is_installed() -> bool:
    return shutil.which("nginx", path=_PATH) is not None


class Nginx:
    """Serves one site file, which holds the block `server`."""

    def __init__(self, directory: Path, site: Path) -> None:
        self._directory = directory
        self._configuration = directory / "nginx.conf"
        self._configuration.write_text(_AROUND.format(directory=directory, site=site))

    async def __aenter__(self) -> Self:
        self._process = await asyncio.create_subprocess_exec(
            *(shutil.which("nginx", path=_PATH) or "nginx", "-e", "stderr"),
            *("-p", str(self._directory), "-c", str(self._configuration)),
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        await self._listens()
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._process.returncode is None:
            self._process.terminate()
        async with asyncio.timeout(_PATIENCE_S):
            await self._process.communicate()

    async def _listens(self) -> None:
        """It says how it will wait for events when it is bound already."""
        said = []
        async with asyncio.timeout(_PATIENCE_S):
            while self._process.stderr and (line := (await self._process.stderr.readline()).decode()):
                if "event method" in line:
                    return
                said.append(line)
        raise AssertionError(f"nginx did not start: {said}")
