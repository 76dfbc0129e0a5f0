"""What is said about the port of an address at which nothing usable answers."""

from __future__ import annotations

import pytest

from ts2mqtt.scheduler.ports import port_advice


@pytest.mark.parametrize(
    ("url", "advice"),
    [
        ("http://pc", "the address has no port, and the Target Scheduler's is 8188: write http://pc:8188"),
        ("http://[::1]", "the address has no port, and the Target Scheduler's is 8188: write http://[::1]:8188"),
        (
            "http://pc:1888",
            (
                "port 1888 is that of another plugin, the Advanced API, and the Target Scheduler's is 8188: write "
                "http://pc:8188"
            ),
        ),
        (
            "http://pc:1883",
            "port 1883 is that of an MQTT broker, and the Target Scheduler's is 8188: write http://pc:8188",
        ),
        (
            "http://pc:8123",
            "port 8123 is that of Home Assistant itself, and the Target Scheduler's is 8188: write http://pc:8188",
        ),
        ("http://pc:8188", ""),
        ("http://pc/nina", ""),
        ("https://pc", ""),
    ],
)
def test_the_advice(url: str, advice: str) -> None:
    assert port_advice(url) == advice
