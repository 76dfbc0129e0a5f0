"""Standard output and standard error that take any text, whatever characters the console has."""

from __future__ import annotations

import io
import sys


def write_what_is_missing_as_escapes() -> None:
    r"""From now on a character that the console's or the file's encoding lacks is written as `\u2714`.

    A console of Windows has one of the code pages 437, 850 and 1252, and so has a file to which output is redirected.
    """
    for stream in (sys.stdout, sys.stderr):
        # Neither is there in a program without a console.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
