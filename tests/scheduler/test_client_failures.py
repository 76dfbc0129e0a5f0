"""Answers that are none: each becomes one error of ours that says what happened, and nothing hangs or grows."""

from __future__ import annotations

import asyncio
import gzip
import os
import socket
import ssl
import tracemalloc
from typing import TYPE_CHECKING

import pytest

from tests.support.asking import PROFILE, PROJECT, TARGET, asking, head_of_request, polling, serving
from ts2mqtt.errors import (
    ApiFailureError,
    NotFoundError,
    NotTheApiError,
    RigError,
    RigGoneError,
    RigUnreachableError,
)
from ts2mqtt.scheduler.client import LARGEST_ANSWER, HttpOptions, public_url
from ts2mqtt.simulator.faults import Fault
from ts2mqtt.simulator.http1 import Answer

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tests.support.certificates import Certificates
    from ts2mqtt.scheduler.client import TargetSchedulerClient
    from ts2mqtt.simulator.api import SimulatedApi

    Ask = Callable[[TargetSchedulerClient], Awaitable[object]]

ASKED: dict[str, tuple[str, Ask]] = {
    "version": ("/version", lambda client: client.version()),
    "profiles": ("/profiles", lambda client: client.profiles()),
    "projects": ("/profiles/*/projects", lambda client: client.projects(PROFILE)),
    "targets": ("/projects/*/targets", lambda client: client.targets(PROJECT)),
    "statistics": ("/targets/*/statistics", lambda client: client.statistics(TARGET)),
    "preview": ("/profiles/*/preview", lambda client: client.preview(PROFILE)),
}
every_endpoint = pytest.mark.parametrize(("path", "ask"), ASKED.values(), ids=ASKED)


class TestWhateverIsAsked:
    @every_endpoint
    @pytest.mark.parametrize("status", [302, 400, 406, 500, 503])
    async def test_a_failure_says_its_status(
        self, example_api: SimulatedApi, client: TargetSchedulerClient, path: str, ask: Ask, status: int
    ) -> None:
        example_api.faults.add(path, Fault.status(status))

        with pytest.raises(ApiFailureError, match=f"answered /.* with status {status}"):
            await ask(client)

    @every_endpoint
    @pytest.mark.parametrize("status", [401, 403])
    async def test_a_proxy_that_wants_a_login_is_named(
        self, example_api: SimulatedApi, client: TargetSchedulerClient, path: str, ask: Ask, status: int
    ) -> None:
        example_api.faults.add(path, Fault.status(status))

        with pytest.raises(RigError, match=f"answers {status}: the proxy in front of the API wants another login"):
            await ask(client)

    @every_endpoint
    async def test_another_program_on_the_port_is_no_failure_of_the_api(
        self, example_api: SimulatedApi, client: TargetSchedulerClient, path: str, ask: Ask
    ) -> None:
        example_api.faults.add(path, Fault.html())

        with pytest.raises(NotTheApiError, match="web page"):
            await ask(client)

    @every_endpoint
    async def test_a_web_page_that_claims_to_be_json(
        self, example_api: SimulatedApi, client: TargetSchedulerClient, path: str, ask: Ask
    ) -> None:
        example_api.faults.add(path, Fault.body(b"\r\n<html></html>"))

        with pytest.raises(NotTheApiError, match="web page"):
            await ask(client)

    @every_endpoint
    async def test_an_endless_answer_is_left_after_16_mib(
        self, example_api: SimulatedApi, client: TargetSchedulerClient, path: str, ask: Ask
    ) -> None:
        example_api.faults.add(path, Fault.endless())

        with pytest.raises(ApiFailureError, match="more than 4 MiB"):
            await ask(client)

    @every_endpoint
    async def test_gzip_that_is_none(
        self, example_api: SimulatedApi, client: TargetSchedulerClient, path: str, ask: Ask
    ) -> None:
        example_api.faults.add(path, Fault.invalid_gzip())

        with pytest.raises(ApiFailureError, match="cannot be unpacked"):
            await ask(client)

    @every_endpoint
    async def test_an_answer_that_breaks_off_is_asked_for_once_more_except_for_a_preview(
        self, example_api: SimulatedApi, client: TargetSchedulerClient, path: str, ask: Ask
    ) -> None:
        rule = example_api.faults.add(path, Fault.truncate(after=1))

        with pytest.raises(RigUnreachableError, match="broke the connection"):
            await ask(client)

        assert rule.hits == (1 if "preview" in path else 2)

    @every_endpoint
    async def test_a_reset_connection_is_tried_once_more_except_for_a_preview(
        self, example_api: SimulatedApi, client: TargetSchedulerClient, path: str, ask: Ask
    ) -> None:
        await client.version()
        rule = example_api.faults.add(path, Fault.reset())

        with pytest.raises(RigUnreachableError, match="broke the connection"):
            await ask(client)

        assert rule.hits == (1 if "preview" in path else 2)

    @every_endpoint
    async def test_silence_ends_with_the_time_out(self, example_api: SimulatedApi, path: str, ask: Ask) -> None:
        example_api.faults.add(path, Fault.hang())
        looks = polling(timeout=0.5, plan_timeout=0.5)
        async with asking(example_api.url, looks) as client:
            with pytest.raises(RigUnreachableError, match=r"did not answer within 0\.5 s; is the imaging PC on"):
                await ask(client)

        assert len(example_api.requests_to(path)) == 1

    @every_endpoint
    async def test_a_dripping_answer_ends_with_the_time_out(
        self, example_api: SimulatedApi, path: str, ask: Ask
    ) -> None:
        # No read ever waits long; only the whole call does.
        example_api.faults.add(path, Fault.drip(0.3))
        looks = polling(timeout=0.5, plan_timeout=0.5)
        async with asking(example_api.url, looks) as client:
            with pytest.raises(RigUnreachableError, match="did not answer within"):
                await ask(client)

    @every_endpoint
    async def test_nobody_listens(self, path: str, ask: Ask) -> None:  # noqa: ARG002 - the table's
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
        async with asking(f"http://127.0.0.1:{port}") as client:
            with pytest.raises(RigUnreachableError, match=r"cannot be reached .* is N\.I\.N\.A\. running"):
                await ask(client)

    async def test_https_where_there_is_none(self, example_api: SimulatedApi) -> None:
        url = example_api.url.replace("http", "https")
        async with asking(url) as client:
            with pytest.raises(RigGoneError) as raised:
                await client.version()
        assert str(raised.value) == (
            f"{url} does not speak TLS; the Target Scheduler itself has none: write http:// in place of https://"
        )

    async def test_a_name_that_nobody_knows(self) -> None:
        async with asking("http://rig.invalid:8188") as client:
            with pytest.raises(
                RigGoneError, match=r"the name in http://rig\.invalid:8188 cannot be looked up \(.+\)"
            ):
                await client.version()

    @every_endpoint
    async def test_life_goes_on_after_a_failure(
        self, example_api: SimulatedApi, client: TargetSchedulerClient, path: str, ask: Ask
    ) -> None:
        for fault in (Fault.status(500), Fault.truncate(), Fault.endless(), Fault.body(b"[{")):
            rule = example_api.faults.add(path, fault)
            with pytest.raises(RigError):
                await ask(client)
            rule.remove()
            await ask(client)


