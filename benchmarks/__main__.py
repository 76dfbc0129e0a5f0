"""Runs the benchmarks, all or those that are named, and prints their tables: `make bench`."""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import sys
from pathlib import Path

from benchmarks import crowd, exposure, home_assistant, live, month, night, passes, requests, schedule, season, start


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "what",
        nargs="*",
        choices=[[], *BENCHMARKS, CROWD, LIVE, MONTH, SEASON],
        metavar="WHAT",
        help=f"of {', '.join(BENCHMARKS)} (all), {CROWD}, {LIVE}, {MONTH}, {SEASON}",
    )
    parser.add_argument("--rounds", type=int, default=3, help="how often each is measured (%(default)s)")
    parser.add_argument("--rigs", type=int, nargs="+", help="numbers of rigs for the passes and the schedule")
    parser.add_argument(
        "--days", type=int, help="for the requests, so many days and nights more; for live, month and season, so many"
    )
    parser.add_argument("--picture", type=Path, help="for the requests, a PNG of the first night")
    parser.add_argument("--states-alone", action="store_true", help="for the schedule: no devices for Home Assistant")
    wanted = parser.parse_args()
    for name in wanted.what or BENCHMARKS:
        _say(f"\n## {name}\n\n{platform.python_version()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}\n")
        if name == CROWD:
            _say(_crowd(wanted.rigs))
        elif name == LIVE:
            _say(live.measure(wanted.days or 1))
        elif name == MONTH:
            _say(month.measure(wanted.days))
        elif name == SEASON:
            _say(season.measure(wanted.days))
        elif name == REQUESTS:
            _say(requests.measure(wanted.days, wanted.picture))
        elif name == SCHEDULE:
            _say(_schedule(wanted.rigs, for_home_assistant=not wanted.states_alone))
        else:
            _say(_measured(name, wanted.rounds, wanted.rigs))
    return 0


def _measured(name: str, rounds: int, rigs: list[int] | None) -> str:
    match name:
        case "start":
            return asyncio.run(start.measure(rounds))
        case "passes":
            return asyncio.run(passes.measure(rigs or (1, 10, 100, 500), rounds))
        case "exposure":
            return asyncio.run(exposure.measure(rounds))
        case "home_assistant":
            return asyncio.run(home_assistant.measure())
        case _:
            return night.measure()


def _crowd(rigs: list[int] | None) -> str:
    return asyncio.run(crowd.measure(rigs[0] if rigs else 50))


def _schedule(rigs: list[int] | None, *, for_home_assistant: bool) -> str:
    return asyncio.run(schedule.measure(rigs or (500, 1_000), for_home_assistant=for_home_assistant))


REQUESTS, SCHEDULE = "requests", "schedule"
BENCHMARKS = ("start", "passes", "exposure", SCHEDULE, "night", REQUESTS, "home_assistant")
CROWD = "crowd"
LIVE = "live"
MONTH = "month"
SEASON = "season"
"""They run only when they are named: crowd takes half an hour, live twenty seconds for each night, month and season
minutes."""


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
