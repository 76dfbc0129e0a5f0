"""The live view and the plain lines, as a terminal and a pipe get them."""

from __future__ import annotations

import asyncio
import fcntl
import json
import logging
import os
import pty
import signal
import struct
import subprocess
import sys
import termios
import time
from datetime import timedelta
from io import StringIO
from typing import TYPE_CHECKING, Self

import pytest
from rich.console import Console

from tests.demo.conftest import NOW, STATE
from ts2mqtt.demo.live_view import LiveView, can_show
from ts2mqtt.demo.log_capture import capture_log
from ts2mqtt.demo.plain_lines import PlainLines
from ts2mqtt.demo.screen import DemoSetup
from ts2mqtt.mqtt.message import Received

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

DEMO = DemoSetup("127.0.0.1", 1_883, "http://127.0.0.1:8188", "ws://127.0.0.1:1888/v2/socket", 60)
ALTERNATE, NORMAL = "\x1b[?1049h", "\x1b[?1049l"


class Paper(StringIO):
    """What a console writes on; `shows` waits until a text stands there."""

    def __init__(self) -> None:
        super().__init__()
        self._written = asyncio.Event()

    def write(self, text: str) -> int:
        self._written.set()
        return super().write(text)

    async def shows(self, text: str) -> None:
        while text not in self.getvalue():
            self._written.clear()
            await self._written.wait()


def terminal(paper: Paper) -> Console:
    return Console(file=paper, force_terminal=True, width=80, height=24, color_system=None)


async def test_the_live_view_gives_the_terminal_back_when_the_messages_end() -> None:
    paper, said = Paper(), list[str]()

    async def broken() -> AsyncIterator[Received]:
        yield Received("ts2mqtt/backyard/status", b"online", retain=False)
        logging.getLogger("ts2mqtt.bridge.bridge").warning("Backyard: the API does not answer")
        await paper.shows("WARNING Backyard: the API does not answer")
        raise ConnectionError("the broker is gone")

    with pytest.raises(ConnectionError):
        await LiveView(terminal(paper), said.append).show(DEMO, lambda: NOW, broken())
    assert paper.getvalue().startswith(ALTERNATE)
    assert paper.getvalue().endswith(NORMAL)
    assert "● backyard  API online" in paper.getvalue()
    assert said == ["Demo over: 0 s (0 s simulated), 1 message, 0 exposures, 1 warning."]


async def test_the_live_view_gives_the_terminal_back_when_it_is_cancelled() -> None:
    paper, said = Paper(), list[str]()
    times = iter(NOW + timedelta(minutes=minute) for minute in range(10_000))

    async def silent() -> AsyncIterator[Received]:
        yield Received("ts2mqtt/backyard/state", json.dumps(STATE).encode(), retain=False)
        await asyncio.Event().wait()

    view = LiveView(terminal(paper), said.append)
    showing = asyncio.ensure_future(view.show(DEMO, lambda: next(times), silent()))
    await paper.shows("ts2mqtt demo")
    await paper.shows("24 exposures, 20 accepted")
    showing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await showing
    assert paper.getvalue().endswith(NORMAL)
    assert said[0].endswith("simulated), 1 message, 24 exposures.")


async def test_plain_lines() -> None:
    said: list[str] = []

    async def received() -> AsyncIterator[Received]:
        yield Received("ts2mqtt/status", b"online", retain=False)
        yield Received("ts2mqtt/bridge/heartbeat", b"{}", retain=False)
        yield Received("ts2mqtt/backyard/plan/image", b"\x89PNG\r\n\x1a\n!", retain=False)
        yield Received("ts2mqtt/x", b"\x1b[2J" + b"x" * 200, retain=False)

    await PlainLines(said.append).show(DEMO, lambda: NOW, received())
    assert said[0] == "MQTT broker for this demo:  127.0.0.1:1883"
    assert said[7:9] == ["ts2mqtt/status  online", "ts2mqtt/backyard/plan/image  (a picture, 9 bytes)"]
    assert said[9].startswith("ts2mqtt/x  \\x1b[2Jxxx")
    assert len(said[9]) == 160
    assert said[9].endswith("…")
    assert len(said) == 10


def test_the_log_comes_back_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    logger = logging.getLogger("ts2mqtt")
    monkeypatch.setattr(logger, "propagate", True)
    before = (list(logger.handlers), logger.propagate)
    told: list[tuple[str, str]] = []
    with capture_log(lambda level, text: told.append((level, text))):
        logging.getLogger("ts2mqtt.bridge.bridge").error("a bug", exc_info=ValueError("odd"))
        logging.getLogger("asyncio").warning("slow")
    assert told == [("ERROR", "a bug (ValueError: odd)"), ("WARNING", "slow")]
    assert (list(logger.handlers), logger.propagate) == before


@pytest.mark.parametrize(
    ("is_terminal", "term", "can"), [(True, "xterm", True), (True, "dumb", False), (False, "xterm", False)]
)
def test_a_pipe_and_a_dumb_terminal_get_plain_lines(is_terminal: bool, term: str, can: bool) -> None:
    console = Console(file=StringIO(), force_terminal=is_terminal, _environ={"TERM": term})
    assert can_show(console) is can


class DemoOnTerminal:
    """`ts2mqtt demo` as a process on a terminal of its own."""

    def __init__(self, *options: str, term: str = "xterm", rows: int = 24, columns: int = 80) -> None:
        self._ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        environment = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}
        self._process = subprocess.Popen(  # noqa: S603 - our own command
            [sys.executable, "-m", "ts2mqtt", "demo", "--port", "0", *options],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env=environment | {"TERM": term},
            start_new_session=True,
        )
        os.close(theirs)
        self.output = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._ours)

    def read_until(self, text: str) -> None:
        deadline = time.monotonic() + 30
        while text not in self.output:
            assert time.monotonic() < deadline, self.output[-2_000:]
            self._read()

    def interrupt(self) -> int:
        """As Ctrl-C does; the exit code."""
        self._process.send_signal(signal.SIGINT)
        while self._read():
            pass
        return self._process.wait(timeout=10)

    def _read(self) -> bool:
        try:
            read = os.read(self._ours, 65_536)
        except OSError:  # how Linux says that nobody writes to the terminal any more
            return False
        self.output += read.decode(errors="replace")
        return bool(read)


def test_ctrl_c_ends_the_live_view_and_leaves_the_terminal_as_it_was() -> None:
    with DemoOnTerminal("--seed", "3") as demo:
        demo.read_until("would show")
        assert demo.output.startswith(ALTERNATE)
        assert "simulated: Fri 09 Oct" in demo.output
        assert demo.interrupt() == 0
        _, _, after = demo.output.rpartition(NORMAL)
        assert after.startswith("Demo over: ")
        assert after.count("\n") == 1
        assert "\x1b[?25h" in demo.output, "the cursor is shown again"


@pytest.mark.parametrize(("options", "term"), [(("--plain",), "xterm"), ((), "dumb")])
def test_plain_lines_where_asked_for_or_all_that_is_possible(options: tuple[str, ...], term: str) -> None:
    with DemoOnTerminal(*options, term=term) as demo:
        demo.read_until("ts2mqtt/backyard/status  online")
        assert demo.interrupt() == 0
        assert "\x1b" not in demo.output
        assert demo.output.startswith("MQTT broker for this demo:  127.0.0.1:")
