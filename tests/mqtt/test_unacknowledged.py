"""What is known of the publishes that the broker has not acknowledged yet."""

from __future__ import annotations

import asyncio

import pytest

from tests.support.clocks import HandClock
from ts2mqtt.errors import BrokerUnreachableError, PublishRefusedError
from ts2mqtt.mqtt.byte_window import ByteWindow
from ts2mqtt.mqtt.unacknowledged import UnacknowledgedPublishes

_PLACES = 200


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def publishes(clock: HandClock) -> UnacknowledgedPublishes:
    return UnacknowledgedPublishes(clock, ByteWindow())


async def test_an_acknowledgement_tells_how_long_it_took(
    publishes: UnacknowledgedPublishes, clock: HandClock
) -> None:
    await publishes.wait_for_place(100)
    acknowledged = publishes.add(7, 100)
    clock.advance(1.5)
    assert publishes.acknowledge(7) == 100
    assert await acknowledged == 1.5
    assert publishes.awaited() == []


async def test_an_acknowledgement_that_nobody_expects_says_nothing(publishes: UnacknowledgedPublishes) -> None:
    assert publishes.acknowledge(7) is None


async def test_a_refusal_is_told_in_the_words_of_the_broker(publishes: UnacknowledgedPublishes) -> None:
    await publishes.wait_for_place(100)
    acknowledged = publishes.add(7, 100)
    assert publishes.acknowledge(7, "Not authorized") == 100
    with pytest.raises(PublishRefusedError, match="Not authorized"):
        await acknowledged


async def test_a_place_is_free_again_after_an_acknowledgement(publishes: UnacknowledgedPublishes) -> None:
    for packet_id in range(_PLACES):
        await publishes.wait_for_place(100)
        publishes.add(packet_id, 100)
    waiting = asyncio.ensure_future(publishes.wait_for_place(100))
    done, _ = await asyncio.wait((waiting,), timeout=0.05)
    assert not done
    publishes.acknowledge(3)
    await waiting


async def test_a_connection_that_is_over_fails_all_and_frees_all_places(publishes: UnacknowledgedPublishes) -> None:
    acknowledged = []
    for packet_id in range(_PLACES):
        await publishes.wait_for_place(100)
        acknowledged.append(publishes.add(packet_id, 100))
    publishes.fail_all(BrokerUnreachableError("gone"))
    for one in acknowledged:
        with pytest.raises(BrokerUnreachableError, match="gone"):
            await one
    for _ in range(_PLACES):
        await publishes.wait_for_place(100)
    assert publishes.stalled_s() == 0.0


async def test_a_message_that_is_never_acknowledged_is_noticed_beside_others_that_are(
    publishes: UnacknowledgedPublishes, clock: HandClock
) -> None:
    """Over a slow way each takes long, and the time counts from the acknowledgement of the one before it."""
    for packet_id in range(5):
        await publishes.wait_for_place(100)
        publishes.add(packet_id, 100)
    clock.advance(20.0)
    publishes.acknowledge(0)
    clock.advance(20.0)
    assert publishes.stalled_s() == 20.0
    publishes.acknowledge(2)
    publishes.acknowledge(3)
    clock.advance(20.0)
    assert publishes.stalled_s() == 40.0


async def test_the_latest_have_sizes(publishes: UnacknowledgedPublishes, clock: HandClock) -> None:
    for packet_id, size in enumerate((100, 200, 300)):
        await publishes.wait_for_place(size)
        publishes.add(packet_id, size)
        clock.advance(2.0)
    assert publishes.stalled_s() == 6.0
    assert publishes.sizes_sent_within(5.0) == [200, 300]
