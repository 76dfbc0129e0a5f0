"""The colour and the short name of each filter, recognised by the many names that photographers use."""

from __future__ import annotations

import re
from dataclasses import dataclass
from zlib import crc32

from ts2mqtt.picture.lettering import clean


@dataclass(frozen=True, slots=True)
class FilterLook:
    """A filter in the picture: its short name and its colour (`#rrggbb`)."""

    label: str
    colour: str


LUMINANCE = FilterLook("L", "#d5dae3")
RED = FilterLook("R", "#ff5f57")
GREEN = FilterLook("G", "#3fbf62")
BLUE = FilterLook("B", "#4b8dff")
H_ALPHA = FilterLook("Hα", "#b0122f")
OIII = FilterLook("OIII", "#16b3a6")
SII = FilterLook("SII", "#eea02b")
DUAL_BAND = FilterLook("Duo", "#9a5cc6")
UNKNOWN = FilterLook("?", "#7d8799")

_BANDWIDTH = r"(\d+(\.\d+)?(nm)?)?"
# Names in lower case without spaces and punctuation. Brand names come first: "L-eXtreme" is not luminance.
_SPELLINGS = tuple(
    (re.compile(pattern), look)
    for pattern, look in (
        (r"l?(extreme|enhance|ultimate)f?2?|alpt?\d*(nm)?|duo.*|dual.*|tri.?band.*|quad.?band.*|nbz.*", DUAL_BAND),
        (r"(ha|hα|halpha|hydrogenalpha)(o|o3|oiii)" + _BANDWIDTH, DUAL_BAND),
        (r"l|lum|luminance|luminosity|lpro|uvir(cut)?|clear", LUMINANCE),
        (r"r|red", RED),
        (r"g|green", GREEN),
        (r"b|blue", BLUE),
        (r"(h|ha|hα|halpha|hydrogenalpha|hydrogen)" + _BANDWIDTH, H_ALPHA),
        (r"(o3|oiii|o|oxygen(3|iii)?)" + _BANDWIDTH, OIII),
        (r"(s2|sii|s|sul(f|ph)ur(2|ii)?)" + _BANDWIDTH, SII),
    )
)
# These differ from each other and from all colours above.
_OTHERS = ("#f472b6", "#a3c93a", "#67c7f0", "#c39a6b", "#b4a7f5", "#e06fd8", "#8fbfa8", "#f2d45c")
_LABEL_LENGTH = 8
_NAME_LENGTH = 40


def filter_look(name: str | None) -> FilterLook:
    """The look of a filter with this name; an unknown name always gets the same one of some further colours."""
    cleaned = clean(name or "")[:_NAME_LENGTH]
    if not cleaned:
        return UNKNOWN
    folded = re.sub(r"[\s_\-()/+&]", "", cleaned).lower()
    for spelling, look in _SPELLINGS:
        if spelling.fullmatch(folded):
            return look
    label = cleaned if len(cleaned) <= _LABEL_LENGTH else f"{cleaned[: _LABEL_LENGTH - 1].rstrip()}…"
    return FilterLook(label, _OTHERS[crc32(folded.encode()) % len(_OTHERS)])
