"""Whether a bridge has more topics than a broker with usual limits queues for a subscriber."""

from __future__ import annotations

from ts2mqtt.check.steps import Verdict
from ts2mqtt.timing import PaceTimings

_USUAL_LIMIT = PaceTimings().many
_ADVICE = (
    "The bridge publishes slowly then, and again what was dropped. To spare Home Assistant the wait, write "
    "'max_queued_messages 0' into Mosquitto's configuration (in Home Assistant's Mosquitto app: into a file in its "
    "customize folder), or raise another broker's limit. docs/brokers.md tells more."
)


def queue_verdict(retained_topics: int) -> Verdict | None:
    """None for a bridge with few topics; whether the limit was raised, a broker does not tell."""
    if retained_topics <= _USUAL_LIMIT:
        return None
    return Verdict(
        ok=None,
        message=f"this bridge has {retained_topics:,} topics here; by default Mosquitto drops what goes beyond "
        f"{_USUAL_LIMIT:,} messages for a subscriber that has not read them yet",
        advice=_ADVICE,
    )
