"""How long a bridge takes over a slow way to its broker: from nothing, and when everything is retained already.

python -m benchmarks.slow_way --rigs 14 --rates 100000 30000
"""

from __future__ import annotations

import argparse
import asyncio
import sys

from benchmarks import watched
from benchmarks.hosting_site import hosting_site
from benchmarks.passes import OF_THE_BRIDGE
from benchmarks.rig_server import MESSAGES
from benchmarks.tables import table
from tests.support.slow_way import slow_way

_INTERVAL_S = 3_600.0
_PATIENCE_S = 900.0
_STATUS = "ts2mqtt/status"


async def measure(rigs: int, rates: list[int]) -> str:
    rows: list[tuple[object, ...]] = []
    topics = rigs * MESSAGES + OF_THE_BRIDGE
    for rate in rates:
        async with hosting_site(rigs) as site, slow_way(site.broker_port, rate) as port:
            observer = site.observer
            began = observer.now
            async with watched.bridge(site, _INTERVAL_S, port=port):
                await site.retained(topics, _PATIENCE_S)
                from_nothing_s = observer.now - began
            size = sum(map(len, observer.held.values()))
            mark, began = observer.mark(), observer.now
            async with watched.bridge(site, _INTERVAL_S, port=port):
                await observer.wait_until(
                    lambda: any(seen.topic == _STATUS and seen.payload == b"online" for seen in observer.since(mark)),  # noqa: B023 - waited for at once
                    "the bridge is back",
                    patience_s=_PATIENCE_S,
                )
                rows.append(
                    (
                        f"{rate / 1_000:g} kB/s",
                        topics,
                        round(size / 1e6, 2),
                        round(from_nothing_s),
                        round(observer.now - began),
                    )
                )
    return table(("way", "topics", "MB retained", "s from nothing", "s until online again"), rows)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rigs", type=int, default=14)
    parser.add_argument("--rates", type=int, nargs="+", default=[100_000, 30_000], help="bytes a second")
    options = parser.parse_args()
    sys.stdout.write(asyncio.run(measure(options.rigs, options.rates)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
