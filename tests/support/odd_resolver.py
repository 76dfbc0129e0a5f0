"""ts2mqtt with a stand-in for the machine's resolver: names that hang, and a name of this machine.

    python -m tests.support.odd_resolver run -c config.yaml

`hangs.test`, and every name below it, gets no answer before the process ends. `works.test` is 127.0.0.1; while the
file exists that the variable ODD_RESOLVER_HANGS names, it gets no answer either.
"""

from __future__ import annotations

import os
import socket
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from ts2mqtt.cli import main

if TYPE_CHECKING:
    from typing import Any

HANGS_WHILE_THERE = "ODD_RESOLVER_HANGS"

_system_getaddrinfo = socket.getaddrinfo


def _getaddrinfo(host: bytes | str | None, *arguments: Any, **options: Any) -> Any:
    name = host.decode() if isinstance(host, bytes) else str(host)
    hangs = os.environ.get(HANGS_WHILE_THERE)
    if name.endswith("hangs.test") or (name == "works.test" and hangs and Path(hangs).exists()):
        threading.Event().wait()
    return _system_getaddrinfo("127.0.0.1" if name == "works.test" else host, *arguments, **options)


if __name__ == "__main__":
    socket.getaddrinfo = _getaddrinfo
    sys.exit(main())
