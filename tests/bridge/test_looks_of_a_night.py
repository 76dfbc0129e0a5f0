"""How few requests a night takes, and how soon an exposure is reported all the same: the simulator knows it."""

from __future__ import annotations

import statistics
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from tests.bridge.test_simulated_nights import A_DAY, NOON, add_target, local, rig, whole_night
from tests.support.bridge_zone import bridge_in
from tests.support.night_delays import database_requests, delays, images_saved, share
from tests.support.simulated_night import WatchedRig, play, rig_under
from ts2mqtt.config import PollingConfig
from ts2mqtt.observatory.events import PROJECT_STATE_CHANGED
from ts2mqtt.simulator.busy_observatory import busy_observatory

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ts2mqtt.simulator.observatory import SimulatedObservatory

INTERVAL_S, EDIT_S = PollingConfig().interval, PollingConfig().edit_interval
LOOKS_A_DAY = 2_880


@pytest.fixture(autouse=True)
def _bridge_in_berlin() -> Iterator[None]:
    with bridge_in("Europe/Berlin"):
        yield


def are_soon(late: list[float]) -> None:
    assert statistics.median(late) <= 8.0
    assert share(late, 95) <= 20.0
    # As late as with a look at everything every 30 s, and no later; the truth is known to the second.
    assert max(late) <= INTERVAL_S + 1.0


def test_a_clear_night_takes_a_third_of_the_requests_and_its_exposures_are_reported_within_seconds() -> None:
    saved = images_saved(rig(), NOON + A_DAY - timedelta(minutes=5))

    watched = play(rig(), whole_night())

    assert len(saved) > 100
    are_soon(delays(saved, watched))
    # Of the active profile's projects, and of the targets of three.
    assert database_requests(watched) <= 0.6 * LOOKS_A_DAY * (1 + 3)


def test_a_night_in_which_nothing_comes_takes_less_than_a_full_look() -> None:
    watched = play(rig("cloudy"), whole_night())

    assert database_requests(watched) <= 0.6 * LOOKS_A_DAY * (1 + 3)


def test_targets_that_are_complete_one_after_the_other() -> None:
    def short_ones() -> SimulatedObservatory:
        observatory = rig_under("clear", NOON)
        profile = observatory.add_profile("Refractor")
        for number in range(6):
            add_target(observatory, profile, f"Target {number}", 2.0 * number - 5.0, desired=12, exposure_s=120)
        return observatory

    saved = images_saved(short_ones(), NOON + A_DAY - timedelta(minutes=5))

    watched = play(short_ones(), whole_night())

    assert len(saved) >= 6 * 12
    assert max(delays(saved, watched)) <= INTERVAL_S + 1.0
    assert database_requests(watched) <= LOOKS_A_DAY * (1 + 6) / 3


def test_a_night_with_clouds_in_its_middle_after_which_the_sun_rises_at_a_known_site() -> None:
    noon = datetime(2026, 1, 10, 17, tzinfo=UTC)

    def observatory() -> SimulatedObservatory:
        return busy_observatory(seed=10, start=noon)

    saved = images_saved(observatory(), noon + A_DAY - timedelta(minutes=5))

    anywhere, at_site = (play(observatory(), whole_night(), knows_site=knows_site) for knows_site in (False, True))

    assert len(saved) > 100
    are_soon(delays(saved, anywhere))
    are_soon(delays(saved, at_site))
    assert database_requests(at_site) < database_requests(anywhere)


def test_edits_are_seen_within_the_edit_interval_at_any_hour() -> None:
    observatory = rig()
    project = list(observatory.projects())[-1]
    edits = [local(13) + timedelta(minutes=100 * number, seconds=37 * number) for number in range(12)]

    async def script(rig: WatchedRig) -> None:
        rig.start_bridge()
        for number, edit in enumerate(edits):
            await rig.until(edit)
            observatory.set_project_state(project, "Draft" if number % 2 == 0 else "Active")
        await rig.until(local(11, 59))

    watched = play(observatory, script)

    seen = [event.noticed for event in watched.of_type(PROJECT_STATE_CHANGED)]
    assert len(seen) == len(edits)
    assert max((moment - edit).total_seconds() for edit, moment in zip(edits, seen, strict=True)) <= EDIT_S + 1.0
