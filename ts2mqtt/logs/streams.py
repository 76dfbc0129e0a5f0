"""Standard output and standard error that are closed, full, or read by nobody any more."""

from __future__ import annotations

import errno
import os
import sys
from io import FileIO, TextIOWrapper
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import TextIO

NOT_WRITABLE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO) if hasattr(errno, "EDQUOT") else (errno.ENOSPC,)
"""What a stream says to which nothing more can be written, but for a pipe that nobody reads."""


def open_closed() -> None:
    """Gives each standard stream that is closed to the null device.

    Otherwise the next file or connection would get its number, and whatever is written to the stream.
    """
    # In this order, as each gets the lowest number that is free.
    sys.stdin = sys.stdin or _null("r")
    sys.stdout = sys.stdout or _null("w")
    sys.stderr = sys.stderr or _null("w")


def flushed(stream: TextIO) -> bool:
    """Whether all that was written has gone; else nothing more goes to this stream, not even at Python's exit."""
    try:
        stream.flush()
    except (OSError, ValueError):
        forget(stream)
        return False
    return True


def forget(stream: TextIO) -> None:
    """Leads what is still to be written to the null device: Python flushes each stream at its exit."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, stream.fileno())
    os.close(null)


def _null(mode: str) -> TextIO:
    return TextIOWrapper(FileIO(os.devnull, mode), encoding="utf-8", write_through=True)
