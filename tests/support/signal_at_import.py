"""ts2mqtt that gets a signal at one exact moment of its start: when it is about to import a module.

python -m tests.support.signal_at_import SIGHUP ts2mqtt.cli run -c config.yaml
"""

from __future__ import annotations

import runpy
import signal
import sys
from importlib.abc import MetaPathFinder
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType


class _SignalAtImport(MetaPathFinder):
    """Finds nothing itself."""

    def __init__(self, number: signal.Signals, module: str) -> None:
        self._number = number
        self._module = module

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,  # noqa: ARG002 - the import system's signature
        target: ModuleType | None = None,  # noqa: ARG002
    ) -> None:
        if fullname == self._module:
            signal.raise_signal(self._number)


if __name__ == "__main__":
    _, name, module, *arguments = sys.argv
    sys.meta_path.insert(0, _SignalAtImport(signal.Signals[name], module))
    sys.argv[1:] = arguments
    runpy.run_module("ts2mqtt", run_name="__main__", alter_sys=True)
