"""A lease of N.I.N.A.'s word over a night: how long it is, what ends it, and when nobody believes it any more."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from tests.support.build import exposure_plan, profile, project, rig, target
from ts2mqtt.observatory import events
from ts2mqtt.observatory.changes import Observation, Watch, observe, recalled_watch
from ts2mqtt.observatory.evidence import LIVE, OBSERVED, planned_after, recalled_announcement
from ts2mqtt.observatory.live import LiveState, Stopped, Word, folded
from ts2mqtt.observatory.live_events import CaughtUp, Disconnected, SequenceStarted, TargetAnnounced, WaitAnnounced
from ts2mqtt.observatory.look import Look
from ts2mqtt.observatory.model import INACTIVE, Listing, Rig
from ts2mqtt.observatory.night_reports import NightReports
from ts2mqtt.observatory.present import IDLE, IMAGING, WAITING

if TYPE_CHECKING:
    from ts2mqtt.observatory.live_events import LiveEvent
    from ts2mqtt.observatory.present import Appointment

EVENING = datetime(2026, 1, 10, 20, tzinfo=UTC)
A_LOOK = timedelta(seconds=30)
EXPOSURE = timedelta(minutes=5)
AT_WORK = (events.TARGET_STARTED, events.TARGET_FINISHED)


SHORT = "short"
"""A target with exposures of a minute."""


def has(**acquired: int) -> Rig:
    """A rig with a project for each of these targets, with so many of a hundred exposures of five minutes."""
    made = (
        project(name, Listing((target(exposure_plan(100, number, number, exposure_s=length_s), identity=name),)))
        for name, number in acquired.items()
        for length_s in (60.0 if name == SHORT else 300.0,)
    )
    return rig(Listing((profile(projects=Listing(tuple(made))),)))


@dataclass
class Night:
    """Looks at a rig again and again, and hears what N.I.N.A. says."""

    watch: Watch = field(default_factory=Watch)
    now: datetime = EVENING
    live: LiveState = field(default_factory=lambda: LiveState(connected=True))
    counts: dict[str, int] = field(default_factory=lambda: {"a": 3, "b": 3})
    last_look: datetime | None = None
    told: list[tuple[str, str | None, datetime]] = field(default_factory=list)

    def restart_bridge(self) -> None:
        """What was published is known, and nothing else."""
        self.watch = recalled_watch(
            rig=self.watch.rig,
            plan=None,
            present=self.watch.present,
            tally=None,
            nights=NightReports(),
            history={},
            first_seen={},
            peaks={},
        )
        self.live = LiveState()

    def look(self, *, after: timedelta = A_LOOK, **acquired: int) -> Observation:
        """With these counts from now on."""
        self.now += after
        self.counts |= acquired
        read = dict.fromkeys(self.counts, self.last_look) if self.last_look else {}
        look = Look(rig=has(**self.counts), plan=None, now=self.now, zone=UTC, read_before=read, live=self.live)
        observation = observe(self.watch, look)
        self.watch, self.last_look = observation.watch, self.now
        self.told += [(one.event_type, one.target_id, one.time) for one in observation.events]
        return observation

    def say(self, word: Word) -> Observation:
        """Nothing is read meanwhile, and nothing is counted."""
        self.live = replace(self.live, word=word, is_unbroken=True)
        self.now = max(self.now, word.time)
        look = Look(rig=has(**self.counts), plan=None, now=self.now, zone=UTC, live=self.live)
        observation = observe(self.watch, look)
        self.watch = observation.watch
        self.told += [(one.event_type, one.target_id, one.time) for one in observation.events]
        return observation

    def silence(self) -> None:
        """A look at which the API of the Target Scheduler does not answer."""
        self.now += A_LOOK
        rig_now = replace(has(**self.counts), online=False)
        observation = observe(self.watch, Look(rig=rig_now, plan=None, now=self.now, zone=UTC, live=self.live))
        self.watch = observation.watch
        self.told += [(one.event_type, one.target_id, one.time) for one in observation.events]

    def hear(self, event: LiveEvent) -> None:
        self.live = folded(self.live, event, has(**self.counts))

    def announce(self, name: str, **fields: datetime | None) -> Observation:
        time = self.now + timedelta(seconds=1)
        return self.say(TargetAnnounced(time=time, target_name=name, project_name=name, until=fields.get("until")))

    def work(self) -> list[tuple[str, str | None]]:
        return [(kind, target_id) for kind, target_id, _ in self.told if kind in AT_WORK]


def begun() -> Night:
    night = Night()
    night.look()
    night.look()
    return night


def test_a_target_is_told_when_it_is_announced_and_once() -> None:
    night = begun()

    said = night.announce("a").present
    for _ in range(4):
        night.look(after=EXPOSURE, a=night.counts["a"] + 1)
        night.announce("a")

    assert (said.activity, said.evidence) == (IMAGING, LIVE)
    assert night.work() == [(events.TARGET_STARTED, "a")]
    assert night.told[0][2] == EVENING + 2 * A_LOOK + timedelta(seconds=1)
    assert sum(kind == events.EXPOSURE_ACQUIRED for kind, *_ in night.told) == 4


def test_it_ends_an_exposure_and_patience_after_it_was_given() -> None:
    night = begun()
    night.announce("a")
    end = night.now + 3 * EXPOSURE + timedelta(minutes=5)

    assert night.look(after=end - night.now - timedelta(seconds=1)).present.evidence == LIVE
    assert night.look(after=timedelta(seconds=1)).present.activity == IDLE
    assert night.work() == [(events.TARGET_STARTED, "a"), (events.TARGET_FINISHED, "a")]


def test_when_a_target_is_gone_bounds_it_and_is_read_by_the_rigs_clock() -> None:
    night = begun()
    night.announce("a", until=(night.now + timedelta(minutes=15)).replace(tzinfo=None))

    assert night.look(after=timedelta(minutes=14)).present.evidence == LIVE
    assert night.look(after=timedelta(minutes=2)).present.activity == IDLE
    # A time that lies behind says nothing: before the first exposure the rig slews, centres and focuses.
    night.announce("a", until=(night.now - timedelta(hours=1)).replace(tzinfo=None))
    assert night.look(after=timedelta(minutes=12)).present.evidence == LIVE


def test_the_exposure_at_which_a_target_is_gone_is_waited_for_although_the_mount_flips_before_it() -> None:
    night = begun()
    night.announce("a", until=(night.now + timedelta(minutes=6)).replace(tzinfo=None))

    night.look(after=timedelta(minutes=12))
    night.look(a=4)
    night.announce("a")
    assert night.work() == [(events.TARGET_STARTED, "a")]


def test_another_target_takes_over_at_once_and_the_counts_of_before_do_not_bring_the_old_one_back() -> None:
    night = begun()
    night.look(after=EXPOSURE, a=4)
    night.announce("b")
    # The last exposure of A is read late.
    night.look(after=timedelta(seconds=5), a=5)
    end = night.now + 3 * EXPOSURE + timedelta(minutes=5)

    assert night.look(after=end - night.now).present.activity == IDLE
    assert night.work() == [
        (events.TARGET_STARTED, "a"),
        (events.TARGET_FINISHED, "a"),
        (events.TARGET_STARTED, "b"),
        (events.TARGET_FINISHED, "b"),
    ]


def test_what_was_seen_before_another_target_was_announced_does_not_outlive_it() -> None:
    night = begun()
    night.look(after=timedelta(seconds=1), short=0)
    night.look(after=EXPOSURE, a=4)
    night.announce(SHORT)

    # By the counts alone A would be at work for a quarter of an hour.
    assert night.look(after=timedelta(minutes=8)).present.activity == IDLE
    assert [target_id for kind, target_id in night.work() if kind == events.TARGET_STARTED] == ["a", SHORT]


def test_a_wait_says_until_when() -> None:
    night = begun()
    night.announce("a")
    until = night.now + timedelta(hours=1)

    waits = night.say(WaitAnnounced(time=night.now + A_LOOK, until=until)).present

    assert (waits.activity, waits.waiting_until, waits.current_target) == (WAITING, until, None)
    after = night.look(after=timedelta(hours=1)).present
    assert (after.activity, after.waiting_until) == (IDLE, None)
    untold = night.say(WaitAnnounced(time=night.now)).present
    assert untold.waiting_until == night.now + timedelta(hours=1)


def test_a_stop_ends_what_was_said_at_once_also_of_counts() -> None:
    night = begun()
    night.look(after=EXPOSURE, a=4)

    said = night.say(Stopped(night.now + timedelta(seconds=1))).present
    # The plugin stores the last image a minute later.
    late = night.look(after=timedelta(seconds=60), a=5).present

    assert said.activity == late.activity == IDLE
    assert night.work() == [(events.TARGET_STARTED, "a"), (events.TARGET_FINISHED, "a")]


def test_a_target_that_the_rig_gets_later_is_told_then() -> None:
    night = begun()
    night.look(after=EXPOSURE, a=4)

    unknown = night.announce("c").present
    known = night.look(c=0).present

    assert unknown.current_target is not None
    assert (unknown.current_target.target_id, unknown.evidence) == ("a", OBSERVED)
    assert known.current_target is not None
    assert (known.current_target.target_id, known.evidence) == ("c", LIVE)


def contradicted(night: Night) -> Appointment | None:
    """A is announced, and B is imaged."""
    night.announce("a")
    night.look(after=timedelta(minutes=1))
    return night.look(after=EXPOSURE, b=night.counts["b"] + 1).present.current_target


def test_after_three_contradictions_in_a_night_counts_alone_are_believed_until_noon() -> None:
    night = begun()
    for number in range(3):
        assert night.watch.heard.is_believed(night.now, UTC), number
        current = contradicted(night)
        assert current is not None
        assert (current.target_id, current.source) == ("b", OBSERVED)

    assert not night.watch.heard.is_believed(night.now, UTC)
    current = night.announce("a").present.current_target
    assert current is not None
    assert current.target_id == "b"

    night.look(after=timedelta(hours=17))
    assert night.watch.heard.is_believed(night.now, UTC)
    assert night.announce("a").present.evidence == LIVE


def test_a_word_that_fell_stays_down_until_the_next_one() -> None:
    night = begun()
    contradicted(night)

    assert night.look().present.evidence == OBSERVED
    assert night.announce("b").present.evidence == LIVE
    assert night.work()[-1] == (events.TARGET_STARTED, "b")


FIRST_RUN, SECOND_RUN = EVENING - timedelta(hours=2), EVENING - timedelta(hours=1)


def at_work_in_the_first_run() -> Night:
    """The target "a" was announced, then the API fell silent, and the connection broke."""
    night = Night()
    night.look()
    night.hear(CaughtUp(time=night.now, process_started=FIRST_RUN, is_scheduler_running=True))
    night.announce("a")
    night.hear(Disconnected(time=night.now))
    night.silence()
    assert night.work() == [(events.TARGET_STARTED, "a"), (events.TARGET_FINISHED, "a")]
    return night


def test_a_word_of_before_the_api_fell_silent_starts_no_target_when_it_answers_again() -> None:
    night = at_work_in_the_first_run()

    assert night.look().present.activity == IDLE
    night.hear(CaughtUp(time=night.now, process_started=SECOND_RUN, is_scheduler_running=False))
    assert night.look().present.activity == IDLE
    assert len(night.work()) == 2

    night.announce("a")
    assert night.work()[2:] == [(events.TARGET_STARTED, "a")]


def test_it_holds_again_once_the_same_run_of_nina_was_asked() -> None:
    night = at_work_in_the_first_run()
    night.look()
    night.hear(CaughtUp(time=night.now, process_started=FIRST_RUN, is_scheduler_running=True))

    assert night.look().present.activity == IMAGING
    assert night.work()[2:] == [(events.TARGET_STARTED, "a")]


def test_it_holds_while_the_connection_to_nina_does() -> None:
    night = Night()
    night.look()
    night.hear(CaughtUp(time=night.now, process_started=FIRST_RUN, is_scheduler_running=True))
    night.announce("a")
    night.silence()

    assert night.look().present.activity == IMAGING


def test_a_run_that_cannot_be_told_brings_no_word_back() -> None:
    night = at_work_in_the_first_run()
    night.look()
    night.hear(CaughtUp(time=night.now, is_scheduler_running=True))

    assert night.look().present.activity == IDLE
    assert len(night.work()) == 2


def test_the_history_of_a_new_run_counts_by_whatever_clock_it_was_written() -> None:
    night = at_work_in_the_first_run()
    night.look()
    earlier = TargetAnnounced(time=night.now - timedelta(minutes=2), target_name="b", project_name="b")
    night.hear(CaughtUp(time=night.now, process_started=SECOND_RUN, is_scheduler_running=True, announced=earlier))

    night.look()
    assert night.work()[2:] == [(events.TARGET_STARTED, "b")]


def test_a_stop_of_before_the_connection_broke_ends_no_target_that_was_seen_since() -> None:
    night = Night()
    night.look()
    night.say(Stopped(night.now))
    night.hear(Disconnected(time=night.now))
    night.look(after=timedelta(minutes=4))
    night.look(a=4)
    night.hear(CaughtUp(time=night.now))

    assert night.look().present.activity == IMAGING
    assert night.work() == [(events.TARGET_STARTED, "a")]


def test_a_stop_that_a_lost_connection_has_ended_does_not_come_back_with_a_connection_that_tells_nothing() -> None:
    night = Night()
    night.look()
    night.say(Stopped(night.now))
    # In the same moment, and out of order: it is no later word.
    night.hear(TargetAnnounced(time=night.now, target_name="a", project_name="a"))
    night.hear(Disconnected(time=night.now))
    night.look(after=timedelta(minutes=4))
    night.look(a=4)
    night.hear(CaughtUp(time=night.now))
    night.look()
    night.look(after=timedelta(minutes=4), a=5)

    assert night.work() == [(events.TARGET_STARTED, "a")]


def test_a_wait_of_before_the_api_fell_silent_is_over() -> None:
    night = Night()
    night.look()
    night.say(WaitAnnounced(time=night.now, until=night.now + timedelta(hours=2)))
    assert night.look().present.waiting_until
    night.hear(Disconnected(time=night.now))
    night.silence()

    assert night.look().present.waiting_until is None


@pytest.mark.parametrize("gap", [timedelta(minutes=14), timedelta(minutes=1)], ids=["a pause", "no pause"])
def test_a_bridge_that_is_started_anew_knows_an_announcement_after_the_last_exposure(gap: timedelta) -> None:
    night = Night()
    night.look()
    night.look(a=4)
    if gap > EXPOSURE:
        night.say(Stopped(night.now))
    night.now += gap
    night.announce("a")
    told = len(night.work())
    night.restart_bridge()

    assert night.look(after=timedelta(minutes=4)).present.activity == IMAGING
    assert night.look(a=5).present.activity == IMAGING
    assert len(night.work()) == told


def test_an_exposure_of_before_a_stop_starts_nothing_although_the_sequence_runs_again() -> None:
    night = Night()
    night.look()
    night.announce("a")
    night.say(Stopped(night.now + timedelta(seconds=5)))
    night.hear(SequenceStarted(time=night.now + timedelta(seconds=5)))
    assert night.look(a=4).present.activity == IDLE
    assert night.work() == [(events.TARGET_STARTED, "a"), (events.TARGET_FINISHED, "a")]

    night.look(after=timedelta(minutes=3))
    assert night.look(a=5).present.activity == IMAGING


def test_a_lease_that_has_ended_does_not_come_back_with_what_ended_it() -> None:
    night = Night()
    night.look()
    night.announce("a")
    active = has(**night.counts)
    for is_active in (False, True):
        night.now += A_LOOK
        (known,) = active.known_profiles
        rig_now = rig(Listing((replace(known, active=is_active), profile("other", active=not is_active))))
        observation = observe(night.watch, Look(rig=rig_now, plan=None, now=night.now, zone=UTC, live=night.live))
        night.watch = observation.watch
        assert observation.present.activity == IDLE


@pytest.mark.parametrize("announced", ["b", None])
def test_what_another_target_took_while_the_bridge_was_away_starts_nothing_before_nina_was_asked(
    announced: str | None,
) -> None:
    night = Night()
    night.look()
    night.look(after=EXPOSURE, a=4)
    if announced:
        night.announce(announced)
    told = night.work()
    night.restart_bridge()

    # A's exposure had not been read when B was announced; of B nobody knows whether N.I.N.A. was started anew since.
    seen = night.look(a=5) if announced else night.look(b=4)
    assert seen.present.activity == IMAGING
    assert night.work() == told
    night.look(after=EXPOSURE, b=night.counts["b"] + 1)
    assert night.watch.present
    assert night.watch.present.current_target
    assert night.watch.present.current_target.target_id == "b"


def test_an_exposure_of_before_a_stop_starts_nothing_when_the_bridge_is_started_anew() -> None:
    night = Night()
    night.look()
    night.announce("a")
    night.look(after=EXPOSURE, a=4)
    night.say(Stopped(night.now + EXPOSURE))
    told = night.work()
    night.restart_bridge()

    assert night.look(a=5).present.activity == IDLE
    assert night.work() == told


@pytest.mark.parametrize(
    ("away", "heard", "activity"),
    [
        (timedelta(minutes=19), False, IMAGING),
        (timedelta(minutes=19), True, IDLE),
        (timedelta(minutes=21), False, IDLE),
    ],
    ids=["not asked", "asked", "long ago"],
)
def test_a_target_announced_to_an_earlier_run_is_left_until_nina_was_asked(
    away: timedelta, *, heard: bool, activity: str
) -> None:
    night = Night()
    night.look()
    night.look(short=0)
    night.announce(SHORT)
    night.restart_bridge()
    night.live = replace(night.live, connected=heard)

    # Its last announcement may have been a moment ago: of that nothing stands on the broker.
    assert night.look(after=away).present.activity == activity
    night.hear(Disconnected(time=night.now))
    assert night.look().present.activity == IDLE


def test_what_was_announced_to_an_earlier_run_ends_with_its_project() -> None:
    night = Night()
    night.look()
    night.announce("a")
    night.restart_bridge()
    (known,) = has(**night.counts).known_profiles
    assert known.projects
    paused = Listing(tuple(replace(one, state=INACTIVE) for one in known.projects.items))
    rig_now = rig(Listing((replace(known, projects=paused),)))

    look = Look(rig=rig_now, plan=None, now=night.now + A_LOOK, zone=UTC, live=LiveState())
    assert observe(night.watch, look).present.activity == IDLE


@dataclass(frozen=True)
class TwoProfiles:
    """Both have a target of the same name; `active` is the id of the one that is active."""

    active: str

    def look(self, word: Word, *, after: timedelta, read: timedelta | None) -> Look:
        """At a time after EVENING, with the profiles read at another time after it."""
        (made,) = has(a=3).known_profiles
        profiles = tuple(replace(made, id=name, name=name, active=name == self.active) for name in ("one", "other"))
        return Look(
            rig=rig(Listing(profiles)),
            plan=None,
            now=EVENING + after,
            zone=UTC,
            profiles_read=None if read is None else EVENING + read,
            live=LiveState(connected=True, word=word),
        )


def test_a_name_of_several_profiles_counts_once_the_profiles_were_read_after_it() -> None:
    said = TargetAnnounced(time=EVENING, target_name="a", project_name="a")
    one = TwoProfiles("one")
    watch = Watch()
    for read in (None, -A_LOOK):
        observation = observe(watch, one.look(said, after=A_LOOK, read=read))
        watch = observation.watch
        assert observation.present.activity == IDLE
    observation = observe(watch, one.look(said, after=A_LOOK, read=A_LOOK))
    assert observation.present.activity == IMAGING

    # The next one of the same target needs no more reading.
    again = replace(said, time=EVENING + EXPOSURE)
    observation = observe(observation.watch, one.look(again, after=EXPOSURE, read=A_LOOK))
    assert observation.watch.heard.since == again.time


def test_a_name_of_several_profiles_says_nothing_once_another_profile_is_found_to_be_active() -> None:
    said = TargetAnnounced(time=EVENING, target_name="a", project_name="a")
    doubtful = observe(Watch(), TwoProfiles("one").look(said, after=A_LOOK, read=-A_LOOK))
    other = TwoProfiles("other")

    found = observe(doubtful.watch, other.look(said, after=A_LOOK, read=A_LOOK))
    assert found.present.activity == IDLE
    assert observe(found.watch, other.look(said, after=2 * A_LOOK, read=2 * A_LOOK)).present.activity == IDLE
    again = replace(said, time=EVENING + EXPOSURE)
    assert observe(found.watch, other.look(again, after=EXPOSURE, read=EXPOSURE)).present.activity == IMAGING


def test_the_history_names_the_target_that_an_earlier_run_believed_to_be_at_work() -> None:
    twins = tuple(
        replace(target(exposure_plan(100, 3, 3, exposure_s=300.0), identity=identity), name="Twin")
        for identity in ("a", "b")
    )
    both = rig(Listing((profile(projects=Listing((replace(project("a", Listing(twins)), name="Twin"),))),)))
    said = TargetAnnounced(time=EVENING, target_name="Twin", project_name="Twin")
    look = Look(rig=both, plan=None, now=EVENING, zone=UTC, live=LiveState(connected=True, word=said))
    recalled = Watch(rig=both, evidence=recalled_announcement("b", EVENING - A_LOOK, both))

    seen = observe(recalled, look)
    assert seen.watch.heard.since == EVENING
    assert seen.present.current_target
    assert seen.present.current_target.target_id == "b"
    assert observe(Watch(rig=both), look).present.activity == IDLE
    # What only the plan tells may be of the other one.
    planned = planned_after(EVENING - A_LOOK, "b", None)
    assert observe(Watch(rig=both, evidence=planned), look).watch.heard.since is None
