"""The demo's live view: the screen, drawn anew four times a second at most on the terminal's alternate buffer."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING

from rich.live import Live

from ts2mqtt.demo.layout import render
from ts2mqtt.demo.log import log_shown
from ts2mqtt.demo.screen import Demo, Screen, heard, logged
from ts2mqtt.demo.wording import duration
from ts2mqtt.logs.wording import counted

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from datetime import datetime

    from rich.console import Console, RenderableType

    from ts2mqtt.mqtt.message import Received

_FRAME_S = 0.25


def can_show(console: Console) -> bool:
    """Whether the terminal can do what the live view asks of it."""
    return console.is_terminal and not console.is_dumb_terminal and console.encoding.startswith("utf")


class LiveView:
    """A view of the demo on a terminal; `say` gets one line when it is over."""

    def __init__(self, console: Console, say: Callable[[str], None]) -> None:
        self._console = console
        self._say = say

    async def show(self, demo: Demo, clock: Callable[[], datetime], received: AsyncIterator[Received]) -> None:
        """Until it is cancelled or the messages end; the terminal is then as it was before."""
        screen = _Folding(Screen(demo=demo, began=clock(), time=clock()), clock)
        started = time.monotonic()
        listening = asyncio.ensure_future(screen.listen(received))
        try:
            with (
                log_shown(screen.log),
                Live(console=self._console, screen=True, auto_refresh=False, transient=True) as live,
            ):
                while not listening.done():
                    live.update(screen.picture(self._console), refresh=True)
                    await asyncio.wait({listening}, timeout=_FRAME_S)
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)
            self._say(_summary(screen.now, time.monotonic() - started))
        listening.result()


class _Folding:
    """The screen as it changes."""

    def __init__(self, screen: Screen, clock: Callable[[], datetime]) -> None:
        self.now = screen
        self._clock = clock
        self._log: deque[tuple[str, str]] = deque()

    async def listen(self, received: AsyncIterator[Received]) -> None:
        async for message in received:
            self._pass_time()
            self.now = heard(self.now, message.topic, message.payload)

    def log(self, level: str, text: str) -> None:
        """May come from any thread."""
        self._log.append((level, text))

    def picture(self, console: Console) -> RenderableType:
        self._pass_time()
        while self._log:
            self.now = logged(self.now, *self._log.popleft())
        return render(self.now, *console.size)

    def _pass_time(self) -> None:
        self.now = replace(self.now, time=self._clock())


def _summary(screen: Screen, seconds: float) -> str:
    exposures = sum(rig.state.tonight.exposures_acquired or 0 for rig in screen.rigs.values())
    pieces = [
        f"{duration(seconds)} ({duration((screen.time - screen.began).total_seconds())} simulated)",
        counted(screen.message_count, "message"),
        counted(exposures, "exposure"),
    ]
    if screen.warning_count:
        pieces.append(counted(screen.warning_count, "warning"))
    return f"Demo over: {', '.join(pieces)}."
