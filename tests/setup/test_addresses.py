"""Addresses as users type and paste them."""

from __future__ import annotations

import pytest

from ts2mqtt.setup.addresses import BrokerAddress, api_addresses, broker_address

USUAL = tuple(f"http://pc:{port}" for port in (8188, 8189, 8190, 8191))


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("homeassistant.local", BrokerAddress("homeassistant.local")),
        (" 192.168.1.10 ", BrokerAddress("192.168.1.10")),
        ("192.168.1.10:1884", BrokerAddress("192.168.1.10", 1884)),
        ("broker:8883", BrokerAddress("broker", 8883, is_tls=True)),
        ("mqtt://broker", BrokerAddress("broker")),
        ("mqtts://user:geheim@broker:8884/", BrokerAddress("broker", 8884, is_tls=True)),
        ("http://homeassistant.local:8123/lovelace", BrokerAddress("homeassistant.local", 8123)),
        ("::1", BrokerAddress("::1")),
        ("[fe80::1]:1884", BrokerAddress("fe80::1", 1884)),
        ("broker:port", BrokerAddress("broker:port")),
    ],
)
def test_the_address_of_a_broker(text: str, address: BrokerAddress) -> None:
    assert broker_address(text) == address


@pytest.mark.parametrize(
    ("text", "urls"),
    [
        ("pc", (*USUAL, "https://pc", "http://pc")),
        ("pc:8189", ("http://pc:8189", "https://pc:8189")),
        ("pc:8188/ts/v0/profiles", ("http://pc:8188", "https://pc:8188")),
        ("pc/nina", ("http://pc/nina", "https://pc/nina")),
        ("http://pc", (*USUAL, "http://pc")),
        ("http://pc:8188/", ("http://pc:8188",)),
        ("http://pc:8188/ts/v0/profiles", ("http://pc:8188",)),
        ("http://pc:8188/swagger/index.html", ("http://pc:8188",)),
        ("https://proxy/nina/ts", ("https://proxy/nina",)),
        ("http://pc:1888", ("http://pc:1888", *USUAL)),
        ("pc:1888", ("http://pc:1888", "https://pc:1888", *USUAL)),
        ("http://one:1, http://two:2  http://one:1", ("http://one:1", "http://two:2")),
        ("::1", (*(f"http://[::1]:{port}" for port in (8188, 8189, 8190, 8191)), "https://[::1]", "http://[::1]")),
        ("", ()),
    ],
)
def test_where_an_api_may_answer(text: str, urls: tuple[str, ...]) -> None:
    assert api_addresses(text) == urls
