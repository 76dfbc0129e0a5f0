"""What is known of the broker's retained messages, without a broker."""

from __future__ import annotations

from ts2mqtt.bridge.retained_messages import RetainedMessages
from ts2mqtt.topics.message import Message


class _Written:
    """Counts how often its payload is written."""

    def __init__(self, payload: bytes) -> None:
        self._payload = payload
        self.times = 0

    def __bytes__(self) -> bytes:
        self.times += 1
        return self._payload


def test_reads_like_the_payloads() -> None:
    retained = RetainedMessages({"a": b"1"})
    retained.put("b", _Written(b"2"))
    assert retained == {"a": b"1", "b": b"2"}
    assert len(retained) == 2
    assert "b" in retained
    assert retained.get("c") is None
    retained.remove("a")
    retained.remove("a")
    assert retained == {"b": b"2"}


def test_some_topics_are_a_part_of_all() -> None:
    assert RetainedMessages({"a": b"1", "b": b"2"}).of(["b", "c"]) == {"b": b"2"}


def test_what_holds_is_the_same_payload_however_it_is_written() -> None:
    retained = RetainedMessages({"a": b"1"})
    assert retained.holds("a", Message(_Written(b"1")))
    assert not retained.holds("a", Message(_Written(b"2")))
    assert not retained.holds("b", Message(b"1"))


def test_nothing_is_written_to_see_that_a_message_still_stands_there() -> None:
    written = _Written(b"1")
    retained = RetainedMessages({"a": written, "b": b"2"})
    assert retained.of(["a"]).holds("a", Message(written))
    assert "a" in retained
    assert list(retained) == ["a", "b"]
    assert written.times == 0
