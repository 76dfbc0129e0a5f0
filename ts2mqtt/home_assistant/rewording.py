"""What it takes to have Home Assistant show a state that it already has in other words.

With a new payload it goes on showing the state that it had rendered, until the next message on the state's topic
(mqtt/subscription.py subscribes again only where the topic is another). And it fails, and leaves the entity half
changed, where that state is none of the new payload's options (sensor/entity.py). So the old words stay among the
options until the state has been told again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ts2mqtt.home_assistant.held import read_payload

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic import JsonValue

    from ts2mqtt.home_assistant.held import HeldPayload

_Component = dict[str, "JsonValue"]


def state_topics_to_tell_again(wanted: bytes, held: bytes) -> frozenset[str]:
    """Those of components that get another template for the state they show."""
    old, new = read_payload(held), read_payload(wanted)
    if old is None or new is None:
        return frozenset()
    return frozenset(str(after["state_topic"]) for _, after in _reworded(new, old))


def with_old_words(wanted: bytes, held: bytes) -> bytes:
    """The wanted payload; where a component gets other words, the old ones stand at the end of its options."""
    old, new = read_payload(held), read_payload(wanted)
    if old is None or new is None:
        return wanted
    changed = False
    for before, after in _reworded(new, old):
        earlier, later = before.get("options"), after.get("options")
        if isinstance(earlier, list) and isinstance(later, list):
            lost = [word for word in earlier if word not in later]
            after["options"] = [*later, *lost]
            changed = changed or bool(lost)
    return new.to_bytes() if changed else wanted


def _reworded(new: HeldPayload, old: HeldPayload) -> Iterator[tuple[_Component, _Component]]:
    """Before and after, of each component that shows the same topic with another template."""
    for key, after in new.components.items():
        before = old.components.get(key, {})
        same_topic = "state_topic" in after and after["state_topic"] == before.get("state_topic")
        if same_topic and after.get("value_template") != before.get("value_template"):
            yield before, after
