"""What is too large for a broker is learned from connections that break, and never from a network that does."""

from __future__ import annotations

import pytest

from tests.support.clocks import HandClock
from ts2mqtt.mqtt.packet_sizes import PacketSizes

MINUTE = 60.0


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def sizes(clock: HandClock) -> PacketSizes:
    return PacketSizes(clock)


def find_too_large(sizes: PacketSizes, size: int) -> None:
    sizes.broke_over([500, size, 2_000])
    for _ in range(2):
        sizes.took(500)
        assert sizes.must_go_alone(size)
        sizes.broke_over([size])


def test_everything_goes_together_until_a_connection_breaks(sizes: PacketSizes) -> None:
    assert not sizes.must_go_alone(1_000_000)
    assert not sizes.is_too_large(1_000_000)


def test_what_breaks_the_connection_alone_and_again_is_too_large(sizes: PacketSizes) -> None:
    find_too_large(sizes, 5_000)
    assert sizes.is_too_large(5_000)
    assert sizes.is_too_large(6_000)
    assert not sizes.is_too_large(4_999)
    assert sizes.retry_in_s == 10 * MINUTE


def test_what_was_taken_since_need_not_go_alone(sizes: PacketSizes) -> None:
    sizes.broke_over([700, 9_000])
    sizes.took(3_000)
    assert not sizes.must_go_alone(3_000)
    assert sizes.must_go_alone(3_001)


def test_a_connection_that_breaks_while_nothing_is_under_way_says_nothing(sizes: PacketSizes) -> None:
    sizes.broke_over([])
    assert not sizes.must_go_alone(9_000)


@pytest.mark.parametrize("under_way", [[150], [5_000, 150], [150, 5_000, 6_000]])
def test_small_messages_and_several_at_once_are_not_blamed(sizes: PacketSizes, under_way: list[int]) -> None:
    for _ in range(10):
        sizes.broke_over(under_way)
    assert not any(sizes.is_too_large(size) for size in (150, 5_000, 6_000))


def test_one_that_gets_through_the_second_time_was_not_to_blame(sizes: PacketSizes) -> None:
    for _ in range(10):
        sizes.broke_over([5_000])
        sizes.took(5_000)
    assert not sizes.is_too_large(5_000)


def test_it_is_tried_again_ever_more_seldom(sizes: PacketSizes, clock: HandClock) -> None:
    find_too_large(sizes, 5_000)
    for minutes in (10, 20, 40):
        assert sizes.retry_in_s == minutes * MINUTE
        clock.advance(minutes * MINUTE)
        assert not sizes.is_too_large(5_000)
        assert sizes.must_go_alone(5_000)
        sizes.broke_over([5_000])
        assert sizes.is_too_large(5_000)


def test_smaller_ones_that_prove_too_large_as_well_are_no_second_try(sizes: PacketSizes) -> None:
    find_too_large(sizes, 5_000)
    for size in (4_000, 3_000, 2_000):
        sizes.broke_over([size])
        assert sizes.is_too_large(size)
        assert sizes.retry_in_s == 10 * MINUTE


def test_a_broker_that_takes_it_after_all_is_believed(sizes: PacketSizes, clock: HandClock) -> None:
    find_too_large(sizes, 5_000)
    clock.advance(10 * MINUTE)
    sizes.took(5_000)
    assert not sizes.is_too_large(5_000)
    assert sizes.retry_in_s is None


def test_what_the_broker_declares_counts_at_once_and_is_not_tried(sizes: PacketSizes) -> None:
    sizes.declared = 4_000
    assert sizes.is_too_large(4_001)
    assert not sizes.is_too_large(4_000)
    assert sizes.retry_in_s is None
