"""One exposure: from the answer that tells it to the last message about it."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from benchmarks import watched
from benchmarks.floor import Retained
from benchmarks.hosting_site import hosting_site
from benchmarks.passes import OF_THE_BRIDGE
from benchmarks.rig_server import MESSAGES
from benchmarks.tables import Spread, table

if TYPE_CHECKING:
    from benchmarks.hosting_site import HostingSite
    from tests.support.observer import Seen

_INTERVAL_S = 5.0
"""The shortest that the configuration takes."""

_EXPOSURES = 10
_PATIENCE_S = 120.0


async def measure(rounds: int) -> str:
    """Latencies as a subscriber sees them, which is a little later than the broker acknowledges."""
    bridges: list[tuple[float, float]] = []
    floors: list[tuple[float, float]] = []
    seen: list[Seen] = []
    for _ in range(rounds):
        async with hosting_site(1) as site, watched.bridge(site, _INTERVAL_S):
            await site.retained(MESSAGES + OF_THE_BRIDGE, _PATIENCE_S)
            held = [Retained(topic=t, payload=p.decode()) for t, p in site.observer.held.items()]
            seen = await _rehearsed(site)
            bridges += [await _exposed(site, len(seen)) for _ in range(_EXPOSURES)]
        on_change = [Retained(topic=one.topic, payload=one.payload.decode()) for one in seen]
        async with hosting_site(1) as site, watched.floor(site, _INTERVAL_S, held, on_change):
            await site.retained(len(held), _PATIENCE_S)
            floors += [await _exposed(site, len(on_change)) for _ in range(_EXPOSURES)]
    rows = (
        (f"ms since {name}", *Spread.beside([pair[i] for pair in floors], [pair[i] for pair in bridges], 1e3))
        for i, name in enumerate(("the answer that told it", "the last answer of that look"))
    )
    told = ", ".join(one.topic.split("/")[2] for one in seen)
    return table(("one exposure", "floor", "bridge", "ratio"), rows) + f"\n{len(seen)} messages: {told}\n"


async def _rehearsed(site: HostingSite) -> list[Seen]:
    """The messages of one exposure: how many they are, nobody needs to tell."""
    # The first one also tells that the rig images now.
    for _ in range(2):
        after = site.observer.mark()
        await site.expose()
        await asyncio.sleep(3 * _INTERVAL_S)
    return site.observer.since(after)


async def _exposed(site: HostingSite, count: int) -> tuple[float, float]:
    """Seconds to its last message, since the answer that told it and since the last answer of that look."""
    after = site.observer.mark()
    await site.expose()
    while True:
        seen_at = await _arrived(site, after, count)
        counted = await site.counted()
        if counted.told_at is not None:
            break
        # The statistics of the exposure before came only now.
        after = site.observer.mark()
    await asyncio.sleep(_INTERVAL_S / 2)
    return seen_at - counted.told_at, seen_at - counted.answered_at


async def _arrived(site: HostingSite, after: int, count: int) -> float:
    """When so many messages have come."""
    await site.observer.wait_until(lambda: len(site.observer.since(after)) >= count, patience_s=_PATIENCE_S)
    return time.monotonic()
