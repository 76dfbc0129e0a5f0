"""Resident memory over lost connections: a bridge with so many rigs, and a gate that cuts its way to the broker.

python -m benchmarks.reconnections --rigs 14 --cuts 200
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path

from benchmarks import watched
from benchmarks.hosting_site import HostingSite, hosting_site
from benchmarks.passes import OF_THE_BRIDGE
from benchmarks.rig_server import MESSAGES
from benchmarks.tables import table
from tests.faults.gate import Gate
from ts2mqtt.bridge.bridge import Bridge
from ts2mqtt.config import load_config
from ts2mqtt.system.garbage import leave_what_is_loaded_alone, search_for_garbage_seldom
from ts2mqtt.timing import BrokerTimings, Timings

_NEVER_S = 3_600.0
_PATIENCE_S = 120.0
_SETTLES_S = 0.5
_STATUS = "ts2mqtt/status"
_IMPATIENT = Timings(broker=BrokerTimings(first_retry_s=0.1, longest_retry_s=0.1))
"""A bridge that loses one connection after the other waits for up to a minute before the next one."""


async def measure(rigs: int, cuts: int) -> str:
    """A connection is cut when all has been read and published again."""
    rows: list[tuple[object, ...]] = []
    async with hosting_site(rigs) as site:
        gate = Gate(site.broker_port)
        await gate.open()
        topics = rigs * MESSAGES + OF_THE_BRIDGE
        config = watched.bridge_config(site, _NEVER_S, port=gate.port)
        async with watched.running("benchmarks.reconnections", "--bridge", str(config)) as bridge:
            await site.retained(topics, _PATIENCE_S)
            for cut in range(cuts + 1):
                if cut in _told(cuts):
                    rows.append((cut, topics, round(bridge.resident_mb, 1)))
                if cut < cuts:
                    await _lose_connection(gate, site)
        gate.closed()
    return table(("connections lost", "topics", "MB resident"), rows)


def _told(cuts: int) -> set[int]:
    return {0, 1, 2, 5, 10, 20, 50, 100, 150, cuts}


async def _lose_connection(gate: Gate, site: HostingSite) -> None:
    """Returns when the bridge is back."""
    before = len(site.observer.seen)
    gate.cut()
    await site.observer.wait_until(
        lambda: any(seen.topic == _STATUS and seen.payload == b"online" for seen in site.observer.seen[before:]),
        "the bridge is back",
        patience_s=_PATIENCE_S,
    )
    # What it compares and publishes after its `online`.
    await asyncio.sleep(_SETTLES_S)


async def _run_bridge(config: Path) -> None:
    await Bridge(load_config(config, {}).config, timings=_IMPATIENT).run()


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rigs", type=int, default=14)
    parser.add_argument("--cuts", type=int, default=200)
    parser.add_argument("--bridge", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.bridge:
        leave_what_is_loaded_alone()
        search_for_garbage_seldom(rigs=1)
        asyncio.run(_run_bridge(options.bridge))
        return 0
    sys.stdout.write(asyncio.run(measure(options.rigs, options.cuts)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
