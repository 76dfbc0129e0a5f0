"""All flows in one Node-RED through a simulated night of two rigs: what they say of it, and no node complains."""

from __future__ import annotations

import csv
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from tests.node_red.night import night
from tests.node_red.node_red import NODE_RED_5, Flow
from ts2mqtt.observatory.events import EVENT_TYPES, EXPOSURE_ACCEPTED, NIGHT_FINISHED

if TYPE_CHECKING:
    from pathlib import Path

    from tests.node_red.conftest import Deploy
    from tests.support.mosquitto import Mosquitto
    from tests.support.observer import Observer

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(180)]

VERDICT = "observatory/roof"
EVENING, MORNING = 4.5, 14.6
"""Hours after the night's beginning in the afternoon."""

TELLS, WRITES, PASSES, STAYS = "Connect your notifier here", "Append to the file", "Connect the roof here", "Guard"
REPORTS = "Connect your e-mail here"


def flows(file: Path) -> tuple[Flow, ...]:
    guard = Flow("roof-guard").set("Rigs and patience", settle_min=0).tap(PASSES).tap(STAYS, 2)
    guard.node("every 10 s")["repeat"] = "0.2"
    everything = {"tell": list(EVENT_TYPES), "quiet_from": "00:00", "quiet_until": "00:00"}
    report = Flow("morning-report").set("When, and to whom", wait_s=1).tap(REPORTS)
    report.node("every 10 s")["repeat"] = "0.2"
    return (
        guard,
        Flow("notifier").set("What to tell, and when", **everything).tap(TELLS),
        Flow("exposure-log").set("Where to write", csv_file=str(file)).tap(WRITES),
        report,
        Flow("dashboard"),
    )


def events(observer: Observer) -> list[dict[str, Any]]:
    return [seen.json for seen in observer.seen if seen.topic.endswith("/event")]


async def test_a_night(deploy: Deploy, mosquitto: Mosquitto, observer: Observer, tmp_path: Path) -> None:
    await goes_through_a_night(deploy, mosquitto, observer, tmp_path / "exposures.csv")


@pytest.mark.parametrize("only_node_red", [NODE_RED_5], indirect=True, ids=["node-red-5"])
async def test_a_night_in_the_next_node_red(
    deploy: Deploy, mosquitto: Mosquitto, observer: Observer, tmp_path: Path
) -> None:
    """All flows at once; each by itself is tried in the other one only, which takes longer."""
    await goes_through_a_night(deploy, mosquitto, observer, tmp_path / "exposures.csv")


async def goes_through_a_night(deploy: Deploy, mosquitto: Mosquitto, observer: Observer, file: Path) -> None:
    guard, *others = flows(file)
    node_red = await deploy(guard, *others)
    async with night(mosquitto.port) as time:
        await time.until(EVENING)
        await observer.wait_for(VERDICT, lambda told: "Backyard is imaging" in told["reason"])
        await observer.wait_until(lambda: observer.json("ts2mqtt/backyard/state")["activity"] == "imaging")
        await node_red.press(guard.node("ask by hand"))
        assert "Backyard is imaging" in (await node_red.tells(STAYS))["reason"]
        assert node_red.tapped(PASSES) == []

        await time.until(MORNING)
        mark = observer.mark()
        await observer.wait_for(VERDICT, lambda told: told["may_close"], after=mark)
        await node_red.press(guard.node("ask by hand"))
        assert (await node_red.tells(PASSES))["reason"] == "no rig is imaging"

    # With the bridge gone nothing is certain any more, and nothing new happens.
    await observer.wait_for(VERDICT, lambda told: told["reason"] == "the bridge is offline")
    happened = events(observer)
    await node_red.until(lambda: len(node_red.tapped(TELLS)) >= len(happened), "all events to be told")
    assert Counter(told["topic"] for told in node_red.tapped(TELLS)) == Counter(e["rig_name"] for e in happened)
    assert len({event["event_type"] for event in happened}) >= 5

    over = [event for event in happened if event["event_type"] == NIGHT_FINISHED]
    assert over
    await node_red.until(lambda: len(node_red.tapped(REPORTS)) >= len(over), "all nights to be told")
    assert [told["topic"] for told in node_red.tapped(REPORTS)] == [
        f"{event['rig_name']}: the night of {event['night']}" for event in over
    ]

    accepted = [event for event in happened if event["event_type"] == EXPOSURE_ACCEPTED]
    assert len(accepted) > 5
    await node_red.until(lambda: len(node_red.tapped(WRITES)) >= len(accepted), "all exposures to be written")
    with file.open(newline="", encoding="utf-8") as opened:
        written = list(csv.DictReader(opened))
    assert [(row["rig"], row["target"], row["filter"], int(row["count"])) for row in written] == [
        (event["rig_name"], event["target_name"], event["filter"], event["count"]) for event in accepted
    ]
