"""The process: what `ts2mqtt` and `python -m ts2mqtt` start, with its first and its last moments made safe."""

from __future__ import annotations

import os
import signal
import sys


def start() -> int:
    """Runs the command line; the exit code."""
    try:
        _hold_hangups()
        # pydantic would read the entry points of everything that is installed for plugins, of which none is used.
        os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
        from ts2mqtt.cli import main  # noqa: PLC0415 - takes a moment in which signals come, too

        return main()
    except KeyboardInterrupt:
        return 0
    finally:
        # Another Ctrl-C has nothing left to end, and Python would answer it with a traceback.
        signal.signal(signal.SIGINT, signal.SIG_IGN)


def _hold_hangups() -> None:
    """Lets a SIGHUP wait until somebody listens to it: it would end the process, and who sends it wants a reload.

    The hangup of a terminal ends the process as ever.
    """
    if hasattr(signal, "pthread_sigmask") and not (sys.stderr and sys.stderr.isatty()):
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})


if __name__ == "__main__":
    sys.exit(start())
