"""Repeatable random numbers: the same seed and words give the same numbers on every machine."""

from __future__ import annotations

import random
import uuid


def random_numbers(seed: int, *purpose: object) -> random.Random:
    """A generator for one purpose; each purpose has its own, so that one use never changes the numbers of another."""
    name = ":".join(str(word) for word in (seed, *purpose))
    return random.Random(name)  # noqa: S311 - a simulation wants repeatable numbers, not secrets


def guid(numbers: random.Random) -> str:
    """A GUID as .NET writes it: lower case with hyphens."""
    return str(uuid.UUID(int=numbers.getrandbits(128), version=4))
