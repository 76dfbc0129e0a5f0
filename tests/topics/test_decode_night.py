"""What a restarted bridge reads back of the night from its own messages."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest

from tests.support.sample_rig import AUTUMN, BACKYARD, HYDROGEN, LAST_NIGHT, LUM, M31, REFRACTOR, SHARP, TONIGHT
from ts2mqtt.observatory.changes import Observation, Watch, observe
from ts2mqtt.observatory.events import PROJECT_COMPLETED, TARGET_COMPLETED
from ts2mqtt.observatory.evidence import OBSERVED, PLANNED, Evidence, LastExposure
from ts2mqtt.observatory.live import LightFrame
from ts2mqtt.observatory.look import Look
from ts2mqtt.observatory.model import Listing, PlannedExposures, Rig
from ts2mqtt.observatory.night_report import NightReport, PlannedStretch, PlanReport, Stretch, TargetReport
from ts2mqtt.observatory.night_reports import NightReports
from ts2mqtt.observatory.present import IDLE, IMAGING, OFFLINE, WAITING, Appointment, Present
from ts2mqtt.observatory.sharpness import HfrCount, Sharpness
from ts2mqtt.observatory.tally import FilterTally, Tally, TargetTally
from ts2mqtt.topics.decode import Recalled, recall
from ts2mqtt.topics.encode import RigView, rig_messages
from ts2mqtt.topics.names import PROFILE, PROJECT, TARGET, TopicNames

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pydantic import JsonValue

    from ts2mqtt.observatory.model import NightPlan

NAMES = TopicNames("ts2mqtt")
NOW = datetime(2026, 2, 28, 2, 30, tzinfo=UTC)
SEEN = NOW - timedelta(days=40)
TALLY = Tally(
    night=TONIGHT.night,
    targets=(
        TargetTally(
            id=M31.id,
            name=M31.name,
            filters=(
                FilterTally(filter="L", acquired=7, accepted=5, integration_s=420.0),
                FilterTally(filter=None, acquired=1, accepted=0, integration_s=0.5),
            ),
        ),
    ),
)
AT_WORK = Appointment(
    target_id=M31.id,
    name=M31.name,
    project_id=AUTUMN.id,
    project_name=AUTUMN.name,
    start=NOW,
    end=NOW,
    source=OBSERVED,
)
LAST = LastExposure(
    time=NOW - timedelta(minutes=1), target_id=M31.id, target_name=M31.name, filter="L", exposure_s=60.0
)
IMAGING_SINCE = NOW - timedelta(hours=2)
WATCH = Watch(
    rig=BACKYARD,
    plan=TONIGHT,
    tally=TALLY,
    read_night=TALLY.night,
    first_seen={AUTUMN.id: SEEN, M31.id: SEEN + timedelta(days=1)},
)
PLAN = replace(
    TONIGHT,
    inputs="0123456789abcdef",
    fetched=NOW,
    blocks=(replace(TONIGHT.blocks[0], extra={"New": [1]}), *TONIGHT.blocks[1:]),
)


def published(
    rig: Rig = BACKYARD, *, plan: NightPlan | None = PLAN, source: str = OBSERVED, activity: str = IMAGING
) -> dict[str, bytes]:
    present = Present(
        activity=activity,
        activity_since=IMAGING_SINCE,
        current_target=replace(AT_WORK, source=source),
        last_exposure=LAST,
    )
    view = RigView(rig, plan, present, replace(WATCH, rig=rig))
    return {topic: message.payload for topic, message in rig_messages(NAMES, view).items()}


def recalled(retained: dict[str, bytes]) -> Watch:
    return recall(NAMES, retained)[BACKYARD.id].watch


def looked(watch: Watch, rig: Rig) -> Observation:
    return observe(watch, Look(rig=rig, plan=PLAN, now=NOW, zone=NOW.tzinfo))


def without(what: str, payload: bytes) -> bytes:
    told = json.loads(payload)
    del told[what]
    return json.dumps(told).encode()


def test_the_night_comes_back() -> None:
    watch = recalled(published())

    assert watch.plan == PLAN
    assert watch.tally == TALLY
    assert watch.read_night == TALLY.night
    assert watch.first_seen == WATCH.first_seen
    assert watch.peaks == {}
    assert not watch.has_read


def test_a_rig_that_was_imaging_still_is() -> None:
    watch = recalled(published())

    assert watch.present == Present(
        activity=IMAGING, activity_since=IMAGING_SINCE, current_target=AT_WORK, last_exposure=LAST
    )
    assert watch.evidence == Evidence(kind=OBSERVED, target_id=M31.id, time=LAST.time, exposure_s=300.0)
    assert watch.recalled == LAST.time
    again = observe(watch, Look(rig=BACKYARD, plan=PLAN, now=NOW, zone=NOW.tzinfo)).present
    assert (again.activity, again.activity_since, again.last_exposure) == (IMAGING, IMAGING_SINCE, LAST)
    assert again.observed_target is not None
    # The plan is over: one exposure of five minutes, the longest that may follow, and three minutes more.
    late = Look(rig=BACKYARD, plan=PLAN, now=LAST.time + timedelta(minutes=8), zone=NOW.tzinfo)
    assert observe(watch, late).present.activity == IDLE


@pytest.mark.parametrize(
    ("activity", "before"), [(IMAGING, timedelta()), (IDLE, timedelta(minutes=20)), (WAITING, timedelta(minutes=20))]
)
def test_that_a_rig_images_a_look_has_told_and_all_else_maybe_the_clock_later(
    activity: str, before: timedelta
) -> None:
    retained = published(activity=activity)
    topic = NAMES.rig_state(BACKYARD.id)

    assert recalled(retained).recalled == LAST.time
    retained[topic] = without("last_exposure", retained[topic])
    assert recalled(retained).recalled == IMAGING_SINCE - before


@pytest.mark.parametrize("lacking", ["last_exposure", "activity_since", "current_target"])
def test_what_an_earlier_version_did_not_publish_is_not_known(lacking: str) -> None:
    retained = published()
    topic = NAMES.rig_state(BACKYARD.id)
    retained[topic] = without(lacking, retained[topic])

    watch = recalled(retained)

    assert watch.present is not None
    assert getattr(watch.present, lacking) is None
    assert (watch.evidence is None) is (lacking != "activity_since")
    assert (watch.present.current_target is None) is (watch.evidence is None)


def test_a_target_that_was_to_follow_another_still_is() -> None:
    watch = recalled(published(source=PLANNED))

    # The target's first exposure, from then on when the last one was seen.
    block = PLAN.blocks[3]
    expected = Evidence(kind=PLANNED, target_id=M31.id, time=LAST.time, exposure_s=300.0)
    assert block.end < LAST.time
    assert watch.evidence == expected


def test_a_rig_that_was_not_imaging_does_not_begin_to_because_the_bridge_starts() -> None:
    watch = recalled(published(activity=WAITING))

    assert watch.evidence is None
    assert watch.present is not None
    assert watch.present.activity == WAITING


def test_what_was_once_accepted_comes_back_while_fewer_are() -> None:
    peaks = {(M31.id, "lum_60"): 11}
    view = RigView(BACKYARD, PLAN, Present(activity=IDLE), replace(WATCH, peaks=peaks))
    retained = {topic: message.payload for topic, message in rig_messages(NAMES, view).items()}

    assert recalled(retained).peaks == peaks


def test_the_rig_comes_back_as_far_as_comparing_needs_it() -> None:
    rig = recalled(published()).rig

    assert rig is not None
    assert (rig.id, rig.online) == (BACKYARD.id, True)
    assert rig.active_profile is not None
    assert (rig.active_profile.id, rig.active_profile.name) == (REFRACTOR.id, REFRACTOR.name)
    assert rig.active_profile.projects is not None
    (project,) = rig.active_profile.projects.items
    assert (project.id, project.name, project.state) == (AUTUMN.id, AUTUMN.name, AUTUMN.state)
    assert project.targets is not None
    (target,) = project.targets.items
    assert (target.id, target.name) == (M31.id, M31.name)
    assert target.exposure_plans == M31.exposure_plans


@pytest.mark.parametrize("other", [b"offline", b"", None])
def test_a_rig_was_online_if_its_status_said_so(other: bytes | None) -> None:
    retained = published()
    topic = NAMES.rig_status(BACKYARD.id)
    if other is None:
        del retained[topic]
    else:
        retained[topic] = other

    rig = recalled(retained).rig
    assert rig is not None
    assert rig.online is False


def test_nothing_has_happened_between_the_last_message_and_the_first_look() -> None:
    observation = looked(recalled(published()), BACKYARD)

    assert observation.events == ()
    assert observation.watch.tally == TALLY
    assert observation.watch.first_seen == WATCH.first_seen


@pytest.mark.parametrize(("acquired", "happened"), [(12, [TARGET_COMPLETED, PROJECT_COMPLETED]), (11, [])])
def test_what_was_completed_while_the_bridge_was_down_is_told_by_the_rule_of_its_project(
    acquired: int, happened: list[str]
) -> None:
    """With grading off 10 of 10 desired are not complete, and were not when the bridge ended."""

    def rig(count: int) -> Rig:
        plan = replace(LUM, desired=10, acquired=count, accepted=count)
        own = replace(AUTUMN, enable_grader=False, targets=Listing((replace(M31, exposure_plans=(plan,)),)))
        return replace(BACKYARD, profiles=Listing((replace(REFRACTOR, projects=Listing((own,))),)))

    told = looked(recalled(published(rig(10))), rig(acquired)).events

    assert [event.event_type for event in told if event.event_type.endswith("completed")] == happened


def test_statistics_come_back_with_the_counts_they_were_read_at() -> None:
    remembered = recall(NAMES, published())[BACKYARD.id].statistics

    assert remembered == {M31.id: ((("lum_60", 12, 10), ("ha_300", 4, 0)), {"lum_60": SHARP})}


def test_dates_come_back_to_tell_the_time_zone_of_the_rig() -> None:
    west = timezone(timedelta(hours=-3))
    created, activated = datetime(2026, 1, 2, 12, tzinfo=west), datetime(2026, 1, 3, 12, tzinfo=west)
    dated = replace(AUTUMN, created=created, activated=activated, deactivated=None)
    rig = replace(BACKYARD, profiles=Listing((replace(REFRACTOR, projects=Listing((dated,))),)))

    remembered = recall(NAMES, published(rig))[BACKYARD.id]

    assert remembered.dates == (created, activated)
    assert [date.utcoffset() for date in remembered.dates] == [timedelta(hours=-3)] * 2
    assert Recalled(Watch()).dates == ()


def test_without_statistics_none_come_back() -> None:
    bare = replace(M31, exposure_plans=(replace(LUM, statistics=None), HYDROGEN))
    rig = replace(
        BACKYARD,
        profiles=Listing((replace(REFRACTOR, projects=Listing((replace(AUTUMN, targets=Listing((bare,))),))),)),
    )

    assert recall(NAMES, published(rig))[BACKYARD.id].statistics == {}
    assert Recalled(Watch()).statistics == {}


def test_a_target_that_was_only_planned_was_not_at_work() -> None:
    present = recalled(published(source=PLANNED)).present

    assert present is not None
    assert present.observed_target is None


def test_rigs_are_told_apart() -> None:
    other = replace(BACKYARD, id="balcony")

    both = recall(NAMES, published() | published(other))

    assert both.keys() == {"backyard", "balcony"}
    assert both["balcony"].watch.rig is not None
    assert both["balcony"].watch.rig.id == "balcony"


def test_a_bridge_that_never_ran_remembers_nothing() -> None:
    assert recall(NAMES, {}) == {}
    assert recall(NAMES, {"ts2mqtt/status": b"online", "zigbee/lamp/state": b"{}"}) == {}


def test_a_rig_that_never_answered_leaves_nothing_to_compare_with() -> None:
    view = RigView(replace(BACKYARD, online=False, profiles=None), None, Present(activity=OFFLINE), Watch())
    retained = {topic: message.payload for topic, message in rig_messages(NAMES, view).items()}

    assert recalled(retained) == Watch()


GARBAGE = [b"{", b"[]", b"null", b"7", b'"text"', b"\xff\xfe", b"\x89PNG\r\n", b"{}", b'{"id": 7}', b'{"id": null}']


@pytest.mark.parametrize("garbage", GARBAGE)
def test_garbage_on_one_topic_is_as_if_it_had_not_been_there(garbage: bytes) -> None:
    whole = published()

    for topic in whole:
        lacking = {other: payload for other, payload in whole.items() if other != topic}
        assert recalled(whole | {topic: garbage}) == recalled(lacking), topic


@pytest.mark.parametrize("garbage", GARBAGE)
def test_garbage_everywhere_is_a_fresh_start(garbage: bytes) -> None:
    assert recalled(dict.fromkeys(published(), garbage)) == Watch()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda plan: plan | {"blocks": [plan["blocks"][0] | {"start": "2026-02-27T20:00:00"}]},
        lambda plan: plan | {"blocks": [{"id": "x"}]},
        lambda plan: plan | {"blocks": [plan["blocks"][0] | {"name": 7}]},
        lambda plan: plan | {"blocks": [{key: plan["blocks"][0][key] for key in ("start", "end", "exposures")}]},
        lambda plan: plan | {"night": "tonight"},
        lambda plan: plan | {"fetched": None},
        lambda plan: plan | {"profile_id": None},
    ],
)
def test_a_plan_that_cannot_be_read_whole_is_none(spoil: Callable[[dict[str, object]], dict[str, object]]) -> None:
    topic = NAMES.rig_plan(BACKYARD.id)
    whole = published()

    assert recalled(whole | {topic: json.dumps(spoil(json.loads(whole[topic]))).encode()}).plan is None


def test_before_there_was_a_plan_there_is_none() -> None:
    assert recalled(published(plan=None)).plan is None


def test_a_plan_of_unknown_inputs_and_exposures_comes_back() -> None:
    unknown = replace(PLAN.blocks[1], exposures=(PlannedExposures(None, None, 0),))
    plan = replace(PLAN, inputs=None, blocks=(unknown,))

    assert recalled(published(plan=plan)).plan == plan


@pytest.mark.parametrize(
    ("topic", "what"),
    [
        (NAMES.thing(BACKYARD.id, PROJECT, AUTUMN.id), "targets"),
        (NAMES.thing(BACKYARD.id, PROFILE, REFRACTOR.id), "projects"),
        (NAMES.thing(BACKYARD.id, TARGET, M31.id), "exposure_plans"),
        (NAMES.thing(BACKYARD.id, TARGET, M31.id), "id"),
        (NAMES.thing(BACKYARD.id, PROJECT, AUTUMN.id), "id"),
    ],
)
def test_what_is_not_known_of_a_parent_s_children_is_not_told_as_added_or_completed(topic: str, what: str) -> None:
    retained = published()
    retained[topic] = without(what, retained[topic])

    assert looked(recalled(retained), BACKYARD).events == ()


def without_or_with_odd_values(content: JsonValue) -> Iterator[JsonValue]:
    """What is left of it without a key, or with a value there that none of its keys can have."""
    match content:
        case dict():
            for key, value in content.items():
                yield {name: kept for name, kept in content.items() if name != key}
                for odd in odd_values(value):
                    yield {**content, key: odd}
        case list():
            for number, value in enumerate(content):
                for odd in odd_values(value):
                    yield [*content[:number], odd, *content[number + 1 :]]


def odd_values(value: JsonValue) -> Iterator[JsonValue]:
    yield {}
    yield ["odd"]
    yield from without_or_with_odd_values(value)


@pytest.mark.parametrize("kind", [PROFILE, PROJECT, TARGET, "state"])
def test_what_cannot_be_read_is_told_as_no_change(kind: str) -> None:
    done = replace(M31, exposure_plans=(replace(LUM, accepted=LUM.desired),))
    rig = replace(
        BACKYARD,
        profiles=Listing((replace(REFRACTOR, projects=Listing((replace(AUTUMN, targets=Listing((done,))),))),)),
    )
    whole = published(rig)
    (topic,) = [topic for topic in whole if f"/{kind}" in topic]

    spoiled = [*without_or_with_odd_values(json.loads(whole[topic]))]
    assert len(spoiled) > 10
    for content in spoiled:
        watch = recalled(whole | {topic: json.dumps(content).encode()})
        assert looked(watch, rig).events == (), content


def test_what_cannot_be_read_of_the_state_leaves_the_tally() -> None:
    topic = NAMES.rig_state(BACKYARD.id)
    state = json.loads(published()[topic])

    for odd in ({"next_target": {"id": 7}}, {"current_target": 7}, {"profiles": 7}, {"activity": None}):
        assert recalled(published() | {topic: json.dumps(state | odd).encode()}).tally == TALLY


def test_a_project_whose_targets_were_never_read_is_not_told_as_filled() -> None:
    unread = replace(
        BACKYARD, profiles=Listing((replace(REFRACTOR, projects=Listing((replace(AUTUMN, targets=None),))),))
    )

    watch = recalled(published(unread))

    assert watch.rig is not None
    assert watch.rig.active_profile is not None
    assert watch.rig.active_profile.projects is not None
    assert watch.rig.active_profile.projects.items[0].targets is None


def test_what_its_parent_no_longer_names_was_removed_before() -> None:
    empty = replace(BACKYARD, profiles=Listing((replace(REFRACTOR, projects=Listing(())),)))

    watch = recalled(published() | published(empty))
    happened = looked(watch, empty).events

    assert [event.event_type for event in happened if event.event_type != "target_finished"] == []


def test_the_reports_of_tonight_and_of_the_last_night() -> None:
    tonight = NightReport(
        night=TONIGHT.night,
        seen_from=SEEN,
        plan_fetched=NOW,
        planned=(PlannedStretch(id=M31.id, name=M31.name, start=NOW, end=NOW + timedelta(hours=1)),),
        answered=True,
        unplaced=2,
        complete=False,
        targets=(
            TargetReport(
                id=M31.id,
                name=M31.name,
                project_id=AUTUMN.id,
                project_name=AUTUMN.name,
                completed=True,
                plans=(
                    PlanReport(
                        key="lum_60",
                        filter="L",
                        exposure_s=60.0,
                        acquired=7,
                        accepted=None,
                        accepted_at_least=2,
                        rejected=None,
                        pending=1,
                        acquired_before=3,
                        accepted_before=2,
                        pending_before=1,
                    ),
                ),
                stretches=(Stretch(NOW, NOW + timedelta(minutes=7)),),
            ),
        ),
        last_image=LightFrame(
            time=NOW + timedelta(microseconds=1),
            target_id=M31.id,
            filter="L",
            exposure_s=60.0,
            hfr=1.4375,
            stars=4026,
            guide_rms_arcsec=0.38,
        ),
        sharpness=(
            Sharpness(target_id=M31.id, key="lum_60", counts=(HfrCount(1.44, 3), HfrCount(2.0, 1))),
            Sharpness(target_id=M31.id, key=None, counts=(HfrCount(1.5, 1),)),
        ),
    )
    nights = NightReports(tonight=tonight, last=replace(tonight, night=TONIGHT.night - timedelta(days=1)))
    view = RigView(BACKYARD, TONIGHT, Present(activity=IDLE), replace(WATCH, nights=nights))
    retained = {topic: message.payload for topic, message in rig_messages(NAMES, view).items()}

    assert recalled(retained).nights == nights
    (told,) = json.loads(retained[NAMES.rig_night(BACKYARD.id)])["targets"]
    assert told["hfr_median"] == 1.44
    assert [row["hfr_median"] for row in told["filters"]] == [1.44]


@pytest.mark.parametrize("odd", [[0, 1], [-1, 1], [1e9, 1], [2, 0], [2, -3], [2], [2, 1, 1], "2", [None, 1]])
def test_half_flux_radii_that_cannot_be_are_none(odd: JsonValue) -> None:
    view = RigView(BACKYARD, TONIGHT, Present(activity=IDLE), replace(WATCH, nights=NightReports(last=LAST_NIGHT)))
    topic = NAMES.rig_night(BACKYARD.id)
    night = json.loads(rig_messages(NAMES, view)[topic].payload)
    night["hfr_counts"] = [{"target_id": M31.id, "key": None, "counts": [[2, 1], odd]}]

    last = recalled({topic: json.dumps(night).encode()}).nights.last

    assert last is not None
    assert last.hfr_median(M31.id) is None
    assert last.acquired == LAST_NIGHT.acquired
