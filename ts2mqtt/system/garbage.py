"""Keeps Python's garbage collector from searching what is never garbage: with many rigs that takes a second."""

from __future__ import annotations

import gc
from typing import Literal

_NEW_OBJECTS_A_COLLECTION, _NEW_OBJECTS_OF_A_RIG = 20_000, 50
"""So many new objects are searched at once; the second are those of requests that are under way."""

_WHOLE = 2
"""The generation that a search of everything is for."""


def collect_garbage_seldom(rigs: int = 0) -> None:
    """Nothing that is alive now, nor what a search of everything leaves alive, is searched again.

    Code and tables stay until the end, and each rig has thousands of objects that stay as long as the bridge runs.
    Almost none of them refer to each other in a circle, so that they go without the collector when they do go. With
    Python's own threshold of 700 new objects, a fifth of a cold pass goes into the search for circles. A search of
    everything stopped a bridge of 1,500 rigs for 0.8 s, and would stop a larger one until requests run out of time.
    """
    gc.set_threshold(_NEW_OBJECTS_A_COLLECTION + rigs * _NEW_OBJECTS_OF_A_RIG)
    gc.collect()
    gc.freeze()
    if _spare_what_is_left not in gc.callbacks:
        gc.callbacks.append(_spare_what_is_left)


def _spare_what_is_left(phase: Literal["start", "stop"], collection: dict[str, int]) -> None:
    if phase == "stop" and collection["generation"] == _WHOLE:
        gc.freeze()
