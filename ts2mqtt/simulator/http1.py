"""HTTP/1.1 as the plugin's web server speaks it.

Requests are read with h11. Answers are written without it, because that server does what h11 refuses: it answers
HEAD with a body and ignores `Connection: close`.
"""

from __future__ import annotations

import gzip
import zlib
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.utils import format_datetime
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, unquote, urlsplit

import h11

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Mapping

JSON = "application/json"
HTML = "text/html; charset=utf-8"

_CHUNK_BYTES = 16_384
_CODINGS = ("gzip", "deflate", "identity")
_FIXED_HEADERS = (
    ("Server", "EmbedIO/3.5.2"),
    ("Access-Control-Allow-Origin", "*"),
    ("Cache-Control", "no-store, no-cache, must-revalidate"),
    ("Pragma", "no-cache"),
)


@dataclass(frozen=True, slots=True)
class Request:
    """A request: `path` is decoded and has no query; header names are in lower case."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An answer; `headers` are added to the headers that every answer has.

    `time` is what the rig's clock shows, None for this machine's.
    """

    status: int = 200
    content_type: str = JSON
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    chunked: bool = True
    time: datetime | None = None

    @property
    def closes(self) -> bool:
        """Whether the server closes the connection after this answer."""
        return self.status in (HTTPStatus.BAD_REQUEST, HTTPStatus.INTERNAL_SERVER_ERROR)


class RequestReader:
    """Reads one connection's requests, one after the other."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        self._reader = reader
        self._rest = b""

    async def next(self) -> Request | None:
        """The next request, or None once the client has closed; h11.RemoteProtocolError for anything else."""
        # Each request gets a new h11 connection, because h11 ends one at the first `Connection: close`.
        connection = h11.Connection(h11.SERVER)
        if self._rest:
            connection.receive_data(self._rest)
        request: h11.Request | None = None
        while True:
            event = connection.next_event()
            if event is h11.NEED_DATA:
                connection.receive_data(await self._reader.read(_CHUNK_BYTES))
            elif isinstance(event, h11.Request):
                request = event
            elif isinstance(event, h11.EndOfMessage) and request is not None:
                self._rest = connection.trailing_data[0]
                return _request(request)
            else:
                return None


def html_page(status: int) -> Answer:
    """The web server's error page for this status."""
    title = f"{status} - {HTTPStatus(status).phrase}"
    page = f"<!DOCTYPE html><html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>"
    return Answer(status=status, content_type=HTML, body=page.encode())


def accepted_coding(accept: str | None) -> str | None:
    """The content coding for this Accept-Encoding header; None if the server supports none that it names."""
    if not accept:
        return "identity"
    best: tuple[float, str] | None = None
    for item in accept.split(","):
        name, _, parameter = item.partition(";")
        coding = name.strip().lower()
        coding = "gzip" if coding == "*" else coding
        weight = _weight(parameter)
        if coding in _CODINGS and weight > 0 and (best is None or weight > best[0]):
            best = weight, coding
    return None if best is None else best[1]


def encoded(answer: Answer, coding: str) -> Answer:
    """The answer in this content coding; deflate is raw, and an empty body stays empty."""
    if coding == "identity":
        return answer
    body = answer.body
    if body and coding == "gzip":
        body = gzip.compress(body, mtime=0)
    elif body:
        compressor = zlib.compressobj(wbits=-zlib.MAX_WBITS)
        body = compressor.compress(body) + compressor.flush()
    return replace(answer, body=body, headers=(*answer.headers, ("Content-Encoding", coding)))


def head(answer: Answer, *more_headers: tuple[str, str]) -> bytes:
    """The status line and headers of an answer."""
    length = ("Transfer-Encoding", "chunked") if answer.chunked else ("Content-Length", str(len(answer.body)))
    date = format_datetime((answer.time or datetime.now(UTC)).astimezone(UTC), usegmt=True)
    headers = (
        ("Content-Type", answer.content_type),
        *_FIXED_HEADERS,
        ("Date", date),
        *answer.headers,
        length,
        *more_headers,
    )
    lines = [f"HTTP/1.1 {answer.status} {HTTPStatus(answer.status).phrase}"]
    lines += [f"{name}: {value}" for name, value in headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def body(answer: Answer) -> bytes:
    """The body of an answer as it is sent: in chunks if the answer is chunked."""
    if not answer.chunked:
        return answer.body
    parts = [chunk(answer.body[start : start + _CHUNK_BYTES]) for start in range(0, len(answer.body), _CHUNK_BYTES)]
    return b"".join(parts) + chunk(b"")


def chunk(part: bytes) -> bytes:
    """One chunk of a chunked body; the empty one ends it."""
    return f"{len(part):x}\r\n".encode() + part + b"\r\n"


def _request(event: h11.Request) -> Request:
    target = urlsplit(event.target.decode("latin-1"))
    return Request(
        method=event.method.decode("ascii"),
        path=unquote(target.path),
        query=dict(parse_qsl(target.query, keep_blank_values=True)),
        headers={name.decode("ascii"): value.decode("latin-1") for name, value in event.headers},
    )


def _weight(parameter: str) -> float:
    name, _, value = parameter.strip().partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 0.0
