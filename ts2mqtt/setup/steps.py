"""What the dialogue wants done next: a question, a remark, a trial, a file; and what comes back."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from ts2mqtt.check import Finding

if TYPE_CHECKING:
    from pathlib import Path

    from ts2mqtt.config import MqttConfig, RigConfig

T = TypeVar("T")

Findings: TypeAlias = tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Question:
    """Asks the user for a line; the reply is its text, or the proposal where the line is empty."""

    text: str
    proposal: str = ""
    is_secret: bool = False


@dataclass(frozen=True, slots=True)
class Remark:
    """Tells the user something; the reply is None."""

    text: str


@dataclass(frozen=True, slots=True)
class Report:
    """Shows the user what a trial found; the reply is None."""

    findings: Findings


@dataclass(frozen=True, slots=True)
class BrokerTrial:
    """Checks the broker as `ts2mqtt check` does; the reply is what was found."""

    mqtt: MqttConfig


@dataclass(frozen=True, slots=True)
class RigTrial:
    """Checks all of these at the same time, as `ts2mqtt check` does; the reply has what was found of each."""

    rigs: tuple[RigConfig, ...]


@dataclass(frozen=True, slots=True)
class NinaTrial:
    """Checks N.I.N.A.'s Advanced API at the `nina_url` of each, as `ts2mqtt check` does; replies as to a RigTrial."""

    rigs: tuple[RigConfig, ...]


@dataclass(frozen=True, slots=True)
class FileQuery:
    """Asks whether something has this name already; the reply is True or False."""

    path: Path


@dataclass(frozen=True, slots=True)
class FileOrder:
    """Writes a new file; the reply is why that failed, or an empty text."""

    path: Path
    text: str


Step: TypeAlias = Question | Remark | Report | BrokerTrial | RigTrial | NinaTrial | FileQuery | FileOrder
Reply: TypeAlias = str | bool | Findings | tuple[Findings, ...] | None
Dialogue: TypeAlias = Generator[Step, Reply, T]
"""Yields steps, is sent the reply to each, and returns what came out of it."""
