"""What was sent is believed to have arrived when the broker's next counts say that nothing was dropped."""

from __future__ import annotations

import pytest

from ts2mqtt.bridge.deliveries import COUNT_TOPICS, BrokerCounted, Deliveries, Reading, broker_counted
from ts2mqtt.mqtt.message import Received

_DROPPED, _RECEIVED = COUNT_TOPICS


def counting() -> Deliveries:
    """The broker has dropped seven messages before."""
    deliveries = Deliveries()
    assert deliveries.try_to_listen()
    deliveries.begin_to_count()
    assert deliveries.take(BrokerCounted(7, of_dropped=True, is_retained=True)) is Reading.NOTHING
    return deliveries


def reading(deliveries: Deliveries, dropped: int | None = None) -> Reading:
    """Mosquitto says only what has changed."""
    if dropped is not None:
        assert deliveries.take(BrokerCounted(dropped, of_dropped=True)) is Reading.NOTHING
    return deliveries.take(BrokerCounted(1, of_dropped=False))


def test_what_was_sent_between_two_equal_counts_has_arrived() -> None:
    deliveries = counting()
    deliveries.sent("a")
    assert reading(deliveries) is Reading.GOOD
    assert reading(deliveries) is Reading.GOOD
    deliveries.sent("b")
    assert reading(deliveries, dropped=8) is Reading.BAD
    assert list(deliveries.lost) == ["b"]


def test_what_was_sent_just_before_a_reading_may_be_counted_in_the_next() -> None:
    deliveries = counting()
    deliveries.sent("a")
    assert reading(deliveries) is Reading.GOOD
    deliveries.sent("b")
    assert reading(deliveries, dropped=8) is Reading.BAD
    assert list(deliveries.lost) == ["a", "b"]


def test_what_is_dropped_while_nothing_is_sent_is_not_ours() -> None:
    deliveries = counting()
    assert reading(deliveries, dropped=9_000) is Reading.NOTHING
    deliveries.sent("a")
    assert reading(deliveries) is Reading.GOOD


def test_a_subscriber_may_be_at_work_for_minutes_on_what_it_was_told() -> None:
    deliveries = counting()
    deliveries.sent("a")
    for _ in range(30):
        assert reading(deliveries) is Reading.GOOD
    assert reading(deliveries, dropped=8) is Reading.BAD
    assert (list(deliveries.lost), list(deliveries.told_lately)) == ([], ["a"])
    for _ in range(60):
        assert reading(deliveries) is Reading.GOOD
    assert reading(deliveries, dropped=9) is Reading.NOTHING


def test_a_broker_that_was_started_anew_counts_from_the_beginning() -> None:
    deliveries = counting()
    deliveries.sent("a")
    assert reading(deliveries, dropped=0) is Reading.GOOD
    assert reading(deliveries, dropped=1) is Reading.BAD


def test_a_broker_that_tells_no_drops_says_nothing() -> None:
    deliveries = Deliveries()
    deliveries.begin_to_count()
    deliveries.sent("a")
    assert reading(deliveries) is Reading.NOTHING
    assert not deliveries.lost


def test_after_many_bad_readings_what_is_lost_waits_for_a_good_one() -> None:
    """Then the broker drops what another one publishes, for ever: repeating ours would help nobody."""
    deliveries = counting()
    for number in range(10):
        deliveries.sent("a")
        assert reading(deliveries, dropped=8 + number) is Reading.BAD
        assert list(deliveries.to_repeat) == ["a"]
    deliveries.sent("b")
    assert reading(deliveries, dropped=100) is Reading.BAD
    assert not deliveries.to_repeat
    assert reading(deliveries) is Reading.GOOD
    assert list(deliveries.to_repeat) == ["a", "b"]


def test_what_a_broker_has_dropped_since_its_start_counts_where_that_was_a_moment_ago() -> None:
    """Mosquitto says it for the first time ten seconds after its start."""
    deliveries = Deliveries()
    deliveries.begin_to_count()
    deliveries.sent("a")
    assert reading(deliveries, dropped=500) is Reading.BAD


def test_nothing_is_noted_where_nobody_counts() -> None:
    deliveries = Deliveries()
    deliveries.sent("a")
    deliveries.begin_to_count()
    assert reading(deliveries, dropped=2) is Reading.NOTHING


def test_a_broker_that_ends_the_connection_over_its_counts_is_not_asked_for_ever() -> None:
    deliveries = Deliveries()
    assert [deliveries.try_to_listen() for _ in range(4)] == [True, True, False, False]


@pytest.mark.parametrize(
    ("topic", "payload", "expected"),
    [
        (_DROPPED, b"12", BrokerCounted(12, of_dropped=True)),
        (_RECEIVED, b"0", BrokerCounted(0, of_dropped=False)),
        (_DROPPED, b"", None),
        (_DROPPED, b"-1", None),
        (_DROPPED, "²".encode(), None),
        (_DROPPED, b"9" * 5_000, None),
        ("ts2mqtt/status", b"12", None),
    ],
)
def test_a_count_is_a_number_on_the_brokers_own_topic(
    topic: str, payload: bytes, expected: BrokerCounted | None
) -> None:
    assert broker_counted(Received(topic, payload, retain=False)) == expected
