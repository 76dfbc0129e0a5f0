"""From bytes to wire models: as much as can be saved, and a word on the rest."""

from __future__ import annotations

import json
import time

import pytest

from ts2mqtt.errors import ApiFailureError, NotTheApiError
from ts2mqtt.scheduler import wire
from ts2mqtt.scheduler.decode import ListReader, json_value

TARGETS = ListReader(wire.Target, lambda target: target.id)
BLOCKS = ListReader(wire.PreviewBlock)


def body(*rows: object) -> bytes:
    return json.dumps(rows).encode()


def test_a_whole_list_is_read_without_a_word() -> None:
    read = TARGETS.read(b'\r\n[{"Id":"a","RA":0.5},\r\n{"Id":"b"}]')

    assert [target.id for target in read.items] == ["a", "b"]
    assert (read.lost, read.faults) == (0, ())


def test_null_and_missing_fields_are_no_faults() -> None:
    names = ("Name", "Active", "RA", "Dec", "Rotation", "Epoch", "ROI", "ExposurePlan", "ProjectId")

    read = TARGETS.read(body({"Id": "a", **dict.fromkeys(names)}, {"Id": "b"}))

    assert (len(read.items), read.lost, read.faults) == (2, 0, ())
    assert read.items[0].model_dump(exclude={"id"}) == read.items[1].model_dump(exclude={"id"})


def test_an_impossible_value_costs_its_field_alone() -> None:
    row = {"Id": "a", "Name": "M 31", "RA": "0h", "Dec": 41.3, "ExposurePlan": [{"Desired": -1, "Accepted": 3}, {}]}

    read = TARGETS.read(body(row, {"Id": "b"}))

    assert [target.id for target in read.items] == ["a", "b"]
    broken = read.items[0]
    assert (broken.name, broken.ra, broken.dec) == ("M 31", None, 41.3)
    assert broken.exposure_plan is not None
    assert [(plan.desired, plan.accepted) for plan in broken.exposure_plan] == [(None, 3), (None, None)]
    assert read.lost == 0
    assert len(read.faults) == 2
    assert read.faults[0].startswith("RA: ")
    assert read.faults[0].endswith("found '0h'")
    assert read.faults[1].startswith("ExposurePlan.0.Desired: ")


def test_what_was_accepted_by_hand_leaves_fewer_than_no_ungraded_images_and_is_no_fault() -> None:
    read = TARGETS.read(body({"Id": "a", "ExposurePlan": [{"Acquired": 0, "Accepted": 4, "Ungraded": -4}]}))

    assert read.faults == ()
    (plan,) = read.items[0].exposure_plan or ()
    assert (plan.acquired, plan.accepted, plan.ungraded) == (0, 4, -4)


def test_faults_in_several_exposure_plans_are_all_told() -> None:
    plans = [{"Exposure": "60", "Desired": 5}, {"Accepted": "x", "Desired": 6}, {"Desired": "y", "Acquired": 2}]

    read = TARGETS.read(body({"Id": "a", "ExposurePlan": plans}))

    assert [fault.split(":")[0] for fault in read.faults] == ["ExposurePlan.1.Accepted", "ExposurePlan.2.Desired"]
    assert [plan.desired for plan in read.items[0].exposure_plan or ()] == [5, 6, None]


@pytest.mark.parametrize(
    "plans",
    ["none", {}, [None], ["x"], [{"Exposure": "x"}], [{}, {"TemplateName": 5}], [{"Exposure": -1, "Desired": "x"}]],
)
def test_an_exposure_plan_that_cannot_be_read_does_not_hide_its_target(plans: object) -> None:
    read = TARGETS.read(body({"Id": "a", "Dec": 5, "ExposurePlan": plans}, {"Id": "b"}))

    assert [(target.id, target.dec) for target in read.items] == [("a", 5.0), ("b", None)]
    assert read.lost == 0
    assert read.faults[0].startswith("ExposurePlan")


def test_of_many_exposure_plans_that_cannot_be_read_none_hides_its_target() -> None:
    read = TARGETS.read(body({"Id": "a", "ExposurePlan": [{"Desired": -1}] * 900}))

    assert [(target.id, target.exposure_plan) for target in read.items] == [("a", None)]


@pytest.mark.parametrize("runs", [1_001, 36_000])
def test_a_block_of_the_night_plan_may_change_filters_as_often_as_it_likes(runs: int) -> None:
    times = {"StartTime": "2026-02-27T19:00:00-05:00", "EndTime": "2026-02-27T20:00:00-05:00"}
    rows = [{"FilterName": "RG"[number % 2], "Exposure": 1, "Count": 1} for number in range(runs)]

    read = BLOCKS.read(body({"Id": "a", **times, "ExposurePlan": rows}))

    assert read.faults == ()
    assert len(read.items[0].exposure_plan or ()) == runs


