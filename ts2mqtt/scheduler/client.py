"""A typed client for every endpoint of one rig's Target Scheduler API: one polite GET at a time, or a few."""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
from base64 import b64encode
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from hashlib import blake2b
from typing import TYPE_CHECKING, Generic, TypeVar
from urllib.parse import quote, urlencode

import httpx

from ts2mqtt.config import without_path
from ts2mqtt.config.rig_tls import tls_context
from ts2mqtt.errors import (
    ApiFailureError,
    ConfigError,
    NotFoundError,
    NotTheApiError,
    RigError,
    RigGoneError,
    RigUnreachableError,
)
from ts2mqtt.logs.certificates import certificate_error, untrusted_certificate
from ts2mqtt.logs.wording import without_secrets
from ts2mqtt.scheduler import wire
from ts2mqtt.scheduler.decode import Item, Items, ListReader, json_value
from ts2mqtt.scheduler.ports import port_advice
from ts2mqtt.scheduler.request_slots import RequestSlots
from ts2mqtt.timing import RigTimings

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from ts2mqtt.config import PollingConfig, RigConfig

T = TypeVar("T")

LARGEST_ANSWER = 4 * 1024 * 1024
"""Bytes; twenty times what a project with a hundred targets takes. While it is read it takes ten times as much."""

# The plugin's server closes a connection that idles for 15 s; letting it go first avoids most stale ones.
_KEEPALIVE_S = 10.0
_VERSION = re.compile(r"v?[0-9][0-9A-Za-z.+-]{0,39}")
_CODINGS = ("", "identity", "gzip", "deflate")
_LONGEST_REASON = 200
_IS_THE_PC_ON = "is the imaging PC on, and does its firewall let the API's port through?"

PROFILES = ListReader(wire.Profile, lambda profile: profile.id)
PROJECTS = ListReader(wire.Project, lambda project: project.id)
TARGETS = ListReader(wire.Target, lambda target: target.id)
STATISTICS = ListReader(wire.Statistics)
PREVIEW = ListReader(wire.PreviewBlock)


@dataclass(frozen=True, slots=True)
class Answer(Generic[T]):
    """What was read, and a digest of the bytes it was read from: the same bytes again need not be read again."""

    digest: bytes
    items: T


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpOptions:
    """How requests travel: `tls` None verifies as the rig's configuration says, `transport` None is the network."""

    tls: ssl.SSLContext | None = None
    transport: httpx.AsyncBaseTransport | None = None
    connect_timeout_s: float = RigTimings().connect_timeout_s


