"""The log of accepted exposures: any name goes into the file or the database, and comes out as it was."""

from __future__ import annotations

import csv
import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.conftest import need
from tests.node_red.events import NO_EVENTS, TIME, TOPIC, event
from tests.node_red.influxdb import influxdb_is_installed, running_influxdb
from tests.node_red.node_red import Flow
from tests.support.mosquitto import free_port
from tests.support.sample_rig import HOSTILE_TEXTS
from ts2mqtt.observatory.events import EVENT_TYPES, EXPOSURE_ACCEPTED

if TYPE_CHECKING:
    from pathlib import Path

    from tests.node_red.conftest import Deploy
    from tests.node_red.node_red import NodeRed
    from tests.support.observer import Observer

pytestmark = pytest.mark.asyncio(loop_scope="session")

WHERE, FILE, DATABASE, TROUBLE = "Where to write", "Append to the file", "To InfluxDB", "Refused?"
NAMES = (
    *HOSTILE_TEXTS,
    "a, b = c",
    "ends with a backslash\\",
    'a\\ b\\, c\\=d\\"e',
    "new\nline",
    "=HYPERLINK(1)",
    "-1+1",
    "@SUM(1)",
    "\ttab",
)


def log(**settings: str) -> Flow:
    return Flow("exposure-log").set(WHERE, **{"csv_file": "", "line_file": "", "influx_url": ""} | settings)


def accepted(**fields: Any) -> bytes:
    exposure = {"target_name": "M 31", "project_name": "Andromeda", "filter": "Ha", "exposure_s": 300.0, "count": 2}
    return event(EXPOSURE_ACCEPTED, **exposure | fields)


def rows(file: Path) -> list[dict[str, str]]:
    with file.open(newline="", encoding="utf-8") as opened:
        return list(csv.DictReader(opened))


def as_tag(name: str) -> str | None:
    """A tag holds neither control characters nor, as parsers disagree about it, a backslash; an empty one is none."""
    return re.sub(r"[\x00-\x1f\x7f-\x9f]+", " ", name).strip().replace("\\", "/") or None


async def written(node_red: NodeRed, number: int, name: str = FILE) -> None:
    """Returns when so many messages have left the node that writes."""
    await node_red.tells(name, after=number - 1)


async def test_an_exposure_is_a_row_of_the_csv_file(deploy: Deploy, observer: Observer, tmp_path: Path) -> None:
    file = tmp_path / "made" / "exposures.csv"
    node_red = await deploy(log(csv_file=str(file)).tap(FILE))
    await observer.publish(TOPIC, accepted(profile_name="Refractor", target_id="t-1", project_id="p-1"))
    await observer.publish(TOPIC, accepted(filter=None, exposure_s=None, count=1))
    await written(node_red, 2)

    first, second = rows(file)
    assert first == {
        "time": TIME.isoformat().replace("+00:00", "Z"),
        "rig": "Backyard",
        "profile": "Refractor",
        "project": "Andromeda",
        "target": "M 31",
        "filter": "Ha",
        "exposure_s": "300",
        "count": "2",
        "integration_s": "600",
        "rig_id": "backyard",
        "project_id": "p-1",
        "target_id": "t-1",
    }
    assert (second["filter"], second["exposure_s"], second["integration_s"], second["count"]) == ("", "", "", "1")


async def test_the_header_comes_once_in_the_life_of_a_file(
    deploy: Deploy, observer: Observer, tmp_path: Path
) -> None:
    file = tmp_path / "exposures.csv"
    for _ in range(2):
        # Without the flow Node-RED forgets what its nodes remember, as it does in a restart.
        await deploy()
        node_red = await deploy(log(csv_file=str(file)).tap(FILE))
        await observer.publish(TOPIC, accepted())
        await observer.publish(TOPIC, accepted())
        await written(node_red, 2)
    assert [row["target"] for row in rows(file)] == ["M 31"] * 4


