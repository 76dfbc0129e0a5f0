"""compose.yaml brought up by the engine: broker, bridge and simulated observatory, in the order of their health."""

from __future__ import annotations

import json
import os
import subprocess
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from tests.conftest import need
from tests.container.engine import docker, has_image, inspect
from tests.support.mosquitto import free_port
from tests.support.observer import observing
from tests.support.project import ROOT

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

pytestmark = pytest.mark.timeout(300)
_BROKER = "eclipse-mosquitto:2"
_PASSWORD = "of the test"  # noqa: S105
_LOOPBACK = "127.0.0.1"


@asynccontextmanager
async def brought_up(file: Path) -> AsyncIterator[None]:
    project = ("compose", "--project-name", f"ts2mqtt-test-{os.getpid()}", "--file", str(file))
    try:
        await docker(*project, "up", "--detach", "--wait")
        yield
    finally:
        await docker(*project, "down", "--volumes", "--timeout", "10")


async def resolved() -> dict[str, Any]:
    """The file with the values of env.example, as compose understands it."""
    settings = ("--file", str(ROOT / "compose.yaml"), "--env-file", str(ROOT / "env.example"))
    found: dict[str, Any] = json.loads(await docker("compose", *settings, "config", "--format", "json"))
    return found


async def on_loopback(image: str, port: int, config_directory: Path) -> dict[str, Any]:
    """The same in the machine's own network on free ports, so that nobody else can reach it."""
    config = await resolved()
    for name, service in config["services"].items():
        for key in ("build", "networks", "ports", "profiles"):
            service.pop(key, None)
        service["network_mode"] = "host"
        service["extra_hosts"] = [f"{other}={_LOOPBACK}" for other in config["services"] if other != name]
    broker, bridge, simulator = (config["services"][name] for name in ("mosquitto", "bridge", "simulator"))
    bridge["image"] = simulator["image"] = image
    bridge["volumes"][0]["source"] = str(config_directory)
    # Not every build of Mosquitto's image gives its user the same number.
    user = await docker("run", "--rm", "--network", "none", _BROKER, "id", "-u", "mosquitto")
    group = await docker("run", "--rm", "--network", "none", _BROKER, "id", "-g", "mosquitto")
    broker["user"] = f"{user}:{group}"
    broker["tmpfs"] = [place.replace("uid=1883,gid=1883", f"uid={user},gid={group}") for place in broker["tmpfs"]]
    api_port = free_port()
    broker["environment"] |= {"MQTT_LISTEN": _LOOPBACK, "MQTT_LISTEN_PORT": str(port), "MQTT_PASSWORD": _PASSWORD}
    bridge["environment"] |= {
        "TS2MQTT_MQTT__PASSWORD": _PASSWORD,
        "TS2MQTT_MQTT__PORT": str(port),
        "TS2MQTT_RIG_URL": f"http://simulator:{api_port}",
    }
    simulator["command"] = [*simulator["command"], "--port", str(api_port)]
    simulator["command"][simulator["command"].index("--host") + 1] = _LOOPBACK
    simulator["healthcheck"]["test"] = [
        word.replace(":8188/", f":{api_port}/") for word in simulator["healthcheck"]["test"]
    ]
    config.pop("networks", None)
    return config


async def test_it_is_valid(image: str) -> None:
    assert image
    services = (await resolved())["services"]
    # The profile that env.example asks for.
    assert services.keys() == {"mosquitto", "bridge", "simulator"}


async def test_it_comes_up_healthy_and_shows_the_observatory(image: str, tmp_path: Path) -> None:
    need(f"the image {_BROKER}", is_there=has_image(_BROKER))
    port = free_port()
    file, config = tmp_path / "compose.json", tmp_path / "config"
    # Readable for the container's user, unlike the test's own directory.
    config.mkdir(mode=0o755)
    file.write_text(json.dumps(await on_loopback(image, port, config)))
    async with brought_up(file):
        async with observing(port, username="ts2mqtt", password=_PASSWORD) as observer:
            await observer.wait_for("ts2mqtt/status", b"online")
            await observer.wait_until(lambda: bool(observer.held_below("ts2mqtt/backyard/target/")))
        ids = await docker(
            "ps", "--quiet", "--filter", f"label=com.docker.compose.project=ts2mqtt-test-{os.getpid()}"
        )
        assert len(ids.split()) == 3
        for container_id in ids.split():
            assert (await inspect(container_id))["State"]["Health"]["Status"] == "healthy"
        _refuses_strangers(port)


def _refuses_strangers(port: int) -> None:
    """Mosquitto's own client says 5, "not authorised", as its exit code."""
    anonymous = ("mosquitto_pub", "-h", _LOOPBACK, "-p", str(port), "-t", "any", "-m", "thing")
    assert subprocess.run(anonymous, capture_output=True, check=False).returncode == 5  # noqa: S603
