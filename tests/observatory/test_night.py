"""When a night begins at a rig, in which time zone the rig stands, and what its plan depends on."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from tests.support.bridge_zone import bridge_in
from tests.support.build import exposure_plan, profile, project, target
from ts2mqtt.observatory.model import ACTIVE, CLOSED, Listing, Profile, Project, Target
from ts2mqtt.observatory.night import (
    is_midday,
    is_past_midnight,
    next_noon,
    night_of,
    noon_of,
    planning_inputs,
    rig_zone,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

BERLIN = ZoneInfo("Europe/Berlin")
NAMIBIA = timezone(timedelta(hours=2))
PACIFIC = timezone(timedelta(hours=-8))
NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _bridge_in_berlin() -> Iterator[None]:
    with bridge_in("Europe/Berlin"):
        yield


def berlin(month: int, day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=BERLIN)


@pytest.mark.parametrize(
    ("moment", "night"),
    [
        (berlin(1, 10, 12), date(2026, 1, 10)),
        (berlin(1, 10, 23, 59), date(2026, 1, 10)),
        (berlin(1, 11, 0), date(2026, 1, 10)),
        (berlin(1, 11, 11, 59), date(2026, 1, 10)),
        (berlin(1, 11, 12), date(2026, 1, 11)),
        # The clocks change in the night; noon is noon.
        (berlin(3, 29, 11, 59), date(2026, 3, 28)),
        (berlin(3, 29, 12), date(2026, 3, 29)),
        (berlin(10, 25, 11, 59), date(2026, 10, 24)),
        (berlin(10, 25, 12), date(2026, 10, 25)),
    ],
)
def test_a_night_lasts_from_noon_to_noon(moment: datetime, night: date) -> None:
    assert night_of(moment, None) == night
    assert night_of(moment, BERLIN) == night
    assert night_of(moment.astimezone(UTC), None) == night


def test_a_night_begins_at_the_rig_s_noon_not_at_the_bridge_s() -> None:
    moment = berlin(1, 11, 11, 30)

    assert night_of(moment, None) == date(2026, 1, 10)
    assert night_of(moment, NAMIBIA) == date(2026, 1, 11)
    assert night_of(berlin(1, 11, 20, 30), PACIFIC) == date(2026, 1, 10)


@pytest.mark.parametrize(
    ("moment", "hours"),
    [(berlin(1, 10, 12), 24), (berlin(3, 28, 12), 23), (berlin(10, 24, 12), 25), (berlin(10, 25, 2, 30), 10.5)],
)
def test_the_next_noon_comes_earlier_or_later_when_the_clocks_change(moment: datetime, hours: float) -> None:
    noon = next_noon(moment, None)

    assert noon.astimezone(BERLIN).hour == 12
    assert noon - moment.astimezone(UTC) == timedelta(hours=hours)
    assert night_of(noon, None) - night_of(noon - timedelta(seconds=1), None) == timedelta(days=1)


def test_the_next_noon_is_the_rig_s() -> None:
    assert next_noon(berlin(1, 11, 10), NAMIBIA) == berlin(1, 11, 11)
    assert next_noon(berlin(1, 11, 12), PACIFIC) == berlin(1, 11, 21)
    assert noon_of(date(2026, 7, 1), None) == berlin(7, 1, 12)


@pytest.mark.parametrize(
    ("moment", "past", "midday"),
    [
        (berlin(1, 10, 9, 59), True, False),
        (berlin(1, 10, 10), True, True),
        (berlin(1, 10, 11, 59), True, True),
        (berlin(1, 10, 12), False, True),
        (berlin(1, 10, 14, 59), False, True),
        (berlin(1, 10, 15), False, False),
        (berlin(1, 10, 23, 59), False, False),
        (berlin(1, 11, 0), True, False),
    ],
)
def test_midnight_and_midday(moment: datetime, past: bool, midday: bool) -> None:
    assert is_past_midnight(moment, None) is past
    assert is_midday(moment, None) is midday


def test_midnight_and_midday_are_the_rig_s() -> None:
    assert is_past_midnight(berlin(1, 10, 23, 30), NAMIBIA)
    assert not is_past_midnight(berlin(1, 11, 8, 30), PACIFIC)
    assert not is_midday(berlin(1, 10, 12), PACIFIC)
    assert is_midday(berlin(1, 10, 20), PACIFIC)


def test_dates_like_the_bridge_s_own_leave_the_rig_in_its_zone_summer_and_winter() -> None:
    assert rig_zone([], NOW) is None
    assert rig_zone([datetime(2026, 1, 1, 12)], NOW) is None  # noqa: DTZ001 - the API can leave the offset out
    assert rig_zone([berlin(1, 1, 12), berlin(7, 1, 12)], NOW) is None
    assert rig_zone([datetime.fromisoformat("2026-01-01T12:00+01:00")], NOW) is None


@pytest.mark.parametrize(
    ("winter", "summer", "name"),
    [
        ("2026-01-01T12:00-05:00", "2026-07-01T12:00-04:00", "America/New_York"),
        ("2026-07-01T12:00+10:00", "2026-01-01T12:00+11:00", "Australia/Sydney"),
        ("2026-01-01T12:00-07:00", "2026-07-01T12:00-06:00", "America/Denver"),
        ("2026-07-01T12:00-04:00", "2026-01-01T12:00-03:00", "America/Santiago"),
    ],
)
def test_dates_of_both_seasons_tell_the_rig_s_zone(winter: str, summer: str, name: str) -> None:
    both = [datetime.fromisoformat(winter), datetime.fromisoformat(summer)]

    for samples in (both, both[::-1]):
        assert rig_zone(samples, NOW) == ZoneInfo(name)


def test_dates_that_no_zone_explains_leave_the_offset_of_the_latest_that_is_past() -> None:
    before, after = datetime.fromisoformat("2026-10-30T12:00-04:00"), datetime.fromisoformat("2026-12-02T03:00-09:30")

    for now, hours in ((NOW, -4), (NOW + timedelta(days=2), -9.5)):
        zone = rig_zone([after, before], now)
        assert zone is not None
        assert zone.utcoffset(None) == timedelta(hours=hours)


def test_dates_of_the_season_to_come_do_not_shift_the_night_before_it() -> None:
    """A night plan across the change of the clocks: only its last blocks have the new offset."""
    blocks = [datetime.fromisoformat(f"2026-11-01T{time}") for time in ("00:30-04:00", "01:30-05:00", "04:00-05:00")]

    zone = rig_zone(blocks, datetime.fromisoformat("2026-10-31T15:00-04:00"))

    noon = datetime.fromisoformat("2026-10-31T12:30-04:00")
    assert night_of(noon, zone) == date(2026, 10, 31)
    assert night_of(noon - timedelta(hours=1), zone) == date(2026, 10, 30)
    assert night_of(noon + timedelta(days=1), zone) == date(2026, 10, 31)
    assert night_of(noon + timedelta(days=1, hours=1), zone) == date(2026, 11, 1)


def test_one_date_that_the_bridge_s_zone_does_not_explain_is_enough() -> None:
    # In summer Namibia's clocks show what Berlin's do.
    summer, winter = datetime(2025, 7, 1, 12, tzinfo=NAMIBIA), datetime(2026, 1, 1, 12, tzinfo=NAMIBIA)

    assert rig_zone([summer], NOW) is None
    zone = rig_zone([summer, winter], NOW)
    assert zone is not None
    assert zone.utcoffset(None) == timedelta(hours=2)


LUM = exposure_plan(10, 3, 2)
M31 = target(LUM)
AUTUMN = project(targets=Listing((M31,)))


def of(*projects: Project) -> Profile:
    return profile(projects=Listing(projects))


def with_target(changed: Target) -> Profile:
    return of(replace(AUTUMN, targets=Listing((changed,))))


INPUTS = planning_inputs(of(AUTUMN))


@pytest.mark.parametrize(
    "changed",
    [
        of(),
        of(replace(AUTUMN, state=CLOSED)),
        of(AUTUMN, project("another", Listing((target(identity="another"),)))),
        of(replace(AUTUMN, priority="high")),
        of(replace(AUTUMN, minimum_time_min=60)),
        of(replace(AUTUMN, use_custom_horizon=True)),
        of(replace(AUTUMN, horizon_offset_deg=5.0)),
        of(replace(AUTUMN, meridian_window_min=90)),
        of(replace(AUTUMN, filter_switch_frequency=3)),
        of(replace(AUTUMN, minimum_altitude_deg=30.0)),
        of(replace(AUTUMN, maximum_altitude_deg=80.0)),
        of(replace(AUTUMN, smart_exposure_order=True)),
        of(replace(AUTUMN, targets=Listing(()))),
        of(replace(AUTUMN, targets=Listing((M31, target(LUM, identity="M 33"))))),
        with_target(replace(M31, active=False)),
        with_target(replace(M31, ra_hours=1.0)),
        with_target(replace(M31, dec_deg=1.0)),
        with_target(replace(M31, exposure_plans=())),
        with_target(replace(M31, exposure_plans=(replace(LUM, desired=11),))),
        with_target(replace(M31, exposure_plans=(replace(LUM, exposure_s=30.0),))),
        with_target(replace(M31, exposure_plans=(replace(LUM, filter="R"),))),
        with_target(replace(M31, exposure_plans=(replace(LUM, template="Other"),))),
    ],
)
def test_what_planning_depends_on_changes_its_inputs(changed: Profile) -> None:
    assert INPUTS is not None
    assert planning_inputs(changed) not in (None, INPUTS)


@pytest.mark.parametrize(
    "changed",
    [
        with_target(replace(M31, exposure_plans=(replace(LUM, acquired=9, accepted=8, ungraded=1),))),
        with_target(replace(M31, name="Andromeda")),
        of(replace(AUTUMN, name="Herbst", description="…")),
        of(AUTUMN, project("draft", Listing((M31,)), state="draft")),
        of(AUTUMN, project("closed, not read", None, state=CLOSED)),
        replace(of(AUTUMN), name="Other", active=False),
        of(replace(AUTUMN, targets=Listing((M31, replace(target(identity="off"), active=False))))),
    ],
)
def test_what_planning_does_not_depend_on_leaves_them(changed: Profile) -> None:
    assert planning_inputs(changed) == INPUTS


def test_the_order_in_which_the_database_answers_does_not_matter() -> None:
    one, other = project("one", Listing((M31,))), project("other", Listing(()))

    assert planning_inputs(of(one, other)) == planning_inputs(of(other, one))


@pytest.mark.parametrize("unread", [profile(), of(AUTUMN, project("not read"))])
def test_what_was_not_read_yet_has_no_inputs(unread: Profile) -> None:
    assert planning_inputs(unread) is None


def test_inputs_survive_names_that_are_no_unicode() -> None:
    make: Callable[[str], Profile] = lambda name: with_target(  # noqa: E731 - one expression, used twice
        replace(M31, exposure_plans=(replace(LUM, template=name),))
    )

    assert planning_inputs(make("\ud800")) != planning_inputs(make("\udfff"))
    assert AUTUMN.state == ACTIVE
