"""Whether Home Assistant listens on a discovery prefix, as far as the broker's retained messages can tell."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from ts2mqtt.check.findings import shortened
from ts2mqtt.check.steps import Verdict
from ts2mqtt.logs.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ts2mqtt.home_assistant.ids import DiscoveryIds

FILTERS_OF_EVERY_PREFIX = ("+/+/+/config", "+/+/+/+/config")

# Platforms that other programs announce most, and whole devices: not every topic that ends in /config announces.
_ANNOUNCEMENT = (
    r"(?:device|device_automation|alarm_control_panel|binary_sensor|button|climate|cover|"
    r"device_tracker|event|fan|image|light|lock|number|scene|select|sensor|siren|switch|text|update|vacuum|valve)"
    r"/(?:[a-zA-Z0-9_-]+/)?[a-zA-Z0-9_-]+/config"
)
_BELOW_ANY_PREFIX = re.compile(rf"([^/]+)/{_ANNOUNCEMENT}")

_HOW_TO_LOOK = (
    "In Home Assistant, open Settings, Devices & services, MQTT and its options: discovery must be on, with the "
    "prefix '{prefix}'."
)


def announcement_filters(prefix: str) -> tuple[str, ...]:
    return (f"{prefix}/+/+/config", f"{prefix}/+/+/+/config")


def announcements_by_prefix(topics: Iterable[str], names: DiscoveryIds) -> Counter[str]:
    """How many things other programs than ts2mqtt have announced, by discovery prefix."""
    prefixes: Counter[str] = Counter()
    below_our_prefix = re.compile(rf"{re.escape(names.prefix)}/{_ANNOUNCEMENT}")
    for topic in topics:
        if names.object_id_of(topic) is not None:
            continue
        if below_our_prefix.fullmatch(topic):
            prefixes[names.prefix] += 1
        elif match := _BELOW_ANY_PREFIX.fullmatch(topic):
            prefixes[match[1]] += 1
    return prefixes


def listening_verdict(announcements: Counter[str], prefix: str, status: bytes | None, status_topic: str) -> Verdict:
    """Whether it is likely that Home Assistant listens on `prefix`; it cannot be proven.

    `announcements` are as from announcements_by_prefix(); `status` is what the broker retains on the topic of Home
    Assistant's birth message, which is nothing unless its user has set the birth message to be retained.
    """
    advice = _HOW_TO_LOOK.format(prefix=prefix)
    under_prefix = announcements[prefix]
    elsewhere = [(name, number) for name, number in announcements.most_common() if name != prefix]
    if not under_prefix and elsewhere:
        name, number = elsewhere[0]
        return Verdict(
            ok=False,
            message=f"other programs announce nothing under '{prefix}', but {counted(number, 'thing')} under "
            f"{shortened(name)}: Home Assistant seems to listen there",
            advice=f"Write that as home_assistant.discovery_prefix, unless Home Assistant is set to '{prefix}'.",
        )
    seen = f"; other programs announce {counted(under_prefix, 'thing')} under '{prefix}'" if under_prefix else ""
    if status == b"online":
        return Verdict(ok=True, message=f"it says online on '{status_topic}'{seen}")
    if status == b"offline":
        return Verdict(
            ok=None,
            message=f"it says offline on '{status_topic}'{seen}",
            advice="Start it, or look whether it uses this broker.",
        )
    if under_prefix:
        return Verdict(
            ok=None,
            message=f"the broker cannot tell whether it listens, but it is likely{seen}",
            advice=f"If no devices appear there: {advice[0].lower()}{advice[1:]}",
        )
    return Verdict(ok=None, message="the broker cannot tell whether it listens", advice=advice)
