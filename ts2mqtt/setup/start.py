"""Runs the dialogue in a terminal: takes its steps one by one, and brings back the replies."""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from ts2mqtt.check.broker import check_broker
from ts2mqtt.check.nina import check_nina
from ts2mqtt.check.rig import check_rig
from ts2mqtt.config import HomeAssistantConfig, PollingConfig
from ts2mqtt.errors import ConfigError, Ts2mqttError
from ts2mqtt.network import event_loop
from ts2mqtt.setup.addresses import ADVANCED_API_PORTS
from ts2mqtt.setup.dialogue import dialogue
from ts2mqtt.setup.next_steps import next_steps
from ts2mqtt.setup.steps import (
    BrokerTrial,
    FileOrder,
    FileQuery,
    NinaTrial,
    Question,
    Remark,
    Report,
    RigTrial,
)
from ts2mqtt.timing import CheckTimings

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from pathlib import Path
    from typing import TextIO

    from ts2mqtt.check import Finding
    from ts2mqtt.config import MqttConfig, RigConfig
    from ts2mqtt.setup.next_steps import Installation
    from ts2mqtt.setup.steps import Findings, Reply, Step
    from ts2mqtt.setup.terminal import User

    class RigCheck(Protocol):
        """check_rig, or check_nina."""

        def __call__(
            self, rig: RigConfig, polling: PollingConfig, tell: Callable[[Finding], None], *, timings: CheckTimings
        ) -> Coroutine[None, None, None]: ...


def make_sure_of_terminal(stdin: TextIO, stdout: TextIO) -> None:
    """Raises ConfigError where nobody can be asked."""
    if not (_is_terminal(stdin) and _is_terminal(stdout)):
        raise ConfigError(
            "ts2mqtt setup asks questions, and there is no terminal here to ask them in (in a container: "
            "docker run -it); or copy config.yaml.example to config.yaml and write the addresses into it"
        )


def setup(
    path: Path,
    installation: Installation,
    user: User,
    timings: CheckTimings = CheckTimings(),
    nina_ports: tuple[int, ...] = ADVANCED_API_PORTS,
) -> None:
    """Asks until a configuration is written, and says what to do next.

    Raises Ts2mqttError where the user ends the dialogue before that; then nothing is written.
    """
    try:
        written = _Setup(user, timings, nina_ports).run(path)
    except (EOFError, KeyboardInterrupt):
        # The cursor stands behind the question.
        user.tell("\n")
        raise Ts2mqttError("setup was ended before the last question; nothing was written") from None
    user.tell("\n".join(next_steps(installation, written)))


@dataclass(frozen=True, slots=True)
class _Setup:
    user: User
    timings: CheckTimings
    nina_ports: tuple[int, ...]

    def run(self, path: Path) -> Path:
        steps = dialogue(path, self.nina_ports)
        reply: Reply = None
        try:
            while True:
                reply = self._reply_to(steps.send(reply))
        except StopIteration as ended:
            written: Path = ended.value
            return written

    def _reply_to(self, step: Step) -> Reply:
        reply: Reply = None
        match step:
            case Question():
                reply = self.user.answer_to(step)
            case Remark():
                self.user.tell(step.text)
            case Report():
                for finding in step.findings:
                    self.user.show(finding)
            case BrokerTrial():
                reply = event_loop.run(self._tried_broker(step.mqtt))
            case RigTrial():
                reply = event_loop.run(self._tried_rigs(check_rig, step.rigs))
            case NinaTrial():
                reply = event_loop.run(self._tried_rigs(check_nina, step.rigs))
            case FileQuery():
                reply = os.path.lexists(step.path)
            case FileOrder():
                reply = _reason_not_written(step.path, step.text)
        return reply

    async def _tried_broker(self, mqtt: MqttConfig) -> Findings:
        findings: list[Finding] = []

        def tell(finding: Finding) -> None:
            findings.append(finding)
            self.user.show(finding)

        await check_broker(mqtt, HomeAssistantConfig(), tell, timings=self.timings)
        return tuple(findings)

    async def _tried_rigs(self, check: RigCheck, rigs: tuple[RigConfig, ...]) -> tuple[Findings, ...]:
        found: list[list[Finding]] = [[] for _ in rigs]
        async with asyncio.TaskGroup() as group:
            for rig, findings in zip(rigs, found, strict=True):
                group.create_task(check(rig, PollingConfig(), findings.append, timings=self.timings))
        return tuple(map(tuple, found))


def _is_terminal(stream: TextIO | None) -> bool:
    # A closed stream is None, or raises ValueError.
    with suppress(ValueError):
        return stream is not None and stream.isatty()
    return False


def _reason_not_written(path: Path, text: str) -> str:
    """Writes a file that only its owner may read; never over another one, and the whole text or nothing."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        return f"{path} cannot be written: {error.strerror}."
    try:
        with open(descriptor, "w", encoding="utf-8") as file:  # noqa: PTH123 - Path.open() takes no descriptor
            file.write(text)
    except OSError as error:
        path.unlink(missing_ok=True)
        return f"{path} cannot be written: {error.strerror}."
    return ""
