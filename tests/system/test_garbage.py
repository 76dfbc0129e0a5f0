"""What the garbage collector leaves alone, and what it still finds."""

from __future__ import annotations

import gc
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from ts2mqtt.system.garbage import collect_garbage_seldom

if TYPE_CHECKING:
    from collections.abc import Iterator


class Linked:
    """An object that may stand in a circle."""

    def __init__(self) -> None:
        self.other: Linked | None = None


def circle() -> None:
    """Garbage that only the collector finds."""
    one, other = Linked(), Linked()
    one.other, other.other = other, one


def linked() -> int:
    """So many the collector would search, and they are still there."""
    return sum(isinstance(one, Linked) for one in gc.get_objects())


@contextmanager
def collector() -> Iterator[None]:
    """As it was, afterwards."""
    threshold, callbacks = gc.get_threshold(), list(gc.callbacks)
    try:
        yield
    finally:
        gc.callbacks[:] = callbacks
        gc.set_threshold(*threshold)
        gc.unfreeze()


@pytest.fixture(autouse=True)
def _collector() -> Iterator[None]:
    with collector():
        yield


def test_what_is_alive_is_not_searched() -> None:
    kept = Linked()

    collect_garbage_seldom()

    assert linked() == 0
    assert kept.other is None


def test_what_a_whole_search_has_left_is_not_searched_again() -> None:
    collect_garbage_seldom()
    kept = [Linked() for _ in range(100)]
    assert linked() == len(kept)

    gc.collect(0)
    assert linked() == len(kept)

    gc.collect()
    assert linked() == 0


def test_garbage_of_later_is_still_found() -> None:
    collect_garbage_seldom()
    gc.collect()
    circle()
    assert linked() == 2

    assert gc.collect() >= 2
    assert linked() == 0


def test_it_searches_less_often_the_more_rigs_there_are() -> None:
    collect_garbage_seldom(rigs=1)
    one = gc.get_threshold()[0]
    collect_garbage_seldom(rigs=4_000)

    assert gc.get_threshold()[0] > 5 * one


def test_it_is_set_once_however_often_it_is_called() -> None:
    collect_garbage_seldom()
    callbacks = list(gc.callbacks)

    collect_garbage_seldom(rigs=10)

    assert gc.callbacks == callbacks
