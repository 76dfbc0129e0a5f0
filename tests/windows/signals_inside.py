"""Run by Python for Windows: each signal ends `simulate` in peace, and so does the close of the console."""

from __future__ import annotations

import ctypes
import signal
import sys
import threading
from typing import Any

from ts2mqtt import cli

assert sys.platform == "win32"

_CLOSE_OF_THE_CONSOLE = 2


class OutputThat:
    """Standard output; what it does as soon as `simulate` has said that it works."""

    def __init__(self, act: Any) -> None:
        self.encoding = "utf-8"
        self._act = act

    def write(self, text: str) -> int:
        if text.startswith("Try http"):
            self._act()
        return len(text)

    def flush(self) -> None: ...


class Kernel32:
    """Remembers the handlers that Windows would call."""

    def __init__(self) -> None:
        self.handlers: list[Any] = []

    def SetConsoleCtrlHandler(self, handler: Any, is_added: bool) -> None:  # noqa: N802 - Windows' name
        (self.handlers.append if is_added else self.handlers.remove)(handler)


def ended_by(act: Any) -> int:
    standard_output, sys.stdout = sys.stdout, OutputThat(act)
    try:
        return cli.main(["simulate", "--port", "0"])
    finally:
        sys.stdout = standard_output


def in_a_thread(function: Any, *arguments: Any) -> None:
    threading.Thread(target=function, args=arguments, daemon=True).start()


def tell(*words: object) -> None:
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


for number in (signal.SIGINT, signal.SIGTERM, signal.SIGBREAK):
    tell(number.name, ended_by(lambda number=number: signal.raise_signal(number)))

# The event loop waits by then.
later = threading.Timer(1.0, signal.raise_signal, (signal.SIGINT,))
tell("later", ended_by(later.start))

kernel32 = Kernel32()
ctypes.WinDLL = lambda *_, **__: kernel32
tell("close", ended_by(lambda: in_a_thread(kernel32.handlers[0], _CLOSE_OF_THE_CONSOLE)), kernel32.handlers)
