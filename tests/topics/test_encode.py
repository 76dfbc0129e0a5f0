"""The complete set of a rig's messages, and the promises about what is in them."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.sample_rig import (
    AUTUMN,
    BACKYARD,
    DUSK,
    EMPTY_PROJECT,
    EMPTY_TARGET,
    HOSTILE_TEXTS,
    HYDROGEN,
    LUM,
    M31,
    REFRACTOR,
    SILENT,
    TONIGHT,
    named,
    rig_of,
    rig_of_targets,
    view_of,
)
from ts2mqtt.observatory.changes import Watch
from ts2mqtt.observatory.model import JsonValue, Listing, NightPlan, PlanBlock, Rig, Statistics
from ts2mqtt.observatory.present import Present
from ts2mqtt.observatory.tree import distinct_projects, distinct_targets
from ts2mqtt.topics.encode import rig_messages
from ts2mqtt.topics.names import PROFILE, PROJECT, TARGET, TopicNames

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ts2mqtt.topics.message import Message

NAMES = TopicNames("ts2mqtt")
STATE = NAMES.rig_state("backyard")
STATUS = NAMES.rig_status("backyard")
PLAN = NAMES.rig_plan("backyard")
NIGHT = NAMES.rig_night("backyard")
OF_PROFILE = NAMES.thing("backyard", PROFILE, REFRACTOR.id)
OF_PROJECT = NAMES.thing("backyard", PROJECT, AUTUMN.id)
OF_TARGET = NAMES.thing("backyard", TARGET, M31.id)

TOTALS = {
    "desired",
    "acquired",
    "accepted",
    "ungraded",
    "pending",
    "rejected",
    "desired_s",
    "acquired_s",
    "accepted_s",
    "remaining_s",
    "progress",
}
NO_TOTALS = dict.fromkeys(TOTALS)
PROMISED = {
    "state": {
        "id",
        "name",
        "plugin_version",
        "api_version",
        "active_profile",
        "activity",
        "current_target",
        "next_target",
        "tonight",
    },
    "profile": {"id", "name", "rig_id", "rig_name", "active", "project_counts", "extra"} | TOTALS,
    "project": {
        "id",
        "name",
        "rig_id",
        "rig_name",
        "profile_id",
        "profile_name",
        "state",
        "priority",
        "description",
        "created",
        "activated",
        "deactivated",
        "minimum_time_min",
        "use_custom_horizon",
        "horizon_offset_deg",
        "meridian_window_min",
        "filter_switch_frequency",
        "dither_every",
        "enable_grader",
        "mosaic",
        "flats_handling",
        "flats_period_days",
        "minimum_altitude_deg",
        "maximum_altitude_deg",
        "smart_exposure_order",
        "extra",
    }
    | TOTALS,
    "target": {
        "id",
        "name",
        "rig_id",
        "rig_name",
        "profile_id",
        "profile_name",
        "project_id",
        "project_name",
        "active",
        "ra_hours",
        "ra_deg",
        "dec_deg",
        "ra",
        "dec",
        "rotation_deg",
        "epoch",
        "roi_percent",
        "scheduled",
        "exposure_plans",
        "extra",
    }
    | TOTALS,
    "exposure plan": {
        "key",
        "template",
        "filter",
        "exposure_s",
        "desired",
        "acquired",
        "accepted",
        "ungraded",
        "pending",
        "rejected",
        "acceptance",
        "progress",
        "remaining_s",
        "statistics",
        "extra",
    },
    "statistics": {
        f"{quantity}_{measure}"
        for quantity in ("hfr", "fwhm", "eccentricity")
        for measure in ("mean", "std_dev", "below_auto_accept")
    }
    | {"extra"},
    "plan": {
        "profile_id",
        "night",
        "fetched",
        "start",
        "end",
        "imaging_s",
        "waiting_s",
        "blocks",
        "rig_id",
        "rig_name",
    },
    "plan block": {"kind", "id", "name", "start", "end", "exposures", "extra"},
}


def messages_of(rig: Rig, plan: NightPlan | None = None) -> dict[str, Message]:
    return rig_messages(NAMES, view_of(rig, plan))


def payload_of(topic: str, rig: Rig, plan: NightPlan | None = None) -> dict[str, Any]:
    payload = json.loads(messages_of(rig, plan)[topic].payload)
    assert isinstance(payload, dict)
    return payload


def picked(payload: dict[str, Any], *keys: str) -> list[Any]:
    return [payload[key] for key in keys]


def values_within(payload: object) -> Iterator[object]:
    yield payload
    if isinstance(payload, dict):
        for value in payload.values():
            yield from values_within(value)
    elif isinstance(payload, list):
        for value in payload:
            yield from values_within(value)


def test_a_rig_has_a_message_for_each_thing_and_no_more() -> None:
    assert messages_of(BACKYARD).keys() >= {STATUS, STATE, PLAN, OF_PROFILE, OF_PROJECT, OF_TARGET}
    things = {topic for topic in messages_of(BACKYARD) if (found := NAMES.subject(topic)) and found.kind}
    assert things == {OF_PROFILE, OF_PROJECT, OF_TARGET}


def test_every_topic_is_one_that_the_bridge_knows_as_its_own() -> None:
    assert [topic for topic in messages_of(BACKYARD, TONIGHT) if NAMES.subject(topic) is None] == []


@pytest.mark.parametrize(("online", "status"), [(True, b"online"), (False, b"offline")])
def test_the_status_says_whether_the_api_answers(online: bool, status: bytes) -> None:
    assert messages_of(replace(BACKYARD, online=online))[STATUS].payload == status


@pytest.mark.parametrize(
    "rig",
    [BACKYARD, SILENT, rig_of(EMPTY_PROJECT), rig_of(replace(AUTUMN, targets=None))],
    ids=["full", "silent", "all null", "targets unread"],
)
@pytest.mark.parametrize("plan", [None, TONIGHT], ids=["no plan", "plan"])
def test_a_promised_key_never_disappears(rig: Rig, plan: NightPlan | None) -> None:
    for topic, message in messages_of(rig, plan).items():
        subject = NAMES.subject(topic)
        kind = (subject.kind if subject else None) or topic.rpartition("/")[2]
        if kind in PROMISED:
            payload = json.loads(message.payload)
            assert payload.keys() >= PROMISED[kind], topic
            for exposure_plan in payload.get("exposure_plans", ()):
                assert exposure_plan.keys() >= PROMISED["exposure plan"]
                assert exposure_plan["statistics"] is None or (
                    exposure_plan["statistics"].keys() >= PROMISED["statistics"]
                )
            for block in payload.get("blocks", ()):
                assert block.keys() >= PROMISED["plan block"]
                assert all(run.keys() >= {"filter", "exposure_s", "count"} for run in block["exposures"])


@pytest.mark.parametrize("topic", [STATE, PLAN, OF_PROFILE, OF_PROJECT, OF_TARGET])
def test_times_have_an_offset(topic: str) -> None:
    texts = [value for value in values_within(payload_of(topic, BACKYARD, TONIGHT)) if isinstance(value, str)]
    times = [text for text in texts if text[4:5] == "-" and "T" in text]
    assert [time for time in times if datetime.fromisoformat(time).tzinfo is None] == []
    if topic in {PLAN, OF_TARGET, OF_PROJECT}:
        assert times


def test_the_state_names_the_rig_and_its_active_profile() -> None:
    state = payload_of(STATE, BACKYARD)
    assert picked(state, "id", "name", "plugin_version", "api_version") == ["backyard", "Backyard", "5.9.3.0", "v0"]
    assert state["active_profile"] == {"id": REFRACTOR.id, "name": REFRACTOR.name}
    assert state["profiles"] == [{"id": REFRACTOR.id, "name": REFRACTOR.name}]


def test_no_profile_is_active_where_none_runs() -> None:
    rig = replace(BACKYARD, profiles=Listing((replace(REFRACTOR, active=False),)))
    assert payload_of(STATE, rig)["active_profile"] is None


@pytest.mark.parametrize(
    ("online", "activity", "imaging"),
    [
        (True, "imaging", True),
        (True, "waiting", False),
        (True, "idle", False),
        (True, "offline", None),
        (False, "offline", None),
        (None, "offline", None),
        (False, "idle", None),
    ],
)
def test_imaging_is_null_while_nobody_can_know(online: bool | None, activity: str, imaging: bool | None) -> None:
    view = view_of(replace(BACKYARD, online=online), present=Present(activity=activity))
    assert json.loads(rig_messages(NAMES, view)[STATE].payload)["imaging"] is imaging


def test_a_silent_rig_says_only_what_is_known() -> None:
    state = payload_of(STATE, SILENT)
    assert picked(state, "plugin_version", "profiles", "active_profile") == [None, None, None]
    assert messages_of(SILENT).keys() == {STATUS, STATE, PLAN, NIGHT} | {
        topic for topic in messages_of(SILENT) if topic.startswith(f"{PLAN}/")
    }


def test_what_was_never_read_is_provisional() -> None:
    silent = messages_of(SILENT)
    assert silent[STATE].provisional
    assert silent[PLAN].provisional
    assert not silent[STATUS].provisional
    known = messages_of(BACKYARD, TONIGHT)
    assert [topic for topic, message in known.items() if message.provisional] == []


def test_a_profile_counts_its_projects_by_state() -> None:
    states = ("active", "active", "draft", "inactive", "closed", "archived")
    projects = [replace(AUTUMN, id=f"p{number}", state=state) for number, state in enumerate(states)]
    profile = payload_of(OF_PROFILE, rig_of(*projects))
    assert profile["project_counts"] == {"draft": 1, "active": 2, "inactive": 1, "closed": 1}
    assert [project["id"] for project in profile["projects"]] == ["p0", "p1", "p2", "p3", "p4", "p5"]


def test_a_profile_whose_projects_were_not_read_has_null_counts_and_totals() -> None:
    rig = replace(BACKYARD, profiles=Listing((replace(REFRACTOR, projects=None),)))
    profile = payload_of(OF_PROFILE, rig)
    assert picked(profile, "active", "projects", "project_counts") == [True, None, None]
    assert {key: profile[key] for key in TOTALS} == NO_TOTALS
    assert messages_of(rig)[OF_PROFILE].provisional


def test_a_profiles_totals_are_over_its_active_projects() -> None:
    asleep = replace(AUTUMN, id="asleep", state="inactive", targets=Listing((replace(M31, id="other"),)))
    profile = payload_of(OF_PROFILE, rig_of(AUTUMN, asleep))
    project = payload_of(OF_PROJECT, rig_of(AUTUMN, asleep))
    assert {key: profile[key] for key in TOTALS} == {key: project[key] for key in TOTALS}
    assert profile["desired"] == 30


def test_a_projects_totals_are_sums_over_its_targets() -> None:
    project = payload_of(OF_PROJECT, BACKYARD)
    assert {key: project[key] for key in TOTALS} == {
        "desired": 30,
        "acquired": 16,
        "accepted": 10,
        "ungraded": 4,
        "pending": 4,
        "rejected": 2,
        "desired_s": 20 * 60 + 10 * 300,
        "acquired_s": 12 * 60 + 4 * 300,
        "accepted_s": 10 * 60,
        "remaining_s": 10 * 60 + 10 * 300,
        "progress": 33.33,
    }


def test_an_exposure_plan_says_what_is_pending_and_what_was_rejected() -> None:
    lum, hydrogen = payload_of(OF_TARGET, BACKYARD)["exposure_plans"]
    assert picked(lum, "pending", "rejected", "acceptance") == [0, 2, 83.33]
    assert picked(hydrogen, "pending", "rejected", "acceptance") == [4, 0, None]


@pytest.mark.parametrize("grader", [True, None])
def test_with_grading_on_the_exposure_throttle_is_null(grader: bool | None) -> None:
    rig = rig_of(replace(AUTUMN, enable_grader=grader), rig=replace(BACKYARD, exposure_throttle_percent=150))
    for topic in (OF_PROJECT, OF_TARGET):
        payload = payload_of(topic, rig)
        assert payload["exposure_throttle"] is None
        assert payload["remaining_s"] == 10 * 60 + 10 * 300


def test_with_grading_off_the_exposure_throttle_decides_and_is_told() -> None:
    rig = rig_of(replace(AUTUMN, enable_grader=False), rig=replace(BACKYARD, exposure_throttle_percent=150))
    project, target = payload_of(OF_PROJECT, rig), payload_of(OF_TARGET, rig)
    assert picked(project, "exposure_throttle", "remaining_s", "progress") == [150, 18 * 60 + 11 * 300, 33.33]
    assert picked(target, "exposure_throttle", "remaining_s", "progress") == [150, 18 * 60 + 11 * 300, 33.33]
    lum, hydrogen = target["exposure_plans"]
    assert picked(lum, "progress", "remaining_s", "pending", "rejected") == [40, 18 * 60, 0, 2]
    assert picked(hydrogen, "progress", "remaining_s", "pending", "rejected") == [26.67, 11 * 300, 0, 4]


def test_a_targets_progress_is_the_mean_of_its_exposure_plans() -> None:
    target = payload_of(OF_TARGET, BACKYARD)
    assert target["progress"] == 45
    assert [plan["progress"] for plan in target["exposure_plans"]] == [50, 40]
    assert [plan["remaining_s"] for plan in target["exposure_plans"]] == [600, 3000]
    assert picked(target, "desired", "acquired", "accepted", "ungraded") == [30, 16, 10, 4]


def test_remaining_is_never_below_zero() -> None:
    overdone = replace(M31, exposure_plans=(replace(LUM, desired=5, acquired=9, accepted=8),))
    target = payload_of(OF_TARGET, rig_of_targets(overdone))
    assert picked(target, "remaining_s", "progress") == [0, 100]
    assert target["exposure_plans"][0]["remaining_s"] == 0


def test_a_project_without_its_targets_is_provisional_with_null_totals() -> None:
    rig = rig_of(replace(AUTUMN, targets=None))
    project = payload_of(OF_PROJECT, rig)
    assert {key: project[key] for key in TOTALS} == NO_TOTALS
    assert project["targets"] is None
    assert picked(project, "state", "priority") == ["active", "high"]
    assert messages_of(rig)[OF_PROJECT].provisional
    assert messages_of(rig)[OF_PROFILE].provisional


def test_a_project_without_any_target_is_known_to_be_empty() -> None:
    rig = rig_of(replace(AUTUMN, targets=Listing(())))
    project = payload_of(OF_PROJECT, rig)
    assert picked(project, "targets", "desired", "remaining_s", "progress") == [[], 0, 0, 0]
    assert not messages_of(rig)[OF_PROJECT].provisional


def test_a_project_tells_every_planning_setting() -> None:
    project = payload_of(OF_PROJECT, BACKYARD)
    settings = {
        "minimum_time_min": 30,
        "use_custom_horizon": False,
        "horizon_offset_deg": 0,
        "meridian_window_min": 60,
        "filter_switch_frequency": 0,
        "dither_every": 5,
        "enable_grader": True,
        "mosaic": False,
        "flats_handling": "periodically",
        "flats_period_days": 7,
        "minimum_altitude_deg": 25.5,
        "maximum_altitude_deg": 0,
        "smart_exposure_order": True,
    }
    assert {key: project[key] for key in settings} == settings
    assert picked(project, "description", "created", "activated", "deactivated") == [
        "Galaxies",
        "2026-02-26T06:17:59-05:00",
        None,
        None,
    ]


def test_a_targets_coordinates_are_right_to_the_last_digit() -> None:
    target = payload_of(OF_TARGET, BACKYARD)
    assert picked(target, "ra_hours", "ra_deg", "dec_deg") == [0.7123138886666667, 10.68470833, 41.26875]
    assert picked(target, "ra", "dec") == ["00h42m44.3s", "+41°16'08\""]
    assert picked(target, "active", "rotation_deg", "epoch", "roi_percent") == [True, 12.5, "J2000", 100]


def test_a_flow_needs_no_look_up() -> None:
    target = payload_of(OF_TARGET, BACKYARD)
    assert picked(target, "id", "name") == [M31.id, "M 31"]
    assert picked(target, "project_id", "project_name") == [AUTUMN.id, "Autumn"]
    assert picked(target, "profile_id", "profile_name") == [REFRACTOR.id, REFRACTOR.name]
    assert picked(target, "rig_id", "rig_name") == ["backyard", "Backyard"]
    project = payload_of(OF_PROJECT, BACKYARD)
    assert picked(project, "profile_id", "profile_name", "rig_id") == [REFRACTOR.id, REFRACTOR.name, "backyard"]
    assert picked(payload_of(OF_PROFILE, BACKYARD), "rig_id", "rig_name") == ["backyard", "Backyard"]
    plan = payload_of(PLAN, BACKYARD, TONIGHT)
    assert picked(plan, "rig_id", "rig_name", "profile_id", "profile_name") == [
        "backyard",
        "Backyard",
        REFRACTOR.id,
        REFRACTOR.name,
    ]


def test_statistics_are_told_where_there_are_any() -> None:
    lum, hydrogen = payload_of(OF_TARGET, BACKYARD)["exposure_plans"]
    assert lum["statistics"] == {
        "hfr_mean": 2.125,
        "hfr_std_dev": 0.2,
        "hfr_below_auto_accept": 1.8,
        "fwhm_mean": 3.5,
        "fwhm_std_dev": 0.4,
        "fwhm_below_auto_accept": None,
        "eccentricity_mean": 0.45,
        "eccentricity_std_dev": 0.05,
        "eccentricity_below_auto_accept": None,
        "extra": {},
    }
    assert hydrogen["statistics"] is None
    assert picked(hydrogen, "key", "template", "filter", "exposure_s") == ["ha_300", "Ha", "Ha", 300]


def test_a_thing_of_which_only_the_id_is_known_is_null_otherwise() -> None:
    rig = rig_of(EMPTY_PROJECT)
    target = payload_of(NAMES.thing("backyard", TARGET, EMPTY_TARGET.id), rig)
    unknown = ("active", "ra_hours", "ra_deg", "dec_deg", "ra", "dec", "rotation_deg", "epoch", "roi_percent")
    assert picked(target, *unknown) == [None] * len(unknown)
    assert target["scheduled"] is None
    project = payload_of(NAMES.thing("backyard", PROJECT, EMPTY_PROJECT.id), rig)
    settings = PROMISED["project"] - PROMISED["profile"] - {"profile_id", "profile_name", "state"}
    assert {key: project[key] for key in settings} == dict.fromkeys(settings)


def test_fields_that_this_version_does_not_know_are_passed_on() -> None:
    new: dict[str, JsonValue] = {"Moon": {"Avoidance": [1, None, True]}}
    plan = replace(LUM, extra=new, statistics=Statistics(hfr_mean=2.0, extra=new))
    target = replace(M31, extra=new, exposure_plans=(plan,))
    project = replace(AUTUMN, extra=new, targets=Listing((target,)))
    rig = replace(BACKYARD, profiles=Listing((replace(REFRACTOR, extra=new, projects=Listing((project,))),)))
    night = replace(TONIGHT, blocks=(replace(TONIGHT.blocks[0], extra=new),))
    assert payload_of(OF_PROFILE, rig)["extra"] == new
    assert payload_of(OF_PROJECT, rig)["extra"] == new
    assert payload_of(OF_TARGET, rig)["extra"] == new
    assert payload_of(OF_TARGET, rig)["exposure_plans"][0]["extra"] == new
    assert payload_of(OF_TARGET, rig)["exposure_plans"][0]["statistics"]["extra"] == new
    assert payload_of(PLAN, rig, night)["blocks"][0]["extra"] == new


@pytest.mark.parametrize("name", HOSTILE_TEXTS, ids=lambda name: ascii(name[:12]))
def test_names_change_no_topic_and_come_through_untouched(name: str) -> None:
    rig = named(BACKYARD, name)
    assert messages_of(rig).keys() == messages_of(BACKYARD).keys()
    target = payload_of(OF_TARGET, rig)
    assert picked(target, "name", "project_name", "profile_name") == [name, name, name]
    assert picked(target["exposure_plans"][0], "template", "filter") == [name, name]
    assert payload_of(OF_PROJECT, rig)["description"] == name


class TestATargetUnderTwoProjects:
    """A restored database can name one target id twice."""

    ASLEEP = replace(AUTUMN, id="asleep", name="Asleep", state="inactive")

    @pytest.mark.parametrize("projects", [(ASLEEP, AUTUMN), (AUTUMN, ASLEEP)], ids=["last", "first"])
    def test_belongs_to_the_active_one(self, projects: tuple[Any, ...]) -> None:
        rig = rig_of(*projects)
        assert payload_of(OF_TARGET, rig)["project_id"] == AUTUMN.id
        assert [place.target.id for place in distinct_targets(rig)] == [M31.id]

    def test_belongs_to_the_first_where_none_is_active(self) -> None:
        rig = rig_of(self.ASLEEP, replace(AUTUMN, state="closed"))
        assert payload_of(OF_TARGET, rig)["project_id"] == "asleep"


def test_a_project_under_two_profiles_is_told_once() -> None:
    other = replace(REFRACTOR, id="other", name="Other", active=False)
    rig = replace(BACKYARD, profiles=Listing((REFRACTOR, other)))
    assert [(place.profile.id, place.project.id) for place in distinct_projects(rig)] == [(REFRACTOR.id, AUTUMN.id)]
    assert payload_of(OF_PROJECT, rig)["profile_id"] == REFRACTOR.id


class TestTheNightPlan:
    def test_without_one_all_is_null(self) -> None:
        plan = payload_of(PLAN, BACKYARD)
        promised = PROMISED["plan"] - {"rig_id", "rig_name", "blocks"}
        assert {key: plan[key] for key in promised} == dict.fromkeys(promised)
        assert plan["blocks"] == []

    def test_begins_with_the_first_target_and_ends_with_the_last(self) -> None:
        plan = payload_of(PLAN, BACKYARD, TONIGHT)
        assert plan["night"] == "2026-02-27"
        assert datetime.fromisoformat(plan["start"]) == DUSK
        assert datetime.fromisoformat(plan["end"]) == DUSK + timedelta(minutes=60)

    def test_counts_imaging_and_the_waits_between(self) -> None:
        plan = payload_of(PLAN, BACKYARD, TONIGHT)
        assert plan["imaging_s"] == 40 * 60
        assert plan["waiting_s"] == 20 * 60

    def test_was_fetched_in_a_whole_second(self) -> None:
        fetched = datetime.fromisoformat(payload_of(PLAN, BACKYARD, TONIGHT)["fetched"])
        assert fetched == datetime(2026, 2, 27, 18, 30, 5, tzinfo=UTC)

    def test_names_its_blocks(self) -> None:
        blocks = payload_of(PLAN, BACKYARD, TONIGHT)["blocks"]
        assert [picked(block, "kind", "id", "name") for block in blocks] == [
            ["wait", None, None],
            ["target", M31.id, "M 31"],
            ["wait", None, None],
            ["target", M31.id, "M 31"],
        ]
        assert blocks[1]["exposures"] == [
            {"filter": "L", "exposure_s": 60, "count": 10},
            {"filter": "Ha", "exposure_s": 300, "count": 4},
        ]
        assert blocks[0]["exposures"] == []

    def test_of_waits_alone_has_no_start(self) -> None:
        waits = replace(TONIGHT, blocks=TONIGHT.blocks[:1])
        plan = payload_of(PLAN, BACKYARD, waits)
        assert picked(plan, "start", "end", "imaging_s", "waiting_s") == [None, None, 0, 0]

    def test_that_is_empty_is_known_to_be_empty(self) -> None:
        message = messages_of(BACKYARD, replace(TONIGHT, blocks=()))[PLAN]
        assert not message.provisional
        assert json.loads(message.payload)["imaging_s"] == 0

    def test_tells_a_target_from_when_to_when_it_is_scheduled(self) -> None:
        scheduled = payload_of(OF_TARGET, BACKYARD, TONIGHT)["scheduled"]
        assert datetime.fromisoformat(scheduled["start"]) == DUSK
        assert datetime.fromisoformat(scheduled["end"]) == DUSK + timedelta(minutes=60)

    def test_schedules_nothing_of_another_profile(self) -> None:
        assert payload_of(OF_TARGET, BACKYARD, replace(TONIGHT, profile_id="other"))["scheduled"] is None

    def test_schedules_no_target_that_it_does_not_name(self) -> None:
        block = PlanBlock(target_id="other", name="Other", start=DUSK, end=DUSK + timedelta(hours=1))
        night = replace(TONIGHT, night=date(2026, 2, 27), blocks=(block,))
        assert payload_of(OF_TARGET, BACKYARD, night)["scheduled"] is None
        assert payload_of(PLAN, BACKYARD, night)["blocks"][0]["id"] == "other"


def test_the_set_is_the_same_however_often_it_is_made() -> None:
    assert messages_of(BACKYARD, TONIGHT) == messages_of(BACKYARD, TONIGHT)


def test_one_accepted_exposure_changes_the_target_its_project_and_its_profile_alone() -> None:
    further = rig_of_targets(replace(M31, exposure_plans=(replace(LUM, accepted=11), HYDROGEN)))
    before, after = messages_of(BACKYARD, TONIGHT), messages_of(further, TONIGHT)
    assert {topic for topic in after if after[topic] != before[topic]} == {OF_PROFILE, OF_PROJECT, OF_TARGET}


def test_the_last_night_stands_on_its_topics_once_there_was_one() -> None:
    image = NAMES.rig_night_image("backyard")

    assert rig_messages(NAMES, replace(view_of(BACKYARD), last_picture=b"PNG"))[image].payload == b"PNG"
    assert image not in messages_of(BACKYARD)
    before = rig_messages(NAMES, replace(view_of(BACKYARD), watch=Watch()))
    assert NIGHT not in before
    night = payload_of(NIGHT, BACKYARD)
    assert picked(night, "rig_name", "night", "acquired", "accepted", "imaged_s") == [
        BACKYARD.name,
        "2026-02-26",
        30,
        28,
        1980,
    ]
