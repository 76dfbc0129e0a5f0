"""ts2mqtt with an event loop that SIGUSR1 makes hang: nothing in it happens any more, while other threads go on."""

from __future__ import annotations

import signal
import sys
import threading
from typing import TYPE_CHECKING

from ts2mqtt.cli import main
from ts2mqtt.network import event_loop

if TYPE_CHECKING:
    from ts2mqtt.network.names import Names


class _HangingLoop(event_loop.NamesLoop):
    def __init__(self, names: Names) -> None:
        super().__init__(names)
        self.add_signal_handler(signal.SIGUSR1, threading.Event().wait)


if __name__ == "__main__":
    event_loop.NamesLoop = _HangingLoop  # type: ignore[misc] # in place of the one that main() would make
    sys.exit(main())
