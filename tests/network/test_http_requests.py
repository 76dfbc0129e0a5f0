"""Addresses as they travel and as they are shown, and bodies that are packed."""

from __future__ import annotations

import gzip
import tracemalloc
import zlib
from typing import TYPE_CHECKING

import httpcore
import pytest

from ts2mqtt.network.http_requests import HttpAnswer, HttpRequests, WebAddress, unpacked

if TYPE_CHECKING:
    from collections.abc import Callable

LARGEST = 1_000


class Wire:
    """Keeps the requests."""

    def __init__(self) -> None:
        self.requests: list[httpcore.Request] = []

    async def handle_async_request(self, request: httpcore.Request) -> httpcore.Response:
        self.requests.append(request)
        return httpcore.Response(200)

    async def aclose(self) -> None:
        pass


async def asked(url: str, target: str = "/version", **headers: str) -> httpcore.Request:
    """The request that travels."""
    wire = Wire()
    await HttpRequests(WebAddress.of(url), headers, wire, connect_timeout_s=1).get(target)
    (request,) = wire.requests
    return request


def host_of(request: httpcore.Request) -> list[bytes]:
    return [value for name, value in request.headers if name.lower() == b"host"]


class TestAddress:
    @pytest.mark.parametrize(
        ("url", "origin", "host"),
        [
            ("http://rig:8188", "http://rig:8188", "rig:8188"),
            ("http://rig:80/astro/", "http://rig:80", "rig"),
            ("https://rig", "https://rig", "rig"),
            ("https://me:s3cret@Rig.example:8443/t0ken", "https://Rig.example:8443", "rig.example:8443"),
            ("http://[fe80::1]:8188", "http://[fe80::1]:8188", "[fe80::1]:8188"),
            ("http://sternwarte-köln.de", "http://sternwarte-köln.de", "xn--sternwarte-kln-6pb.de"),
            ("http://stern_wärte.local", "http://stern_wärte.local", "xn--stern_wrte-w5a.local"),
        ],
    )
    def test_it_is_shown_as_it_was_written_and_travels_in_ascii(self, url: str, origin: str, host: str) -> None:
        address = WebAddress.of(url)

        assert (address.origin, address.host_header) == (origin, host)

    def test_no_secret_is_shown_with_it(self) -> None:
        shown = repr(WebAddress.of("http://astro:s3cret@rig/t0ken"))

        assert "rig" in shown
        assert not any(secret in shown for secret in ("astro", "s3cret", "t0ken"))

    @pytest.mark.parametrize(
        "url",
        [
            f"http://{'ä' * 70}:8188",
            "http://rig:99999",
            "http://[fe80::1",
            "ftp://rig",
            "rig",
            "rig:8188",
            "http://:1",
        ],
    )
    def test_what_is_no_address(self, url: str) -> None:
        with pytest.raises(ValueError, match=r"\w"):
            WebAddress.of(url)


class TestRequest:
    async def test_the_path_of_the_address_comes_first(self) -> None:
        request = await asked("http://rig:8188/my rig/ä/", "/ts/v0/version")

        assert request.url.target == b"/my%20rig/%C3%A4/ts/v0/version"
        assert (request.url.host, request.url.port) == (b"rig", 8188)

    async def test_an_ipv6_address_has_brackets_in_the_header_alone(self) -> None:
        request = await asked("http://[::1]:8188")

        assert (request.url.host, host_of(request)) == (b"::1", [b"[::1]:8188"])

    async def test_a_host_of_the_user_goes_before_that_of_the_address(self) -> None:
        assert host_of(await asked("http://rig:8188", host="telescope")) == [b"telescope"]


class TestAnswer:
    async def test_headers_in_any_spelling(self) -> None:
        answer = HttpAnswer(httpcore.Response(200, headers=[(b"cOnTent-TYPE", b"text/html; charset=\xe4")]))

        assert answer.header("Content-Type") == "text/html; charset=ä"
        assert answer.header("Date") == ""

    async def test_headers_of_a_server_that_writes_utf_8(self) -> None:
        answer = HttpAnswer(httpcore.Response(302, headers=[(b"Location", "http://x/köln".encode())]))

        assert answer.header("location") == "http://x/köln"

    async def test_a_header_that_comes_twice_tells_both(self) -> None:
        answer = HttpAnswer(httpcore.Response(200, headers=[(b"Vary", b"a"), (b"vary", b"b")]))

        assert answer.header("vary") == "a, b"

    @pytest.mark.parametrize(("largest", "body"), [(4, b"body"), (3, None)])
    async def test_a_body_that_is_too_large_is_none(self, largest: int, body: bytes | None) -> None:
        assert await HttpAnswer(httpcore.Response(200, content=b"body")).body(largest) == body


def bare(body: bytes) -> bytes:
    deflating = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return deflating.compress(body) + deflating.flush()


PACKING = pytest.mark.parametrize(
    ("coding", "pack"), [("gzip", gzip.compress), ("deflate", zlib.compress), ("deflate", bare)]
)


class TestPacked:
    @PACKING
    @pytest.mark.parametrize("size", [0, 1, LARGEST])
    def test_every_coding_is_unpacked(self, coding: str, pack: Callable[[bytes], bytes], size: int) -> None:
        assert unpacked(pack(b"a" * size), coding, LARGEST) == b"a" * size

    @PACKING
    def test_what_becomes_too_large_is_left(self, coding: str, pack: Callable[[bytes], bytes]) -> None:
        assert unpacked(pack(b"a" * (LARGEST + 1)), coding, LARGEST) is None

    def test_a_bomb_is_not_unpacked_to_be_measured(self) -> None:
        bomb = gzip.compress(bytes(20_000_000))

        tracemalloc.start()
        assert unpacked(bomb, "gzip", LARGEST) is None
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()

        assert most < 1_000_000

    def test_nothing_packed_is_nothing(self) -> None:
        assert unpacked(b"", "gzip", LARGEST) == b""

    @pytest.mark.parametrize(
        ("coding", "body", "reason"),
        [
            ("gzip", b"[{}]", "incorrect header"),
            ("gzip", gzip.compress(b"[{}]")[:-1], "it breaks off"),
            ("gzip", bare(b"[{}]"), "incorrect header"),
            ("deflate", bare(b"[{}]")[:-1], "it breaks off"),
        ],
        # gzip writes the time into what it packs.
        ids=["not packed", "breaks off", "has no header", "has no header and breaks off"],
    )
    def test_what_is_not_packed_or_breaks_off(self, coding: str, body: bytes, reason: str) -> None:
        with pytest.raises(zlib.error, match=reason):
            unpacked(body, coding, LARGEST)
