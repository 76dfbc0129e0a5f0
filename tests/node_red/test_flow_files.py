"""The flows' files: what can be seen of them without running them."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from tests.node_red.node_red import FLOWS, Flow
from ts2mqtt.observatory.events import EVENT_TYPES

if TYPE_CHECKING:
    from tests.node_red.node_red import Node

NAMES = sorted(file.stem for file in FLOWS.glob("*.json"))
NEEDS_NO_NAME = {"tab", "group", "mqtt-broker", "ui-base", "ui-page", "ui-group", "ui-theme"}


def brokers(flow: Flow) -> list[Node]:
    return [node for node in flow.nodes if node["type"] == "mqtt-broker"]


def test_there_are_five() -> None:
    assert NAMES == ["dashboard", "exposure-log", "morning-report", "notifier", "roof-guard"]


@pytest.mark.parametrize("name", NAMES)
def test_a_flow_is_one_whole_tab(name: str) -> None:
    """Nothing is wired to, or configured by, what is not in the file."""
    flow = Flow(name)
    ids = [node["id"] for node in flow.nodes]
    (tab,) = [node for node in flow.nodes if node["type"] == "tab"]
    assert len(ids) == len(set(ids))
    assert tab["label"].startswith("ts2mqtt: ")
    for node in flow.nodes:
        wired = {target for output in node.get("wires", []) for target in output}
        used = {node[key] for key in ("broker", "group", "page", "ui", "theme") if node.get(key)} - {"localhost"}
        assert wired | used | set(node.get("scope") or ()) <= set(ids)
        assert node.get("z") in (tab["id"], None)
        assert node.get("name") or node["type"] in NEEDS_NO_NAME


@pytest.mark.parametrize("name", NAMES)
def test_all_flows_share_one_broker_without_a_login(name: str) -> None:
    """A user who imports all of them edits one node."""
    (broker,) = brokers(Flow(name))
    assert broker == brokers(Flow(NAMES[0]))[0]
    assert (broker["broker"], broker["name"]) == ("localhost", "Broker of ts2mqtt")
    assert not re.search(r"credentials|password\"|\"user\"|token\"", json.dumps(Flow(name).nodes))


@pytest.mark.parametrize("name", NAMES)
def test_comments_lead_through_a_flow(name: str) -> None:
    comments = [node for node in Flow(name).nodes if node["type"] == "comment"]
    steps = [int(found[1]) for node in comments if (found := re.match(r"(\d)\. ", node["name"]))]
    assert sorted(steps) == list(range(1, len(steps) + 1))
    assert len(steps) >= 2
    assert all(len(node["info"]) > 50 for node in comments)


def test_the_notifier_s_choice_names_every_kind_of_event_there_is() -> None:
    flow = Flow("notifier")
    described = flow.node("2. Choose here what you are told, and when")["info"]
    assert set(re.findall(r"`([a-z]+_[a-z_]+)`", described)) - {"quiet_from", "quiet_until", "tell_in_quiet"} == set(
        EVENT_TYPES
    )
    rows = {rule["p"]: rule["to"] for rule in flow.node("What to tell, and when")["rules"]}
    chosen = re.findall(r'"(\w+)"', rows["settings.tell"] + rows["settings.tell_in_quiet"])
    assert set(chosen) <= set(EVENT_TYPES)
