"""The addresses of names, each looked up in a thread of its own; the last ones are used while the resolver fails."""

from __future__ import annotations

import asyncio
import logging
import socket
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias

from ts2mqtt.logs.failures import FailureLog
from ts2mqtt.network.daemon_thread import in_daemon_thread

if TYPE_CHECKING:
    from ts2mqtt.timing import Clock, LookUpTimings

_LOG = logging.getLogger(__name__)

_MOST_THREADS_OF_A_NAME = 3

Entry: TypeAlias = (
    tuple[Literal[socket.AddressFamily.AF_INET], socket.SocketKind, int, str, tuple[str, int]]
    | tuple[
        Literal[socket.AddressFamily.AF_INET6],
        socket.SocketKind,
        int,
        str,
        tuple[str, int, int, int] | tuple[int, bytes],
    ]
)
"""One of the answers of socket.getaddrinfo()."""


@dataclass(frozen=True, slots=True)
class Question:
    """What socket.getaddrinfo() is asked, but for the port, which no name server knows."""

    host: bytes | str | None
    family: int = 0
    type: int = 0
    proto: int = 0
    flags: int = 0

    @property
    def name(self) -> str:
        return self.host.decode(errors="replace") if isinstance(self.host, bytes) else str(self.host)


class Resolver(Protocol):
    """Knows the addresses of names; may take as long as it likes."""

    def resolve(self, question: Question) -> list[Entry]:
        """Blocks; raises OSError or UnicodeError for a name without an address."""
        ...


class SystemResolver:
    """The resolver of this machine."""

    def resolve(self, question: Question) -> list[Entry]:
        return socket.getaddrinfo(
            question.host, 0, family=question.family, type=question.type, proto=question.proto, flags=question.flags
        )


@dataclass(frozen=True, slots=True)
class _Answer:
    entries: list[Entry]
    came: float
    """On the monotonic clock."""


@dataclass(slots=True)
class _Name:
    """What is known of a name, and who is asking for more."""

    answer: _Answer | None = None
    look_ups: dict[asyncio.Task[_Answer | socket.gaierror], float] = field(default_factory=dict)
    """Those under way, the latest last, and when each began."""


class Names:
    """Answers at once from what it knows; one look-up serves everybody who asks for a name meanwhile."""

    def __init__(self, resolver: Resolver, clock: Clock, timings: LookUpTimings) -> None:
        self._resolver = resolver
        self._clock = clock
        self._timings = timings
        self._names: dict[Question, _Name] = {}
        self._failures = FailureLog(_LOG, clock)

    async def look_up(self, question: Question) -> list[Entry]:
        """The addresses; with port 0.

        Raises socket.gaierror for a name that has no address, or whose look-up hangs, unless an earlier answer is
        known.
        """
        name = self._names.setdefault(question, _Name())
        if name.answer and self._age_s(name.answer) < self._timings.fresh_s:
            return name.answer.entries
        self._ask(question, name)
        outcome = await self._outcome(name)
        if isinstance(outcome, _Answer):
            self._failures.succeeded(question.name)
            return outcome.entries
        if name.answer and self._age_s(name.answer) < self._timings.kept_s:
            self._failures.failed(
                question.name, f"the name cannot be looked up ({outcome.strerror}); its last address is used"
            )
            return name.answer.entries
        raise outcome

    def _ask(self, question: Question, name: _Name) -> None:
        """Begins a look-up, unless one is under way; a second one where the first hangs, and at most a third."""
        latest = max(name.look_ups.values(), default=None)
        if latest is not None and self._clock.monotonic() - latest < self._timings.ask_again_s:
            return
        if len(name.look_ups) < _MOST_THREADS_OF_A_NAME:
            task = asyncio.create_task(self._look_up(question, name))
            name.look_ups[task] = self._clock.monotonic()
            task.add_done_callback(name.look_ups.pop)

    async def _look_up(self, question: Question, name: _Name) -> _Answer | socket.gaierror:
        resolve = partial(self._resolver.resolve, question)
        try:
            entries = await in_daemon_thread(resolve, name=f"look-up of {question.name}")
        except socket.gaierror as error:
            return error
        except Exception as error:  # noqa: BLE001 - whoever asks gets it, whatever it is
            return socket.gaierror(socket.EAI_FAIL, str(error))
        name.answer = _Answer(entries, self._clock.monotonic())
        return name.answer

    async def _outcome(self, name: _Name) -> _Answer | socket.gaierror:
        """What the look-up brings that ends first; an error of ours where none ends in time."""
        patience_s = self._timings.known_patience_s if name.answer else self._timings.patience_s
        # Who comes later does not begin to wait anew.
        waited_s = self._clock.monotonic() - min(name.look_ups.values())
        ended, _ = await asyncio.wait(
            name.look_ups, timeout=max(0.0, patience_s - waited_s), return_when=asyncio.FIRST_COMPLETED
        )
        for task in ended:
            outcome = task.result()
            # Each asker raises an error of its own: a traceback grows with everybody who raises it.
            return outcome if isinstance(outcome, _Answer) else socket.gaierror(*outcome.args)
        return socket.gaierror(socket.EAI_AGAIN, "the name server does not answer")

    def _age_s(self, answer: _Answer) -> float:
        return self._clock.monotonic() - answer.came
