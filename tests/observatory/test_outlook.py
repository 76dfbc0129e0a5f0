"""How many nights are still to come."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from tests.support.sample_rig import LAST_NIGHT, M31
from ts2mqtt.observatory.outlook import NightGained, Outlook, outlook, recorded, together

TONIGHT = date(2026, 1, 31)
HOUR = 3600.0


def nights(*hours: float, every: int = 1) -> tuple[NightGained, ...]:
    """The last of them was yesterday; each so many days after the one before."""
    first = TONIGHT - timedelta(days=1 + every * (len(hours) - 1))
    return tuple(NightGained(first + timedelta(days=every * n), each * HOUR) for n, each in enumerate(hours))


@pytest.mark.parametrize("few", [(), (5,), (5, 5), (5, 5, 0)])
def test_with_fewer_than_three_nights_nobody_knows(few: tuple[float, ...]) -> None:
    assert outlook(nights(*few), HOUR, TONIGHT) is None


def test_when_nothing_is_left_no_night_is() -> None:
    assert outlook((), 0.0, TONIGHT) == Outlook(nights_left=0)


def test_a_night_gives_the_median_and_every_begun_one_counts() -> None:
    assert outlook(nights(1, 2, 9), 4.1 * HOUR, TONIGHT) == Outlook(
        nights_left=3, earliest=TONIGHT + timedelta(days=2), latest=TONIGHT + timedelta(days=2)
    )


def test_where_few_nights_are_clear_it_takes_as_long() -> None:
    ahead = outlook(nights(2, 2, 2, every=5), 4 * HOUR, TONIGHT)

    # Three nights in the last eleven days.
    assert ahead == Outlook(nights_left=2, earliest=TONIGHT + timedelta(days=1), latest=TONIGHT + timedelta(days=7))


def test_only_the_last_ten_nights_count() -> None:
    ahead = outlook(nights(*[9] * 20, *[1] * 10), 5 * HOUR, TONIGHT)

    assert ahead is not None
    assert ahead.nights_left == 5


def test_what_lies_beyond_the_calendar_has_no_date() -> None:
    assert outlook(nights(1e-6, 1e-6, 1e-6), 1e9 * HOUR, TONIGHT) is not None


def test_a_night_is_recorded_once_and_thirty_are_kept() -> None:
    history = recorded({"gone": nights(1)}, LAST_NIGHT, {M31.id})
    again = recorded(history, LAST_NIGHT, {M31.id})

    assert history == again == {M31.id: (NightGained(LAST_NIGHT.night, 1800.0),)}
    for day in range(40):
        history = recorded(history, replace(LAST_NIGHT, night=TONIGHT + timedelta(days=day)), {M31.id})
    assert [one.night for one in history[M31.id]] == [TONIGHT + timedelta(days=day) for day in range(10, 40)]


def test_targets_of_a_project_are_summed_night_by_night() -> None:
    assert together([nights(1, 2), nights(5)]) == nights(1, 7)