def test_a_project_whose_state_cannot_be_read_stands_without_one() -> None:
    read = ListReader(wire.Project).read(body({"Id": "a", "State": 5}, {"Id": "b", "Priority": "x"}, {"Id": "c"}))

    assert [(project.id, project.state) for project in read.items] == [("a", None), ("b", None), ("c", None)]
    assert read.lost == 0
    assert [fault.split(":")[0] for fault in read.faults] == ["State", "Priority"]


def test_an_item_without_a_usable_id_is_lost_and_its_siblings_are_not() -> None:
    read = TARGETS.read(body({"Id": "a/b"}, {"Name": "M 31"}, {"Id": "c"}, None, 5, "x", []))

    assert [target.id for target in read.items] == ["c"]
    assert (read.lost, read.without_id) == (5, ("M 31",))
    assert [fault.split(":")[0] for fault in read.faults] == ["Id", "item", "item", "item", "item"]


@pytest.mark.parametrize("row", [{}, {"Id": None}, {"Id": ""}, {"Id": "  "}, {"Id": None, "Name": 5}])
def test_a_row_that_is_older_than_the_ids_is_no_fault(row: dict[str, object]) -> None:
    read = TARGETS.read(body(row, {"Id": "b"}))

    assert [target.id for target in read.items] == ["b"]
    assert (read.lost, read.faults, read.without_id) == (0, (), ("",))


def test_a_profile_without_an_id_is_a_fault() -> None:
    read = ListReader(wire.Profile).read(body({"Name": "Camera"}))

    assert (read.lost, read.without_id) == (1, ())


@pytest.mark.parametrize(
    ("octets", "name"),
    [
        (b'[{"Id":"a","Name":"M\xff31"},{"Id":"b"}]', "M\ufffd31"),
        (b'[{"Id":"a","Name":"M\xc3"},{"Id":"b"}]', "M\ufffd"),
        (b'[{"Id":"a","Name":"\\ud800 M"},{"Id":"b"}]', "\ufffd M"),
        (b'[{"Id":"a","Name":"\\udc00\\ud83d"},{"Id":"b"}]', "\ufffd\ufffd"),
        (b'[{"Id":"a","Name":"\\ud83d\\ude00\\uDEAD"},{"Id":"b"}]', "\U0001f600\ufffd"),
        (b'[{"Id":"a","Name":"\\\\ud800\\ud800"},{"Id":"b"}]', "\\ud800\ufffd"),
    ],
)
def test_a_text_that_is_none_costs_its_bad_characters_alone(octets: bytes, name: str) -> None:
    read = TARGETS.read(octets)

    assert [(target.id, target.name) for target in read.items] == [("a", name), ("b", None)]
    assert read.lost == 0
    assert "characters that are none" in read.faults[0]


@pytest.mark.parametrize("octets", [b'[{"Id":"a"}]', b' [{"Id":"a","RA":"x"}]', b'[{"Id":"a","Dec":NaN}]'])
def test_a_byte_order_mark_is_nothing(octets: bytes) -> None:
    assert [target.id for target in TARGETS.read(b"\xef\xbb\xbf" + octets).items] == ["a"]


def test_of_a_project_that_stands_in_a_list_twice_the_active_one_counts() -> None:
    reader = ListReader(wire.Project, lambda project: project.id)

    read = reader.read(body({"Id": "a", "State": "Closed"}, {"Id": "b"}, {"Id": "a", "State": "Active"}))

    assert [(project.id, project.state) for project in read.items] == [("a", "Active"), ("b", None)]


@pytest.mark.parametrize(
    "identity",
    ["a/b", "#", "+", "a b", "a\0", "a\n", "\na", "é", "a" * 65, "../x", "$SYS", 5, 5.5, True, {}, ["a"]],
)
def test_no_id_that_could_break_a_topic_is_let_in(identity: object) -> None:
    read = TARGETS.read(body({"Id": identity}))

    assert (read.items, read.lost) == ((), 1)


@pytest.mark.parametrize("identity", ["134973bf-f949-462d-9c4b-8baad53d75a8", "134973BF", "5", "a" * 64])
def test_ids_of_the_kind_the_api_uses_come_as_they_are(identity: str) -> None:
    assert TARGETS.read(body({"Id": identity})).items[0].id == identity


def test_the_first_of_two_with_the_same_id_counts() -> None:
    read = TARGETS.read(body({"Id": "a", "Name": "1"}, {"Id": "b"}, {"Id": "a", "Name": "2"}, {"Id": "A"}))

    assert [(target.id, target.name) for target in read.items] == [("a", "1"), ("b", None), ("A", None)]
    assert (read.lost, read.faults) == (0, ("Id: 'a' stands there twice; the active one counts, else the first",))


