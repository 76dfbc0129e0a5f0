"""Puts the bridge's machine into a time zone: `with bridge_in("Europe/Berlin"):`.

Windows has one time zone for all programs: a test that needs another one is skipped there.
"""

from __future__ import annotations

import os
import sys
import time
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def bridge_in(zone: str) -> Iterator[None]:
    if sys.platform == "win32":
        if not _is_in(ZoneInfo(zone)):
            pytest.skip(f"this Windows is not in {zone}")
        yield
        return
    before = os.environ.get("TZ")
    _set(zone)
    try:
        yield
    finally:
        _set(before)


def _set(zone: str | None) -> None:
    if zone is None:
        os.environ.pop("TZ", None)
    else:
        os.environ["TZ"] = zone
    if sys.platform != "win32":
        time.tzset()


def _is_in(zone: ZoneInfo) -> bool:
    """Whether this machine's clock goes as in the zone, in winter and in summer."""
    days = (datetime(2026, month, 1, tzinfo=zone) for month in (1, 7))
    return all(day.utcoffset() == day.astimezone().utcoffset() for day in days)
