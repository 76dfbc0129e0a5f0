"""Each cause why a rig does not answer, produced by a real peer, is told apart from the others."""

from __future__ import annotations

import asyncio
import errno
import socket
import ssl
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.check.impatience import IMPATIENT
from tests.check.peers import (
    answering,
    api_at,
    behind_tls,
    expired,
    full_backlog,
    reset,
    say_nothing,
    serving,
)
from tests.support.clocks import HandClock
from tests.support.mosquitto import free_port
from ts2mqtt.check.network import Peer, tls_failure
from ts2mqtt.check.rig import check_rig
from ts2mqtt.config import PollingConfig, RigConfig
from ts2mqtt.simulator.faults import Fault
from ts2mqtt.simulator.nina.server import NinaServer
from ts2mqtt.timing import SystemClock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

    from tests.support.certificates import Certificates
    from ts2mqtt.check import Finding
    from ts2mqtt.simulator.api import SimulatedApi
    from ts2mqtt.simulator.observatory import SimulatedObservatory
    from ts2mqtt.timing import Clock

PASSWORD = "never-shown-9f3"  # noqa: S105 - the point is to look for it


async def found(
    *urls: str,
    timeout: float = 5.0,  # noqa: ASYNC109 - a config key
    clock: Clock = SystemClock(),
    **keys: Any,
) -> list[Finding]:
    findings: list[Finding] = []
    rig = RigConfig(name="Backyard", url=urls, **keys)
    polling = PollingConfig().model_copy(update={"timeout": timeout})
    await check_rig(rig, polling, findings.append, clock=clock, timings=IMPATIENT)
    assert PASSWORD not in str(findings)
    return findings


async def only_fault(*urls: str, **keys: Any) -> Finding:
    """The one fault, behind which no further step was taken."""
    findings = await found(*urls, **keys)
    assert [finding.ok for finding in findings[:-1]] == [True] * (len(findings) - 1)
    assert findings[-1].ok is False
    assert findings[-1].advice
    return findings[-1]


@asynccontextmanager
async def at(behave: Callable[..., Awaitable[None]]) -> AsyncIterator[str]:
    async with serving(behave) as port:
        yield f"http://127.0.0.1:{port}"


async def test_a_rig_that_works(example_api: SimulatedApi) -> None:
    findings = await found(example_api.url)

    assert {finding.ok for finding in findings} == {True}
    assert {finding.subject for finding in findings} == {"rig backyard"}
    assert [finding.step for finding in findings] == ["name", "TCP", "API", "profiles", "clock"]
    assert findings[2].message == "Target Scheduler 5.9.3.0 answers as /ts/v0"
    assert findings[3].message == "3 profiles, 'Profile 1' is active"
    assert all(0 <= finding.seconds < 5 for finding in findings)


async def test_it_asks_the_rig_for_each_list_once_and_for_nothing_expensive(example_api: SimulatedApi) -> None:
    await found(example_api.url)

    paths = [request.path for request in example_api.requests]
    assert (paths[0], paths[1], paths[-1]) == ("/ts/v0/version", "/ts/v0/profiles", "/ts/v0/version")
    lists = [path for path in paths if path.endswith(("/projects", "/targets"))]
    assert len(set(lists)) == len(lists) > 0
    assert not [path for path in paths if path.endswith(("/statistics", "/preview"))]


@pytest.mark.parametrize("missing", [None, ""])
async def test_things_without_an_id_are_named_with_what_to_do(example_api: SimulatedApi, missing: str | None) -> None:
    project = next(example_api.observatory.projects())
    project.raw["Id"] = missing

    (finding,) = [one for one in await found(example_api.url) if one.step == "ids"]

    assert finding.ok is False
    assert finding.message == f"1 project ({project.name!r}) without an id"
    assert "paste" in finding.advice


async def test_dates_without_an_offset_ask_for_the_rig_s_time_zone(example_api: SimulatedApi) -> None:
    next(example_api.observatory.projects()).raw["CreateDate"] = "2026-02-01T20:00:00"

    (finding,) = [one for one in await found(example_api.url) if one.step == "dates"]
    with_zone = await found(example_api.url, time_zone="America/New_York")

    assert (finding.ok, "time_zone: America/New_York" in finding.advice) == (False, True)
    assert "dates" not in {one.step for one in with_zone}