async def test_any_name_comes_out_of_the_csv_file_as_it_was(
    deploy: Deploy, observer: Observer, tmp_path: Path
) -> None:
    file = tmp_path / "exposures.csv"
    node_red = await deploy(log(csv_file=str(file)).tap(FILE))
    for name in NAMES:
        await observer.publish(TOPIC, accepted(target_name=name, filter=name))
    await written(node_red, len(NAMES))

    # A spreadsheet shows what begins with an apostrophe as text, without it.
    as_text = [f"'{name}" if name[:1] in ("=", "-", "@", "\t") else name for name in NAMES]
    assert [row["target"] for row in rows(file)] == as_text
    assert [row["filter"] for row in rows(file)] == as_text
    assert {row["integration_s"] for row in rows(file)} == {"600"}


async def test_nothing_else_is_written(deploy: Deploy, observer: Observer, tmp_path: Path) -> None:
    file = tmp_path / "exposures.csv"
    node_red = await deploy(log(csv_file=str(file), line_file=str(tmp_path / "lines")).tap(FILE))
    for event_type in EVENT_TYPES:
        if event_type != EXPOSURE_ACCEPTED:
            await observer.publish(TOPIC, event(event_type, count=1))
    for payload in (*NO_EVENTS, accepted(count=None), accepted(count=0)):
        await observer.publish(TOPIC, payload)
    await observer.publish(TOPIC, accepted(target_name="the only one"))
    await written(node_red, 2)
    assert [row["target"] for row in rows(file)] == ["the only one"]
    assert len((tmp_path / "lines").read_text().splitlines()) == 1


async def test_influxdb_takes_every_line_and_knows_the_names(
    deploy: Deploy, observer: Observer, tmp_path: Path
) -> None:
    need("InfluxDB", is_there=influxdb_is_installed())
    lines = tmp_path / "exposures.line"
    async with running_influxdb(tmp_path / "influxdb") as influxdb:
        flow = log(influx_url=influxdb.write_url, line_file=str(lines)).tap(DATABASE).tap(FILE).tap(TROUBLE)
        node_red = await deploy(flow)
        for number, name in enumerate(NAMES):
            await observer.publish(TOPIC, accepted(target_name=name, filter=name, target_id=f"id {number}"))
        await written(node_red, len(NAMES), DATABASE)
        await written(node_red, len(NAMES), FILE)
        stored = await influxdb.query("SELECT * FROM accepted_exposures ORDER BY time")
        assert node_red.tapped(TROUBLE) == []

    by_id = {row["target_id"]: row for row in stored}
    assert len(stored) == len(lines.read_bytes().splitlines()) == len(NAMES)
    for number, name in enumerate(NAMES):
        row = by_id[f"id {number}"]
        assert row["target"] == as_tag(name)
        assert row["filter"] == row["target"]
        assert (row["count"], row["exposure_s"], row["integration_s"]) == (2, 300, 600)
        assert (row["rig"], row["rig_id"], row["project"]) == ("Backyard", "backyard", "Andromeda")
        # All of one look have the same time, to the millisecond.
        assert row["time"] // 1_000_000 == int(TIME.timestamp() * 1000)


async def test_two_exposures_of_one_look_are_two_points(deploy: Deploy, observer: Observer, tmp_path: Path) -> None:
    """A target may have two exposure plans of one filter."""
    need("InfluxDB", is_there=influxdb_is_installed())
    async with running_influxdb(tmp_path / "influxdb") as influxdb:
        node_red = await deploy(log(influx_url=influxdb.write_url).tap(DATABASE))
        await observer.publish(TOPIC, accepted(exposure_s=60.0))
        await observer.publish(TOPIC, accepted(exposure_s=300.0))
        await written(node_red, 2, DATABASE)
        stored = await influxdb.query("SELECT exposure_s FROM accepted_exposures ORDER BY time")
    assert [row["exposure_s"] for row in stored] == [60, 300]


async def test_a_database_that_is_not_there_is_told(deploy: Deploy, observer: Observer) -> None:
    flow = log(influx_url=f"http://127.0.0.1:{free_port()}/write?db=astro").tap("Could not be written")
    node_red = await deploy(flow)
    await observer.publish(TOPIC, accepted())
    assert (await node_red.tells("Could not be written"))["payload"]
