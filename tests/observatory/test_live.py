"""What N.I.N.A. has told: word by word, each event once, and nothing of what was only caught up with."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tests.support.build import profile, project, rig, target
from ts2mqtt.observatory import events
from ts2mqtt.observatory.live import LiveState, Stopped, folded, live_happenings
from ts2mqtt.observatory.live_events import (
    CaughtUp,
    Disconnected,
    FlipFinished,
    FlipStarted,
    ImageSaved,
    LiveEvent,
    ProfileChanged,
    SafetyChanged,
    SequenceFinished,
    SequenceStarted,
    TargetAnnounced,
    WaitAnnounced,
)
from ts2mqtt.observatory.model import Listing

NOW = datetime(2026, 1, 10, 23, tzinfo=UTC)
STARTED = NOW - timedelta(hours=6)
M31, SAME, ALPHA = (
    target(identity=name, name=shown) for name, shown in (("m31", "M 31"), ("same", "M 31"), ("alpha", "α Ori Café"))
)
RIG = rig(
    Listing(
        (
            profile(projects=Listing((project("galaxies", Listing((M31, ALPHA))),))),
            profile("other", Listing((project("old", Listing((SAME,))),)), active=False),
        )
    )
)
ANNOUNCED = TargetAnnounced(time=NOW, target_name="M 31", project_name="galaxies")
CAUGHT_UP = CaughtUp(
    time=NOW, version="2", process_started=STARTED, is_sequence_running=True, is_scheduler_running=True, is_safe=True
)
IMAGE = ImageSaved(time=NOW, target_name="M 31", filter="H", exposure_s=600.0, hfr=1.4, stars=40)


def after(*told: LiveEvent, state: LiveState | None = None) -> LiveState:
    state = state or LiveState()
    for event in told:
        state = folded(state, event, RIG)
    return state


def happened(*told: LiveEvent) -> list[str]:
    """The types of all events that these are."""
    state, types = LiveState(), []
    for event in told:
        types += [one.event_type for one in live_happenings(state, event, RIG, NOW)]
        state = folded(state, event, RIG)
    return types


@pytest.mark.parametrize(
    ("told", "word", "running"),
    [
        ((ANNOUNCED,), ANNOUNCED, True),
        ((ANNOUNCED, WaitAnnounced(time=NOW)), WaitAnnounced(time=NOW), True),
        ((ANNOUNCED, SequenceFinished(time=NOW)), Stopped(NOW), False),
        ((SequenceFinished(time=NOW), SequenceStarted(time=NOW)), None, True),
        ((ANNOUNCED, SequenceStarted(time=NOW)), ANNOUNCED, True),
        ((ANNOUNCED, ProfileChanged(time=NOW)), Stopped(NOW), True),
        ((ANNOUNCED, SafetyChanged(time=NOW, is_safe=False)), Stopped(NOW), True),
        ((ANNOUNCED, SafetyChanged(time=NOW, is_safe=True)), ANNOUNCED, True),
        ((ANNOUNCED, SafetyChanged(time=NOW, is_safe=None)), ANNOUNCED, True),
        ((ANNOUNCED, FlipStarted(time=NOW), FlipFinished(time=NOW), IMAGE), ANNOUNCED, True),
        ((ANNOUNCED, Disconnected(time=NOW)), ANNOUNCED, None),
    ],
)
def test_the_word_of_now_and_whether_the_sequence_runs(
    told: tuple[LiveEvent, ...], word: object, running: bool | None
) -> None:
    state = after(*told)
    assert (state.word, state.sequence_running) == (word, running)


def test_an_unsafe_sky_stops_once() -> None:
    unsafe = SafetyChanged(time=NOW, is_safe=False)
    later = replace(ANNOUNCED, time=NOW + timedelta(minutes=1))

    assert after(unsafe, later, replace(unsafe, time=NOW + timedelta(minutes=2))).word == later


@pytest.mark.parametrize(
    ("known", "caught_up", "word"),
    [
        # The same run of N.I.N.A.: what was told holds, unless the Target Scheduler is not at work.
        ((CAUGHT_UP, ANNOUNCED), CAUGHT_UP, ANNOUNCED),
        ((CAUGHT_UP, ANNOUNCED), replace(CAUGHT_UP, is_scheduler_running=None), ANNOUNCED),
        ((CAUGHT_UP, ANNOUNCED), replace(CAUGHT_UP, is_scheduler_running=False), Stopped(NOW)),
        ((CAUGHT_UP, ANNOUNCED), replace(CAUGHT_UP, is_scheduler_running=None, is_safe=False), Stopped(NOW)),
        ((CAUGHT_UP, ANNOUNCED), replace(CAUGHT_UP, is_safe=False), ANNOUNCED),
        ((CAUGHT_UP, SequenceFinished(time=NOW), Disconnected(time=NOW)), CAUGHT_UP, None),
        (
            (CAUGHT_UP, SequenceFinished(time=NOW), Disconnected(time=NOW)),
            replace(CAUGHT_UP, is_sequence_running=None, is_scheduler_running=None),
            None,
        ),
        ((CAUGHT_UP, SequenceFinished(time=NOW)), CAUGHT_UP, Stopped(NOW)),
        # Whether it is the same nobody could read: that is no other one.
        ((CAUGHT_UP, ANNOUNCED), replace(CAUGHT_UP, process_started=None, is_scheduler_running=None), ANNOUNCED),
        (
            (CAUGHT_UP, ANNOUNCED, replace(CAUGHT_UP, process_started=None, is_scheduler_running=None)),
            CAUGHT_UP,
            ANNOUNCED,
        ),
        # Another run.
        ((CAUGHT_UP, ANNOUNCED), replace(CAUGHT_UP, process_started=NOW), Stopped(NOW)),
        ((CAUGHT_UP, ANNOUNCED), replace(CAUGHT_UP, process_started=NOW, announced=WaitAnnounced(time=NOW)), None),
        # The first that is heard of it.
        ((), CAUGHT_UP, None),
        ((), replace(CAUGHT_UP, announced=ANNOUNCED), ANNOUNCED),
        ((), replace(CAUGHT_UP, is_sequence_running=False, is_scheduler_running=False), Stopped(NOW)),
    ],
)
def test_what_is_caught_up_with(known: tuple[LiveEvent, ...], caught_up: CaughtUp, word: object) -> None:
    state = after(*known, caught_up)

    assert state.word == (caught_up.announced or word)
    assert state.connected
    assert state.facts.version == "2"
    assert state.safe is caught_up.is_safe


def test_without_a_connection_nobody_knows_whether_it_is_safe() -> None:
    state = after(CAUGHT_UP, Disconnected(time=NOW))

    assert (state.connected, state.safe, state.sequence_running) == (False, None, None)
    assert state.may_run(NOW + timedelta(hours=17))
    assert not state.may_run(NOW + timedelta(hours=19))
    assert not LiveState().may_run(NOW)
    assert not after(CAUGHT_UP, SequenceFinished(time=NOW), Disconnected(time=NOW), state=None).sequence_running


def test_events_are_told_once() -> None:
    unsafe, safe = (SafetyChanged(time=NOW, is_safe=one) for one in (False, True))
    started, finished = FlipStarted(time=NOW), FlipFinished(time=NOW + timedelta(minutes=4))

    assert happened(CAUGHT_UP, safe, unsafe, unsafe, safe, safe) == [events.BECAME_UNSAFE, events.BECAME_SAFE]
    assert happened(safe, unsafe) == [events.BECAME_UNSAFE]
    assert happened(unsafe) == [events.BECAME_UNSAFE]
    assert happened(started, started, finished, finished) == [
        events.MERIDIAN_FLIP_STARTED,
        events.MERIDIAN_FLIP_FINISHED,
    ]
    assert happened(started, replace(started, time=NOW + timedelta(hours=1))) == [events.MERIDIAN_FLIP_STARTED] * 2
    assert happened(IMAGE, IMAGE, replace(IMAGE, time=NOW + timedelta(minutes=1)), IMAGE) == [events.IMAGE_SAVED] * 2
    assert happened(CAUGHT_UP, replace(CAUGHT_UP, is_safe=False), Disconnected(time=NOW), ANNOUNCED) == []


def test_an_image_belongs_to_a_target_if_its_name_tells_which() -> None:
    def target_of(image: ImageSaved, *told: LiveEvent) -> str | None:
        last = after(*told, image).last_image
        assert last is not None
        return last.target_id

    greek = replace(IMAGE, target_name="alp Ori Cafe")
    announced_greek = replace(ANNOUNCED, target_name="α Ori Café")

    assert target_of(IMAGE) == "m31"
    assert target_of(replace(IMAGE, target_name="m 31")) == "m31"
    assert target_of(replace(IMAGE, target_name="M 33")) is None
    assert target_of(replace(IMAGE, target_name=None), ANNOUNCED) is None
    assert target_of(greek) is None
    assert target_of(greek, announced_greek) == "alpha"
    assert target_of(IMAGE, WaitAnnounced(time=NOW)) == "m31"


def test_the_latest_image_is_the_last_one_taken() -> None:
    later = replace(IMAGE, time=NOW + timedelta(minutes=10), hfr=2.0)
    state = after(later, IMAGE)

    assert state.last_image is not None
    assert state.last_image.hfr == 2.0
    assert [one.target_id for one in live_happenings(LiveState(), IMAGE, RIG, NOW)] == ["m31"]
    (event,) = live_happenings(LiveState(), replace(IMAGE, target_name="Comet"), RIG, NOW)
    assert (event.target_id, event.target_name, event.filter, event.exposure_s) == (None, "Comet", "H", 600.0)
