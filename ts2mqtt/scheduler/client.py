"""A typed client for every endpoint of one rig's Target Scheduler API: one polite GET at a time, or a few."""

from __future__ import annotations

import asyncio
import re
import socket
import zlib
from base64 import b64encode
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from hashlib import blake2b
from http import HTTPStatus
from typing import TYPE_CHECKING, Generic, TypeVar
from urllib.parse import quote, urlencode

import httpcore

from ts2mqtt.config.rig_tls import tls_of
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
from ts2mqtt.network.http_requests import HTTP_FAILURES, PACKED, HttpRequests, WebAddress, connections, unpacked
from ts2mqtt.scheduler import wire
from ts2mqtt.scheduler.decode import Item, Items, ListReader, json_value
from ts2mqtt.scheduler.ports import port_advice
from ts2mqtt.scheduler.request_slots import RequestSlots
from ts2mqtt.timing import RigTimings

if TYPE_CHECKING:
    import ssl
    from types import TracebackType
    from typing import Self

    from ts2mqtt.config import PollingConfig, RigConfig
    from ts2mqtt.network.http_requests import HttpAnswer, Transport

T = TypeVar("T")

LARGEST_ANSWER = 4 * 1024 * 1024
"""Bytes; twenty times what a project with a hundred targets takes. While it is read it takes ten times as much."""

# The plugin's server closes a connection that idles for 15 s; letting it go first avoids most stale ones.
_KEEPALIVE_S = 10.0
_VERSION = re.compile(r"v?[0-9][0-9A-Za-z.+-]{0,39}")
_REDIRECTS = range(300, 400)
_LONGEST_REASON = 200
_SIGNS_OF_NO_TLS = ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE")
"""OpenSSL's words for an answer that is no TLS."""

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
    transport: Transport | None = None
    connect_timeout_s: float = RigTimings().connect_timeout_s


