"""How much time has passed between two reads, by two clocks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from ts2mqtt.scheduler.read_times import ReadTimes

NOW = datetime(2026, 1, 10, 23, tzinfo=UTC)


def seconds(here: float, rig: float | None) -> float:
    """What is told to have passed, if so much has on each clock."""
    times = ReadTimes()
    times.note("project", NOW, NOW)
    times.tell()
    after = NOW + timedelta(seconds=here)
    times.note("project", after, None if rig is None else NOW + timedelta(seconds=rig))
    return (after - times.before()["project"]).total_seconds()


def test_the_clock_by_which_more_has_passed_counts() -> None:
    assert seconds(30, 30) == seconds(30, None) == 30
    # The rig's clock was set back, or this machine's; or a simulated one runs sixty times as fast.
    assert seconds(30, -3600) == seconds(-3600, 30) == 30
    assert seconds(30, 1800) == 1800


def test_what_was_told_counts_and_not_what_was_read_meanwhile() -> None:
    times = ReadTimes()
    times.note("project", NOW, None)
    assert times.before() == {}
    times.tell()
    # These two looks broke off in the middle.
    times.note("project", NOW + timedelta(seconds=30), None)
    times.note("project", NOW + timedelta(seconds=60), None)

    assert times.before() == {"project": NOW}
    times.tell()
    times.note("project", NOW + timedelta(seconds=90), None)
    assert times.before() == {"project": NOW + timedelta(seconds=60)}


def test_what_is_gone_is_forgotten() -> None:
    times = ReadTimes()
    times.note("a", NOW, None)
    times.note("b", NOW, None)
    times.tell()
    times.forget_all_but({"b"})

    assert times.before().keys() == {"b"}
