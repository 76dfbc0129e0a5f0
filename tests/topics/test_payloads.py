"""How numbers look in a payload, and that no key ever hides."""

from __future__ import annotations

import json
import re
from dataclasses import fields
from typing import TYPE_CHECKING, get_args

import pytest
from pydantic import BaseModel, ValidationError

from ts2mqtt.observatory import model, totals
from ts2mqtt.observatory.events import Event
from ts2mqtt.observatory.tally import FilterTally
from ts2mqtt.topics import payloads
from ts2mqtt.topics.payloads import PlannedExposures, Totals

if TYPE_CHECKING:
    from collections.abc import Iterator

    from _typeshed import DataclassInstance

TOP_LEVEL = [
    payloads.State,
    payloads.Profile,
    payloads.Project,
    payloads.Target,
    payloads.Plan,
    payloads.Bridge,
    payloads.Heartbeat,
]


def models_within(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    yield model
    for field in model.model_fields.values():
        for found in _models_in(field.annotation):
            yield from models_within(found)


def _models_in(annotation: object) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models_in(argument)


@pytest.mark.parametrize("model", TOP_LEVEL, ids=lambda model: model.__name__)
def test_keys_are_snake_case(model: type[BaseModel]) -> None:
    keys = [key for found in models_within(model) for key in found.model_fields]
    assert keys
    assert [key for key in keys if not re.fullmatch(r"[a-z]+(_[a-z0-9]+)*", key)] == []


@pytest.mark.parametrize(
    ("known", "payload", "added"),
    [
        (model.Statistics, payloads.Statistics, set()),
        (model.PlannedExposures, payloads.PlannedExposures, set()),
        (FilterTally, payloads.FilterTonight, set()),
        (totals.Totals, payloads.Totals, set()),
        (Event, payloads.Event, {"rig_id", "rig_name"}),
    ],
)
def test_what_is_told_as_it_is_known_has_the_same_keys(
    known: type[DataclassInstance], payload: type[BaseModel], added: set[str]
) -> None:
    assert {field.name for field in fields(known)} | added == set(payload.model_fields)


def test_a_key_without_a_value_is_null() -> None:
    assert json.loads(Totals.model_validate({}).to_bytes()) == {
        "desired": None,
        "acquired": None,
        "accepted": None,
        "ungraded": None,
        "pending": None,
        "rejected": None,
        "desired_s": None,
        "acquired_s": None,
        "accepted_s": None,
        "remaining_s": None,
        "progress": None,
    }


@pytest.mark.parametrize(
    ("seconds", "written"),
    [(60.0, "60"), (0.0, "0"), (0.1 + 0.2, "0.3"), (120.5, "120.5"), (1e9, "1000000000"), (1 / 3, "0.333333")],
)
def test_numbers_are_written_without_float_noise(seconds: float, written: str) -> None:
    payload = PlannedExposures(filter=None, exposure_s=seconds, count=1).to_bytes()
    assert f'"exposure_s":{written},'.encode() in payload


@pytest.mark.parametrize(
    ("progress", "written"), [(100.0, "100"), (0.0, "0"), (200 / 3, "66.67"), (12.5, "12.5"), (0.004, "0")]
)
def test_progress_has_two_decimals(progress: float, written: str) -> None:
    assert Totals.model_validate({"progress": progress}).to_bytes().endswith(f'"progress":{written}}}'.encode())


@pytest.mark.parametrize("progress", [-0.1, 100.1])
def test_progress_stays_between_0_and_100(progress: float) -> None:
    with pytest.raises(ValidationError, match="progress"):
        Totals.model_validate({"progress": progress})


def test_text_of_any_kind_is_json() -> None:
    name = "a/b#+ \"q\" 'q' {{ 1 }} \n\x1b\0 馬頭星雲"
    payload = payloads.Named(id="1", name=name).to_bytes()
    assert json.loads(payload) == {"id": "1", "name": name}
    assert b"\n" not in payload
    assert b"\x1b" not in payload
