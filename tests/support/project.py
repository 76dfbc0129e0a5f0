"""Where the project's files are."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
"""The folder with pyproject.toml in it."""


def recipe(target: str) -> list[str]:
    """The commands of a target of the Makefile, without its comments."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    (lines,) = re.findall(rf"^{re.escape(target)}:.*\n((?:\t.*\n)+)", makefile, re.MULTILINE)
    return [line.strip() for line in lines.splitlines() if not line.strip().startswith("#")]
