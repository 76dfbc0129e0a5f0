"""Half an hour at a time of a rig that does much, with faults of live events at random, held against what it did.

python -m tests.faults.live_sequences 0 10000
python -m tests.faults.live_sequences 0 100 --polls        # and for how long the polled path is wrong in the same

The short form of live_nights.py. It leaves out: the planner, the sky and the weather (acting_rig.py); the HTTP of the
Target Scheduler's API, whose answers come from memory; MQTT: what reaches the inbox of the bridge is judged. N.I.N.A.
is heard over a real socket. All is in simulated time, which stands still while a processor works.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from tests.faults.acting_rig import EVENING, ActingRig
from tests.faults.live_faults import FAULTS, REFUSED, RESTARTED, NinaFault
from tests.faults.live_nights import LiveJudge, LiveOutcome, note_polled, quietly, told
from tests.faults.nights import POLLING
from tests.support.bridge_zone import bridge_in
from tests.support.live_night import play_live
from ts2mqtt.simulator.random_numbers import random_numbers

if TYPE_CHECKING:
    from tests.support.live_night import LiveRig

_ACTS = timedelta(minutes=25)
_SETTLES = timedelta(minutes=12)
"""What was taken with a profile that is not active any more is read within ten minutes."""

_TELL_EVERY = 500


async def _stop_bridge(rig: LiveRig) -> None:
    await rig.stop_bridge()


async def _start_bridge(rig: LiveRig) -> None:
    rig.start_bridge()


SHORT_FAULTS = {kind: fault for kind, fault in FAULTS.items() if kind != RESTARTED} | {
    "the bridge away": NinaFault(_stop_bridge, _start_bridge)
}
"""The rig itself restarts its N.I.N.A."""


class LiveSequence:
    """One rig, its N.I.N.A. and its bridge; with `fault` that alone goes wrong."""

    def __init__(self, seed: int, fault: str | None = None) -> None:
        self.outcome = LiveOutcome(seed, fault)
        self.recorded = ActingRig(seed)
        self.observatory = self.recorded.observatory
        self._chance = random_numbers(seed, "live faults", fault)

    def played(self, *, hears: bool = True) -> LiveRig:
        return play_live(self.observatory, self._script, hears=hears, polling=POLLING, recorded=self.recorded)

    async def _script(self, rig: LiveRig) -> None:
        disturbing = asyncio.create_task(self._disturb(rig))
        await self.recorded.act(rig, EVENING + _ACTS)
        await disturbing
        await rig.until(rig.now + _SETTLES)
        self.outcome.steps = sorted((*self.outcome.steps, *self.recorded.steps))

    async def _disturb(self, rig: LiveRig) -> None:
        while rig.now < EVENING + _ACTS:
            await rig.until(rig.now + timedelta(seconds=self._chance.uniform(0, 240)))
            kind = self.outcome.fault or self._chance.choice(tuple(SHORT_FAULTS))
            if not rig.api.on:
                continue
            began, self.recorded.may_restart = rig.now, kind != REFUSED
            await SHORT_FAULTS[kind].begin(rig)
            await rig.until(rig.now + timedelta(seconds=self._chance.choice((5, 30, 120, 300))))
            await SHORT_FAULTS[kind].end(rig)
            self.recorded.may_restart = True
            self.outcome.steps.append(f"{began:%H:%M:%S} to {rig.now:%H:%M:%S} {kind}")


def play_live_sequence(seed: int, fault: str | None = None, *, polls_too: bool = False) -> LiveOutcome:
    """Plays the sequence of this seed, and judges what was told of it."""
    sequence = LiveSequence(seed, fault)
    with bridge_in("UTC"):
        LiveJudge(sequence, sequence.played()).judge()
        if polls_too:
            polled = LiveSequence(seed, fault)
            note_polled(sequence.outcome, polled.played(hears=False), polled.recorded)
    return sequence.outcome


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.live_sequences", description="Plays sequences.")
    parser.add_argument("first", type=int, help="the first seed")
    parser.add_argument("end", type=int, help="the seed before which to end")
    parser.add_argument("--fault", choices=SHORT_FAULTS, help="this fault alone")
    parser.add_argument("--polls", action="store_true", help="without N.I.N.A., too")
    parser.add_argument("--minutes", type=float, default=1e6, help="begin no sequence after so many")
    parser.add_argument("--workers", type=int, default=os.cpu_count(), help="processes side by side")
    wanted = parser.parse_args()
    started, total, problems = time.monotonic(), Counter[str](), 0
    play = partial(play_live_sequence, fault=wanted.fault, polls_too=wanted.polls)
    played = 0
    with ProcessPoolExecutor(wanted.workers, initializer=quietly) as workers:
        for outcome in workers.map(play, range(wanted.first, wanted.end), chunksize=5):
            played += 1
            problems += bool(outcome.problems)
            for name in ("exposures", "starts", "polled_starts", "wrong_s", "polled_wrong_s"):
                total[name] += getattr(outcome, name)
            if outcome.problems:
                _say(told(outcome))
            if outcome.seed % _TELL_EVERY == _TELL_EVERY - 1:
                _say(f"seed {outcome.seed} after {time.monotonic() - started:.0f} s, {problems} failed")
            if time.monotonic() - started > 60 * wanted.minutes:
                workers.shutdown(wait=False, cancel_futures=True)
                break
    _say(", ".join(f"{name.replace('_', ' ')} {number:.0f}" for name, number in total.items()))
    _say(f"{played:,} sequences in {time.monotonic() - started:.0f} s, {problems} failed")
    return 1 if problems else 0


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
