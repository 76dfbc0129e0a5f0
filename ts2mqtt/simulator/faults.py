"""Faults that a test adds to the simulated API for certain paths.

    rule = api.faults.add("/projects/*/targets", Fault.status(500), times=2)
    api.faults.add("/profiles", Fault.delay(event))          # the regular answer, once the event is set
    api.faults.add("*", Fault.reset())
    rule.remove()                                            # or api.faults.clear()

A pattern is a shell pattern (`*` also matches `/`) over the path below `/ts/v0`, or over the whole path. If
several faults match, the one that was added last is used.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Generic, TypeVar

from ts2mqtt.simulator.http1 import HTML, JSON, Answer, chunk, head, html_page

if TYPE_CHECKING:
    from ts2mqtt.simulator.http_connection import HttpConnection

_MEGABYTE = 1024 * 1024
_ENDLESS_ROW = b'{"Id":"00000000-0000-0000-0000-000000000000","Name":"endless","Active":false},'
_NOT_GZIP = b"\x1f\x8b\x08\x00 this is no gzip member"
_OTHER_PROGRAM = b"<!DOCTYPE html><html><head><title>Router</title></head><body>Please log in</body></html>"


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request in progress: its connection, and a function for the API's regular answer."""

    connection: HttpConnection
    regular_answer: Callable[[], Awaitable[Answer]]


Act = Callable[[Exchange], Awaitable[Answer | None]]


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that goes wrong; `act` returns the answer to write, or None if it has used the connection itself."""

    act: Act

    @classmethod
    def status(cls, status: int) -> Fault:
        """A status with the web server's error page."""
        return cls.answer(html_page(status))

    @classmethod
    def body(cls, body: bytes, content_type: str = JSON, *, status: int = 200) -> Fault:
        return cls.answer(Answer(status=status, content_type=content_type, body=body))

    @classmethod
    def html(cls) -> Fault:
        """Another program uses the port: 200 with an HTML page of that program."""
        return cls.body(_OTHER_PROGRAM, HTML)

    @classmethod
    def empty(cls) -> Fault:
        """200 with an empty body, as after an exception while the answer is written (a database lock)."""
        return cls.answer(Answer(chunked=False))

    @classmethod
    def invalid_gzip(cls) -> Fault:
        """200 with a body that is declared as gzip and is not."""
        return cls.answer(Answer(body=_NOT_GZIP, headers=(("Content-Encoding", "gzip"),)))

    @classmethod
    def answer(cls, answer: Answer) -> Fault:
        """A fixed answer."""

        async def act(_: Exchange) -> Answer:
            return answer

        return cls(act)

    @classmethod
    def delay(cls, until: asyncio.Event | float) -> Fault:
        """The regular answer later: after some seconds, or once the event is set."""

        async def act(exchange: Exchange) -> Answer:
            if isinstance(until, asyncio.Event):
                await until.wait()
            else:
                await asyncio.sleep(until)
            return await exchange.regular_answer()

        return cls(act)

    @classmethod
    def drip(cls, seconds: float) -> Fault:
        """The regular answer byte by byte with pauses, so that no read time-out expires."""

        async def act(exchange: Exchange) -> None:
            answer = replace(await exchange.regular_answer(), chunked=True)
            await exchange.connection.write(head(answer))
            for octet in answer.body:
                await exchange.connection.write(chunk(bytes((octet,))))
                await asyncio.sleep(seconds)
            await exchange.connection.write(chunk(b""))

        return cls(act)

    @classmethod
    def hang(cls) -> Fault:
        """No answer, as long as the client waits."""

        async def act(exchange: Exchange) -> None:
            await exchange.connection.wait_for_client_close()

        return cls(act)

    @classmethod
    def truncate(cls, after: int = 1) -> Fault:
        """The first bytes of the regular answer; then the connection closes."""

        async def act(exchange: Exchange) -> None:
            answer = await exchange.regular_answer()
            await exchange.connection.write(head(replace(answer, chunked=True)) + chunk(answer.body[:after]))

        return cls(act)

    @classmethod
    def reset(cls) -> Fault:
        """A TCP reset instead of an answer."""

        async def act(exchange: Exchange) -> None:
            exchange.connection.reset()

        return cls(act)

    @classmethod
    def endless(cls, megabytes: int | None = None) -> Fault:
        """A list of profiles without an end: of some megabytes, or until the client gives up."""

        async def act(exchange: Exchange) -> None:
            await exchange.connection.write(head(Answer()) + chunk(b"["))
            rows = _ENDLESS_ROW * (_MEGABYTE // len(_ENDLESS_ROW) + 1)
            written = 0
            while megabytes is None or written < megabytes:
                await exchange.connection.write(chunk(rows))
                written += 1

        return cls(act)


AnyFault = TypeVar("AnyFault")


@dataclass(eq=False, slots=True)
class FaultRule(Generic[AnyFault]):
    """A fault that was added; `hits` counts how often it was used."""

    rules: FaultRules[AnyFault]
    pattern: str
    fault: AnyFault
    times: int | None
    hits: int = 0

    def remove(self) -> None:
        self.rules.remove(self)


class FaultRules(Generic[AnyFault]):
    """Faults for what matches a pattern."""

    def __init__(self) -> None:
        self._rules: list[FaultRule[AnyFault]] = []

    def add(self, pattern: str, fault: AnyFault, *, times: int | None = None) -> FaultRule[AnyFault]:
        """Add a fault that is used so many times, or until it is removed."""
        rule = FaultRule(self, pattern, fault, times)
        self._rules.insert(0, rule)
        return rule

    def remove(self, rule: FaultRule[AnyFault]) -> None:
        """Remove a fault; does nothing if the fault is used up."""
        if rule in self._rules:
            self._rules.remove(rule)

    def clear(self) -> None:
        self._rules.clear()

    def take(self, name: str) -> AnyFault | None:
        """The fault for what has this name, or None; counts the use."""
        for rule in self._rules:
            if self.is_meant(name, rule.pattern):
                rule.hits += 1
                if rule.hits == rule.times:
                    self.remove(rule)
                return rule.fault
        return None

    def is_meant(self, name: str, pattern: str) -> bool:
        """Whether a name matches a pattern."""
        return fnmatchcase(name, pattern)


class Faults(FaultRules[Fault]):
    """The faults of one web server, for paths."""

    def is_meant(self, name: str, pattern: str) -> bool:
        return matches(name, pattern)


def matches(path: str, pattern: str) -> bool:
    """Whether a request's path, whole or below `/ts/v0`, matches a shell pattern."""
    _, _, below = path.removeprefix("/ts/").partition("/")
    return fnmatchcase(path, pattern) or (path.startswith("/ts/") and fnmatchcase(f"/{below}", pattern))
