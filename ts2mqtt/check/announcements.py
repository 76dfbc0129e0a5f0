"""Whether Home Assistant listens on a discovery prefix, as far as what is retained on the broker can tell."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from ts2mqtt.check.findings import Verdict, shortened
from ts2mqtt.logs.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ts2mqtt.home_assistant.ids import DiscoveryIds

FILTERS_OF_ANY_PREFIX = ("+/+/+/config", "+/+/+/+/config")

# Platforms that other programs announce most, and whole devices; a topic of another kind may end in config too.
_ANNOUNCEMENT = (
    r"(?:device|device_automation|alarm_control_panel|binary_sensor|button|climate|cover|"
    r"device_tracker|event|fan|image|light|lock|number|scene|select|sensor|siren|switch|text|update|vacuum|valve)"
    r"/(?:[a-zA-Z0-9_-]+/)?[a-zA-Z0-9_-]+/config"
)
_BELOW_SOME_PREFIX = re.compile(rf"([^/]+)/{_ANNOUNCEMENT}")

_HOW_TO_LOOK = (
    "In Home Assistant, open Settings, Devices & services, MQTT and its options: discovery must be on, with the "
    "prefix '{prefix}'."
)


def filters_of(prefix: str) -> tuple[str, ...]:
    return (f"{prefix}/+/+/config", f"{prefix}/+/+/+/config")


def announced(topics: Iterable[str], names: DiscoveryIds) -> Counter[str]:
    """How much other programs have announced, by prefix."""
    prefixes: Counter[str] = Counter()
    below_ours = re.compile(rf"{re.escape(names.prefix)}/{_ANNOUNCEMENT}")
    for topic in topics:
        if names.object_id_of(topic) is not None:
            continue
        if below_ours.fullmatch(topic):
            prefixes[names.prefix] += 1
        elif match := _BELOW_SOME_PREFIX.fullmatch(topic):
            prefixes[match[1]] += 1
    return prefixes


def judge(others: Counter[str], prefix: str, status: bytes | None, status_topic: str) -> Verdict:
    """`others` as from announced(), `status` what the broker retains on Home Assistant's birth topic.

    Home Assistant itself leaves nothing there unless its user had its birth message retained, and answers nobody:
    that it listens can be likely or unlikely, never proven.
    """
    advice = _HOW_TO_LOOK.format(prefix=prefix)
    here = others[prefix]
    elsewhere = [(name, number) for name, number in others.most_common() if name != prefix]
    if not here and elsewhere:
        name, number = elsewhere[0]
        return Verdict(
            ok=False,
            message=f"other programs announce nothing under '{prefix}', but {counted(number, 'thing')} under "
            f"{shortened(name)}: Home Assistant seems to listen there",
            advice=f"Write that as home_assistant.discovery_prefix, unless Home Assistant is set to '{prefix}'.",
        )
    seen = f"; other programs announce {counted(here, 'thing')} under '{prefix}'" if here else ""
    if status == b"online":
        return Verdict(ok=True, message=f"it says online on '{status_topic}'{seen}")
    if status == b"offline":
        return Verdict(
            ok=None,
            message=f"it says offline on '{status_topic}'{seen}",
            advice="Start it, or look whether it uses this broker.",
        )
    if here:
        return Verdict(
            ok=None,
            message=f"the broker cannot tell whether it listens, but it is likely{seen}",
            advice=f"If no devices appear there: {advice[0].lower()}{advice[1:]}",
        )
    return Verdict(ok=None, message="the broker cannot tell whether it listens", advice=advice)
