"""What N.I.N.A. has told of a rig so far, and which of its words are events."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from ts2mqtt.observatory import events
from ts2mqtt.observatory.announcement import announced_place
from ts2mqtt.observatory.events import Event
from ts2mqtt.observatory.live_events import (
    CaughtUp,
    Disconnected,
    FlipFinished,
    FlipStarted,
    ImageSaved,
    ProfileChanged,
    SafetyChanged,
    SequenceFinished,
    SequenceStarted,
    TargetAnnounced,
    WaitAnnounced,
)
from ts2mqtt.observatory.tree import all_targets

if TYPE_CHECKING:
    from datetime import datetime

    from ts2mqtt.observatory.live_events import LiveEvent
    from ts2mqtt.observatory.model import Rig
    from ts2mqtt.observatory.tree import TargetPlace

_LONGEST_NIGHT = timedelta(hours=18)
_A_FLIP = timedelta(minutes=30)
_MOST_IMAGES = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class LightFrame:
    """A light frame that was saved; `target_id` is None where its name is that of no target, or of several."""

    time: datetime
    target_id: str | None
    filter: str | None
    exposure_s: float | None
    hfr: float | None
    stars: int | None
    guide_rms_arcsec: float | None


@dataclass(frozen=True, slots=True)
class Stopped:
    """Nothing is imaged from `time` on, until something else is told."""

    time: datetime


Word = TargetAnnounced | WaitAnnounced | Stopped
"""What is said of now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveFacts:
    """What is shown of N.I.N.A.; what is not known is None."""

    connected: bool
    version: str | None
    sequence_running: bool | None
    safe: bool | None
    last_image: LightFrame | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveState:
    """`word` is the latest of all; what is not known is None.

    `is_unbroken`: since the word was told, or N.I.N.A. was asked and still was the same run, the connection has held.
    `last_running` is when the sequence was known to run last. `recent_images` and `last_flip` are what was told;
    `recent_frames` are the same images with their targets.
    """

    connected: bool = False
    version: str | None = None
    process_started: datetime | None = None
    sequence_running: bool | None = None
    last_running: datetime | None = None
    safe: bool | None = None
    word: Word | None = None
    is_unbroken: bool = False
    last_image: LightFrame | None = None
    recent_images: tuple[ImageSaved, ...] = ()
    recent_frames: tuple[LightFrame, ...] = ()
    last_flip: FlipStarted | FlipFinished | None = None

    @property
    def facts(self) -> LiveFacts:
        return LiveFacts(
            connected=self.connected,
            version=self.version,
            sequence_running=self.sequence_running,
            safe=self.safe,
            last_image=self.last_image,
        )

    def may_run(self, now: datetime) -> bool:
        """Whether the sequence runs, as far as is known: what ran when the connection broke may go on for a night."""
        if self.sequence_running is not None:
            return self.sequence_running
        return self.last_running is not None and now - self.last_running < _LONGEST_NIGHT


def folded(state: LiveState, event: LiveEvent, rig: Rig) -> LiveState:
    """What is known after this event."""
    if isinstance(event, ImageSaved):
        return _with_image(state, event, rig)
    if isinstance(event, FlipStarted | FlipFinished):
        return replace(state, last_flip=event) if _is_new_flip(state, event) else state
    if isinstance(event, CaughtUp):
        return _caught_up(state, event)
    if isinstance(event, Disconnected):
        return replace(state, connected=False, sequence_running=None, safe=None, is_unbroken=False)
    told = _with_word(state, event)
    return told if told.word is state.word else replace(told, is_unbroken=True)


def live_happenings(state: LiveState, event: LiveEvent, rig: Rig, now: datetime) -> tuple[Event, ...]:
    """The events that this one is, after `state`; what is told twice, or only caught up with, is none."""
    match event:
        case SafetyChanged(is_safe=bool()) if state.safe is not event.is_safe and not _is_first_word(state, event):
            kind = events.BECAME_SAFE if event.is_safe else events.BECAME_UNSAFE
            return (Event(event_type=kind, time=event.time, noticed=now),)
        case ImageSaved() if event not in state.recent_images:
            place = _place_of(event, state, rig)
            return (_of_image(event, place, now),)
        case FlipStarted() | FlipFinished() if _is_new_flip(state, event):
            started = isinstance(event, FlipStarted)
            kind = events.MERIDIAN_FLIP_STARTED if started else events.MERIDIAN_FLIP_FINISHED
            return (Event(event_type=kind, time=event.time, noticed=now),)
        case _:
            return ()


