"""Random sequences of faults, each from a seed: whatever happens, in the end the broker holds what is true."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING
from unittest.mock import patch

from tests.faults.world import World
from tests.support.simulated_time import run_in_simulated_time
from ts2mqtt.bridge import night_results
from ts2mqtt.simulator.random_numbers import random_numbers

if TYPE_CHECKING:
    from collections.abc import Collection

    from ts2mqtt.observatory.model import NightPlan

_WEIGHTS = {
    "rig_is_disturbed": 16,
    "database_changes": 16,
    "connection_breaks": 12,
    "broker_restarts": 6,
    "broker_refuses": 3,
    "broker_limits": 3,
    "bridge_is_killed": 5,
    "bridge_is_killed_in_mid_message": 5,
    "bridge_stops": 4,
    "bridge_starts": 9,
    "bridge_starts_without_a_rig": 1,
    "second_bridge": 3,
    "home_assistant_restarts": 4,
    "home_assistant_is_down": 2,
    "user_deletes_a_device": 2,
    "command_comes": 4,
    "stranger_speaks_live": 5,
    "stranger_says_offline": 2,
    "stranger_plants_garbage": 2,
    "clock_jumps": 3,
}
_THEMES = {
    "anything": _WEIGHTS,
    # Few kinds, each often: what takes two of them one after the other is rare where everything happens.
    "lists in part": {
        "lists_come_in_part": 6,
        "rig_is_well": 2,
        "database_changes": 3,
        "bridge_is_killed": 1,
        "bridge_starts": 2,
    },
    "removals": {
        "something_is_removed": 6,
        "home_assistant_restarts": 2,
        "home_assistant_is_down": 3,
        "connection_breaks": 2,
        "bridge_is_killed_in_mid_message": 1,
        "bridge_starts": 2,
    },
    "a poor broker": {
        "way_becomes_slow": 5,
        "broker_loses_what_it_acknowledges": 4,
        "database_changes": 3,
        "something_is_removed": 2,
        "connection_breaks": 2,
        "home_assistant_restarts": 1,
        "bridge_is_killed": 1,
        "bridge_starts": 3,
    },
}
THEMES = tuple(_THEMES)

_PAUSES_S = (0.0, 0.0, 0.05, 0.3, 1.0, 2.0, 5.0, 12.0, 35.0, 70.0)
_LONGEST = 14


@dataclass(frozen=True, slots=True)
class Outcome:
    """What happened in one sequence, step by step, and everything that was wrong at its end or on the way."""

    seed: int
    steps: tuple[str, ...]
    problems: tuple[str, ...]
    kinds: tuple[str, ...]
    theme: str = "anything"
    lines_in_an_hour: int = 0


def play(seed: int, theme: str = "anything", *, without: Collection[int] = ()) -> Outcome:
    """Plays the sequence of this seed, one of THEMES; `without` leaves some of its steps out."""
    numbers = random_numbers(seed, "sequence")
    weights = _THEMES[theme]
    kinds = numbers.choices(tuple(weights), tuple(weights.values()), k=numbers.randint(3, _LONGEST))
    pauses = [numbers.choice(_PAUSES_S) for _ in kinds]
    steps: list[str] = []

    async def played() -> tuple[list[str], int]:
        async with World(seed) as world:
            await asyncio.sleep(numbers.choice(_PAUSES_S))
            for number, (kind, pause) in enumerate(zip(kinds, pauses, strict=True)):
                if number in without:
                    continue
                words = await world.happen(kind)
                steps.append(f"{number:2} {asyncio.get_running_loop().time():8.2f} s {words}")
                await asyncio.sleep(pause)
            return await world.verdict(), world.most_lines_in_an_hour

    random.seed(seed)
    # Drawing pictures would take most of the time, and is beside the point.
    with patch.object(night_results, "night_picture", _drawn_quickly):
        problems, lines = run_in_simulated_time(played)
    return Outcome(seed, tuple(steps), tuple(problems), tuple(kinds), theme, lines)


def shortened(outcome: Outcome) -> Outcome:
    """The same failure with as few of its steps as can be found by leaving out one after the other."""
    without: set[int] = set()
    for number in range(len(outcome.kinds)):
        shorter = play(outcome.seed, outcome.theme, without=without | {number})
        if shorter.problems:
            without.add(number)
            outcome = shorter
    return outcome


def told(outcome: Outcome) -> str:
    """Everything that it takes to see it again."""
    steps = "\n".join(f"  {step}" for step in outcome.steps)
    problems = "\n".join(f"  ! {problem}" for problem in outcome.problems)
    return f"the sequence of seed {outcome.seed}, {outcome.theme}, ended wrongly:\n{steps}\n{problems}"


def _drawn_quickly(plan: NightPlan, **_: object) -> bytes:
    return f"{plan.night} {plan.blocks}".encode()
