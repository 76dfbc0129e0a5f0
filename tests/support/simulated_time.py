"""An event loop whose clock jumps from one timer to the next, while its sockets are real: hours pass in a moment."""

from __future__ import annotations

import asyncio
import selectors
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, ParamSpec, TypeVar
from unittest.mock import patch

from paho.mqtt import client as paho

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

Result = TypeVar("Result")
Arguments = ParamSpec("Arguments")

_THREAD_S = 0.002
_STUCK_S = 5.0


class _NoWaiting(selectors.DefaultSelector):
    """Passes simulated time instead of waiting for it, once nothing is on its way any more."""

    def __init__(self) -> None:
        super().__init__()
        self.time = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if ready or timeout == 0:
            return ready
        # On the loopback a byte that was sent is there at once: what is not ready now waits for a timer or a thread.
        while not ready and _is_connecting():
            ready = super().select(_THREAD_S)
        if ready:
            return ready
        if timeout is None:
            ready = super().select(_STUCK_S)
            assert ready, "nothing is left to wait for"
            return ready
        self.time += max(0.0, timeout)
        return ready


class SimulatedTimeLoop(asyncio.SelectorEventLoop):
    """Its time begins at 0."""

    def __init__(self) -> None:
        self._clock = _NoWaiting()
        super().__init__(self._clock)
        self.set_default_executor(_AtOnce())
        # A nanosecond is less than what a float can tell apart after 194 days: no timer would ever be due again.
        self._clock_resolution = 1e-6

    def time(self) -> float:
        return self._clock.time


class _AtOnce(ThreadPoolExecutor):
    """What goes to a thread takes no simulated time."""

    def submit(
        self, fn: Callable[Arguments, Result], /, *args: Arguments.args, **kwargs: Arguments.kwargs
    ) -> Future[Result]:
        done: Future[Result] = Future()
        try:
            done.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001 - handed over, whatever it is
            done.set_exception(error)
        return done


def run_in_simulated_time(main: Callable[[], Coroutine[None, None, Result]]) -> Result:
    """Runs it in a loop of simulated time; what is to tell that time is handed a LoopClock (clocks.py)."""
    with (
        asyncio.Runner(loop_factory=SimulatedTimeLoop) as runner,
        # paho takes no clock, and has taken this function itself when it was imported.
        patch.object(paho, "time_func", runner.get_loop().time),
    ):
        return runner.run(main())


def _is_connecting() -> bool:
    return any(thread.name == "mqtt-connect" for thread in threading.enumerate())
