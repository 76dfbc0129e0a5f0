"""What many payloads have in common, written once as a form with blanks; filled in, it is one of them.

The devices of a kind differ in names, ids and topics alone, and building a payload out of its models costs many times
what filling in a form does: docs/performance.md.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pydantic_core import to_json

if TYPE_CHECKING:
    from collections.abc import Sequence

_FIRST, _LAST = 0xF0000, 0xFFFFD
"""A plane of Unicode without characters: nothing that we write ourselves stands there."""

_BLANK = re.compile(f"[{chr(_FIRST)}-{chr(_LAST)}]")


def blanks(count: int) -> list[str]:
    """What to build a payload of, in place of so many texts (some ten thousands at most), for it to become a form."""
    return [chr(_FIRST + number) for number in range(count)]


class Form:
    """Takes a JSON payload that was built of blanks()."""

    def __init__(self, payload: bytes) -> None:
        text = payload.decode()
        self._text = _BLANK.sub("%b", text.replace("%", "%%")).encode()
        self._blanks = [ord(blank) - _FIRST for blank in _BLANK.findall(text)]

    def filled_in(self, texts: Sequence[str]) -> bytes:
        """The payload with a text, whatever it consists of, in place of each blank."""
        written = [to_json(text)[1:-1] for text in texts]
        return self._text % tuple([written[number] for number in self._blanks])
