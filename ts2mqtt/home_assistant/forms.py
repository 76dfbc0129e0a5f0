"""What many payloads have in common, written once as a form with blanks; filled in, it is one of them.

The devices of a kind differ in names, ids and topics alone, and building a payload out of its models costs many times
what filling in a form does: docs/performance.md.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic_core import to_json

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Self

_FIRST, _LAST = 0xF0000, 0xFFFFD
"""A plane of Unicode without characters: nothing that we write ourselves stands there."""

_BLANK = re.compile(f"[{chr(_FIRST)}-{chr(_LAST)}]")


def blanks(count: int) -> list[str]:
    """What to build a payload of, in place of so many texts (some ten thousands at most), for it to become a form."""
    return [chr(_FIRST + number) for number in range(count)]


@dataclass(frozen=True, slots=True)
class Form:
    """`text` has a %b for each blank, `numbers` say which blank that is."""

    text: bytes
    numbers: tuple[int, ...]

    @classmethod
    def of(cls, payload: bytes) -> Self:
        """The form of a JSON payload that was built of blanks()."""
        text = payload.decode()
        numbers = tuple(ord(blank) - _FIRST for blank in _BLANK.findall(text))
        return cls(_BLANK.sub("%b", text.replace("%", "%%")).encode(), numbers)

    def filled_in(self, texts: Sequence[str]) -> FilledForm:
        """With a text, whatever it consists of, in place of each blank."""
        return FilledForm(self, tuple(texts))

    def payload(self, texts: Sequence[str]) -> bytes:
        written = [to_json(text)[1:-1] for text in texts]
        return self.text % tuple([written[number] for number in self.numbers])


@dataclass(frozen=True, slots=True)
class FilledForm:
    """A payload as its form and its texts, which are a twentieth of it."""

    form: Form
    texts: tuple[str, ...]

    def __bytes__(self) -> bytes:
        return self.form.payload(self.texts)
