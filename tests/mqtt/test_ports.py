"""What `ts2mqtt check` says about a port where no broker answers."""

from __future__ import annotations

import pytest

from ts2mqtt.mqtt.ports import broker_port_advice


@pytest.mark.parametrize(
    ("port", "transport", "advice"),
    [
        (8123, "tcp", "port 8123 is that of Home Assistant itself, and a broker's is 1883: leave mqtt.port out"),
        (8188, "tcp", "port 8188 is that of the Target Scheduler's API, and a broker's is 1883: leave mqtt.port out"),
        (1888, "tcp", "port 1888 is that of N.I.N.A.'s Advanced API, and a broker's is 1883: leave mqtt.port out"),
        (
            9001,
            "tcp",
            "port 9001 is often a broker's for WebSockets: leave mqtt.port out, or set mqtt.transport: websockets",
        ),
        (9001, "websockets", ""),
        (1883, "tcp", ""),
        (8883, "tcp", ""),
    ],
)
def test_the_advice(port: int, transport: str, advice: str) -> None:
    assert broker_port_advice(port, transport) == advice
