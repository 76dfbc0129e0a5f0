"""Runs `ts2mqtt demo` on this system, until it has shown a message and Ctrl-C ends it: `python -m …`."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

_COMMAND = (sys.executable, "-m", "ts2mqtt", "demo", "--port", "0", "--seed", "1", "--plain")


def main() -> int:
    """The demo's exit code; 1 if it ended without a message."""
    if sys.platform == "win32":
        # A console sends Ctrl-C to all its programs, and Ctrl-Break to one group of them.
        flags, number = subprocess.CREATE_NEW_PROCESS_GROUP, signal.CTRL_BREAK_EVENT
    else:
        flags, number = 0, signal.SIGINT
    environment = dict(os.environ, PYTHONUTF8="1")
    with subprocess.Popen(  # noqa: S603 - our own command
        _COMMAND, creationflags=flags, stdout=subprocess.PIPE, encoding="utf-8", env=environment
    ) as demo:
        assert demo.stdout
        has_shown = any(line.startswith("ts2mqtt/backyard/state") for line in demo.stdout)
        demo.send_signal(number)
        demo.communicate(timeout=60)
        return demo.returncode if has_shown else 1


if __name__ == "__main__":
    sys.exit(main())
