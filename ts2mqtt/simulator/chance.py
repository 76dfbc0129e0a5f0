"""Repeatable chance: the same seed and words give the same random numbers on every machine."""

from __future__ import annotations

import random
import uuid


def chance(seed: int, *words: object) -> random.Random:
    """A generator of its own for what the words name, so that one use never disturbs another."""
    name = ":".join(str(word) for word in (seed, *words))
    return random.Random(name)  # noqa: S311 - a simulation wants repeatable numbers, not secrets


def guid(numbers: random.Random) -> str:
    """A GUID as .NET writes it: lower case with hyphens."""
    return str(uuid.UUID(int=numbers.getrandbits(128), version=4))
