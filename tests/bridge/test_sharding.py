"""To which replica a rig belongs: always exactly one, and few change hands when the count changes."""

from __future__ import annotations

from collections import Counter

import pytest

from ts2mqtt.bridge.sharding import Shard, owner

RIGS = [f"rig-{number}" for number in range(1_000)]


@pytest.mark.parametrize("count", [1, 2, 3, 4, 10])
def test_every_rig_belongs_to_exactly_one_replica(count: int) -> None:
    shards = [Shard(index, count) for index in range(count)]
    for rig in RIGS:
        assert [shard.owns(rig) for shard in shards].count(True) == 1


def test_the_rigs_are_spread_evenly() -> None:
    shares = Counter(owner(rig, 4) for rig in RIGS)
    assert shares.keys() == {0, 1, 2, 3}
    # Four standard deviations of a fair draw.
    assert all(195 < share < 305 for share in shares.values())


@pytest.mark.parametrize("fewer", [1, 2, 3, 9])
def test_only_rigs_of_a_replica_that_comes_or_goes_change_hands(fewer: int) -> None:
    more = fewer + 1
    moved = [rig for rig in RIGS if owner(rig, fewer) != owner(rig, more)]
    assert moved
    assert {owner(rig, more) for rig in moved} == {fewer}


def test_the_owner_never_changes_with_the_version() -> None:
    """Replicas of two versions work side by side during an update."""
    assert [owner(rig, 4) for rig in ("backyard", "remote", "third", "rig-1", "")] == [0, 2, 0, 2, 3]


def test_a_shard_is_shown_as_it_is_written() -> None:
    assert str(Shard(2, 4)) == "2/4"
