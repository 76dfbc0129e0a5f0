"""How seldom Python's garbage collector searches, and what it leaves alone."""

from __future__ import annotations

import gc

_NEW_OBJECTS = 20_000
"""So many new objects are searched at once, in place of Python's 700."""

_NEW_OBJECTS_OF_A_RIG = 50
"""So many more for each rig: the objects of its requests under way, most of which go without a search."""


def search_for_garbage_seldom(rigs: int = 0) -> None:
    """Lets more new objects come before each search, and the more of them the more rigs there are.

    A rig's objects live as long as it is configured, and almost none of them refer to each other in a circle. With
    Python's own threshold, a fifth of a cold pass goes into the search for circles.
    """
    gc.set_threshold(_NEW_OBJECTS + rigs * _NEW_OBJECTS_OF_A_RIG)


def leave_what_is_loaded_alone() -> None:
    """Takes what is alive now out of all later searches: code and tables stay until the end.

    What comes later is not frozen: a connection refers to itself, and one that is frozen would never be freed.
    """
    gc.collect()
    gc.freeze()
