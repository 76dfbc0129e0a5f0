"""What the broker retains of ours, topic by topic."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import SupportsBytes

    from ts2mqtt.topics.message import Message


class RetainedMessages(Mapping[str, bytes]):
    """Payloads by topic; keeps of each no more than its Message does, and writes it when somebody reads it."""

    def __init__(self, written: Mapping[str, SupportsBytes] | None = None) -> None:
        self._written = dict(written or {})

    def __getitem__(self, topic: str) -> bytes:
        return bytes(self._written[topic])

    def __contains__(self, topic: object) -> bool:
        return topic in self._written

    def __iter__(self) -> Iterator[str]:
        return iter(self._written)

    def __len__(self) -> int:
        return len(self._written)

    def put(self, topic: str, written: SupportsBytes) -> None:
        self._written[topic] = written

    def remove(self, topic: str) -> None:
        """It need not be there."""
        self._written.pop(topic, None)

    def of(self, topics: Iterable[str]) -> RetainedMessages:
        """Those of these topics on which something is retained."""
        return RetainedMessages({topic: self._written[topic] for topic in topics if topic in self._written})

    def holds(self, topic: str, message: Message) -> bool:
        """Whether the message stands there; what is the same as it was is not written for that."""
        written = self._written.get(topic)
        if written is None:
            return False
        return written == message.written or bytes(written) == message.payload
