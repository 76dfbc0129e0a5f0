"""The roof guard: what is not known for certain keeps the roof open, and every answer comes with its reason."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.node_red.node_red import Flow

if TYPE_CHECKING:
    from tests.node_red.conftest import Deploy
    from tests.support.mosquitto import Mosquitto
    from tests.support.observer import Observer

pytestmark = pytest.mark.asyncio(loop_scope="session")

VERDICT = "observatory/roof"
GUARD, BUTTON, PASSES, STAYS = "Rigs and patience", "ask by hand", "Connect the roof here", "Guard"
SOON, LATER = timedelta(minutes=10), timedelta(hours=3)


def guard(**settings: object) -> Flow:
    """Believes a rig at once, unless the test says otherwise, and looks at its watch five times a second."""
    flow = Flow("roof-guard").set(GUARD, **{"settle_min": 0, "silent_s": 600} | settings).tap(PASSES).tap(STAYS, 2)
    flow.node("every 10 s")["repeat"] = "0.2"
    return flow


def target(name: str, starts_in: timedelta | None = None) -> dict[str, Any]:
    start = (datetime.now(UTC) + starts_in).isoformat() if starts_in else None
    return {"id": "an-id", "name": name, "project_id": None, "project_name": None, "start": start, "end": None}


class Bridge:
    """Says on the broker what a bridge would say."""

    def __init__(self, observer: Observer) -> None:
        self._observer = observer

    async def starts(self, *rig_ids: str) -> None:
        await self._retain("status", "online")
        await self._retain("bridge", json.dumps({"rigs": [{"id": rig_id} for rig_id in rig_ids]}))
        await self.beats()

    async def stops(self) -> None:
        await self._retain("status", "offline")

    async def beats(self, *, instance: str = "1", working: bool = True) -> None:
        beat = {"instance": instance, "number": 1, "returned": 0, "working": working}
        await self._observer.publish("ts2mqtt/bridge/heartbeat", json.dumps(beat))

    async def rig(
        self,
        rig_id: str,
        activity: str,
        *,
        current: dict[str, Any] | None = None,
        following: dict[str, Any] | None = None,
        **fields: Any,
    ) -> None:
        state = {
            "name": rig_id.title(),
            "activity": activity,
            "imaging": None if activity == "offline" else activity == "imaging",
            "current_target": current,
            "next_target": following,
        }
        await self.rig_is(rig_id, "online")
        await self._retain(f"{rig_id}/state", json.dumps(state | fields))

    async def rig_is(self, rig_id: str, status: str) -> None:
        await self._retain(f"{rig_id}/status", status)

    async def removes(self, rig_id: str) -> None:
        await self._retain(f"{rig_id}/state", "")
        await self._retain(f"{rig_id}/status", "")

    async def _retain(self, topic: str, payload: str) -> None:
        await self._observer.publish(f"ts2mqtt/{topic}", payload, retain=True)


@pytest.fixture
def bridge(observer: Observer) -> Bridge:
    return Bridge(observer)


async def stays_open(observer: Observer, reason: str, *, after: int = 0) -> None:
    seen = await observer.wait_for(VERDICT, lambda told: told["reason"] == reason, after=after)
    assert seen.json["may_close"] is False


async def may_close(observer: Observer, *, after: int = 0) -> None:
    seen = await observer.wait_for(VERDICT, lambda told: told["may_close"], after=after)
    assert seen.json["reason"] == "no rig is imaging"


async def test_a_request_passes_only_when_no_rig_is_imaging(
    deploy: Deploy, observer: Observer, bridge: Bridge
) -> None:
    flow = guard()
    node_red = await deploy(flow)
    await bridge.starts("backyard", "remote")
    await bridge.rig("backyard", "idle")
    await bridge.rig("remote", "imaging", current=target("M 31"))
    await stays_open(observer, "Remote is imaging M 31")

    await node_red.press(flow.node(BUTTON))
    refused = await node_red.tells(STAYS)
    assert refused == {"payload": "close", "reason": "Remote is imaging M 31"}
    assert node_red.tapped(PASSES) == []

    mark = observer.mark()
    await bridge.rig("remote", "idle")
    await may_close(observer, after=mark)
    await node_red.press(flow.node(BUTTON))
    assert await node_red.tells(PASSES) == {"payload": "close", "reason": "no rig is imaging"}
    assert len(node_red.tapped(STAYS)) == 1


async def test_nothing_is_known_at_the_start(deploy: Deploy) -> None:
    flow = guard()
    node_red = await deploy(flow)
    await node_red.press(flow.node(BUTTON))
    assert (await node_red.tells(STAYS))["reason"] == "the bridge has not been heard"


async def test_what_a_rig_does_or_will_do_keeps_the_roof_open(
    deploy: Deploy, observer: Observer, bridge: Bridge
) -> None:
    await deploy(guard(before_min=30))
    await bridge.starts("backyard")
    for activity, current, following, reason in (
        ("imaging", target("M 31"), None, "Backyard is imaging M 31"),
        ("imaging", None, target("M 31", LATER), "Backyard is imaging"),
        ("waiting", target("M 31"), None, "Backyard is about to image M 31"),
        ("waiting", None, None, "Backyard is waiting"),
        ("waiting", None, target("M 33"), "Backyard will image M 33 soon"),
        ("offline", None, None, "Backyard does not tell what it does"),
        ("dancing", None, None, "Backyard does not tell what it does"),
        ("idle", target("M 1"), None, "Backyard is about to image M 1"),
    ):
        mark = observer.mark()
        await bridge.rig("backyard", activity, current=current, following=following)
        await stays_open(observer, reason, after=mark)

    # Whatever word there is for the activity, the roof depends on whether the rig is imaging.
    for imaging, reason in ((True, "Backyard is imaging"), (None, "Backyard does not tell what it does")):
        mark = observer.mark()
        await bridge.rig("backyard", "idle", imaging=imaging)
        await stays_open(observer, reason, after=mark)

    for activity in ("idle", "waiting"):
        mark = observer.mark()
        await bridge.rig("backyard", activity, following=target("M 33", SOON))
        await observer.wait_for(
            VERDICT, lambda told: told["reason"].startswith("Backyard will image M 33 at "), after=mark
        )
        mark = observer.mark()
        await bridge.rig("backyard", activity, following=target("M 33", LATER))
        await may_close(observer, after=mark)


async def test_who_is_not_heard_or_does_not_answer_keeps_the_roof_open(
    deploy: Deploy, observer: Observer, bridge: Bridge
) -> None:
    """An `idle` from before does not count."""
    await deploy(guard())
    await bridge.rig("backyard", "idle")
    await stays_open(observer, "the bridge has not been heard")

    await bridge.starts("backyard", "remote")
    await stays_open(observer, "remote has not been heard")
    await bridge.rig_is("remote", "online")
    await stays_open(observer, "remote has not told what it does")
    await bridge.rig("remote", "idle")
    await may_close(observer)

    await bridge.rig_is("remote", "offline")
    await stays_open(observer, "Remote does not answer")
    mark = observer.mark()
    await bridge.rig_is("remote", "online")
    await may_close(observer, after=mark)

    await bridge.stops()
    await stays_open(observer, "the bridge is offline")


async def test_a_rig_that_is_gone_from_the_broker_is_forgotten(
    deploy: Deploy, observer: Observer, bridge: Bridge
) -> None:
    await deploy(guard())
    await bridge.starts("backyard", "remote")
    await bridge.rig("backyard", "idle")
    await bridge.rig("remote", "imaging")
    await stays_open(observer, "Remote is imaging")

    # As it goes when it is taken out of the bridge's configuration.
    await bridge.removes("remote")
    await stays_open(observer, "remote has not been heard")
    mark = observer.mark()
    await bridge.starts("backyard")
    await may_close(observer, after=mark)
    assert [rig["id"] for rig in observer.json(VERDICT)["rigs"]] == ["backyard"]


async def test_a_rig_that_the_bridge_does_not_name_counts_while_it_is_on_the_broker(
    deploy: Deploy, observer: Observer, bridge: Bridge
) -> None:
    await deploy(guard())
    await bridge.starts("backyard")
    await bridge.rig("backyard", "idle")
    await may_close(observer)
    await bridge.rig("remote", "imaging")
    await stays_open(observer, "Remote is imaging")


async def test_only_the_rigs_under_this_roof_are_asked(deploy: Deploy, observer: Observer, bridge: Bridge) -> None:
    await deploy(guard(rigs=["pier2", "pier1"]))
    await bridge.starts("remote", "pier1")
    await bridge.rig("remote", "imaging")
    await bridge.rig("pier1", "idle")
    await stays_open(observer, "pier2 has not been heard")
    await bridge.rig("pier2", "idle")
    await may_close(observer)


async def test_a_bridge_without_signs_of_life_is_not_believed(
    deploy: Deploy, observer: Observer, bridge: Bridge
) -> None:
    """Its broker says `online` until the last will comes, which may take minutes."""
    node_red = await deploy(flow := guard(silent_s=1))
    await observer.publish("ts2mqtt/status", "online", retain=True)
    await observer.publish("ts2mqtt/bridge", json.dumps({"rigs": [{"id": "backyard"}]}), retain=True)
    await bridge.rig("backyard", "idle")
    await stays_open(observer, "the bridge has not given a sign of life yet")
    await bridge.beats(working=False)
    await observer.publish("ts2mqtt/bridge/heartbeat", '{"ask":true}')
    await bridge.rig_is("backyard", "offline")
    await bridge.rig_is("backyard", "online")
    assert {seen.json["may_close"] for seen in observer.seen if seen.topic == VERDICT} == {False}

    await bridge.beats()
    await may_close(observer)
    # The guard looks at its watch by itself.
    await stays_open(observer, "the bridge gives no sign of life any more")
    await node_red.press(flow.node(BUTTON))
    assert (await node_red.tells(STAYS))["reason"] == "the bridge gives no sign of life any more"


async def test_a_rig_is_believed_only_after_it_has_been_watched_for_a_while(
    deploy: Deploy, observer: Observer, bridge: Bridge
) -> None:
    """The bridge learns that a rig images when an exposure ends: until then it says `idle`."""
    await deploy(guard(settle_min=0.02))
    await bridge.starts("backyard")
    await bridge.rig("backyard", "idle")
    watching = "Backyard has been watched for less than 0.02 min"
    await stays_open(observer, watching)
    await may_close(observer)

    async def rig_is_off() -> None:
        await bridge.rig_is("backyard", "offline")

    async def another_bridge() -> None:
        await bridge.beats(instance="2")

    for gap in (rig_is_off, bridge.stops, another_bridge):
        mark = observer.mark()
        await gap()
        await bridge.rig_is("backyard", "online")
        await observer.publish("ts2mqtt/status", "online", retain=True)
        await stays_open(observer, watching, after=mark)
        await may_close(observer, after=mark)


async def test_without_the_broker_nothing_passes(
    deploy: Deploy, observer: Observer, bridge: Bridge, mosquitto: Mosquitto
) -> None:
    node_red = await deploy(flow := guard())
    await bridge.starts("backyard")
    await bridge.rig("backyard", "idle")
    await may_close(observer)
    await node_red.press(flow.node(BUTTON))
    await node_red.tells(PASSES)

    await mosquitto.stop()
    await node_red.says("Disconnected from broker")
    await node_red.press(flow.node(BUTTON))
    assert (await node_red.tells(STAYS))["reason"] == "the bridge has not been heard"
    assert len(node_red.tapped(PASSES)) == 1


async def test_hostile_payloads_and_names_neither_break_it_nor_open_the_way(
    deploy: Deploy, observer: Observer, bridge: Bridge
) -> None:
    await deploy(guard())
    for topic in ("status", "bridge", "bridge/heartbeat", "backyard/status", "backyard/state", "__proto__/state"):
        for payload in (b"null", b"7", b"[]", b"\xff\xfe", b'{"rigs": 3}', b'{"rigs": [null]}', b"{"):
            await observer.publish(f"ts2mqtt/{topic}", payload, retain=True)
    await bridge.starts("__proto__", "backyard")
    await bridge.rig("backyard", "imaging", current=target("M 31\n<b>\x1b[31m" + "x" * 200))
    await observer.wait_for(
        VERDICT, lambda told: f"Backyard is imaging M 31 <b> [31m{'x' * 67}" in told["reason"].split("; ")
    )
    await bridge.rig("backyard", "idle")
    await bridge.rig("__proto__", "idle")
    await may_close(observer)
    assert [seen for seen in observer.seen if seen.topic == VERDICT and seen.retain] == []
