"""Runs the benchmarks, all or those that are named, and prints their tables: `make bench`."""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import sys

from benchmarks import crowd, exposure, home_assistant, night, passes, schedule, start


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "what",
        nargs="*",
        choices=[[], *BENCHMARKS, CROWD],
        metavar="WHAT",
        help=f"of {', '.join(BENCHMARKS)} (all), {CROWD}",
    )
    parser.add_argument("--rounds", type=int, default=3, help="how often each is measured (%(default)s)")
    parser.add_argument("--rigs", type=int, nargs="+", help="numbers of rigs for the passes and the schedule")
    wanted = parser.parse_args()
    for name in wanted.what or BENCHMARKS:
        _say(f"\n## {name}\n\n{platform.python_version()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}\n")
        _say(_crowd(wanted.rigs) if name == CROWD else _measured(name, wanted.rounds, wanted.rigs))
    return 0


def _measured(name: str, rounds: int, rigs: list[int] | None) -> str:
    match name:
        case "start":
            return asyncio.run(start.measure(rounds))
        case "passes":
            return asyncio.run(passes.measure(rigs or (1, 10, 100, 500), rounds))
        case "exposure":
            return asyncio.run(exposure.measure(rounds))
        case "schedule":
            return asyncio.run(schedule.measure(rigs or (500, 1_000)))
        case "home_assistant":
            return asyncio.run(home_assistant.measure())
        case _:
            return night.measure()


def _crowd(rigs: list[int] | None) -> str:
    return asyncio.run(crowd.measure(rigs[0] if rigs else 50))


BENCHMARKS = ("start", "passes", "exposure", "schedule", "night", "home_assistant")
CROWD = "crowd"
"""Runs only when it is named, as it takes half an hour on its own."""


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
