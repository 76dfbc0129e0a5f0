"""The whole message that `ts2mqtt check` has for the ports and addresses that beginners mix up."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from tests.check import test_check_broker as of_broker, test_check_nina as of_nina, test_check_rig as of_rig
from tests.support.mosquitto import free_port
from ts2mqtt.config import MqttConfig

if TYPE_CHECKING:
    from tests.support.mosquitto import Mosquitto
    from ts2mqtt.check import Finding
    from ts2mqtt.simulator.api import SimulatedApi

NOBODY = "127.9.8.7"
"""An address of this machine on which nobody listens, so that every port refuses."""

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="only Linux has a whole network of loopback addresses"
)


def last(findings: list[Finding]) -> tuple[str, str, str]:
    fault = findings[-1]
    assert fault.ok is False
    return fault.step, fault.message, fault.advice


@pytest.mark.parametrize(
    ("port", "advice"),
    [
        (8123, "Port 8123 is that of Home Assistant itself, and a broker's is 1883: leave mqtt.port out."),
        (8188, "Port 8188 is that of the Target Scheduler's API, and a broker's is 1883: leave mqtt.port out."),
        (1888, "Port 1888 is that of N.I.N.A.'s Advanced API, and a broker's is 1883: leave mqtt.port out."),
        (
            9001,
            "Port 9001 is often a broker's for WebSockets: leave mqtt.port out, or set mqtt.transport: websockets.",
        ),
        (
            1884,
            "Port 1884 is often a broker's for WebSockets: leave mqtt.port out, or set mqtt.transport: websockets.",
        ),
        (
            1,
            (
                "The broker is not running there, or listens on another port than mqtt.port. A Mosquitto without a "
                "'listener' line in its configuration takes connections from its own machine only."
            ),
        ),
    ],
)
async def test_a_port_that_is_no_brokers(port: int, advice: str) -> None:
    in_container = f" In a container, '{NOBODY}' is the container itself: write the address of the computer."
    assert last(await of_broker.found(MqttConfig(host=NOBODY, port=port))) == (
        "TCP",
        f"{NOBODY}:{port} refuses the connection",
        advice + in_container,
    )


@pytest.mark.parametrize(
    ("ending", "advice"),
    [
        ("", "The address has no port, and the Target Scheduler's is 8188: write http://127.9.8.7:8188."),
        (
            ":1888",
            (
                "Port 1888 is that of another plugin, the Advanced API, and the Target Scheduler's is 8188: write "
                "http://127.9.8.7:8188."
            ),
        ),
        (
            ":1883",
            "Port 1883 is that of an MQTT broker, and the Target Scheduler's is 8188: write http://127.9.8.7:8188.",
        ),
        (
            ":8123",
            (
                "Port 8123 is that of Home Assistant itself, and the Target Scheduler's is 8188: write "
                "http://127.9.8.7:8188."
            ),
        ),
        (
            ":8188",
            (
                "N.I.N.A. is not running on that computer, or 'Enable API' is off in the Target Scheduler "
                "preferences of its active profile, or 'API Port' there is not 8188."
            ),
        ),
    ],
)
async def test_a_port_that_is_no_rigs(ending: str, advice: str) -> None:
    port = ending.removeprefix(":") or "80"
    in_container = f" In a container, '{NOBODY}' is the container itself: write the address of the computer."
    assert last(await of_rig.found(f"http://{NOBODY}{ending}")) == (
        "TCP",
        f"{NOBODY}:{port} refuses the connection",
        advice + in_container,
    )


async def test_a_web_server_in_place_of_the_broker(example_api: SimulatedApi) -> None:
    assert last(await of_broker.found(example_api.port))[:2] == (
        "login",
        "the broker closed the connection instead of answering the login",
    )


async def test_the_broker_in_place_of_a_rig(mosquitto: Mosquitto) -> None:
    assert last(await of_rig.found(f"http://127.0.0.1:{mosquitto.port}")) == (
        "API",
        f"127.0.0.1:{mosquitto.port} takes the connection and breaks it without an answer",
        (
            f"Another program may own port {mosquitto.port} there, or N.I.N.A. is just ending: compare 'API Port' in "
            "the Target Scheduler preferences of its active profile."
        ),
    )


async def test_the_rig_s_own_address_as_nina_url(example_api: SimulatedApi) -> None:
    assert last(await of_nina.found(example_api.url)) == (
        "live events",
        f"{example_api.url} answers with status 404: it is not N.I.N.A.'s Advanced API",
        (
            "Another program owns this port: compare it with the port in the options of the plugin Advanced API, "
            "which takes the next free one where its own is taken."
        ),
    )


async def test_localhost_in_a_container() -> None:
    port = free_port()
    assert last(await of_rig.found(f"http://localhost:{port}")) == (
        "TCP",
        f"localhost:{port} refuses the connection",
        (
            "N.I.N.A. is not running on that computer, or 'Enable API' is off in the Target Scheduler preferences of "
            f"its active profile, or 'API Port' there is not {port}. In a container, 'localhost' is the container "
            "itself: write the address of the computer."
        ),
    )
