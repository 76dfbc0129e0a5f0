"""Another replica's device taken over as it stands: what it tells Home Assistant about its bridge now means this one.

A rig that is off cannot be asked, so its devices cannot be built anew; their payloads on the broker are all there is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic_core import from_json, to_json

from ts2mqtt.home_assistant.devices import SETTLE_S
from ts2mqtt.topics.message import Message
from ts2mqtt.topics.names import BRIDGE

if TYPE_CHECKING:
    from collections.abc import Mapping, Set as AbstractSet

    from ts2mqtt.home_assistant.ids import DiscoveryIds


def adopted_devices(
    names: DiscoveryIds, wanted: Mapping[str, Message], retained: Mapping[str, bytes], stale: AbstractSet[str]
) -> dict[str, Message]:
    """Retained devices of which their rig has told nothing, and that follow another bridge."""
    found: dict[str, Message] = {}
    for topic, held in retained.items():
        message = wanted.get(topic)
        if names.object_id_of(topic) and topic not in stale and (message is None or message.provisional):
            payload = adopted(names, topic, held)
            if payload != held:
                found[topic] = Message(payload, settle_s=SETTLE_S)
    return found


def adopted(names: DiscoveryIds, topic: str, held: bytes) -> bytes:
    """The same payload if there is nothing to change, or if it cannot be read."""
    if f'"topic":"{names.topics.status}"'.encode() in held:
        return held
    try:
        # The standard library's parser gives up on deeply nested garbage with an error of its own kind.
        payload = from_json(held)
        for thing in (payload, *payload["components"].values()):
            for availability in thing.get("availability", ()):
                _follow(names, availability)
        subject = names.subject(topic)
        if subject is not None and subject.kind is None and "via_device" in payload["device"]:
            payload["device"]["via_device"] = names.device_id(BRIDGE)
    except (ValueError, KeyError, TypeError, AttributeError):
        return held
    if from_json(held) == payload:
        return held
    return to_json(payload)


def _follow(names: DiscoveryIds, availability: dict[str, str]) -> None:
    if names.topics.of_bridge(availability["topic"]) is not None:
        availability["topic"] = names.topics.status