class TargetSchedulerClient:
    """Asks one rig's API at one URL.

    Every method raises a RigError whose message says what happened in the user's terms. A method that takes
    `previous` returns that very object when the answer's bytes are the same as then.
    """

    def __init__(self, rig: RigConfig, url: str, polling: PollingConfig, http: HttpOptions = HttpOptions()) -> None:
        self.url = public_url(url)
        self.rig_time: datetime | None = None
        """What the clock of the rig's PC showed at its latest answer, to the second; None if it does not tell."""
        self._root = f"{url.rstrip('/')}/ts/{rig.api_version}"
        self._api_version = rig.api_version
        self._slots = RequestSlots(polling.concurrency)
        self.use(polling)
        self._headers = _headers(rig, httpx.URL(url))
        self._extensions = {"timeout": {"connect": http.connect_timeout_s}}
        # Not httpx.AsyncClient: redirects, cookies and proxies are a quarter of its time, and none is used.
        self._transport = http.transport or httpx.AsyncHTTPTransport(
            verify=http.tls or (tls_context(rig) if url.startswith("https:") else _no_tls()),
            trust_env=False,
            # How many there are at once is the request slots' matter.
            limits=httpx.Limits(max_connections=None, keepalive_expiry=_KEEPALIVE_S),
        )

    def use(self, polling: PollingConfig) -> None:
        """For every request from now on; one that is under way keeps its time."""
        self._timeout = polling.timeout
        self._plan_timeout = polling.plan_timeout
        self._slots.allow(polling.concurrency)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._transport.aclose()

    async def version(self) -> str:
        """The plugin's version, such as `5.9.3.0`; the API sends it with or without quotes."""
        body = await self._get("/version")
        text = body.decode("utf-8-sig", errors="replace").strip()
        if text.startswith('"') or body.lstrip().startswith(b"<"):
            value = json_value(body)
            text = value if isinstance(value, str) else ""
        if not _VERSION.fullmatch(text):
            raise NotTheApiError("answered /version with something that is no version number", port_advice(self.url))
        return text

    async def profiles(self, previous: Answer[Items[wire.Profile]] | None = None) -> Answer[Items[wire.Profile]]:
        return self._read(PROFILES, await self._get("/profiles"), previous)

    async def projects(
        self, profile_id: str, previous: Answer[Items[wire.Project]] | None = None
    ) -> Answer[Items[wire.Project]]:
        return self._read(PROJECTS, await self._get(f"/profiles/{quote(profile_id)}/projects"), previous)

    async def targets(
        self, project_id: str, previous: Answer[Items[wire.Target]] | None = None
    ) -> Answer[Items[wire.Target]]:
        return self._read(TARGETS, await self._get(f"/projects/{quote(project_id)}/targets"), previous)

    async def statistics(self, target_id: str) -> Items[wire.Statistics]:
        """One for each exposure plan; expensive for the rig.

        An empty body is how plugin 5.9 says that there is nothing to be had: for images without FWHM and
        eccentricity it fails while writing the answer, after it has sent the status 200.
        """
        body = await self._get(f"/targets/{quote(target_id)}/statistics")
        return STATISTICS.read(body) if body.strip() else Items(())

    async def preview(self, profile_id: str, start: datetime | None = None) -> Items[wire.PreviewBlock]:
        """The night plan from 13:00 of the rig's today, or from `start` (aware, in the rig's offset).

        Costs the rig seconds of computing and is not harmless while it images; never repeated by itself.
        """
        query = f"?{urlencode({'startTime': start.isoformat()})}" if start else ""
        path = f"/profiles/{quote(profile_id)}/preview{query}"
        return PREVIEW.read(await self._get(path, timeout=self._plan_timeout, repeat=False))

    def _read(
        self, reader: ListReader[Item], body: bytes, previous: Answer[Items[Item]] | None
    ) -> Answer[Items[Item]]:
        digest = blake2b(body, digest_size=16).digest()
        if previous is not None and previous.digest == digest:
            return previous
        return Answer(digest, reader.read(body))

    async def _get(self, path: str, *, timeout: float | None = None, repeat: bool = True) -> bytes:  # noqa: ASYNC109 - bounds the whole call, which httpx's own time-outs do not
        limit = timeout or self._timeout
        async with self._slots:
            try:
                async with asyncio.timeout(limit):
                    return await self._get_once_or_twice(path, repeat=repeat)
            except TimeoutError as error:
                raise RigUnreachableError(f"{self.url} did not answer within {limit:g} s", _IS_THE_PC_ON) from error
            except httpx.DecodingError as error:
                raise ApiFailureError(f"answered {path} with something that cannot be unpacked ({error})") from error
            except (httpx.ConnectError, httpx.ConnectTimeout) as error:
                raise RigGoneError(*_message_and_advice(self.url, error)) from error
            # What goes wrong in TLS after the handshake comes through httpx as it is.
            except (httpx.HTTPError, ssl.SSLError) as error:
                raise RigUnreachableError(*_message_and_advice(self.url, error)) from error

    async def _get_once_or_twice(self, path: str, *, repeat: bool) -> bytes:
        try:
            return await self._get_once(path)
        except (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError):
            # The plugin's server closes a kept connection after 15 s, after 100 answers and after a failure,
            # and a request may cross that on the wire.
            if not repeat:
                raise
            return await self._get_once(path)

    async def _get_once(self, path: str) -> bytes:
        request = httpx.Request("GET", self._root + path, headers=self._headers, extensions=self._extensions)
        async with aclosing(await self._transport.handle_async_request(request)) as response:
            self._refuse_failure(response, path)
            self.rig_time = _http_date(response.headers.get("date", ""))
            body = bytearray()
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > LARGEST_ANSWER:
                    raise ApiFailureError(f"answered {path} with more than {LARGEST_ANSWER >> 20} MiB")
            return bytes(body)

    def _refuse_failure(self, response: httpx.Response, path: str) -> None:
        status = response.status_code
        if status in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
            raise RigError(f"{self.url} answers {status}: the proxy in front of the API wants another login")
        if status == httpx.codes.NOT_FOUND and path in ("/version", "/profiles"):
            raise NotTheApiError(
                f"{self.url} answers 404 for /ts/{self._api_version}{path}: another program on this port, or "
                "another version of the API",
                port_advice(self.url),
            )
        if status == httpx.codes.NOT_FOUND:
            raise NotFoundError(f"does not know {path}")
        if location := response.headers.get("location", "") if response.is_redirect else "":
            raise ApiFailureError(
                f"answered {path} with status {status}, which sends to {without_secrets(location)}",
                "if that is the API, write it as url, without /ts and what follows",
            )
        if status != httpx.codes.OK:
            raise ApiFailureError(f"answered {path} with status {status}")
        # Codings over codings can make terabytes of a few bytes.
        if (coding := response.headers.get("content-encoding", "")) not in _CODINGS:
            raise ApiFailureError(
                f"answered {path} in the coding {coding[:_LONGEST_REASON]!r}, which nobody asked for"
            )
        if response.headers.get("content-type", "").startswith("text/html"):
            raise NotTheApiError(
                f"{self.url} answers {path} with a web page where JSON was expected: another program on this port?",
                port_advice(self.url),
            )


