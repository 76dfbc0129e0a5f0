"""Plays many sequences and tells which kinds of faults were survived how often.

python -m tests.faults 0 10000
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from functools import partial

from tests.faults.sequences import THEMES, play, shortened, told

_TELL_EVERY = 500


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("first", type=int, help="the first seed")
    parser.add_argument("end", type=int, help="the seed before which to end")
    parser.add_argument("--workers", type=int, default=os.cpu_count(), help="processes side by side")
    parser.add_argument("--theme", choices=THEMES, default="anything", help="what happens mostly")
    parser.add_argument("--whole", action="store_true", help="do not shorten the sequences that fail")
    wanted = parser.parse_args()
    started = time.monotonic()
    kinds: Counter[str] = Counter()
    failed = most_lines = 0
    with ProcessPoolExecutor(wanted.workers, initializer=_quietly) as workers:
        for outcome in workers.map(partial(play, theme=wanted.theme), range(wanted.first, wanted.end), chunksize=10):
            kinds.update(outcome.kinds)
            most_lines = max(most_lines, outcome.lines_in_an_hour)
            if outcome.seed % _TELL_EVERY == 0:
                _say(f"seed {outcome.seed} after {time.monotonic() - started:.0f} s, {failed} failed")
            if outcome.problems:
                failed += 1
                _say(told(outcome if wanted.whole else shortened(outcome)))
    for kind, number in sorted(kinds.items(), key=lambda item: -item[1]):
        _say(f"{number:8,} {kind.replace('_', ' ')}")
    _say(f"{most_lines:8,} lines at most in the log of one hour")
    sequences = wanted.end - wanted.first
    _say(f"{sequences:,} sequences in {time.monotonic() - started:.0f} s, {failed} failed")
    return 1 if failed else 0


def _quietly() -> None:
    logging.getLogger("ts2mqtt").setLevel(logging.CRITICAL)
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    _quietly()
    sys.exit(main())