async def test_a_name_that_nobody_knows() -> None:
    fault = await only_fault("http://imaging-pc.invalid:8188")

    assert fault.step == "name"
    assert "'imaging-pc.invalid'" in fault.message
    assert "address in numbers" in fault.advice


async def test_a_name_that_cannot_be_one() -> None:
    assert (await only_fault(f"http://{'x' * 70}.invalid")).step == "name"


async def test_a_closed_port() -> None:
    port = free_port()
    fault = await only_fault(f"http://127.0.0.1:{port}")

    assert (fault.step, fault.message) == ("TCP", f"127.0.0.1:{port} refuses the connection")
    assert "'Enable API' is off" in fault.advice
    assert "N.I.N.A. is not running" in fault.advice
    assert "container" in fault.advice


async def test_a_name_with_a_closed_port_on_all_its_addresses() -> None:
    fault = await only_fault(f"http://localhost:{free_port()}")

    assert (fault.step, "refuses" in fault.message) == ("TCP", True)


async def test_a_firewall_that_drops() -> None:
    with full_backlog() as port:
        fault = await only_fault(f"http://127.0.0.1:{port}")

    assert fault.step == "TCP"
    assert "does not answer" in fault.message
    assert "Windows firewall" in fault.advice


@pytest.mark.parametrize(
    ("number", "words"), [(errno.EHOSTUNREACH, "there is no way to"), (errno.EACCES, "cannot be reached")]
)
async def test_an_address_without_a_way(monkeypatch: pytest.MonkeyPatch, number: int, words: str) -> None:
    async def no_way(*_: Any, **__: Any) -> None:
        raise OSError(number, "no way")

    # No address of this machine alone behaves so.
    monkeypatch.setattr(asyncio, "open_connection", no_way)
    fault = await only_fault("http://127.0.0.1:8188")

    assert (fault.step, words in fault.message) == ("TCP", True)


async def test_a_name_server_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(*_: Any, **__: Any) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", never)
    fault = await only_fault("http://imaging-pc.invalid")

    assert (fault.step, "name server" in fault.advice) == ("name", True)


async def test_a_port_that_never_answers() -> None:
    async with at(say_nothing) as url:
        fault = await only_fault(url, timeout=0.3)

    assert fault.step == "API"
    assert "does not answer within 0.3 s" in fault.message


async def test_a_port_that_resets() -> None:
    async with at(reset) as url:
        fault = await only_fault(url)

    assert (fault.step, "breaks it without an answer" in fault.message) == ("API", True)


@pytest.mark.parametrize(
    "page",
    [
        answering("200 OK", b"<!DOCTYPE html><html>Router</html>", "Content-Type: text/html"),
        answering("404 Not Found", b"<html>no</html>", "Content-Type: text/html"),
        answering("200 OK", b'{"hello": 1}', "Content-Type: application/json"),
    ],
    ids=["html", "404", "json"],
)
async def test_another_web_server(page: Callable[..., Awaitable[None]]) -> None:
    async with at(page) as url:
        fault = await only_fault(url)

    assert fault.step == "API"
    assert "Another program owns port" in fault.advice


async def test_a_server_that_speaks_no_http() -> None:
    async def greet(_: Any, writer: Any) -> None:
        writer.write(b"220 mail.example ESMTP\r\n")
        await writer.drain()

    async with at(greet) as url:
        assert "Another program may own port" in (await only_fault(url)).advice


@pytest.mark.parametrize("status", [401, 403])
async def test_a_proxy_that_wants_a_login(example_api: SimulatedApi, status: int) -> None:
    example_api.faults.add("*", Fault.status(status))

    fault = await only_fault(example_api.url)
    assert str(status) in fault.message
    assert "Write username and password" in fault.advice

    fault = await only_fault(example_api.url, username="astro", password=PASSWORD)
    assert "does not take" in fault.advice
    fault = await only_fault(example_api.url, headers={"X-Api-Key": PASSWORD})
    assert "does not take" in fault.advice


async def test_a_failure_of_the_api(example_api: SimulatedApi) -> None:
    example_api.faults.add("/profiles", Fault.status(500))

    fault = await only_fault(example_api.url)
    assert (fault.step, "status 500" in fault.message) == ("profiles", True)


