"""Collects shapes and text as SVG and renders them as a PNG, with the fonts that ts2mqtt installs."""

from __future__ import annotations

from html import escape
from importlib.resources import files
from importlib.util import find_spec
from typing import TYPE_CHECKING, Literal

import resvg_py

from ts2mqtt.picture.lettering import Script, runs_by_script

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

REGULAR, SEMIBOLD = 400, 600

Anchor = Literal["start", "middle", "end"]

_FAMILY = "Source Sans Pro"
# 17 MB of glyphs, installed with the extra `cjk`; without it the fonts of this machine are used.
_WIDE_FONT = "noto_cjk_sans_jp_regular"
# All are under the SIL Open Font License: Source Sans for Latin, Greek and Cyrillic; Noto for Chinese, Japanese and
# Korean (its Latin letters have the design of Source Sans).
_FONTS = (
    ("font_source_sans_pro", "files/SourceSansPro-Regular.ttf"),
    ("font_source_sans_pro", "files/SourceSansPro-Semibold.ttf"),
    (_WIDE_FONT, "NotoSansCJKjp-Regular.otf"),
)
_WIDE_FAMILY = "Noto Sans CJK JP"


class Drawing:
    """A drawing of `width` times `height` units from the top left; later shapes cover earlier ones."""

    def __init__(self, width: float, height: float) -> None:
        self._width = width
        self._height = height
        self._definitions: list[str] = []
        self._shapes: list[str] = []
        self._needs_system_fonts = False

    def define(self, svg: str) -> None:
        """Add a gradient or pattern; a `fill` can use it as `url(#id)`."""
        self._definitions.append(svg)

    def rectangle(  # noqa: PLR0913 (the numbers of a rectangle)
        self, x: float, y: float, width: float, height: float, fill: str, *, radius: float = 0, opacity: float = 1
    ) -> None:
        self._shapes.append(
            f'<rect x="{x:.2f}" y="{y:.2f}" width="{max(0.0, width):.2f}" height="{max(0.0, height):.2f}"'
            f' rx="{radius:.2f}" fill="{fill}" fill-opacity="{opacity:.3f}"/>'
        )

    def stripes(  # noqa: PLR0913 (the numbers of a rectangle, and its stripes)
        self,
        x: float,
        y: float,
        width: float,
        height: float,
        stripes: Iterable[tuple[float, str]],
        *,
        radius: float,
        opacity: float = 1,
    ) -> None:
        """A rectangle of vertical stripes; a stripe is its share of the width (0 to 1) and its colour."""
        name = f"stripes{len(self._definitions)}"
        self.define(
            f'<clipPath id="{name}"><rect x="{x:.2f}" y="{y:.2f}" width="{width:.2f}" height="{height:.2f}"'
            f' rx="{min(radius, width / 2):.2f}"/></clipPath>'
        )
        self._shapes.append(f'<g clip-path="url(#{name})" opacity="{opacity:.3f}">')
        at = x
        for share, fill in stripes:
            # Each stripe goes on to the end and the next one covers it: the background would show between mere edges.
            self.rectangle(at, y, x + width - at, height, fill)
            at += share * width
        self._shapes.append("</g>")

    def circle(self, x: float, y: float, radius: float, fill: str) -> None:
        self._shapes.append(f'<circle cx="{x:.2f}" cy="{y:.2f}" r="{radius:.2f}" fill="{fill}"/>')

    def path(self, outline: str, fill: str, *, opacity: float = 1) -> None:
        self._shapes.append(f'<path d="{outline}" fill="{fill}" fill-opacity="{opacity:.3f}"/>')

    def line(
        self, points: Sequence[tuple[float, float]], colour: str, *, thickness: float, opacity: float = 1
    ) -> None:
        drawn = " ".join(f"{x:.2f},{y:.2f}" for x, y in points)
        self._shapes.append(
            f'<polyline points="{drawn}" fill="none" stroke="{colour}" stroke-width="{thickness:.2f}"'
            f' stroke-opacity="{opacity:.3f}" stroke-linejoin="round"/>'
        )

    def text(  # noqa: PLR0913 (the properties of a text)
        self,
        x: float,
        y: float,
        text: str,
        *,
        size: float,
        colour: str,
        weight: int = REGULAR,
        anchor: Anchor = "start",
    ) -> None:
        """Write one line of text; `y` is the base line."""
        runs = list(runs_by_script(text))
        scripts = {script for script, _ in runs}
        self._needs_system_fonts |= Script.OTHER in scripts or (Script.WIDE in scripts and not find_spec(_WIDE_FONT))
        outline = ""
        if Script.WIDE in scripts and weight > REGULAR:
            # That font has one weight, and the renderer uses it for Latin in the same text too. An outline makes both
            # equally bold.
            weight, outline = REGULAR, f' stroke="{colour}" stroke-width="{size / 40:.2f}"'
        lettering = "".join(
            f'<tspan font-family="{_WIDE_FAMILY}">{escape(run)}</tspan>' if script is Script.WIDE else escape(run)
            for script, run in runs
        )
        self._shapes.append(
            f'<text x="{x:.2f}" y="{y:.2f}" font-size="{size:.2f}" font-weight="{weight}" fill="{colour}"{outline}'
            f' text-anchor="{anchor}">{lettering}</text>'
        )

    def png(self, width: int) -> bytes:
        """The drawing as a PNG, `width` pixels wide with the same aspect ratio; equal drawings give equal bytes."""
        svg = (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self._width:g} {self._height:g}"'
            f' width="{self._width:g}" height="{self._height:g}" font-family="{_FAMILY}">'
            f"<defs>{''.join(self._definitions)}</defs>{''.join(self._shapes)}</svg>"
        )
        return resvg_py.svg_to_bytes(
            svg_string=svg,
            width=width,
            skip_system_fonts=not self._needs_system_fonts,
            font_family=_FAMILY,
            font_files=[str(files(package).joinpath(path)) for package, path in _FONTS if find_spec(package)],
        )
