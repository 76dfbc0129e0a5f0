"""GET requests to one web server by httpcore, without what a browser's client adds: redirects, cookies, proxies."""

from __future__ import annotations

import ssl
import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol
from urllib.parse import quote, urlsplit

import httpcore

from ts2mqtt.config import DEFAULT_PORTS

if TYPE_CHECKING:
    from collections.abc import Mapping

HTTP_FAILURES = (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException, ssl.SSLError)
"""What a request may raise. What goes wrong in TLS after the handshake comes as it is."""

_DEFLATE = "deflate"
PACKED = ("gzip", _DEFLATE)
"""Codings of a body that unpacked() takes."""

_SAFE_IN_PATH = "/%:@!$&'()*+,;=~"
# With the header of gzip or zlib; and without any, as .NET's DeflateStream writes what it calls deflate.
_WITH_HEADER, _BARE = zlib.MAX_WBITS | 32, -zlib.MAX_WBITS


class Transport(Protocol):
    """What carries requests: httpcore's connections, or the answers of a test."""

    async def handle_async_request(self, request: httpcore.Request, /) -> httpcore.Response: ...

    async def aclose(self) -> None: ...


def connections(tls: ssl.SSLContext | None, keepalive_s: float) -> Transport:
    """As many connections as there are requests at once, each kept for so long after its latest answer."""
    return httpcore.AsyncConnectionPool(
        ssl_context=tls,
        max_connections=None,
        keepalive_expiry=keepalive_s,
        # httpcore's default backend asks at each step of a request which event loop runs.
        network_backend=httpcore.AnyIOBackend(),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class WebAddress:
    """Where a web server is; `host` and `path` are written as they travel."""

    origin: str
    """As it was written, and may be shown and published: without login and path."""

    scheme: str
    host: str
    port: int
    path: str = field(repr=False)
    """It may be a secret, such as a token for a proxy."""

    @classmethod
    def of(cls, url: str) -> WebAddress:
        """Raises ValueError for a URL to which no request can travel."""
        parts = urlsplit(url)
        if parts.scheme not in DEFAULT_PORTS or not parts.hostname:
            raise ValueError("it has to begin with http:// or https:// and a host")
        return cls(
            origin=f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}",
            scheme=parts.scheme,
            host=_ascii(parts.hostname),
            port=parts.port or DEFAULT_PORTS[parts.scheme],
            path=quote(parts.path.rstrip("/"), safe=_SAFE_IN_PATH),
        )

    @property
    def host_header(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"


class HttpRequests:
    """Asks the server at one address; `headers` go with every request, besides those that all requests have."""

    def __init__(
        self, address: WebAddress, headers: Mapping[str, str], transport: Transport, *, connect_timeout_s: float
    ) -> None:
        self._scheme, self._host = address.scheme.encode(), address.host.encode()
        self._port, self._path = address.port, address.path.encode()
        self._headers = [(name.encode(), value.encode()) for name, value in _all_headers(address, headers).items()]
        self._extensions = {"timeout": {"connect": connect_timeout_s}}
        self._transport = transport

    async def get(self, target: str) -> HttpAnswer:
        """The beginning of the answer, to be closed; `target` is what comes after the address's path.

        Raises one of HTTP_FAILURES.
        """
        url = httpcore.URL(
            scheme=self._scheme, host=self._host, port=self._port, target=self._path + target.encode("ascii")
        )
        request = httpcore.Request(b"GET", url, headers=self._headers, extensions=self._extensions)
        return HttpAnswer(await self._transport.handle_async_request(request))

    async def aclose(self) -> None:
        await self._transport.aclose()


class HttpAnswer:
    """Status and headers of an answer whose body is still to come."""

    def __init__(self, response: httpcore.Response) -> None:
        self.status = response.status
        self._response = response

    def header(self, name: str) -> str:
        """The values of all headers of this name, with commas between them; empty without any."""
        wanted = name.lower().encode()
        return ", ".join(_text(value) for key, value in self._response.headers if key.lower() == wanted)

    async def body(self, largest: int) -> bytes | None:
        """As it travelled; None if it has more than `largest` bytes. Raises one of HTTP_FAILURES."""
        body = bytearray()
        async for chunk in self._response.aiter_stream():
            body += chunk
            if len(body) > largest:
                return None
        return bytes(body)

    async def aclose(self) -> None:
        await self._response.aclose()


def unpacked(body: bytes, coding: str, largest: int) -> bytes | None:
    """A body in one of the PACKED codings; None if it has more than `largest` bytes. Raises zlib.error."""
    if not body:
        return body
    try:
        return _inflated(body, largest, _WITH_HEADER)
    except zlib.error:
        if coding != _DEFLATE:
            raise
    return _inflated(body, largest, _BARE)


def _inflated(body: bytes, largest: int, wbits: int) -> bytes | None:
    inflating = zlib.decompressobj(wbits)
    whole = inflating.decompress(body, largest + 1)
    if len(whole) > largest:
        return None
    if not inflating.eof:
        raise zlib.error("it breaks off")
    return whole


def _text(octets: bytes) -> str:
    """Of a header, which has no coding that all servers agree on."""
    try:
        return octets.decode()
    except UnicodeDecodeError:
        return octets.decode("latin-1")


def _ascii(host: str) -> str:
    if host.isascii():
        return host
    import idna  # noqa: PLC0415 - loads tables that only such a name needs

    try:
        return idna.encode(host).decode("ascii")
    except idna.IDNAError:
        # As Python writes the name of a broker, and of N.I.N.A. for its socket, where a little more is allowed.
        return host.encode("idna").decode("ascii")


def _all_headers(address: WebAddress, headers: Mapping[str, str]) -> dict[str, str]:
    of_all = {
        "Host": address.host_header,
        # `identity` spares the imaging PC the work; a coding that the server does not know can end it.
        "Accept-Encoding": "identity",
        "Accept": "application/json",
        "Connection": "keep-alive",
        "User-Agent": "ts2mqtt",
    }
    named = {name.lower() for name in headers}
    return {name: value for name, value in of_all.items() if name.lower() not in named} | dict(headers)
