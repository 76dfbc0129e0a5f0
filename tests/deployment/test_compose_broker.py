"""The start of compose.yaml's broker, run here: its one user gets in with just the password of the environment."""

from __future__ import annotations

import asyncio
import os
import subprocess
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from tests.conftest import need
from tests.support.mosquitto import MOSQUITTO_PATH, free_port, mosquitto_is_installed
from tests.support.observer import observing
from tests.support.project import ROOT
from tests.support.running import mqtt_config
from ts2mqtt.errors import LoginRefusedError
from ts2mqtt.mqtt.connection import connect

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@asynccontextmanager
async def broker_of_compose(directory: Path, port: int, password: str) -> AsyncIterator[None]:
    """With the container's folders below this one."""
    script = (ROOT / "deploy" / "compose" / "mosquitto.sh").read_text(encoding="utf-8")
    for folder in ("/run/mosquitto", "/mosquitto/data"):
        (directory / folder[1:]).mkdir(parents=True)
        script = script.replace(folder, f"{directory}{folder}")
    # Started by root it would become another user, who may not read here.
    script = script.replace("allow_anonymous", "user root\nallow_anonymous")
    # To a pipe Mosquitto writes its standard output in large pieces.
    script = script.replace("log_dest stdout", "log_dest stderr")
    process = await asyncio.create_subprocess_exec(
        *("/bin/sh", "-c", script),
        env=os.environ
        | {"PATH": MOSQUITTO_PATH, "MQTT_USERNAME": "ts2mqtt", "MQTT_PASSWORD": password}
        | {"MQTT_LISTEN": "127.0.0.1", "MQTT_LISTEN_PORT": str(port)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    try:
        assert process.stdout
        async with asyncio.timeout(30):
            while b" running" not in (line := await process.stdout.readline()):
                assert line, "it ended"
        yield
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


@pytest.mark.parametrize("password", ["change-me", "a:b", ":", "pass word: #1", "'\"$HOME`\\", "pässwörd"])
async def test_the_whole_password_is_needed_and_enough(tmp_path: Path, password: str) -> None:
    need("Mosquitto", is_there=mosquitto_is_installed())
    port = free_port()
    async with broker_of_compose(tmp_path, port, password):
        async with observing(port, username="ts2mqtt", password=password):
            pass
        for other in {password.split(":", maxsplit=1)[0] or "x", f"{password}x"} - {password}:
            with pytest.raises(LoginRefusedError):
                async with connect(mqtt_config(port, username="ts2mqtt", password=other)):
                    pytest.fail("another password was accepted")
        # As the container's health check asks.
        asking = await asyncio.create_subprocess_exec(
            *("mosquitto_sub", "-t", "$SYS/broker/uptime", "-C", "1", "-W", "5"),
            env=os.environ | {"HOME": f"{tmp_path}/run/mosquitto"},
            stdout=subprocess.DEVNULL,
        )
        async with asyncio.timeout(30):
            assert await asking.wait() == 0
