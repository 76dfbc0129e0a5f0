"""The dashboard's files: made from their source, of the cards of a stock Home Assistant, in both languages."""

from __future__ import annotations

import re

import pytest

from tests.interface.dashboards import FOLDER, cards, dashboards

FILES = sorted(dashboards())


@pytest.mark.parametrize("name", FILES)
def test_it_is_what_its_source_makes(name: str) -> None:
    """`make docs` writes it."""
    assert (FOLDER / name).read_text(encoding="utf-8") == dashboards()[name]


def test_there_is_one_for_each_language() -> None:
    assert FILES == ["observatory.de.yaml", "observatory.yaml"] == sorted(file.name for file in FOLDER.glob("*.yaml"))


@pytest.mark.parametrize("name", FILES)
def test_it_needs_no_other_cards_and_no_edit(name: str) -> None:
    assert {card["type"] for card in cards(name)} == {"heading", "markdown"}
    text = dashboards()[name]
    assert not re.search(r"[⟦⟧]", text)
    # "none" is what stands for an entity that a device does not have.
    assert set(re.findall(r"\b(?:sensor|binary_sensor|image)\.(\w+)", text)) <= {"none", "none_priority"}


def test_the_two_differ_in_their_words_alone() -> None:
    english, german = (cards(name) for name in ("observatory.yaml", "observatory.de.yaml"))
    assert [card.keys() for card in english] == [card.keys() for card in german]
    pairs = zip(english, german, strict=True)
    assert [(one["heading"], other["heading"]) for one, other in pairs if "heading" in one] == [
        ("Now", "Jetzt"),
        ("Tonight", "Heute Nacht"),
        ("Last night", "Letzte Nacht"),
        ("Projects", "Projekte"),
        ("Image quality", "Bildqualität"),
    ]
