"""A whole simulated night, quickly: nothing to complain about, and Home Assistant woken no more than need be."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from tests.home_assistant.scene import scene
from tests.support.running import polling, running_bridge
from ts2mqtt.simulator.busy_observatory import busy_observatory
from ts2mqtt.simulator.sky import Site
from ts2mqtt.timing import PacedClock

if TYPE_CHECKING:
    from tests.home_assistant.conftest import House

_SITE = Site(latitude_deg=47.0, longitude_deg=15.0)
_EVENING = datetime(2026, 10, 9, 17, tzinfo=UTC)
_MORNING = _EVENING + timedelta(hours=13)
_CLEAR = 2
"""The seed of a night without clouds."""

_SPEED = 2_000.0
_OF_AN_EVENT = 15
"""What happens moves some of its plan, target, project, profile and rig, and the rig's event: so many entities."""


async def test_a_night_is_quiet_in_the_log_and_wakes_home_assistant_only_for_what_happens(house: House) -> None:
    observatory = busy_observatory(seed=_CLEAR, start=_EVENING, site=_SITE, timezone=UTC)
    async with scene(house, observatory) as backyard:
        clock = PacedClock(_EVENING, _SPEED)
        backyard.api.clock = clock.now
        looks = polling(interval=0.2, slow_interval=2.0, statistics_interval=5.0, plan="auto", plan_interval=1.5)
        config = backyard.config.model_copy(update={"polling": looks})
        mark = len(backyard.hass.events)
        async with running_bridge(config, clock):
            await backyard.published()
            await backyard.api.wait_for_request("/profiles")
            await backyard.observer.wait_until(
                lambda: backyard.observatory.now >= _MORNING, "the morning", patience_s=120
            )
            await backyard.shown()
        events = [seen.json["event_type"] for seen in backyard.observer.seen if seen.topic.endswith("/event")]
        happened = Counter(events)
        assert happened["exposure_acquired"] > 20
        assert happened["target_started"]
        changes = Counter(
            event["data"]["entity_id"]
            for event in backyard.hass.events[mark:]
            if event["event_type"] == "state_changed" and event["data"]["old_state"] and event["data"]["new_state"]
        )
        assert changes.total() <= _OF_AN_EVENT * len(events), (changes.most_common(20), happened)
        backyard.nothing_to_complain_about()
