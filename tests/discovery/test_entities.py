"""The table of entities against the payloads it shows, and against what Home Assistant allows."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

import pytest
from pydantic import AwareDatetime, BaseModel

from tests.discovery.home_assistant import ID, STATE_CLASSES, UNITS
from ts2mqtt.home_assistant import entities
from ts2mqtt.home_assistant.entities import (
    BRIDGE,
    EXPOSURE_PLAN,
    NIGHT,
    PLAN,
    PROFILE,
    PROJECT,
    RIG,
    STATE,
    TARGET,
    Choice,
    Entity,
    Measure,
    Moment,
    Press,
    Selection,
    Shown,
    Text,
    Truth,
)
from ts2mqtt.topics import payloads

if TYPE_CHECKING:
    from collections.abc import Iterator

TABLES = {
    "bridge": BRIDGE,
    "rig": RIG,
    "profile": PROFILE,
    "project": PROJECT,
    "target": TARGET,
    "exposure plan": EXPOSURE_PLAN,
}
ROWS = [pytest.param(table, row, id=f"{table}-{row.key}") for table, rows in TABLES.items() for row in rows]
SHOWN = [
    pytest.param(table, row, id=f"{table}-{row.key}")
    for table, rows in TABLES.items()
    for row in rows
    if isinstance(row, Shown)
]
MODELS: dict[str, type[BaseModel]] = {
    "bridge": payloads.Bridge,
    "profile": payloads.Profile,
    "project": payloads.Project,
    "target": payloads.Target,
    "exposure plan": payloads.ExposurePlan,
}
TRUTHS = {"connectivity", "running", "safety"}
"""Classes of what is on or off (components/binary_sensor/__init__.py)."""
RIG_MODELS: dict[str | None, type[BaseModel]] = {STATE: payloads.State, PLAN: payloads.Plan, NIGHT: payloads.Night}


def types_at(model: type[BaseModel], path: str) -> set[object]:
    """The types that the key at the end of this path can have; a KeyError where there is none."""
    key, _, rest = path.partition(".")
    found = set(_types_in(model.model_fields[key].annotation))
    if not rest:
        return found
    (inner,) = [one for one in found if isinstance(one, type) and issubclass(one, BaseModel)]
    return types_at(inner, rest)


def _types_in(annotation: object) -> Iterator[object]:
    arguments = get_args(annotation)
    if not arguments:
        yield annotation
    for argument in arguments:
        yield from _types_in(argument)


def payload_model(table: str, row: Shown) -> type[BaseModel]:
    return RIG_MODELS[row.topic] if table == "rig" else MODELS[table]


@pytest.mark.parametrize(("table", "row"), SHOWN)
def test_a_row_shows_a_key_that_its_payload_has(table: str, row: Shown) -> None:
    found = types_at(payload_model(table, row), row.path)
    match row:
        case Moment():
            assert AwareDatetime in found
        case Measure():
            assert found & {int, float}
        case Truth():
            assert bool in found
        case Text() | Choice() | Selection():
            assert str in found
        case _:
            pytest.fail(f"{type(row).__name__} is new: say here which type of key it shows")


@pytest.mark.parametrize(("table", "row"), SHOWN)
def test_a_path_leads_at_most_one_object_deep(table: str, row: Shown) -> None:
    # The template of value_at() guards one level that may be null.
    assert row.path.count(".") <= 1, table


@pytest.mark.parametrize(("table", "row"), SHOWN)
def test_only_a_rigs_rows_choose_their_topic(table: str, row: Shown) -> None:
    assert (row.topic in RIG_MODELS) == (table == "rig")


@pytest.mark.parametrize("table", TABLES)
def test_keys_and_names_are_unique_within_a_table(table: str) -> None:
    rows = TABLES[table]
    assert len({row.key for row in rows}) == len(rows)
    assert len({row.name for row in rows}) == len(rows)


@pytest.mark.parametrize(("table", "row"), ROWS)
def test_keys_are_safe_and_names_are_short(table: str, row: Entity) -> None:
    assert ID.fullmatch(row.key)
    assert 0 < len(row.name) <= 30
    assert row.name == row.name.strip()
    assert not row.name.lower().startswith((table, "exposure plan"))


@pytest.mark.parametrize("table", TABLES)
def test_each_row_says_in_a_few_words_why_it_exists(table: str) -> None:
    reasons = [row.why for row in TABLES[table]]
    assert [why for why in reasons if not 10 <= len(why) <= 100 or why.endswith(".") or not why.isprintable()] == []


@pytest.mark.parametrize(("table", "row"), SHOWN)
def test_units_and_classes_fit_together(table: str, row: Shown) -> None:
    if isinstance(row, Measure):
        if row.device_class is not None:
            assert row.unit in UNITS[row.device_class], table
        assert row.state_class in STATE_CLASSES
    else:
        assert row.device_class in {None, "timestamp", "enum"} | (TRUTHS if isinstance(row, Truth) else set())
    if isinstance(row, Choice):
        assert row.device_class == "enum"
        assert len(set(row.options)) == len(row.options) > 1


@pytest.mark.parametrize(("table", "row"), ROWS)
def test_an_icon_stands_where_no_device_class_gives_one(table: str, row: Entity) -> None:
    assert row.icon is None or row.icon.startswith("mdi:")
    assert row.icon or row.device_class, table


def test_what_is_configured_upstream_is_a_diagnostic() -> None:
    rows = [row for table in TABLES.values() for row in table]
    # Home Assistant loses a sensor of the category "config" (components/mqtt/sensor.py).
    showing = {row.category for row in rows if not isinstance(row, Selection | Press)}
    assert showing == {None, entities.DIAGNOSTIC}
    assert {row.key for row in rows if row.category == entities.CONFIG} == {"log_level", "rediscover"}


def test_planning_settings_are_off_by_default_and_facts_are_on() -> None:
    settings = [row for row in PROJECT if row.category == entities.DIAGNOSTIC]
    facts = [row for row in PROJECT if row.category is None]
    assert [row.key for row in settings if row.enabled] == []
    assert [row.key for row in facts if not row.enabled] == []
    shown = {row.path for row in settings if isinstance(row, Shown)}
    assert shown >= {"minimum_time_min", "dither_every", "flats_handling", "minimum_altitude_deg", "enable_grader"}


PROMISED = {
    "bridge": {"Connection", "Version", "Rigs online", "Last problem", "Log level", "Restart discovery"},
    "rig": {
        "API",
        "Imaging",
        "Activity",
        "Active profile",
        "Current target",
        "Current target ends",
        "Next target",
        "Next target starts",
        "Night plan start",
        "Night plan end",
        "Planned imaging",
        "Exposures tonight",
        "Integration tonight",
        "Refresh",
        "Refresh plan",
    },
    "profile": {"Active", "Active projects", "Completion", "Remaining integration"},
    "project": {
        "State",
        "Priority",
        "Completion",
        "Accepted exposures",
        "Desired exposures",
        "Accepted integration",
        "Remaining integration",
    },
    "target": {
        "Active",
        "Completion",
        "Accepted integration",
        "Remaining integration",
        "Acquired",
        "Scheduled start",
        "Scheduled end",
        "Moon separation",
        "Maximum altitude",
        "Transit",
    },
    "exposure plan": {
        "accepted",
        "pending",
        "rejected",
        "acceptance",
        "remaining",
        "HFR",
        "FWHM",
        "eccentricity",
    },
}


@pytest.mark.parametrize("table", TABLES)
def test_every_promised_entity_is_there(table: str) -> None:
    assert {row.name for row in TABLES[table]} >= PROMISED[table]


def test_what_is_live_is_the_activity_and_the_targets_of_now_and_next() -> None:
    live = {row.key for rows in TABLES.values() for row in rows if row.live}
    assert live == {
        "imaging",
        "activity",
        "current_target",
        "current_target_ends",
        "next_target",
        "next_target_starts",
        "waiting_until",
    }


def test_what_needs_a_site_is_a_targets_alone() -> None:
    needing = {(table, row.key) for table, rows in TABLES.items() for row in rows if row.needs_site}
    assert needing == {("target", "moon_separation"), ("target", "maximum_altitude"), ("target", "transit")}


def test_what_needs_nina_is_a_rigs_alone() -> None:
    needing = {(table, row.key) for table, rows in TABLES.items() for row in rows if row.needs_nina}
    assert needing == {
        ("rig", key)
        for key in (
            "safe",
            "sequence_running",
            "waiting_until",
            "last_image_hfr",
            "last_image_stars",
            "last_image_guiding",
            "live",
            "live_version",
        )
    }


@pytest.mark.parametrize(("table", "row"), [row for row in SHOWN if isinstance(row.values[1], Measure)])
def test_attributes_are_keys_of_the_payload(table: str, row: Measure) -> None:
    model = payload_model(table, row)
    assert [key for key in row.attributes if key not in model.model_fields] == []
    assert bool(row.attributes) == (row.counts is not None)
