"""What N.I.N.A. tells, as a rig's worker deals with it: what is read again, when, and what is told."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from datetime import UTC, timedelta

import pytest

from tests.support.build import polling, profile, project, rig, rig_config, target
from tests.support.clocks import HandClock
from ts2mqtt.bridge.live_work import LiveWork
from ts2mqtt.observatory.events import BECAME_UNSAFE, IMAGE_SAVED
from ts2mqtt.observatory.evidence import recalled_announcement
from ts2mqtt.observatory.lease import Heard
from ts2mqtt.observatory.live import LightFrame
from ts2mqtt.observatory.live_events import (
    CaughtUp,
    Disconnected,
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
from ts2mqtt.observatory.tree import all_targets
from ts2mqtt.scheduler.look_policy import Announced
from ts2mqtt.scheduler.poller import RigPoller
from ts2mqtt.timing import NinaTimings

RIG_PROJECTS = Listing((project("galaxies", Listing((target(identity="M 31"),))),))
RIG = rig(Listing((profile(projects=RIG_PROJECTS),)))


class Poller(RigPoller):
    """Asks nobody, and remembers what it was told."""

    def __init__(self) -> None:
        super().__init__(rig_config("http://rig"), polling(), asyncio.Queue())
        self.hastened: list[str | None] = []
        self.may_run: list[bool] = []

    def hasten(self, project_id: str | None = None) -> None:
        self.hastened.append(project_id)

    def note_sequence(self, *, may_run: bool) -> None:
        self.may_run.append(may_run)


@dataclass
class Working:
    clock: HandClock = field(default_factory=HandClock)
    poller: Poller = field(default_factory=Poller)
    work: LiveWork = field(init=False)

    def __post_init__(self) -> None:
        self.work = LiveWork(
            rig_config("http://rig", nina_url=("http://nina",)),
            self.poller,
            asyncio.Queue(),
            clock=self.clock,
            timings=NinaTimings(),
            rng=None,
            tallies=None,
        )

    def hears(self, event: LiveEvent) -> None:
        self.work.take(event, RIG)


@pytest.fixture
async def working() -> Working:
    return Working()


async def test_an_image_has_its_project_read_once_it_is_stored(working: Working) -> None:
    now = working.clock.now()
    working.hears(ImageSaved(time=now, target_name="M 31"))

    assert working.work.next_hastening == now + timedelta(seconds=2)
    working.work.hasten_what_is_due()
    assert working.poller.hastened == []
    working.clock.advance(2)
    working.work.hasten_what_is_due()
    working.work.hasten_what_is_due()
    assert working.poller.hastened == ["galaxies"]
    assert working.work.next_hastening is None


async def test_the_next_word_of_the_scheduler_proves_that_it_is_stored(working: Working) -> None:
    now = working.clock.now()
    working.hears(ImageSaved(time=now, target_name="M 31"))
    for _ in range(2):
        working.hears(TargetAnnounced(time=now, target_name="M 31"))

    assert working.poller.hastened == ["galaxies"]
    assert working.work.next_hastening is None


async def test_what_the_rig_does_not_have_is_read_and_other_images_are_not(working: Working) -> None:
    now = working.clock.now()
    working.hears(ImageSaved(time=now, target_name="Comet"))
    assert working.work.next_hastening is None
    working.hears(TargetAnnounced(time=now, target_name="Comet"))
    working.hears(ProfileChanged(time=now))
    assert working.poller.hastened == [None, None]


async def test_a_name_of_several_profiles_is_read_unless_it_is_that_of_the_target_at_work(working: Working) -> None:
    now = working.clock.now()
    (refractor,) = RIG.known_profiles
    both = rig(Listing((refractor, replace(refractor, id="other", active=False))))
    said = TargetAnnounced(time=now, target_name="M 31")
    working.work.take(said, both)
    assert working.poller.hastened == [None]

    (place,) = all_targets(RIG)
    working.work.note_told(Heard(since=now, lease=recalled_announcement(place.target.id, now, RIG)), UTC)
    working.work.take(said, both)
    assert working.poller.hastened == [None]


async def test_no_plan_is_read_until_the_sequence_is_known_not_to_run(working: Working) -> None:
    now = working.clock.now()
    for event in (
        CaughtUp(time=now, is_sequence_running=False, is_scheduler_running=False),
        SequenceStarted(time=now),
        Disconnected(time=now),
        SequenceFinished(time=now),
    ):
        working.hears(event)

    assert working.poller.may_run == [True, False, True, True, False]


async def test_without_nina_a_plan_is_read(working: Working) -> None:
    working.hears(Disconnected(time=working.clock.now()))

    assert working.poller.may_run == [True, False]


async def test_events_wait_until_they_are_told_and_not_without_end(working: Working) -> None:
    now = working.clock.now()
    for number in range(1_100):
        working.hears(ImageSaved(time=now + timedelta(seconds=number), target_name="M 31"))
    working.hears(SafetyChanged(time=now, is_safe=False))

    kinds = [event.event_type for event in working.work.events]
    assert kinds == [IMAGE_SAVED] * 999 + [BECAME_UNSAFE]
    working.work.note_told(Heard(), None)
    assert working.work.events == ()


async def test_that_nina_is_not_believed_is_the_latest_problem(working: Working) -> None:
    now = working.clock.now()
    assert working.work.latest_problem(None) is None

    working.work.note_told(Heard(contradicted=(now, now, now)), None)
    problem = working.work.latest_problem(None)
    assert problem is not None
    assert "contradict what N.I.N.A. tells" in problem.text

    working.work.note_told(Heard(), None)
    assert working.work.latest_problem(None) is None


async def test_the_latest_image_of_an_earlier_run_of_the_bridge_is_kept_until_the_next_one(working: Working) -> None:
    now = working.clock.now()
    earlier = LightFrame(
        time=now, target_id="M 31", filter="L", exposure_s=60.0, hfr=2.1, stars=900, guide_rms_arcsec=0.4
    )
    working.work.recall(earlier)
    assert working.work.state.facts.last_image == earlier

    later = ImageSaved(time=now + timedelta(minutes=1), target_name="M 31")
    working.hears(later)
    working.work.recall(earlier)
    assert working.work.state.facts.last_image is not None
    assert working.work.state.facts.last_image.time == later.time


class TestAnnounced:
    """Of which projects an exposure may come, by what N.I.N.A. has announced."""

    @pytest.fixture
    async def heard(self, working: Working) -> Working:
        """It has announced something before, is connected, and runs nothing."""
        working.hears(WaitAnnounced(time=working.clock.now()))
        working.hears(CaughtUp(time=working.clock.now(), is_sequence_running=False, is_scheduler_running=False))
        return working

    def announced(self, working: Working, heard: Heard | None = None) -> Announced | None:
        return working.work.announced(heard or Heard(), RIG, UTC)

    async def test_nothing_is_known_before_n_i_n_a_is_connected_and_after_the_connection_broke(
        self, working: Working
    ) -> None:
        now = working.clock.now()
        assert self.announced(working) is None
        working.hears(CaughtUp(time=now, is_sequence_running=True, is_scheduler_running=True))
        assert self.announced(working) is None
        working.hears(TargetAnnounced(time=now, target_name="M 31"))
        assert self.announced(working) is not None
        working.hears(Disconnected(time=now))
        assert self.announced(working) is None

    async def test_the_project_of_the_target_that_is_announced(self, heard: Working) -> None:
        now = heard.clock.now()
        heard.hears(TargetAnnounced(time=now, target_name="M 31"))
        assert self.announced(heard) == Announced(project_ids=frozenset({"galaxies"}), time=now)
        heard.hears(TargetAnnounced(time=now, target_name="Comet"))
        assert self.announced(heard) is None

    async def test_a_target_of_two_profiles_is_no_target_before_it_is_known_which_is_meant(
        self, heard: Working
    ) -> None:
        heard.hears(TargetAnnounced(time=heard.clock.now(), target_name="M 31"))
        active, other = profile("a", RIG_PROJECTS), profile("b", RIG_PROJECTS, active=False)
        assert heard.work.announced(Heard(), rig(Listing((active, other))), UTC) is None

    async def test_nothing_while_it_waits_or_has_stopped_or_has_only_begun(self, heard: Working) -> None:
        nothing = Announced(project_ids=frozenset(), time=heard.clock.now())
        assert self.announced(heard) == nothing
        heard.clock.advance(60)
        later = replace(nothing, time=heard.clock.now())
        heard.hears(SequenceStarted(time=heard.clock.now()))
        assert self.announced(heard) == later
        heard.hears(WaitAnnounced(time=heard.clock.now()))
        assert self.announced(heard) == later

    async def test_an_advanced_api_that_may_pass_no_words_on_tells_nothing(self, working: Working) -> None:
        working.hears(CaughtUp(time=working.clock.now(), is_sequence_running=False, is_scheduler_running=False))
        assert working.work.state.word is not None
        assert self.announced(working) is None

    async def test_a_start_is_forgotten_with_the_connection(self, heard: Working) -> None:
        now = heard.clock.now()
        caught_up = CaughtUp(time=now, is_sequence_running=True, is_scheduler_running=True, process_started=now)
        heard.hears(caught_up)
        heard.hears(SequenceStarted(time=now))
        heard.hears(Disconnected(time=now))
        heard.hears(caught_up)
        assert heard.work.state.is_unbroken
        assert self.announced(heard) is None

    async def test_a_word_before_a_break_tells_nothing_where_n_i_n_a_may_have_been_started_anew(
        self, heard: Working
    ) -> None:
        now = heard.clock.now()
        heard.hears(TargetAnnounced(time=now, target_name="M 31"))
        heard.hears(Disconnected(time=now))
        heard.hears(CaughtUp(time=now, is_sequence_running=True, is_scheduler_running=True))
        assert heard.work.state.word is not None
        assert self.announced(heard) is None

    async def test_who_is_not_believed_announces_nothing(self, heard: Working) -> None:
        now = heard.clock.now()
        assert self.announced(heard, Heard(contradicted=(now, now, now))) is None