async def test_a_redirect_is_explained() -> None:
    async with at(answering("301 Moved", b"", "Location: https://me:secret@127.0.0.1/")) as url:
        fault = await only_fault(url)
        assert "status 301, which sends to https://127.0.0.1/" in fault.message
        assert "write it as url" in fault.advice.lower()


async def test_another_version_of_the_api(example_api: SimulatedApi) -> None:
    example_api.api_version = "v1"

    fault = await only_fault(example_api.url)
    assert fault.message == "the API answers as /ts/v1, not as /ts/v0"
    assert "api_version: v1" in fault.advice


async def test_no_profiles(example_api: SimulatedApi) -> None:
    example_api.faults.add("/profiles", Fault.body(b"[]"))

    assert "no N.I.N.A. profile" in (await only_fault(example_api.url)).message


async def test_profiles_of_which_none_is_active_and_one_unreadable(example_api: SimulatedApi) -> None:
    rows = b'[{"Id":"a","Name":"One","Active":false},{"Id":"../x"},{"Id":"b"}]'
    example_api.faults.add("/profiles", Fault.body(rows))

    said = (await found(example_api.url))[3]
    assert (said.ok, said.message) == (True, "2 profiles, none is active, 1 cannot be read")


async def test_text_of_the_api_reaches_no_terminal_raw(example_api: SimulatedApi) -> None:
    name = "\\u001b[31mred\\u202e" + "x" * 1_000
    example_api.faults.add("/profiles", Fault.body(f'[{{"Id":"a","Name":"{name}","Active":true}}]'.encode()))

    said = (await found(example_api.url))[3].message
    assert said.isprintable()
    assert len(said) < 200
    assert "\\x1b[31mred" in said


class TestTls:
    """Certificates made by openssl, on a real TLS port in front of the API."""

    async def test_one_that_is_trusted(self, example_api: SimulatedApi, certificates: Certificates) -> None:
        async with behind_tls(example_api.port, certificates) as port:
            findings = await found(f"https://127.0.0.1:{port}", ca_file=certificates.ca)

        assert [finding.step for finding in findings] == ["name", "TCP", "TLS", "API", "profiles", "clock"]
        assert {finding.ok for finding in findings} == {True}
        assert "TLSv1.3, its certificate is trusted" in findings[2].message

    async def test_one_that_nobody_looks_at(self, example_api: SimulatedApi, certificates: Certificates) -> None:
        async with behind_tls(example_api.port, certificates) as port:
            findings = await found(f"https://127.0.0.1:{port}", verify_tls=False)

        assert {finding.ok for finding in findings} == {True}
        assert "not looked at" in findings[2].message

    async def test_a_foreign_authority(self, example_api: SimulatedApi, certificates: Certificates) -> None:
        async with behind_tls(example_api.port, certificates) as port:
            unknown = await only_fault(f"https://127.0.0.1:{port}")
            other = await only_fault(f"https://127.0.0.1:{port}", ca_file=certificates.other_ca)

        for fault in (unknown, other):
            assert fault.step == "TLS"
            assert "authority is one that this machine does not know" in fault.message
            assert "ca_file of the rig 'backyard'" in fault.advice

    async def test_another_name(self, example_api: SimulatedApi, certificates: Certificates) -> None:
        async with behind_tls(example_api.port, certificates.of_a_stranger()) as port:
            fault = await only_fault(f"https://127.0.0.1:{port}", ca_file=certificates.ca)

        assert (fault.step, "is for another name" in fault.message) == ("TLS", True)

    async def test_an_expired_one(
        self, example_api: SimulatedApi, certificates: Certificates, tmp_path: Path
    ) -> None:
        async with behind_tls(example_api.port, expired(certificates, tmp_path)) as port:
            fault = await only_fault(f"https://127.0.0.1:{port}", ca_file=certificates.ca)

        assert (fault.step, "has expired" in fault.message, "Renew it" in fault.advice) == ("TLS", True, True)

    @pytest.mark.parametrize(
        ("code", "words"), [(9, "is not valid yet"), (23, "is not trusted (certificate revoked)")]
    )
    def test_what_else_openssl_knows(self, code: int, words: str) -> None:
        error = ssl.SSLCertVerificationError(1, "[SSL: CERTIFICATE_VERIFY_FAILED]")
        error.verify_code, error.verify_message = code, "certificate revoked"

        failure = tls_failure(Peer("127.0.0.1", 443, "", "", ca_key="ca_file", patience_s=1.0), error)
        assert words in str(failure)

    async def test_a_file_that_is_no_certificate(self, example_api: SimulatedApi, tmp_path: Path) -> None:
        (tmp_path / "ca.crt").write_text("nothing")

        fault = await only_fault(f"https://127.0.0.1:{example_api.port}", ca_file=tmp_path / "ca.crt")
        assert (fault.step, "cannot be used" in fault.message) == ("TLS", True)

    async def test_https_where_http_is_spoken(self, example_api: SimulatedApi) -> None:
        fault = await only_fault(f"https://127.0.0.1:{example_api.port}")

        assert (fault.step, "TLS" in fault.message, "http://" in fault.advice) == ("TLS", True, True)

    async def test_https_where_nobody_answers(self) -> None:
        async with serving(say_nothing) as port:
            fault = await only_fault(f"https://127.0.0.1:{port}")

        assert (fault.step, "does not answer the TLS handshake" in fault.message) == ("TLS", True)

    async def test_http_where_https_is_spoken(self, example_api: SimulatedApi, certificates: Certificates) -> None:
        async with behind_tls(example_api.port, certificates) as port:
            fault = await only_fault(f"http://127.0.0.1:{port}")

        assert (fault.step, fault.message) == ("API", f"127.0.0.1:{port} wants TLS")


