"""Many devices: how many of them a real Home Assistant shows in the end, with a Mosquitto of default limits.

Once with everything new to it, and once more after it was restarted. The broker drops what a slow subscriber has not
read: nothing else tells that a device is missing.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks import watched
from benchmarks.hosting_site import hosting_site
from benchmarks.rig_server import Size
from benchmarks.tables import table
from tests.home_assistant.expected import differences
from tests.home_assistant.hass import HomeAssistant
from tests.home_assistant.prepare import is_ready, why_not
from tests.home_assistant.releases import NEWEST

if TYPE_CHECKING:
    from benchmarks.hosting_site import HostingSite

_RIG = Size(projects=9, targets_a_project=10, plans_a_target=1)
_NEVER_S = 36_000.0
_LOOK_EVERY_S = 5.0
_QUIET_S = 60.0
"""Home Assistant shows nothing more after so long without a new device or message."""

_PATIENCE_S = 3_600.0
_DROPPED = "$SYS/broker/publish/messages/dropped"
_BASE = "ts2mqtt"
_HEADS = ("devices", "shown", "differences to the broker", "messages", "of them dropped", "s", "busy processes")


@dataclass(frozen=True, slots=True)
class _Start:
    """When a trial began, and what had happened until then."""

    moment: float
    seen: int
    dropped: int

    @classmethod
    def now(cls, site: HostingSite) -> _Start:
        return cls(time.monotonic(), site.observer.mark(), _dropped(site))


async def measure(rigs: int) -> str:
    """Differences are devices, entities and states that are missing or other than the broker holds them."""
    if not is_ready(NEWEST):
        return f"Home Assistant {NEWEST.version} is not prepared: {why_not(NEWEST)}\n"
    async with hosting_site(rigs, _RIG, options=()) as site:
        site.observer.subscribe(_DROPPED)
        hass = HomeAssistant(NEWEST, site.folder / "hass", site.broker_port, follows=False)
        async with hass:
            start = _Start.now(site)
            async with watched.bridge(site, _NEVER_S):
                new = await _settled(site, hass, start)
                await hass.stop()
                start = _Start.now(site)
                await hass.start()
                restarted = await _settled(site, hass, start)
    count = rigs * _RIG.devices + 1
    return table(("", *_HEADS), (("all are new", count, *new), ("Home Assistant was restarted", count, *restarted)))


async def _settled(site: HostingSite, hass: HomeAssistant, start: _Start) -> tuple[object, ...]:
    """A row of the table, once nothing has changed for a while."""
    known, changed = (0, 0), time.monotonic()
    while (now := time.monotonic()) < min(changed + _QUIET_S, start.moment + _PATIENCE_S):
        await asyncio.sleep(_LOOK_EVERY_S)
        shown = await _devices(hass), len(site.observer.since(start.seen))
        _say(f"{now - start.moment:6.0f} s: {shown[0]} devices, {shown[1]} messages, {_dropped(site)} dropped")
        if shown != known:
            known, changed = shown, time.monotonic()
    await hass.look()
    found = differences(hass, site.observer.held, _BASE)
    for difference in found[:10]:
        _say(difference)
    dropped, seconds = _dropped(site) - start.dropped, changed - start.moment
    return len(hass.devices), len(found), known[1], dropped, f"{seconds:.0f}", f"{os.getloadavg()[1]:.1f}"


async def _devices(hass: HomeAssistant) -> int:
    listed = await hass.command("config/device_registry/list")
    return sum(any(identifier[0] == "mqtt" for identifier in one["identifiers"]) for one in listed)


def _dropped(site: HostingSite) -> int:
    return int(site.observer.held.get(_DROPPED, b"0"))


def _say(text: str) -> None:
    """Beside the table: it takes a quarter of an hour."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()