class TargetSchedulerClient:
    """Asks one rig's API at one URL.

    Every method raises a RigError whose message says what happened in the user's terms. A method that takes
    `previous` returns that very object when the answer's bytes are the same as then.
    """

    def __init__(self, rig: RigConfig, url: str, polling: PollingConfig, http: HttpOptions = HttpOptions()) -> None:
        address = _address(url)
        self.url = address.origin
        self.rig_time: datetime | None = None
        """What the clock of the rig's PC showed at its latest answer, to the second; None if it does not tell."""
        self._host = address.host
        self._root = f"/ts/{rig.api_version}"
        self._slots = RequestSlots(polling.concurrency)
        self.use(polling)
        # How many connections there are at once is the request slots' matter.
        self._requests = HttpRequests(
            address,
            _headers(rig),
            http.transport or connections(http.tls or tls_of(url, rig), _KEEPALIVE_S),
            connect_timeout_s=http.connect_timeout_s,
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
        await self._requests.aclose()

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

    async def _get(self, path: str, *, timeout: float | None = None, repeat: bool = True) -> bytes:  # noqa: ASYNC109 - bounds the whole call, which httpcore's own time-outs do not
        limit = timeout or self._timeout
        async with self._slots:
            try:
                async with asyncio.timeout(limit):
                    return await self._get_once_or_twice(path, repeat=repeat)
            except TimeoutError as error:
                raise RigUnreachableError(f"{self.url} did not answer within {limit:g} s", _IS_THE_PC_ON) from error
            except zlib.error as error:
                raise ApiFailureError(f"answered {path} with something that cannot be unpacked ({error})") from error
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                raise RigGoneError(*self._message_and_advice(error)) from error
            except HTTP_FAILURES as error:
                raise RigUnreachableError(*self._message_and_advice(error)) from error

    async def _get_once_or_twice(self, path: str, *, repeat: bool) -> bytes:
        try:
            return await self._get_once(path)
        except (httpcore.RemoteProtocolError, httpcore.ReadError, httpcore.WriteError):
            # The plugin's server closes a kept connection after 15 s, after 100 answers and after a failure,
            # and a request may cross that on the wire.
            if not repeat:
                raise
            return await self._get_once(path)

    async def _get_once(self, path: str) -> bytes:
        async with aclosing(await self._requests.get(self._root + path)) as answer:
            self._refuse_failure(answer, path)
            self.rig_time = _http_date(answer.header("date"))
            body = await answer.body(LARGEST_ANSWER)
            coding = answer.header("content-encoding")
            if body is not None and coding in PACKED:
                body = unpacked(body, coding, LARGEST_ANSWER)
        if body is None:
            raise ApiFailureError(f"answered {path} with more than {LARGEST_ANSWER >> 20} MiB")
        return body

    def _refuse_failure(self, answer: HttpAnswer, path: str) -> None:
        status = answer.status
        if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
            raise RigError(f"{self.url} answers {status}: the proxy in front of the API wants another login")
        if status == HTTPStatus.NOT_FOUND and path in ("/version", "/profiles"):
            raise NotTheApiError(
                f"{self.url} answers 404 for {self._root}{path}: another program on this port, or "
                "another version of the API",
                port_advice(self.url),
            )
        if status == HTTPStatus.NOT_FOUND:
            raise NotFoundError(f"does not know {path}")
        if location := answer.header("location") if status in _REDIRECTS else "":
            raise ApiFailureError(
                f"answered {path} with status {status}, which sends to {without_secrets(location)}",
                "if that is the API, write it as url, without /ts and what follows",
            )
        if status != HTTPStatus.OK:
            raise ApiFailureError(f"answered {path} with status {status}")
        # Codings over codings can make terabytes of a few bytes.
        if (coding := answer.header("content-encoding")) not in ("", "identity", *PACKED):
            raise ApiFailureError(
                f"answered {path} in the coding {coding[:_LONGEST_REASON]!r}, which nobody asked for"
            )
        if answer.header("content-type").startswith("text/html"):
            raise NotTheApiError(
                f"{self.url} answers {path} with a web page where JSON was expected: another program on this port?",
                port_advice(self.url),
            )

    def _message_and_advice(self, error: Exception) -> tuple[str, str]:
        """What happened to a connection, and what the user can do about it, if anything."""
        reason = (str(error) or type(error).__name__)[:_LONGEST_REASON]
        if isinstance(error, httpcore.ConnectTimeout):
            return f"{self.url} does not answer", _IS_THE_PC_ON
        if (untrusted := certificate_error(error)) is not None:
            return untrusted_certificate(self.url, self._host, "ca_file of this rig", untrusted)
        if isinstance(error, httpcore.ConnectError) and (name_failure := _name_failure(error)):
            return (
                f"the name in {self.url} cannot be looked up ({name_failure.strerror})",
                "check its spelling and the name server, or write the address in numbers",
            )
        if isinstance(error, httpcore.ConnectError) and any(sign in reason for sign in _SIGNS_OF_NO_TLS):
            return (
                f"{self.url} does not speak TLS",
                "the Target Scheduler itself has none: write http:// in place of https://",
            )
        if isinstance(error, httpcore.ConnectError):
            return (
                f"{self.url} cannot be reached ({reason})",
                port_advice(self.url) or "is N.I.N.A. running, with the API enabled in its profile?",
            )
        return f"{self.url} broke the connection ({reason})", ""


def _headers(rig: RigConfig) -> dict[str, str]:
    headers = {name: value.get_secret_value() for name, value in rig.headers.items()}
    if rig.username:
        login = f"{rig.username}:{rig.password.get_secret_value() if rig.password else ''}"
        headers["Authorization"] = f"Basic {b64encode(login.encode()).decode()}"
    return headers


def _http_date(text: str) -> datetime | None:
    """None for what is no date."""
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)


def public_url(url: str) -> str:
    """A URL as it may be shown: without user, password and path; ConfigError if it is none."""
    return _address(url).origin


def _address(url: str) -> WebAddress:
    try:
        return WebAddress.of(url)
    except ValueError as error:
        raise ConfigError(f"the URL of a rig cannot be used: {error}") from error


def _name_failure(error: BaseException) -> socket.gaierror | None:
    """Of all that led to an error, the failure to look up a name."""
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, socket.gaierror):
        cause = cause.__cause__ or cause.__context__
    return cause
