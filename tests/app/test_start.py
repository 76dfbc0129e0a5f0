"""The app's start: from its options and the Supervisor's MQTT service to a bridge that is online."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from tests.app.supervisor import TOKEN, Supervisor
from tests.support.mosquitto import free_port
from tests.support.observer import observing
from ts2mqtt.app.start import BrokerService, Options, environment
from ts2mqtt.config import load_config

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from tests.support.mosquitto import Mosquitto
    from ts2mqtt.simulator.api import SimulatedApi

LOGIN = {"addons": "p ä\"$'ss"}
SERVICE = BrokerService(host="core-mosquitto", port=1883, username="addons", password="secret")  # noqa: S106


def options(*rigs: dict[str, Any], **others: Any) -> dict[str, Any]:
    """As the Supervisor writes them when the user has changed nothing but these."""
    return {
        "rigs": list(rigs),
        "language": "en",
        "project_states": ["Draft", "Active", "Inactive"],
        "night_plan": "auto",
        "log_level": "info",
        "mqtt": {},
        **others,
    }


@asynccontextmanager
async def started(command: str, directory: Path, supervisor: str) -> AsyncIterator[Process]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "ts2mqtt.app", command, "--supervisor", supervisor),
        env={**os.environ, "SUPERVISOR_TOKEN": TOKEN, "TMPDIR": str(directory)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def finished(command: str, directory: Path, supervisor: str) -> tuple[int | None, str]:
    async with started(command, directory, supervisor) as process, asyncio.timeout(20):
        output, _ = await process.communicate()
        return process.returncode, output.decode()


async def test_it_comes_online_at_the_broker_that_home_assistant_knows_and_stops_in_peace(
    mosquitto_with: Callable[..., Mosquitto], example_api: SimulatedApi, tmp_path: Path
) -> None:
    ((username, password),) = LOGIN.items()
    given = options({"name": "Backyard", "url": example_api.url})
    async with (
        mosquitto_with(users=LOGIN) as mosquitto,
        observing(mosquitto.port, username=username, password=password) as observer,
    ):
        service = {"host": "127.0.0.1", "port": mosquitto.port, "ssl": False} | {
            "username": username,
            "password": password,
        }
        with Supervisor(service, given) as supervisor:
            async with started("run", tmp_path, supervisor.url) as bridge:
                await observer.wait_for("ts2mqtt/status", b"online")
                await observer.wait_for("ts2mqtt/backyard/status", b"online")
                assert (await finished("healthcheck", tmp_path, supervisor.url))[0] == 0
                # While the broker's app is stopped the Supervisor names no broker: that is no reason for a restart.
                with Supervisor(None, given) as without_broker:
                    assert await finished("healthcheck", tmp_path, without_broker.url) == (0, "")
                bridge.send_signal(signal.SIGTERM)
                await observer.wait_for("ts2mqtt/status", b"offline")
                assert await bridge.wait() == 0


async def test_without_a_broker_it_says_what_to_do(tmp_path: Path) -> None:
    given = options({"name": "Backyard", "url": "http://127.0.0.1:8188"})
    with Supervisor(None, given) as supervisor:
        code, output = await finished("run", tmp_path, supervisor.url)
    assert code == 2
    assert "Service not enabled" in output
    assert "install the app Mosquitto broker" in output
    assert "Traceback" not in output


async def test_a_supervisor_that_does_not_answer_is_told_and_is_no_reason_for_a_restart(tmp_path: Path) -> None:
    nowhere = f"http://127.0.0.1:{free_port()}"
    for command, expected in (("run", 2), ("healthcheck", 0)):
        code, output = await finished(command, tmp_path, nowhere)
        assert (code, "Traceback" in output) == (expected, False)
        assert f"the Supervisor at {nowhere} does not answer" in output
        assert output.endswith("where there is none, run ts2mqtt itself\n")


async def test_options_that_are_not_told_are_said_so(tmp_path: Path) -> None:
    with Supervisor(None) as supervisor:
        code, output = await finished("run", tmp_path, supervisor.url)
    assert (code, output) == (2, "ts2mqtt: the Supervisor does not tell the options: ok\n")


async def test_a_mistake_in_the_options_is_told_without_the_passwords(tmp_path: Path) -> None:
    given = options({"name": "Backyard", "url": "imaging-pc", "username": "astro", "password": "s3cret"})
    with Supervisor(
        {"host": "127.0.0.1", "port": free_port(), "ssl": False, "password": "s3cret"}, given
    ) as supervisor:
        code, output = await finished("run", tmp_path, supervisor.url)
    assert code == 2
    assert "TS2MQTT_RIGS__0__URL" in output
    assert "s3cret" not in output


async def test_with_a_broker_of_its_own_the_supervisor_is_not_asked_for_one(
    mosquitto_with: Callable[..., Mosquitto], example_api: SimulatedApi, tmp_path: Path
) -> None:
    async with mosquitto_with() as mosquitto, observing(mosquitto.port) as observer:
        own = {"host": "127.0.0.1", "port": mosquitto.port, "base_topic": "observatory"}
        given = options({"name": "Backyard", "url": example_api.url}, mqtt=own)
        with Supervisor(None, given) as supervisor:
            async with started("run", tmp_path, supervisor.url):
                await observer.wait_for("observatory/status", b"online")
            assert supervisor.asked == ["/addons/self/options/config"]


def test_every_option_reaches_the_configuration() -> None:
    given = Options.model_validate(
        options(
            {"name": "Backyard", "url": "http://192.168.1.50:8188", "latitude": -23.2, "longitude": 16.4},
            {
                "name": "Remote",
                "url": "https://remote.example",
                "id": "namibia",
                "exposure_throttle": 150,
                "time_zone": "Africa/Windhoek",
                "username": "astro",
                "password": "p,w",
                "verify_tls": False,
            },
            language="de",
            project_states=["Active"],
            night_plan="manual",
            log_level="debug",
            mqtt={"base_topic": "observatory", "client_id": "second"},
        )
    )
    config = load_config(None, environment(given, SERVICE)).config
    assert (config.mqtt.host, config.mqtt.port, config.mqtt.username) == ("core-mosquitto", 1883, "addons")
    assert config.mqtt.password is not None
    assert config.mqtt.password.get_secret_value() == "secret"
    assert (config.mqtt.base_topic, config.mqtt.client_id) == ("observatory", "second")
    assert (config.home_assistant.language, config.home_assistant.project_states) == ("de", ("Active",))
    assert (config.polling.plan, config.log.level) == ("manual", "debug")
    backyard, remote = config.rigs
    assert backyard.site is not None
    assert (backyard.id, backyard.site.latitude, backyard.site.longitude) == ("backyard", -23.2, 16.4)
    assert (backyard.exposure_throttle, remote.exposure_throttle) == (125, 150)
    assert (backyard.time_zone, remote.time_zone) == (None, "Africa/Windhoek")
    assert (remote.id, remote.urls, remote.username) == ("namibia", ("https://remote.example",), "astro")
    assert remote.password is not None
    assert (remote.password.get_secret_value(), remote.verify_tls) == ("p,w", False)


def test_an_emptied_field_is_as_one_that_was_never_filled() -> None:
    given = Options.model_validate(
        options({"name": "Backyard", "url": "http://192.168.1.50:8188", "id": "", "username": "", "password": ""})
    )
    config = load_config(None, environment(given, SERVICE)).config
    assert (config.rigs[0].id, config.rigs[0].username, config.rigs[0].password) == ("backyard", None, None)


def test_a_broker_with_tls_is_reached_with_tls() -> None:
    given = Options.model_validate(options({"name": "Backyard", "url": "http://192.168.1.50:8188"}))
    service = SERVICE.model_copy(update={"ssl": True, "port": 8883})
    mqtt = load_config(None, environment(given, service)).config.mqtt
    assert (mqtt.tls.enabled, mqtt.port) == (True, 8883)
