"""After a connect: the few cheap requests that tell what is so, as the socket tells only what changes."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, TypeVar

import httpcore
from pydantic import BaseModel, ConfigDict, Field, JsonValue, TypeAdapter, ValidationError

from ts2mqtt.network.http_requests import HTTP_FAILURES, HttpRequests, WebAddress, connections
from ts2mqtt.nina.address import API_PATH
from ts2mqtt.nina.events import Event, Moment, latest_announcement
from ts2mqtt.observatory.live_events import CaughtUp, TargetAnnounced, WaitAnnounced

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator
    from datetime import datetime
    from types import TracebackType
    from typing import Self

    from ts2mqtt.timing import Clock, NinaTimings

T = TypeVar("T")

_LARGEST_ANSWER = 1024 * 1024
"""Bytes; a history grows by 65 kB a night, for as long as N.I.N.A. runs."""

_KEEPALIVE_S = 5.0
_DEEPEST = 50
# As the Target Scheduler names its item, and the Advanced API the status of one.
_SCHEDULER = "Target Scheduler Container"
_RUNNING = "RUNNING"


class _Safety(BaseModel):
    model_config = ConfigDict(frozen=True)

    connected: bool = Field(False, alias="Connected")
    is_safe: bool | None = Field(None, alias="IsSafe")


class _Profile(BaseModel):
    model_config = ConfigDict(frozen=True)

    id: str = Field(alias="Id")
    name: str = Field("", alias="Name")
    is_active: bool = Field(False, alias="IsActive")


_TEXT = TypeAdapter(Annotated[str, Field(max_length=40)])
_MOMENT: TypeAdapter[datetime] = TypeAdapter(Moment)
_SAFETY = TypeAdapter(_Safety)
_PROFILES: TypeAdapter[list[JsonValue]] = TypeAdapter(list[JsonValue])
_PROFILE = TypeAdapter(_Profile)
_SEQUENCE: TypeAdapter[list[JsonValue] | dict[str, JsonValue]] = TypeAdapter(list[JsonValue] | dict[str, JsonValue])
_HISTORY: TypeAdapter[list[JsonValue]] = TypeAdapter(list[JsonValue])
_EVENT = TypeAdapter(Event)


@dataclass(frozen=True, slots=True)
class NinaProfile:
    """The active profile of a N.I.N.A.; the id is the one that the Target Scheduler has for it, too."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Known:
    """What an earlier connection has learnt: which run of N.I.N.A. it was, and until when it heard from it."""

    process_started: datetime | None = None
    heard: datetime | None = None


class NinaApi:
    """Asks the Advanced API at one address a few things; what it does not answer, or answers oddly, is None.

    Once it has not answered in time nothing more is asked. Raises ValueError for an address that is none.
    """

    def __init__(self, url: str, timings: NinaTimings, tls: ssl.SSLContext | None = None) -> None:
        self._answer_s = timings.answer_s
        self._is_silent = False
        self._requests = HttpRequests(
            WebAddress.of(url), {}, connections(tls, _KEEPALIVE_S), connect_timeout_s=timings.connect_timeout_s
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._requests.aclose()

    async def version(self) -> str | None:
        return await self._ask("/version", _TEXT)

    async def process_started(self) -> datetime | None:
        """When this run of N.I.N.A. began, by the rig's clock; the same for as long as it runs."""
        started = await self._ask("/application-start", _MOMENT)
        return started if started and started.tzinfo else None

    async def is_safe(self) -> bool | None:
        """None without a safety monitor."""
        safety = await self._ask("/equipment/safetymonitor/info", _SAFETY)
        # Of a monitor that is not connected the API says that it is unsafe.
        return safety.is_safe if safety and safety.connected else None

    async def active_profile(self) -> NinaProfile | None:
        for row in await self._ask("/profile/show", _PROFILES) or ():
            profile = _read(_PROFILE, row)
            if profile and profile.is_active:
                return NinaProfile(profile.id, profile.name)
        return None

    async def runs(self) -> tuple[bool | None, bool | None]:
        """Whether the sequence runs, and whether the Target Scheduler is at work in it.

        The item of the Target Scheduler may have any name: then nobody knows.
        """
        sequence = await self._ask("/sequence/json", _SEQUENCE)
        if sequence is None:
            return None, None
        statuses = tuple(_statuses(sequence))
        is_running = any(status == _RUNNING for _, status in statuses)
        of_scheduler = [status for name, status in statuses if _SCHEDULER in name]
        if not is_running:
            return False, False
        return True, any(status == _RUNNING for status in of_scheduler) if of_scheduler else None

    async def history(self) -> tuple[Event, ...]:
        """What has happened since this run began, from old to new."""
        rows = await self._ask("/event-history", _HISTORY) or ()
        events = (_read(_EVENT, row) for row in rows)
        return tuple(event for event in events if event is not None)

    async def _ask(self, path: str, adapter: TypeAdapter[T]) -> T | None:
        """What stands in the envelope; the status of the answer itself says nothing."""
        if self._is_silent:
            return None
        try:
            async with asyncio.timeout(self._answer_s):
                body = await self._get(path)
            envelope = _ENVELOPE.validate_json(body)
            return adapter.validate_python(envelope.response) if envelope.success else None
        except (TimeoutError, httpcore.TimeoutException):
            self._is_silent = True
        except (*HTTP_FAILURES, ValidationError):
            pass
        return None

    async def _get(self, path: str) -> bytes:
        async with aclosing(await self._requests.get(API_PATH + path)) as answer:
            return await answer.body(_LARGEST_ANSWER) or b""


class _Envelope(BaseModel):
    model_config = ConfigDict(frozen=True)

    response: JsonValue = Field(None, alias="Response")
    success: bool = Field(False, alias="Success")


_ENVELOPE = TypeAdapter(_Envelope)


async def catch_up(
    api: NinaApi, known: Known, clock: Clock, timings: NinaTimings
) -> tuple[CaughtUp, NinaProfile | None]:
    """What is so now, and the profile that N.I.N.A. runs with.

    The history is read only where this run of N.I.N.A. is not `known`, or was not heard for long.
    """
    now = clock.now()
    started = await api.process_started()
    is_sequence_running, is_scheduler_running = await api.runs()
    announced: TargetAnnounced | WaitAnnounced | None = None
    if is_scheduler_running is not False and _may_have_missed(known, started, now, timings):
        announced = latest_announcement(await api.history(), now)
    caught_up = CaughtUp(
        time=now,
        version=await api.version(),
        process_started=started,
        is_sequence_running=is_sequence_running,
        is_scheduler_running=is_scheduler_running,
        is_safe=await api.is_safe(),
        announced=announced,
    )
    return caught_up, await api.active_profile()


def _may_have_missed(known: Known, started: datetime | None, now: datetime, timings: NinaTimings) -> bool:
    if known.heard is None or known.process_started != started:
        return True
    return (now - known.heard).total_seconds() > timings.history_after_s


def _statuses(item: JsonValue, depth: int = 0) -> Iterator[tuple[str, str]]:
    """Names and statuses of a sequence's items, however they are nested."""
    if depth > _DEEPEST:
        return
    if isinstance(item, dict):
        name, status = item.get("Name"), item.get("Status")
        if isinstance(status, str):
            yield name if isinstance(name, str) else "", status
        for inner in item.values():
            yield from _statuses(inner, depth + 1)
    elif isinstance(item, list):
        for inner in item:
            yield from _statuses(inner, depth + 1)


def _read(adapter: TypeAdapter[T], row: JsonValue) -> T | None:
    try:
        return adapter.validate_python(row)
    except ValidationError:
        return None
