"""One night of the simulated observatory, played once for all tests that look at it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.interface import simulated_examples

if TYPE_CHECKING:
    from tests.support.simulated_night import WatchedRig


simulated_night = pytest.mark.xdist_group("simulated night")
"""Of tests that look at it: one worker has them all, as each that has one plays the night."""


@pytest.fixture(scope="session")
def night() -> WatchedRig:
    return simulated_examples.night()
