"""`make quick` runs the pure tests, and they need no socket."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING

import pytest

from tests.support.project import ROOT, recipe
from tests.support.quick import NOT_QUICK, QUICK, is_quick, leads_to_quick

if TYPE_CHECKING:
    from collections.abc import Callable


def _connect() -> None:
    with socket.socket() as own:
        own.connect(("127.0.0.1", 9))


def _listen() -> None:
    with socket.socket() as own:
        own.bind(("127.0.0.1", 0))


def _look_up() -> None:
    socket.getaddrinfo("localhost", 80)


@pytest.mark.parametrize("use", [_connect, _listen, _look_up])
def test_a_quick_test_gets_no_socket(use: Callable[[], None]) -> None:
    with pytest.raises(AssertionError, match="quick"):
        use()


async def test_a_quick_test_gets_no_socket_of_the_event_loop() -> None:
    with pytest.raises(AssertionError, match="quick"):
        await asyncio.open_connection("127.0.0.1", 9)
    with pytest.raises(AssertionError, match="quick"):
        await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)


def test_every_name_is_there() -> None:
    tests = ROOT / "tests"
    assert [name for name in (*QUICK, *NOT_QUICK) if not (tests / name).exists()] == []


def test_what_is_quick_and_what_is_not() -> None:
    tests = ROOT / "tests"
    assert is_quick(tests / "observatory" / "test_night.py")
    assert is_quick(tests / "scheduler" / "test_decode.py")
    assert not is_quick(tests / "discovery" / "test_lively.py")
    assert not is_quick(tests / "bridge" / "test_broker.py")
    assert leads_to_quick(tests / "scheduler")
    assert not leads_to_quick(tests / "simulator")


def test_make_quick_runs_the_quick_ones_without_coverage() -> None:
    (command,) = recipe("quick")
    assert "pytest --quick" in command
    assert "--cov" not in command
