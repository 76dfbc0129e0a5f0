"""Names: one look-up for everybody, an answer that is kept, and what happens while the resolver hangs or fails."""

from __future__ import annotations

import asyncio
import socket
import threading
from typing import TYPE_CHECKING

import pytest

from tests.support.clocks import HandClock
from ts2mqtt.network.names import Names, Question, SystemResolver
from ts2mqtt.timing import LookUpTimings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.running import Log
    from ts2mqtt.network.names import Entry

_RIG = Question("rig.test")
_IMPATIENT = LookUpTimings(patience_s=0.0, known_patience_s=0.0)
_PATIENT = LookUpTimings(patience_s=60.0, known_patience_s=60.0)


class HeldResolver:
    """Answers with the address of the moment; waits before while it is held."""

    def __init__(self) -> None:
        self.address: str | None = "10.0.0.1"
        self.asked: list[str] = []
        self._free = threading.Event()
        self._free.set()

    def hold(self) -> None:
        self._free.clear()

    def let_go(self) -> None:
        self._free.set()

    def resolve(self, question: Question) -> list[Entry]:
        self.asked.append(question.name)
        self._free.wait()
        if self.address is None:
            raise socket.gaierror(socket.EAI_NONAME, "unknown name")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (self.address, 0))]


@pytest.fixture
def resolver() -> Iterator[HeldResolver]:
    resolver = HeldResolver()
    yield resolver
    resolver.let_go()


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


async def address(names: Names, question: Question = _RIG) -> str:
    return str((await names.look_up(question))[0][4][0])


async def failure(names: Names) -> str:
    with pytest.raises(socket.gaierror) as caught:
        await names.look_up(_RIG)
    return str(caught.value.strerror)


async def until_all_ended(resolver: HeldResolver) -> None:
    """Lets all look-ups end, and what follows from that happen."""
    resolver.let_go()
    for thread in threading.enumerate():
        if thread.name == f"look-up of {_RIG.name}":
            await asyncio.to_thread(thread.join)
    # Each told the event loop before it ended; its task needs a turn or two.
    for _ in range(3):
        await asyncio.sleep(0)


async def test_an_answer_is_kept_for_a_while(resolver: HeldResolver, clock: HandClock) -> None:
    names = Names(resolver, clock, _PATIENT)
    assert await address(names) == "10.0.0.1"
    resolver.address = "10.0.0.2"
    clock.advance(_PATIENT.fresh_s - 1)
    assert await address(names) == "10.0.0.1"
    clock.advance(1)
    assert await address(names) == "10.0.0.2"
    assert len(resolver.asked) == 2


async def test_who_asks_at_once_gets_the_answer_of_one_look_up(resolver: HeldResolver, clock: HandClock) -> None:
    names = Names(resolver, clock, _PATIENT)
    assert await asyncio.gather(*(address(names) for _ in range(50))) == ["10.0.0.1"] * 50
    assert resolver.asked == ["rig.test"]


async def test_a_name_that_hangs_is_told_in_words_and_holds_no_other_name_up(
    resolver: HeldResolver, clock: HandClock
) -> None:
    names = Names(resolver, clock, _IMPATIENT)
    resolver.hold()
    assert await failure(names) == "the name server does not answer"
    resolver.let_go()
    patient = Names(resolver, clock, _PATIENT)
    assert await address(patient, Question("other.test")) == "10.0.0.1"


async def test_a_name_that_hangs_takes_three_threads_at_most(resolver: HeldResolver, clock: HandClock) -> None:
    names = Names(resolver, clock, _IMPATIENT)
    resolver.hold()
    for _ in range(10):
        await failure(names)
        await failure(names)
        clock.advance(_IMPATIENT.ask_again_s)
    assert len(resolver.asked) == 3
    await until_all_ended(resolver)
    assert await address(names) == "10.0.0.1"


async def test_the_last_address_is_used_while_the_resolver_hangs_or_fails(
    resolver: HeldResolver, clock: HandClock, log: Log
) -> None:
    names = Names(resolver, clock, LookUpTimings(patience_s=60.0, known_patience_s=0.0))
    await address(names)
    resolver.hold()
    for _ in range(3):
        clock.advance(_IMPATIENT.fresh_s)
        assert await address(names) == "10.0.0.1"
    assert log.problems == [
        "WARNING rig.test: the name cannot be looked up (the name server does not answer); its last address is used"
    ]


async def test_a_name_that_is_no_longer_known_keeps_its_last_address_for_a_day(
    resolver: HeldResolver, clock: HandClock, log: Log
) -> None:
    names = Names(resolver, clock, _PATIENT)
    await address(names)
    resolver.address = None
    clock.advance(_PATIENT.kept_s - 1)
    assert await address(names) == "10.0.0.1"
    assert "(unknown name)" in log.problems[0]
    clock.advance(1)
    assert await failure(names) == "unknown name"


async def test_an_answer_that_came_late_serves_who_asks_next(resolver: HeldResolver, clock: HandClock) -> None:
    names = Names(resolver, clock, _IMPATIENT)
    resolver.hold()
    await failure(names)
    await until_all_ended(resolver)
    resolver.hold()
    assert await address(names) == "10.0.0.1"


async def test_a_look_up_goes_on_without_whoever_asked_first(resolver: HeldResolver, clock: HandClock) -> None:
    names = Names(resolver, clock, _PATIENT)
    resolver.hold()
    first, second = asyncio.create_task(address(names)), asyncio.create_task(address(names))
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.wait((first,))
    resolver.let_go()
    assert await second == "10.0.0.1"


async def test_whatever_a_resolver_raises_is_a_failure_of_the_name(clock: HandClock) -> None:
    names = Names(SystemResolver(), clock, _PATIENT)
    with pytest.raises(socket.gaierror, match="label"):
        await names.look_up(Question("a" * 70 + ".test"))
