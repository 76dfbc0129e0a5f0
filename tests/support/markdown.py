"""The documentation's pages as a reader meets them: blocks to copy, links to follow, headings to land on."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from markdown_it import MarkdownIt

from tests.support.project import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from markdown_it.token import Token

_MARKDOWN = MarkdownIt("commonmark").enable("table")


@dataclass(frozen=True)
class Block:
    """What stands between fences; `info` is what follows the opening one: language, and for whom or what it is."""

    page: str
    line: int
    info: str
    text: str

    @property
    def language(self) -> str:
        return self.info.partition(" ")[0]

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def pages() -> list[Path]:
    return [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def blocks(page: Path) -> list[Block]:
    """Every block of code, also one that is only indented and so has no language."""
    return [
        Block(str(page.relative_to(ROOT)), (token.map or [0])[0] + 1, token.info.strip(), token.content)
        for token in _MARKDOWN.parse(page.read_text(encoding="utf-8"))
        if token.type in {"fence", "code_block"}
    ]


def links(page: Path) -> Iterator[str]:
    """Where links and pictures lead."""
    for token in _inline(page):
        for target in (token.attrGet("href"), token.attrGet("src")):
            if isinstance(target, str):
                yield target


def spans(page: Path) -> list[str]:
    """What is marked as code in the running text."""
    return [token.content for token in _inline(page) if token.type == "code_inline"]


def anchors(page: Path) -> set[str]:
    """The fragments that GitHub gives to the headings."""
    tokens = _MARKDOWN.parse(page.read_text(encoding="utf-8"))
    headings = [after.content for token, after in pairwise(tokens) if token.type == "heading_open"]
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def _inline(page: Path) -> Iterator[Token]:
    for token in _MARKDOWN.parse(page.read_text(encoding="utf-8")):
        yield from token.children or ()