def image_place(state: LiveState, event: ImageSaved, rig: Rig) -> TargetPlace | None:
    """Which target the image is of; None where that cannot be told."""
    return _place_of(event, state, rig)


def _is_first_word(state: LiveState, event: SafetyChanged) -> bool:
    """A monitor that connects says that it is safe; nothing has become so."""
    return state.safe is None and event.is_safe is True


def _with_word(
    state: LiveState,
    event: TargetAnnounced | WaitAnnounced | SequenceStarted | SequenceFinished | SafetyChanged | ProfileChanged,
) -> LiveState:
    match event:
        case TargetAnnounced() | WaitAnnounced():
            return _running(replace(state, word=event), event.time)
        case SequenceStarted():
            return _running(replace(state, word=None if isinstance(state.word, Stopped) else state.word), event.time)
        case SequenceFinished():
            return replace(state, sequence_running=False, word=Stopped(event.time))
        case ProfileChanged():
            return replace(state, word=Stopped(event.time))
        case SafetyChanged():
            has_become_unsafe = event.is_safe is False and state.safe is not False
            return replace(state, safe=event.is_safe, word=Stopped(event.time) if has_become_unsafe else state.word)


def _running(state: LiveState, time: datetime) -> LiveState:
    return replace(state, sequence_running=True, last_running=time)


def _caught_up(state: LiveState, event: CaughtUp) -> LiveState:
    # What could not be read tells of no other run.
    started = event.process_started or state.process_started
    is_new_run = state.process_started != started
    word = state.word
    if event.is_scheduler_running is False or (event.is_safe is False and event.is_scheduler_running is None):
        word = Stopped(event.time)
    elif event.announced is not None:
        word = event.announced
    elif is_new_run and state.process_started is not None:
        word = Stopped(event.time)
    elif isinstance(word, Stopped) and not state.connected:
        # What came between was missed: nobody knows what it does, also where it does not tell.
        word = None
    is_same_run = event.process_started is not None and not is_new_run
    return replace(
        state,
        connected=True,
        version=event.version,
        process_started=started,
        sequence_running=event.is_sequence_running,
        last_running=event.time if event.is_sequence_running else state.last_running,
        safe=event.is_safe,
        word=word,
        is_unbroken=state.is_unbroken or is_same_run or word is not state.word,
    )


def _with_image(state: LiveState, event: ImageSaved, rig: Rig) -> LiveState:
    if event in state.recent_images:
        return state
    place = _place_of(event, state, rig)
    frame = LightFrame(
        time=event.time,
        target_id=place.target.id if place else None,
        filter=event.filter,
        exposure_s=event.exposure_s,
        hfr=event.hfr,
        stars=event.stars,
        guide_rms_arcsec=event.guide_rms_arcsec,
    )
    is_late = state.last_image is not None and event.time < state.last_image.time
    return replace(
        state,
        last_image=state.last_image if is_late else frame,
        recent_images=(*state.recent_images[1 - _MOST_IMAGES :], event),
        recent_frames=(*state.recent_frames[1 - _MOST_IMAGES :], frame),
    )


def _is_new_flip(state: LiveState, event: FlipStarted | FlipFinished) -> bool:
    last = state.last_flip
    return last is None or type(last) is not type(event) or event.time - last.time > _A_FLIP


def _of_image(event: ImageSaved, place: TargetPlace | None, now: datetime) -> Event:
    return Event(
        event_type=events.IMAGE_SAVED,
        time=event.time,
        noticed=now,
        profile_id=place.profile.id if place else None,
        profile_name=place.profile.name if place else None,
        project_id=place.project.id if place else None,
        project_name=place.project.name if place else None,
        target_id=place.target.id if place else None,
        target_name=place.target.name if place else event.target_name,
        filter=event.filter,
        exposure_s=event.exposure_s,
    )


def _place_of(image: ImageSaved, state: LiveState, rig: Rig) -> TargetPlace | None:
    """The announced target if the names agree, else the only one of that name in the active profile."""
    if image.target_name is None:
        return None
    name = _plain(image.target_name)
    if isinstance(state.word, TargetAnnounced):
        place = announced_place(state.word, rig)
        # N.I.N.A. writes Greek letters out in its own way: such a name cannot be compared.
        if place and (_plain(place.target.name) == name or not place.target.name.isascii()):
            return place
    places = [place for place in all_targets(rig) if place.profile.active and _plain(place.target.name) == name]
    return places[0] if len(places) == 1 else None


def _plain(name: str) -> str:
    """Without accents and capitals, as N.I.N.A. writes the names of images in ASCII."""
    return unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().casefold().strip()
