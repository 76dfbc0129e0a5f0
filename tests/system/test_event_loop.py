"""The event loop that every command runs in; what is for Windows alone, tests/windows tries under Wine."""

from __future__ import annotations

import asyncio
import signal
import socket

import pytest

from ts2mqtt.network import event_loop
from ts2mqtt.system.signals import stopping_on_signals
from ts2mqtt.system.waking import woken_by_signals


def test_the_loop_can_watch_a_socket_and_the_result_is_handed_on() -> None:
    async def first_byte() -> bytes:
        ours, theirs = socket.socketpair()
        with ours, theirs:
            loop = asyncio.get_running_loop()
            readable = asyncio.Event()
            loop.add_reader(ours, readable.set)
            theirs.send(b"x")
            await readable.wait()
            loop.remove_reader(ours)
            return ours.recv(1)

    assert event_loop.run(first_byte()) == b"x"


async def test_a_signal_reaches_the_loop_and_what_was_there_before_comes_back() -> None:
    loop = asyncio.get_running_loop()
    before = signal.set_wakeup_fd(-1)
    try:
        heard = asyncio.Event()
        signal.signal(signal.SIGINT, lambda *_: heard.set())
        with woken_by_signals(loop):
            signal.raise_signal(signal.SIGINT)
            await heard.wait()
        assert signal.set_wakeup_fd(-1) == -1
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.set_wakeup_fd(before)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signals_stop(number: signal.Signals) -> None:
    async def until_stopped() -> str:
        stopping = asyncio.Event()
        with stopping_on_signals(stopping.set):
            signal.raise_signal(number)
            await stopping.wait()
        return "stopped"

    assert event_loop.run(until_stopped()) == "stopped"
