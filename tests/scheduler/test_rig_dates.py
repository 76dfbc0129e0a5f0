"""What the dates of a rig tell of its time zone, also when some of them come, or lie ahead no more."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from ts2mqtt.observatory.night import rig_zone
from ts2mqtt.scheduler.rig_dates import RigDates

NOON = datetime(2026, 7, 1, 12, tzinfo=timezone(timedelta(hours=5, minutes=45)))
LATER = datetime(2026, 7, 3, 12, tzinfo=timezone(timedelta(hours=8, minutes=45)))


@pytest.fixture(params=[0, 1, 2, 3], ids=lambda days: f"day {days}")
def now(request: pytest.FixtureRequest) -> datetime:
    return NOON.astimezone(UTC) + timedelta(days=request.param)


def test_it_is_what_all_dates_tell_at_every_moment(now: datetime) -> None:
    dates = RigDates()
    dates.note([NOON, LATER, None, datetime(2026, 7, 1, 12)])  # noqa: DTZ001 - the API can leave the offset out
    for moment in (now, now + timedelta(days=2), now - timedelta(days=2)):
        assert dates.zone(moment) == rig_zone([NOON, LATER], moment)


def test_a_date_that_comes_later_counts() -> None:
    dates = RigDates()
    dates.note([NOON])
    assert dates.zone(LATER) == NOON.tzinfo
    dates.note([LATER])
    assert dates.zone(LATER) == LATER.tzinfo


def test_the_same_moment_with_another_offset_is_another_fact() -> None:
    dates = RigDates()
    dates.note([NOON])
    dates.note([NOON.astimezone(LATER.tzinfo)])
    assert dates.zone(NOON) == rig_zone([NOON, NOON.astimezone(LATER.tzinfo)], NOON)


def test_the_latest_are_kept() -> None:
    dates = RigDates()
    dates.note([LATER])
    dates.note(NOON + timedelta(days=10, minutes=minute) for minute in range(50))
    assert dates.zone(LATER + timedelta(days=30)) == NOON.tzinfo
    assert bool(dates)


def test_without_dates_it_is_the_bridges_own() -> None:
    assert RigDates().zone(NOON) is None
    assert not RigDates()