class TestClock:
    @pytest.mark.parametrize(("minutes", "words"), [(12, "12 minutes ahead of"), (-180, "3 hours behind")])
    async def test_one_that_is_off(self, minutes: int, words: str) -> None:
        clock = HandClock()
        async with at(api_at(lambda: clock.now() + timedelta(minutes=minutes))) as url:
            findings = await found(url, clock=clock)

        assert (findings[-1].step, findings[-1].ok) == ("clock", False)
        assert findings[-1].message.startswith(words)

    async def test_one_that_is_not_told(self) -> None:
        async with at(api_at(None)) as url:
            assert [finding.step for finding in await found(url)] == ["name", "TCP", "API", "profiles"]


async def test_another_url_that_fails_is_no_fault(example_api: SimulatedApi) -> None:
    closed = f"http://127.0.0.1:{free_port()}"
    findings = await found(closed, example_api.url)

    assert {finding.ok for finding in findings} == {True, None}
    (excused,) = [finding for finding in findings if finding.ok is None]
    assert excused.subject == f"rig backyard {closed}"
    assert "another URL" in excused.advice
    assert findings.index(excused) == 1


async def test_urls_that_all_fail_are_faults() -> None:
    findings = await found(f"http://127.0.0.1:{free_port()}", f"http://127.0.0.1:{free_port()}")

    assert [finding.ok for finding in findings] == [True, False, True, False]


async def test_the_advanced_api_on_another_port_than_its_own(example: SimulatedObservatory) -> None:
    async with NinaServer(example, clock=SystemClock()) as nina:
        fault = await only_fault(nina.url)
    peer = nina.url.removeprefix("http://")
    assert fault.step == "API"
    assert fault.message == f"{peer} is N.I.N.A.'s plugin Advanced API, and not the Target Scheduler's API"
    assert fault.advice == (
        "The Target Scheduler has a port of its own, usually 8188: see 'API Port' in its preferences, and write that "
        "port into url."
    )


async def test_an_address_without_a_port() -> None:
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", 80)) == 0:
            pytest.skip("this machine has a web server")
    fault = await only_fault("http://127.0.0.1")
    assert (fault.step, fault.message) == ("TCP", "127.0.0.1:80 refuses the connection")
    assert fault.advice.startswith(
        "The address has no port, and the Target Scheduler's is 8188: write http://127.0.0.1:8188."
    )


async def test_https_where_there_is_none(example_api: SimulatedApi) -> None:
    url = example_api.url.replace("http", "https")
    fault = await only_fault(url)
    assert (fault.step, fault.message, fault.advice) == (
        "TLS",
        f"{url.removeprefix('https://')} does not speak TLS",
        "Turn TLS off for it (http:// in a URL), or write the port with TLS.",
    )