def _headers(rig: RigConfig, url: httpx.URL) -> httpx.Headers:
    headers = {
        # `identity` spares the imaging PC the work; a coding the server does not know can end it.
        "Accept-Encoding": "identity",
        "Accept": "application/json",
        "Connection": "keep-alive",
        "User-Agent": "ts2mqtt",
        **{name: value.get_secret_value() for name, value in rig.headers.items()},
    }
    user, password = url.username, url.password
    if rig.username:
        user, password = rig.username, rig.password.get_secret_value() if rig.password else ""
    if user:
        headers["Authorization"] = f"Basic {b64encode(f'{user}:{password}'.encode()).decode()}"
    return httpx.Headers(headers)


def _http_date(text: str) -> datetime | None:
    """None for what is no date."""
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)


def public_url(url: str) -> str:
    """A URL as it may be shown: without user, password and path; ConfigError if it is none."""
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise ConfigError(f"the URL of a rig cannot be used: {error}") from error
    return without_path(str(parsed.copy_with(username=None, password=None)) if parsed.userinfo else url)


@cache
def _no_tls() -> ssl.SSLContext:
    """For what is never encrypted: trusts nobody, and takes no time to make."""
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


_SIGNS_OF_NO_TLS = ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE")
"""OpenSSL's words for an answer that is no TLS."""


def _message_and_advice(url: str, error: httpx.HTTPError | ssl.SSLError) -> tuple[str, str]:
    """What happened to a connection, and what the user can do about it, if anything."""
    reason = (str(error) or type(error).__name__)[:_LONGEST_REASON]
    if isinstance(error, httpx.ConnectTimeout):
        return f"{url} does not answer", _IS_THE_PC_ON
    if (untrusted := certificate_error(error)) is not None:
        return untrusted_certificate(url, httpx.URL(url).host, "ca_file of this rig", untrusted)
    if isinstance(error, httpx.ConnectError) and (name_failure := _name_failure(error)):
        return (
            f"the name in {url} cannot be looked up ({name_failure.strerror})",
            "check its spelling and the name server, or write the address in numbers",
        )
    if isinstance(error, httpx.ConnectError) and any(sign in reason for sign in _SIGNS_OF_NO_TLS):
        return (
            f"{url} does not speak TLS",
            "the Target Scheduler itself has none: write http:// in place of https://",
        )
    if isinstance(error, httpx.ConnectError):
        return (
            f"{url} cannot be reached ({reason})",
            port_advice(url) or "is N.I.N.A. running, with the API enabled in its profile?",
        )
    return f"{url} broke the connection ({reason})", ""


def _name_failure(error: BaseException) -> socket.gaierror | None:
    """Of all that led to an error, the failure to look up a name."""
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, socket.gaierror):
        cause = cause.__cause__ or cause.__context__
    return cause