def test_blocks_of_the_night_plan_may_name_a_target_many_times() -> None:
    block = {"Id": "a", "StartTime": "2026-02-27T19:00:00-05:00", "EndTime": "2026-02-27T20:00:00-05:00"}

    assert len(BLOCKS.read(body(block, block)).items) == 2


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity", "1e400"])
def test_a_number_that_is_none_costs_its_field_alone(value: str) -> None:
    read = TARGETS.read(f'[{{"Id":"a","RA":{value},"Dec":5}},{{"Id":"b"}}]'.encode())

    assert [(target.id, target.ra, target.dec) for target in read.items] == [("a", None, 5.0), ("b", None, None)]
    assert read.faults[0].startswith("RA: Input should be a finite number")


def test_unknown_fields_are_kept_and_can_be_written_as_json_again() -> None:
    row = b'{"Id":"a","Moon":{"Phase":NaN,"Deep":[1e400,"x",null,true,-1]},"RA":"bad"}'

    for rows in (b"[" + row + b"]", b"[" + row.replace(b'"bad"', b"1") + b"]"):
        extra = TARGETS.read(rows).items[0].model_extra

        assert extra == {"Moon": {"Phase": None, "Deep": [None, "x", None, True, -1]}}
        json.dumps(extra, allow_nan=False)


@pytest.mark.parametrize(
    ("octets", "says"),
    [
        (b"", "empty body"),
        (b" \r\n", "empty body"),
        (b"{}", "an object where a list was expected"),
        (b'"x"', "a text where a list"),
        (b"5", "a number where a list"),
        (b"5.5", "a number where a list"),
        (b"null", "null where a list"),
        (b"false", "a truth value where a list"),
        (b'[{"Id":"a"}', "not JSON"),
        (b'[{"Id":"a"}] []', "not JSON"),
        (b"[\xff]", "not JSON"),
        (b'["a" \\ud800]', "not JSON"),
        pytest.param(b"[" * 100_000, "not JSON", id="brackets without end"),
        pytest.param(b"[" + b"9" * 5_000 + b"]", "not JSON", id="a number without end"),
        (b"\0", "not JSON"),
    ],
)
def test_what_is_no_list(octets: bytes, says: str) -> None:
    with pytest.raises(ApiFailureError, match=says):
        TARGETS.read(octets)


@pytest.mark.parametrize("octets", [b"<html>", b"\r\n  <!DOCTYPE html>"])
def test_a_web_page_is_called_one(octets: bytes) -> None:
    with pytest.raises(NotTheApiError, match="web page"):
        TARGETS.read(octets)


def test_long_values_are_quoted_in_part() -> None:
    read = TARGETS.read(body({"Id": "x" * 10_000, "Name": "\x1b[31m" * 1_000}))

    assert len(read.faults[0]) < 200
    assert "\x1b" not in read.faults[0]


@pytest.mark.parametrize(
    "octets",
    [
        b"[" + b"5," * 1_000_000 + b"5]",
        b"[" + b"{}," * 100_000 + b"{}]",
        b'[{"Id":"a","ExposurePlan":[' + b"null," * 1_000_000 + b"null]}]",
        b'[{"Id":"a","ExposurePlan":[' + b"{}," * 1_000_000 + b"{}]}]",
        b'[{"Id":"a","ExposurePlan":[' + b'{"Desired":-1},' * 1_000 + b"{}]}]",
    ],
    ids=["numbers", "rows without id", "no plans", "empty plans", "broken plans"],
)
def test_a_million_faults_do_not_take_for_ever(octets: bytes) -> None:
    started = time.process_time()
    try:
        faults = TARGETS.read(octets).faults
        assert len(faults) <= 1_000
    except ApiFailureError as failure:
        assert "over 1000 items cannot be read" in str(failure)  # noqa: PT017 - either is fine

    assert time.process_time() - started < 5


def test_a_value_alone() -> None:
    assert json_value(b' {"a": [1, null]} ') == {"a": [1, None]}


def test_a_text_of_any_length_takes_little() -> None:
    name, note = "n" * 1_000_000, {"Note": ["x" * 1_000_000]}

    read = ListReader(wire.Project).read(body({"Id": "a", "Name": name, "Description": name, "Extra": note}))

    (project,) = read.items

    assert project.name == "n" * 999 + "…"
    assert project.description == "n" * 9_999 + "…"
    assert project.model_extra == {"Extra": {"Note": ["x" * 999 + "…"]}}