class TestStaleConnections:
    async def test_a_reused_connection_that_the_server_has_closed_is_replaced_once(
        self, example_api: SimulatedApi, client: TargetSchedulerClient
    ) -> None:
        await client.version()
        rule = example_api.faults.add("/profiles", Fault.reset(), times=1)

        assert len((await client.profiles()).items.items) == 3
        assert rule.hits == 1
        assert len(example_api.requests_to("/profiles")) == 2

    async def test_a_preview_is_never_repeated(
        self, example_api: SimulatedApi, client: TargetSchedulerClient
    ) -> None:
        await client.version()
        example_api.faults.add("/profiles/*/preview", Fault.reset(), times=1)

        with pytest.raises(RigUnreachableError):
            await client.preview(PROFILE)

        assert len(example_api.requests_to("/profiles/*/preview")) == 1

    async def test_a_server_that_hangs_up_on_every_request_gets_two(self) -> None:
        requests: list[bytes] = []

        async def hang_up(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
            requests.append(await head_of_request(reader))

        async with serving(hang_up) as port, asking(f"http://127.0.0.1:{port}") as client:
            with pytest.raises(RigUnreachableError, match="broke the connection"):
                await client.profiles()

        assert len(requests) == 2


class TestNotThisApi:
    @pytest.mark.parametrize("path", ["/version", "/profiles"])
    async def test_404_where_every_version_of_the_api_answers(
        self, example_api: SimulatedApi, client: TargetSchedulerClient, path: str
    ) -> None:
        example_api.faults.add(path, Fault.status(404))

        with pytest.raises(NotTheApiError, match=f"404 for /ts/v0{path}: another program on this port, or another v"):
            await ASKED[path[1:]][1](client)

    @pytest.mark.parametrize(
        "ask",
        [
            lambda client: client.targets("unknown"),
            lambda client: client.statistics("unknown"),
            lambda client: client.preview("unknown"),
        ],
    )
    async def test_an_unknown_id(self, client: TargetSchedulerClient, ask: Ask) -> None:
        with pytest.raises(NotFoundError, match=r"does not know /.*/unknown/"):
            await ask(client)

    @pytest.mark.parametrize(
        "body",
        [
            b"null",
            b"[]",
            b"{}",
            b'""',
            b'{"Version": "5.9"}',
            b"It works!",
            b"5.9\xff",
            b'"\\"5"',
            b"5" * 41,
            b"5\x1b[1m",
        ],
    )
    async def test_what_is_no_version_number(
        self, example_api: SimulatedApi, client: TargetSchedulerClient, body: bytes
    ) -> None:
        example_api.faults.add("/version", Fault.body(body, "text/plain"))

        with pytest.raises(NotTheApiError, match="no version number"):
            await client.version()

    async def test_a_server_of_another_protocol(self) -> None:
        async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await head_of_request(reader)
            writer.write(b"SSH-2.0-OpenSSH_9.2p1 " + b"x" * 5_000 + b"\r\n\r\n")
            await writer.drain()

        async with serving(greet) as port, asking(f"http://127.0.0.1:{port}") as client:
            with pytest.raises(RigUnreachableError, match=r"broke the connection .*SSH-2.0-OpenSSH") as failure:
                await client.profiles()

        assert len(str(failure.value)) < 400

    async def test_a_redirect_is_not_followed(self, example_api: SimulatedApi, client: TargetSchedulerClient) -> None:
        moved = Answer(status=302, headers=(("Location", f"{example_api.url}/ts/v0/version?key=secret"),))
        example_api.faults.add("/profiles", Fault.answer(moved))

        with pytest.raises(ApiFailureError, match=f"status 302, which sends to {example_api.url}/ts/v0/version"):
            await client.profiles()

        assert example_api.requests_to("/version") == []

    async def test_a_redirect_to_nowhere(self, example_api: SimulatedApi, client: TargetSchedulerClient) -> None:
        moved = Answer(status=302, headers=(("Location", "http://[::1:99999/"),))
        example_api.faults.add("/profiles", Fault.answer(moved))

        with pytest.raises(RigError):
            await client.profiles()


class TestTooMuch:
    @pytest.mark.parametrize("megabytes", [5, 100])
    async def test_a_huge_answer_is_not_kept_in_memory(
        self, example_api: SimulatedApi, client: TargetSchedulerClient, megabytes: int
    ) -> None:
        example_api.faults.add("/profiles", Fault.endless(megabytes))
        tracemalloc.start()

        with pytest.raises(ApiFailureError, match="answered /profiles with more than 4 MiB"):
            await client.profiles()

        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 3 * LARGEST_ANSWER

    async def test_an_answer_of_the_largest_size_is_read(
        self, example_api: SimulatedApi, client: TargetSchedulerClient
    ) -> None:
        body = b'[{"Id":"a","Name":"%b"}]' % (b"x" * (LARGEST_ANSWER - 24))
        assert len(body) <= LARGEST_ANSWER
        example_api.faults.add("/profiles", Fault.body(body))

        assert (await client.profiles()).items.items[0].id == "a"

    async def test_a_gzip_bomb(self, example_api: SimulatedApi, client: TargetSchedulerClient) -> None:
        bomb = gzip.compress(bytes(10 * LARGEST_ANSWER))
        example_api.faults.add("/profiles", Fault.answer(Answer(body=bomb, headers=(("Content-Encoding", "gzip"),))))

        with pytest.raises(ApiFailureError, match="more than 4 MiB"):
            await client.profiles()

    @pytest.mark.parametrize("coding", ["br", "zstd", "gzip, gzip", "x" * 1_000])
    async def test_codings_that_nobody_asked_for(
        self, example_api: SimulatedApi, client: TargetSchedulerClient, coding: str
    ) -> None:
        example_api.faults.add("/profiles", Fault.answer(Answer(headers=(("Content-Encoding", coding),))))

        with pytest.raises(ApiFailureError, match="which nobody asked for") as failure:
            await client.profiles()

        assert len(str(failure.value)) < 300


class TestTimeOuts:
    async def test_a_preview_may_take_longer(self, example_api: SimulatedApi) -> None:
        example_api.faults.add("*", Fault.delay(0.3))
        async with asking(example_api.url, polling(timeout=0.1)) as client:
            assert len((await client.preview(PROFILE)).items) == 2
            with pytest.raises(RigUnreachableError):
                await client.profiles()

    async def test_waiting_for_a_place_is_not_the_rigs_fault(self, example_api: SimulatedApi) -> None:
        release = asyncio.Event()
        example_api.faults.add("/profiles/*/preview", Fault.delay(release))
        async with asking(example_api.url, polling(timeout=0.3, concurrency=1)) as client:
            preview = asyncio.create_task(client.preview(PROFILE))
            await example_api.wait_for_request("/profiles/*/preview")
            profiles = asyncio.create_task(client.profiles())
            await asyncio.wait((profiles,), timeout=0.5)
            release.set()

            await preview
            assert len((await profiles).items.items) == 3

    async def test_a_host_that_swallows_everything(self) -> None:
        # Its queue of connections is full, so that no more are answered: what a firewall does.
        with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
            crowd = [socket.socket() for _ in range(4)]
            for one in crowd:
                one.setblocking(False)
                one.connect_ex(listener.getsockname())
            impatient = HttpOptions(connect_timeout_s=0.1)
            async with asking(f"http://127.0.0.1:{listener.getsockname()[1]}", http=impatient) as client:
                with pytest.raises(
                    RigUnreachableError, match="does not answer; is the imaging PC on, and does its fire"
                ):
                    await client.profiles()
            for one in crowd:
                one.close()

    async def test_a_cancelled_request_frees_its_place(self, example_api: SimulatedApi) -> None:
        rule = example_api.faults.add("/profiles", Fault.hang())
        async with asking(example_api.url, polling(concurrency=1)) as client:
            hanging = asyncio.create_task(client.profiles())
            await example_api.wait_for_request("/profiles")
            hanging.cancel()
            await asyncio.wait((hanging,))
            rule.remove()

            assert len((await client.profiles()).items.items) == 3


class TestSecrets:
    @pytest.mark.parametrize(
        ("url", "shown"),
        [
            ("http://rig:8188", "http://rig:8188"),
            ("http://me:s3cret@rig:8188/astro", "http://rig:8188"),
            ("http://rig:8188/t0ken/astro", "http://rig:8188"),
            ("http://[::1]:8188/t0ken", "http://[::1]:8188"),
            ("https://me@rig", "https://rig"),
        ],
    )
    def test_a_url_is_shown_without_its_user_and_its_path(self, url: str, shown: str) -> None:
        assert public_url(url) == shown

    async def test_no_error_shows_the_password_of_a_url(self, example_api: SimulatedApi) -> None:
        url = f"http://me:s3cret@127.0.0.1:{example_api.port}"
        async with asking(url, polling(timeout=0.1)) as client:
            await client.version()
            for fault in (Fault.status(401), Fault.status(404), Fault.html(), Fault.reset(), Fault.hang()):
                example_api.faults.add("/profiles", fault)
                with pytest.raises(RigError) as failure:
                    await client.profiles()
                assert "s3cret" not in str(failure.value)
            await example_api.stop()
            with pytest.raises(RigUnreachableError) as failure:
                await client.profiles()

        assert "s3cret" not in f"{failure.value} {client.url}"


class TestTls:
    async def _proxy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            await head_of_request(reader)
            writer.write(b'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"5.9.3.0"')
            await writer.drain()

    def _context(self, certificates: Certificates) -> ssl.SSLContext:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificates.server, certificates.server_key)
        return context

    async def test_a_certificate_that_ca_file_vouches_for(self, certificates: Certificates) -> None:
        async with (
            serving(self._proxy, self._context(certificates)) as port,
            asking(f"https://127.0.0.1:{port}", ca_file=certificates.ca) as client,
        ):
            assert await client.version() == "5.9.3.0"

    async def test_a_certificate_that_nobody_vouches_for(self, certificates: Certificates) -> None:
        async with (
            serving(self._proxy, self._context(certificates)) as port,
            asking(f"https://127.0.0.1:{port}", ca_file=certificates.other_ca) as client,
        ):
            with pytest.raises(RigUnreachableError, match=r"is not trusted: its authority .* as ca_file of this rig"):
                await client.version()

    async def test_a_certificate_that_the_user_does_not_want_checked(self, certificates: Certificates) -> None:
        async with (
            serving(self._proxy, self._context(certificates)) as port,
            asking(f"https://127.0.0.1:{port}", verify_tls=False) as client,
        ):
            assert await client.version() == "5.9.3.0"

    async def test_a_proxy_that_wants_a_certificate_of_ours(self, certificates: Certificates) -> None:
        context = self._context(certificates)
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(certificates.ca)
        async with (
            serving(self._proxy, context) as port,
            asking(f"https://127.0.0.1:{port}", ca_file=certificates.ca) as client,
        ):
            with pytest.raises(RigUnreachableError, match="broke the connection"):
                await client.version()

    async def test_what_is_no_tls_after_the_handshake(self, certificates: Certificates) -> None:
        async def garble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await head_of_request(reader)
            beneath: socket.socket = writer.get_extra_info("socket")
            os.write(beneath.fileno(), b"\x17\x03\x03\x00\x20" + b"x" * 32)
            await reader.read()

        context = self._context(certificates)
        async with serving(garble, context) as port, asking(f"https://127.0.0.1:{port}", verify_tls=False) as client:
            with pytest.raises(RigUnreachableError, match=r"broke the connection .*SSL"):
                await client.version()

    async def test_https_where_only_http_is_spoken(self, example_api: SimulatedApi) -> None:
        async with asking(f"https://127.0.0.1:{example_api.port}") as client:
            with pytest.raises(RigUnreachableError):
                await client.version()
