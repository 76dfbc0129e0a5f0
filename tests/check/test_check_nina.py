"""Each cause why N.I.N.A. is not heard, produced by a real peer, with what the user can do about it."""

from __future__ import annotations

import socket
import ssl
from http import HTTPStatus
from typing import TYPE_CHECKING

from tests.check.impatience import IMPATIENT
from tests.support.mosquitto import free_port
from tests.support.nina_server import NinaServer, listening, usual
from ts2mqtt.check.nina import check_nina
from ts2mqtt.config import PollingConfig, RigConfig

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.certificates import Certificates
    from ts2mqtt.check import Finding
    from ts2mqtt.simulator.api import SimulatedApi


async def found(*urls: str, api: str = "http://127.0.0.1:1", ca_file: Path | None = None) -> list[Finding]:
    findings: list[Finding] = []
    rig = RigConfig(name="Backyard", url=(api,), nina_url=urls, ca_file=ca_file)
    await check_nina(rig, PollingConfig(), findings.append, timings=IMPATIENT)
    return findings


def named(server: NinaServer, profile_id: str) -> NinaServer:
    """With this profile, called Refractor."""
    server.tell("/profile/show", [{"Id": profile_id.upper(), "Name": "Refractor", "IsActive": True}])
    return server


async def test_what_works(example_api: SimulatedApi) -> None:
    active = next(profile for profile in example_api.observatory.profiles if profile.active)
    async with listening(named(usual(), active.id)) as server:
        findings = await found(server.url, api=example_api.url)

    assert [(one.step, one.ok) for one in findings] == [
        ("name", True),
        ("TCP", True),
        ("live events", True),
        ("profile", True),
    ]
    assert findings[2].message == "Advanced API 2.2.15.2 tells live events"
    assert findings[3].message == "'Refractor' is active, as in the Target Scheduler"
    assert findings[0].subject == f"rig backyard {server.url}"


async def test_the_wrong_one_of_two(example_api: SimulatedApi) -> None:
    async with listening(named(usual(), "another")) as server:
        fault = (await found(server.url, api=example_api.url))[-1]

    assert (fault.step, fault.ok) == ("profile", False)
    assert "write both addresses into nina_url" in fault.advice


async def test_without_the_rigs_api_nobody_knows_whose_it_is() -> None:
    async with listening(usual()) as server:
        finding = (await found(server.url))[-1]

    assert (finding.step, finding.ok) == ("profile", None)


async def test_a_plugin_that_is_missing() -> None:
    fault = (await found(f"http://127.0.0.1:{free_port()}"))[-1]

    assert (fault.step, fault.ok) == ("TCP", False)
    assert "Advanced API is not installed or switched off" in fault.advice


async def test_another_program_on_the_port() -> None:
    async with listening(NinaServer(sockets=(), status=HTTPStatus.OK)) as other:
        fault = (await found(other.url))[-1]

    assert (fault.step, fault.ok) == ("live events", False)
    assert "it is not N.I.N.A.'s Advanced API" in fault.message
    assert "Another program owns this port" in fault.advice


def two_ports() -> int:
    """The first of two neighbouring ports that are free."""
    while True:
        first = free_port()
        try:
            with socket.create_server(("127.0.0.1", first + 1)):
                return first
        except OSError:
            continue


async def test_a_plugin_that_has_moved_to_the_next_port() -> None:
    port = two_ports()
    moved = usual()
    moved.port = port + 1
    async with listening(moved):
        silent = (await found(f"http://127.0.0.1:{port}"))[-1]
        async with listening(NinaServer(sockets=(), port=port)):
            other = (await found(f"http://127.0.0.1:{port}"))[-1]

    for fault, step in ((silent, "TCP"), (other, "live events")):
        assert (fault.step, fault.ok) == (step, False)
        assert f"The Advanced API answers at http://127.0.0.1:{port + 1}" in fault.advice


async def test_with_one_address_that_works_the_others_are_no_fault() -> None:
    async with listening(usual()) as server:
        findings = await found(f"http://127.0.0.1:{free_port()}", server.url)

    assert {one.ok for one in findings} == {True, None}


async def test_a_certificate_that_is_not_trusted_names_the_key_of_the_rig(certificates: Certificates) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificates.server, certificates.server_key)
    async with listening(usual(), tls=context) as server:
        fault = (await found(server.url))[-1]
        trusted = await found(server.url, ca_file=certificates.ca)

    assert not fault.ok
    assert "ca_file of this rig" in fault.advice
    assert [one.message for one in trusted if one.step == "live events"] == [
        "Advanced API 2.2.15.2 tells live events"
    ]
