"""Prepares text for drawing: removes characters that no font has, measures text and cuts it to a width."""

from __future__ import annotations

import re
import unicodedata
from enum import Enum
from itertools import groupby
from math import fsum
from typing import TYPE_CHECKING

from ts2mqtt.logs.wording import on_one_line

if TYPE_CHECKING:
    from collections.abc import Iterator

ELLIPSIS = "…"

# Source Sans Pro Semibold, U+0020 to U+007E, in thousandths of the font size; Regular is a little narrower.
# fmt: off
_ASCII_WIDTHS = (
    200, 315, 482, 513, 513, 841, 639, 275, 324, 324, 438, 513, 275, 322, 275, 344,
    513, 513, 513, 513, 513, 513, 513, 513, 513, 513, 275, 275, 513, 513, 513, 444,
    875, 558, 597, 576, 625, 538, 510, 628, 663, 282, 494, 597, 502, 745, 656, 674,
    582, 674, 592, 545, 546, 655, 536, 800, 541, 501, 540, 324, 344, 324, 513, 500,
    549, 516, 563, 462, 564, 507, 317, 520, 558, 262, 263, 522, 271, 843, 560, 549,
    564, 564, 373, 431, 361, 556, 495, 748, 481, 495, 443, 324, 255, 324, 513,
)
# fmt: on
_FIRST_ASCII = 0x20
_DEFAULT_WIDTH = 680
_WIDE_WIDTH = 1000
# In a text with Chinese, Japanese or Korean the renderer uses Noto Sans CJK for Latin too, which is wider.
_LATIN_FACTOR_IN_WIDE_TEXT = 1.13
_WIDE_SCRIPT = re.compile(
    "[\u1100-\u11ff\u2460-\u27bf\u2e80-\u9fff\uac00-\ud7a3\uf900-\ufaff\ufe30-\uffef\U00020000-\U0003ffff]"
)
_SOURCE_SANS_SCRIPT = re.compile("[\u0020-\u052f\u1e00-\u245f]")
_MAXIMUM_LENGTH = 300


class Script(Enum):
    """The font for a character: Source Sans, Noto Sans CJK, or a font of this machine."""

    EUROPEAN = "european"
    WIDE = "wide"
    OTHER = "other"


def clean(text: str) -> str:
    """The text on one line, without control characters, direction marks, lone surrogates and private glyphs."""
    return unicodedata.normalize("NFC", on_one_line(text[:_MAXIMUM_LENGTH]))


def text_width(text: str, size: float) -> float:
    """The approximate width of the text at this font size, in the same unit; rather too wide than too narrow."""
    latin_factor = _LATIN_FACTOR_IN_WIDE_TEXT if any(_script(char) is Script.WIDE for char in text) else 1.0
    thousandths = (_char_width(char) for char in text)
    return fsum(width if width >= _WIDE_WIDTH else width * latin_factor for width in thousandths) / 1000 * size


def shorten(text: str, size: float, width: float) -> str:
    """The text, or as much of its beginning as fits into `width` together with an ellipsis."""
    if text_width(text, size) <= width:
        return text
    kept = text
    while kept and text_width(kept + ELLIPSIS, size) > width:
        kept = kept[:-1].rstrip()
    return kept + ELLIPSIS


def duration(seconds: float) -> str:
    """A length of time, such as `5 h 07 min`."""
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min"


def runs_by_script(text: str) -> Iterator[tuple[Script, str]]:
    """The text in pieces; one font can draw each piece."""
    return ((script, "".join(run)) for script, run in groupby(text, key=_script))


def _char_width(char: str) -> int:
    index = ord(char) - _FIRST_ASCII
    if 0 <= index < len(_ASCII_WIDTHS):
        return _ASCII_WIDTHS[index]
    if char == ELLIPSIS or _script(char) is Script.WIDE or unicodedata.east_asian_width(char) == "W":
        return _WIDE_WIDTH
    return 0 if unicodedata.combining(char) else _DEFAULT_WIDTH


def _script(char: str) -> Script:
    if _SOURCE_SANS_SCRIPT.match(char):
        return Script.EUROPEAN
    return Script.WIDE if _WIDE_SCRIPT.match(char) else Script.OTHER
