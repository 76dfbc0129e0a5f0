"""The pages in docs and the examples in them are those that the models, the table and the simulator make now."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.discovery.test_entities import TABLES
from tests.interface import simulated_examples
from tests.interface.conftest import simulated_night
from tests.support.project import ROOT
from ts2mqtt.interface.channels import CHANNELS
from ts2mqtt.interface.pages import pages
from ts2mqtt.observatory.events import EVENT_TYPES, LIVE_EVENT_TYPES
from ts2mqtt.topics.payloads import EVENTS

if TYPE_CHECKING:
    from tests.support.simulated_night import WatchedRig

DOCS = ROOT / "docs"
STALE = "it is stale: `make docs` makes it anew"


@pytest.mark.parametrize("name", pages())
def test_a_page_is_what_is_made_now(name: str) -> None:
    assert (DOCS / name).read_text(encoding="utf-8") == pages()[name], STALE


@simulated_night
def test_the_examples_are_those_of_the_simulated_night(night: WatchedRig) -> None:
    made = simulated_examples.as_text(simulated_examples.examples_of(night))
    assert simulated_examples.FILE.read_text(encoding="utf-8") == made, STALE


def test_every_entity_stands_there_with_its_reason() -> None:
    page = pages()["entities.md"]
    rows = [row for table in TABLES.values() for row in table]
    written = set(re.findall(r"^\| ([^|]+) \|.*\| ([^|]+) \|$", page, re.MULTILINE))
    assert {(row.name, row.why) for row in rows} <= written
    assert len(re.findall(r"^\| .* \| (?:on|off)(?:, with a site|, with `nina_url`)? \|", page, re.MULTILINE)) == len(
        rows
    )


@pytest.mark.parametrize("name", pages())
def test_every_event_is_explained_on_both(name: str) -> None:
    explained = re.findall(r"^\| `([a-z_]+)` \| [^|]{10,} \|$", pages()[name], re.MULTILINE)
    assert explained == [*EVENT_TYPES, *LIVE_EVENT_TYPES]
    assert tuple(EVENTS) == (*EVENT_TYPES, *LIVE_EVENT_TYPES)


def test_every_topic_has_a_section_that_the_overview_leads_to() -> None:
    page = pages()["topics.md"]
    sections = re.split(r"^## ", page, flags=re.MULTILINE)[1:]
    assert [section.splitlines()[0] for section in sections] == [channel.title for channel in CHANNELS]
    for channel, section in zip(CHANNELS, sections, strict=True):
        assert f"`{channel.address}`" in section
        has_example = "```json" in section or "For example" in section
        assert has_example == (channel.key not in {"planImage", "nightImage"}), channel.key
    headings = {re.sub(r"[^a-z -]", "", channel.title.lower()).replace(" ", "-") for channel in CHANNELS}
    assert set(re.findall(r"\]\(#([^)]+)\)", page)) == headings


def test_keys_inside_objects_and_lists_are_named_by_their_way() -> None:
    page = pages()["topics.md"]
    assert "| `current_target.start` | time or null |  | planned start |" in page
    assert "| `exposure_plans[].statistics.hfr_mean` | number or null | px | half flux radius, mean |" in page
    assert "| `activity` | `imaging` or `waiting` or `idle` or `offline` |" in page
    assert "| `blocks[].exposures[].count` | whole number | exposures | how many of them |" in page
