"""What a command carries into memory: the bridge of a user has no simulator and no demo in it."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from typing import TYPE_CHECKING

from tests.support.mosquitto import free_port

if TYPE_CHECKING:
    from pathlib import Path

# The first attempt to reach the broker fails, and its warning stops the bridge: until then everything is imported.
_RUN_AND_LIST_MODULES = """
import logging, signal, sys
from ts2mqtt import cli

class StopAtWarning(logging.Handler):
    def emit(self, record):
        signal.raise_signal(signal.SIGTERM)

logging.getLogger("ts2mqtt.bridge.bridge").addHandler(StopAtWarning(logging.WARNING))
code = cli.main(["run"])
print(*sorted(name for name in sys.modules if name.startswith("ts2mqtt.")))
sys.exit(code)
"""


def test_version_loads_what_the_command_line_needs_and_nothing_else() -> None:
    script = "import sys\nfrom ts2mqtt.cli import parser\nparser()\nprint(*sys.modules)"
    done = subprocess.run((sys.executable, "-c", script), check=True, capture_output=True, text=True)  # noqa: S603 - our own
    modules = set(done.stdout.split())
    assert {name for name in modules if name.startswith("ts2mqtt.")} == {
        "ts2mqtt.cli",
        "ts2mqtt.errors",
        "ts2mqtt.exit_codes",
        "ts2mqtt.logs",
        "ts2mqtt.logs.streams",
        "ts2mqtt.system",
        "ts2mqtt.system.output",
    }
    assert not modules & {"asyncio", "dataclasses", "json", "logging", "shtab"}


async def test_run_imports_neither_the_simulator_nor_the_demo(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", _RUN_AND_LIST_MODULES),
        cwd=tmp_path,
        env=dict(os.environ)
        | {
            "TS2MQTT_MQTT__HOST": "127.0.0.1",
            "TS2MQTT_MQTT__PORT": str(free_port()),
            "TS2MQTT_RIG_URL": f"http://127.0.0.1:{free_port()}",
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    async with asyncio.timeout(60):
        out, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    rooms = {module.split(".")[1] for module in out.decode().split()}
    assert rooms >= {"bridge", "mqtt", "scheduler"}
    assert not rooms & {"simulator", "demo", "check", "interface"}
