"""Which tests are quick: those of pure code, that need no broker, no rig and no socket. `make quick` runs them."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any, NoReturn

from tests.support.project import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

_TESTS = ROOT / "tests"
QUICK = (
    "bridge/test_agenda.py",
    "bridge/test_commands.py",
    "bridge/test_desired_state.py",
    "bridge/test_inbox.py",
    "timing/test_rate_limit.py",
    "config",
    "discovery",
    "logs",
    "mqtt/test_unacknowledged.py",
    "observatory",
    "picture",
    "scheduler/test_decode.py",
    "scheduler/test_plan_policy.py",
    "scheduler/test_request_slots.py",
    "scheduler/test_translate.py",
    "test_errors.py",
    "test_layers.py",
    "test_quick.py",
    "topics",
)
"""Folders and files below tests/."""

NOT_QUICK = ("discovery/test_lively.py",)
"""What in these folders asks a simulated rig."""


def is_quick(path: Path) -> bool:
    return _is_in(path, QUICK) and not _is_in(path, NOT_QUICK)


def leads_to_quick(path: Path) -> bool:
    """Whether it is quick, or a folder that has something quick in it."""
    return is_quick(path) or any((_TESTS / name).is_relative_to(path) for name in QUICK)


def refuse_sockets(patch: pytest.MonkeyPatch) -> None:
    """From now on nothing can be reached, served or looked up. Event loops go on: they talk to themselves alone."""

    def refuse(*_: object, **__: object) -> NoReturn:
        raise AssertionError("a quick test uses a socket: mend it, or take it out of tests/support/quick.py")

    methods = {name: getattr(socket.socket, name) for name in ("bind", "connect", "connect_ex", "sendto")}
    make_pair = socket.socketpair

    def pair(*args: Any, **options: Any) -> tuple[socket.socket, socket.socket]:
        """The event loop's own; Windows has no such thing, so that Python makes one of two that connect."""
        for name, method in methods.items():
            patch.setattr(socket.socket, name, method)
        try:
            return make_pair(*args, **options)
        finally:
            for name in methods:
                patch.setattr(socket.socket, name, refuse)

    for name in methods:
        patch.setattr(socket.socket, name, refuse)
    patch.setattr(socket, "getaddrinfo", refuse)
    patch.setattr(socket, "socketpair", pair)


def _is_in(path: Path, names: tuple[str, ...]) -> bool:
    return any(path.is_relative_to(_TESTS / name) for name in names)
