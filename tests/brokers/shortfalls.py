"""What a broker is known not to do, as docs/brokers.md tells; a broker that learns it makes the test of it fail."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Shortfall:
    """`newer_can` where it depends on the release."""

    broker: str
    test: str
    reason: str
    newer_can: bool = False


_WILDCARDS = "it gives no retained messages for a filter with a wildcard"
_IN_MEMORY = "without a persistence of its own it keeps everything in memory"

SHORTFALLS = (
    Shortfall("embedded", "test_mqtt_5_may_be_spoken", "it speaks 3.1.1"),
    Shortfall("nats", "test_mqtt_5_may_be_spoken", "it speaks 3.1.1"),
    Shortfall("nats", "test_a_topic_may_have_a_dot", "its own subjects have dots between levels", newer_can=True),
    Shortfall("aedes", "test_mqtt_5_may_be_spoken", "it speaks 3.1.1"),
    Shortfall("aedes", "test_what_was_acknowledged_is_kept_over_a_restart", _IN_MEMORY),
    Shortfall("rabbitmq", "test_mqtt_5_may_be_spoken", "it speaks 3.1.1", newer_can=True),
    Shortfall("rabbitmq", "test_a_topic_may_have_a_dot", "a dot comes back as a slash"),
    Shortfall("rabbitmq", "test_retained_messages_are_given_for_a_wildcard", _WILDCARDS),
    Shortfall("rabbitmq", "test_a_second_start_publishes_nothing_twice", _WILDCARDS),
    Shortfall("rabbitmq", "test_what_was_deleted_while_the_bridge_was_off_goes", _WILDCARDS),
    Shortfall("rabbitmq", "test_clean_leaves_nothing", _WILDCARDS),
    Shortfall("rabbitmq", "test_what_was_acknowledged_is_kept_over_a_restart", _WILDCARDS),
)
