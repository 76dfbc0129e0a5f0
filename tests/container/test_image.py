"""The image: what it promises to an engine, and a bridge in it with everything taken away that it does not need."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import pytest

from tests.container.engine import HARDENED, DockerError, container, docker, inspect
from tests.support import topics_of_example as of
from tests.support.mosquitto import Mosquitto, free_port
from tests.support.observer import observing
from ts2mqtt.simulator.api import SimulatedApi
from ts2mqtt.simulator.example import documentation_example

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.support.observer import Observer

pytestmark = pytest.mark.timeout(300)
_RIGS = 10
_MOST_MEMORY = 100_000_000
_PASSWORD = "of the container's test"  # noqa: S105


def variables(port: int, url: str) -> dict[str, str]:
    return {"TS2MQTT_MQTT__HOST": "127.0.0.1", "TS2MQTT_MQTT__PORT": str(port)} | {
        "TS2MQTT_RIG_URL": url,
        "TS2MQTT_RIG_NAME": "Backyard",
    }


async def test_it_says_who_runs_it_and_how(image: str) -> None:
    config = (await inspect(image))["Config"]
    user, _, group = config["User"].partition(":")
    assert int(user) > 0
    assert int(group) > 0
    assert config["Entrypoint"] == ["ts2mqtt"]
    assert config["Cmd"] == ["run"]
    # The first word would be CMD-SHELL if it needed a shell.
    assert config["Healthcheck"]["Test"] == ["CMD", "ts2mqtt", "healthcheck"]
    assert config["Labels"]["org.opencontainers.image.licenses"] == "Apache-2.0"


async def test_there_is_nothing_in_it_that_can_install_more(image: str) -> None:
    """What it does not need is not copied from the stage that builds."""
    found = await docker(
        *("run", "--rm", "--network", "none", "--entrypoint", "/opt/ts2mqtt/bin/python", image, "-c"),
        "from importlib.metadata import distributions; print(*(found.name for found in distributions()))",
    )
    assert "ts2mqtt" in found.split()
    assert not {"pip", "hatchling", "setuptools", "pytest"} & set(found.split())


async def test_a_bridge_with_nothing_but_its_config_and_a_secret(
    image: str, mosquitto_with: Callable[..., Mosquitto], tmp_path: Path
) -> None:
    """Ten rigs: read-only, without capabilities or a shell, not as root, in little memory; ends when told to."""
    async with AsyncExitStack() as stack:
        broker = await stack.enter_async_context(mosquitto_with(users={"ts2mqtt": _PASSWORD}))
        apis = [await stack.enter_async_context(SimulatedApi(documentation_example())) for _ in range(_RIGS)]
        rigs = "\n".join(f"  - {{name: Rig {number}, url: '{api.url}'}}" for number, api in enumerate(apis))
        config, secret = tmp_path / "config.yaml", tmp_path / "mqtt-password"
        config.write_text(f"mqtt: {{host: 127.0.0.1, port: {broker.port}, username: ts2mqtt}}\nrigs:\n{rigs}\n")
        secret.write_text(_PASSWORD)
        observer = await stack.enter_async_context(
            observing(broker.port, username="ts2mqtt", password=_PASSWORD, client_id="observer")
        )
        bridge = await stack.enter_async_context(
            container(
                image,
                options=(
                    *HARDENED,
                    *("--volume", f"{config}:/config/config.yaml:ro"),
                    *("--volume", f"{secret}:/run/secrets/mqtt-password:ro"),
                ),
                variables={"TS2MQTT_MQTT__PASSWORD_FILE": "/run/secrets/mqtt-password"},
            )
        )
        await observer.wait_until(lambda: _everything_of(_RIGS) <= observer.held.keys())
        user = (await inspect(image))["Config"]["User"].partition(":")[0]
        assert await bridge.uids() == {user}
        assert await docker("exec", bridge.id, "ts2mqtt", "healthcheck") == ""
        for number in range(_RIGS):
            # Drawing is what takes the most memory.
            await observer.publish(f"ts2mqtt/rig_{number}/command", "refresh_plan")
            await observer.wait_for(f"ts2mqtt/rig_{number}/plan/image")
        assert await bridge.memory_bytes() < _MOST_MEMORY

        loop = asyncio.get_running_loop()
        stopping = loop.time()
        await docker("stop", "--time", "10", bridge.id)
        assert loop.time() - stopping < 5
        assert await bridge.exit_code() == 0
        await observer.catch_up()
        assert observer.held[of.STATUS] == b"offline"
        log = await bridge.log()
        assert "ERROR" not in log
        assert _PASSWORD not in log


@pytest.mark.parametrize("tmpfs", [(), ("--tmpfs", "/tmp:size=1m")])  # noqa: S108 - in the container
async def test_its_health_is_that_of_the_bridge_and_not_that_of_the_broker(
    image: str, mosquitto: Mosquitto, example_api: SimulatedApi, tmpfs: tuple[str, ...]
) -> None:
    bridging = container(image, options=(*HARDENED, *tmpfs), variables=variables(mosquitto.port, example_api.url))
    async with bridging as bridge, bridge.health() as health:
        await health.becomes("healthy", within_s=30)
        await mosquitto.stop()
        with pytest.raises(DockerError, match="no broker at"):
            await docker("exec", bridge.id, "ts2mqtt", "healthcheck", "--ready")
        assert await docker("exec", bridge.id, "ts2mqtt", "healthcheck") == ""
        # As one whose main loop hangs.
        await docker("kill", "--signal", "STOP", bridge.id)
        await health.becomes("unhealthy", within_s=120)
        await docker("kill", "--signal", "CONT", bridge.id)
        await health.becomes("healthy", within_s=60)


async def test_a_simulated_observatory_in_another_container(
    image: str, mosquitto: Mosquitto, observer: Observer
) -> None:
    port = free_port()
    command = ("simulate", "--port", str(port), "--nina-port", "0", "--seed", "3")
    simulating = container(image, *command, options=HARDENED)
    bridging = container(image, options=HARDENED, variables=variables(mosquitto.port, f"http://127.0.0.1:{port}"))
    async with simulating, bridging:
        await observer.wait_until(lambda: len(observer.held_below("homeassistant/device/ts2mqtt/backyard/")) == 1)
        await observer.wait_until(lambda: bool(observer.held_below("ts2mqtt/backyard/target/")))


async def test_a_wrong_configuration_ends_with_2_and_the_reason(image: str) -> None:
    async with container(image, options=HARDENED, variables={"TS2MQTT_MQTT__HOTS": "broker"}) as bridge:
        assert await bridge.exit_code() == 2
        assert "TS2MQTT_MQTT__HOTS" in await bridge.log()


async def test_a_folder_that_its_user_may_not_read_is_told(image: str, tmp_path: Path) -> None:
    """Pytest's folders are for their owner alone."""
    async with container(image, options=(*HARDENED, "--volume", f"{tmp_path}:/config:ro")) as bridge:
        assert await bridge.exit_code() == 2
        log = await bridge.log()
        assert "cannot look for it in /config: Permission denied" in log
        assert "Traceback" not in log


def _everything_of(rigs: int) -> set[str]:
    return {
        topic for number in range(rigs) for topic in of.all_devices(f"rig_{number}") | of.all_states(f"rig_{number}")
    }
