"""How many instructions small passes take: a change that makes them dearer shows here, however busy the machine is.

Valgrind counts the same to a few millionths from run to run. Bounds of the passes are a fortieth above today's
figures, which are 9.65 and 4.67 million; that of what `run` loads, 2,215 million, a twentieth, as it depends on what
else is installed.
"""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.conftest import need
from tests.support.project import ROOT

_COLD, _EXPOSURES = 4, 8
_VALGRIND = ("valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null")
_PASSES = ("-m", "tests.support.small_pass")
_LOADING = (
    "-c",
    "import ts2mqtt.commands, ts2mqtt.bridge.bridge, ts2mqtt.bridge.reload, ts2mqtt.bridge.sign_of_life",
)

pytestmark = pytest.mark.skipif(
    (sys.version_info[:2], platform.machine()) != ((3, 11), "x86_64"),
    reason="the figures are of CPython 3.11 on x86_64",
)


def test_small_passes_take_no_more_instructions_than_they_did() -> None:
    need("valgrind", is_there=shutil.which("valgrind") is not None)
    # The first one compiles what the others load.
    _run(sys.executable, *_PASSES, "0", "0")
    with ThreadPoolExecutor() as pool:
        start, cold, exposures = pool.map(_instructions_of_passes, (0, _COLD, 0), (0, 0, _EXPOSURES))

    assert (cold - start) / _COLD < 9_900_000
    assert (exposures - start) / _EXPOSURES < 4_750_000


def test_what_run_loads_takes_no_more_instructions_than_it_did() -> None:
    need("valgrind", is_there=shutil.which("valgrind") is not None)
    _run(sys.executable, *_LOADING)
    assert _instructions(*_LOADING) < 2_330_000_000


def _instructions_of_passes(cold: int, exposures: int) -> int:
    return _instructions(*_PASSES, str(cold), str(exposures))


def _instructions(*arguments: str) -> int:
    told = _run(*_VALGRIND, sys.executable, *arguments)
    found = re.search(r"I\s+refs:\s+([\d,]+)", told)
    assert found, told
    return int(found[1].replace(",", ""))


def _run(*command: str) -> str:
    """What it says on its standard error."""
    # Where things lie in a set is part of the work; measuring coverage is not.
    environment = {"PATH": os.environ["PATH"], "PYTHONHASHSEED": "0"}
    ended = subprocess.run(  # noqa: S603 - our own
        command, cwd=ROOT, env=environment, check=True, capture_output=True, text=True
    )
    return ended.stderr
