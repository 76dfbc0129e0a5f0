"""What the garbage collector leaves alone, and what it still finds."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

import pytest

from ts2mqtt.system.garbage import leave_what_is_loaded_alone, search_for_garbage_seldom

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


def searched() -> int:
    """So many the collector would search."""
    return sum(isinstance(one, Linked) for one in gc.get_objects())


@pytest.fixture(autouse=True)
def _collector() -> Iterator[None]:
    """As it was, afterwards."""
    threshold = gc.get_threshold()
    yield
    gc.set_threshold(*threshold)
    gc.unfreeze()


def test_what_is_loaded_is_not_searched() -> None:
    kept = Linked()
    assert searched() == 1

    leave_what_is_loaded_alone()

    assert searched() == 0
    assert kept.other is None


def test_garbage_of_before_is_not_kept() -> None:
    circle()

    leave_what_is_loaded_alone()
    gc.unfreeze()

    assert searched() == 0


def test_garbage_of_later_is_found() -> None:
    leave_what_is_loaded_alone()
    gc.collect()
    circle()
    assert searched() == 2

    gc.collect()

    assert searched() == 0


def test_it_searches_the_less_often_the_more_rigs_there_are() -> None:
    search_for_garbage_seldom()
    before_the_rigs_are_known = gc.get_threshold()[0]
    search_for_garbage_seldom(rigs=4_000)

    assert before_the_rigs_are_known > 700
    assert gc.get_threshold()[0] > 5 * before_the_rigs_are_known
