"""What devices are called: free text made fit for a screen, and no two devices of one bridge alike."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from ts2mqtt.logs.wording import on_one_line
from ts2mqtt.topics.names import PROFILE, PROJECT, TARGET, Subject

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from ts2mqtt.home_assistant.languages import Language

Key = TypeVar("Key")

PROGRAM = "ts2mqtt"

_LONGEST_NAME = 120
_LONGEST_PARENT = 24
_SHORT_ID = 8
_SEPARATOR = "·"
_RANKS = {TARGET: 0, PROJECT: 1, PROFILE: 2}
"""Of things with one name the lowest keeps it: a target is what people look at most."""


class NamedThing(NamedTuple):
    """A profile, project or target with the names that the API gives; a profile has no parent's name."""

    about: Subject
    name: str
    parent_name: str = ""


def display_name(name: str) -> str:
    """Free text on one line, of a length that a screen can show."""
    return on_one_line(name)[:_LONGEST_NAME].rstrip()


def short_id(about: Subject) -> str:
    return (about.thing_id or "")[:_SHORT_ID]


def bridge_name(base_topic: str) -> str:
    return PROGRAM if base_topic == PROGRAM else f"{PROGRAM} {base_topic}"


def rig_name(rig_id: str, name: str, language: Language) -> str:
    return display_name(name) or f"{language.say('Rig')} {rig_id}"


def rig_names(configured: Mapping[str, str], base_topic: str, language: Language) -> Mapping[str, str]:
    """By id, what the devices of the configured rigs are called; `configured` are their own names by id."""
    names = {rig_id: rig_name(rig_id, name, language) for rig_id, name in configured.items()}
    if len(names) > 1:
        # The rig's name follows the separator in the names of its things: it must not have one itself.
        names = {rig_id: name.replace(_SEPARATOR, "-") for rig_id, name in names.items()}
    forms = {rig_id: (name, f"{name} ({rig_id})") for rig_id, name in names.items()}
    return _told_apart(forms, {bridge_name(base_topic)}, dict.fromkeys(forms, 0))


def thing_names(
    things: Iterable[NamedThing], taken: set[str], language: Language, *, of_rig: str | None
) -> Mapping[Subject, str]:
    """What the devices of one rig's things are called: their own names as far as those differ.

    They depend on the things alone, not on their order. `taken` are names of other devices. `of_rig` is the rig's
    name where the bridge has several: it goes with every name then, since another rig may have the same things.
    """
    ending = f" {_SEPARATOR} {of_rig}" if of_rig else ""
    forms = {thing.about: tuple(form + ending for form in _forms(thing, language)) for thing in things}
    return _told_apart(forms, taken, {about: _RANKS.get(about.kind or "", 0) for about in forms})


def _forms(thing: NamedThing, language: Language) -> Iterator[str]:
    """The names that a thing may have, the shortest first; no other thing of the rig has the last one."""
    about, kind = thing.about, thing.about.kind or ""
    name = display_name(thing.name) or f"{language.say(kind.title())} {short_id(about)}"
    parent = display_name(thing.parent_name)
    parent = parent if len(parent) <= _LONGEST_PARENT else f"{parent[: _LONGEST_PARENT - 1].rstrip()}…"
    word = language.say(kind)
    yield name
    if kind == TARGET:
        if parent:
            yield f"{name} ({parent})"
    else:
        yield f"{name} ({word})"
        if parent:
            yield f"{name} ({word}, {parent})"
    yield f"{name} ({word} {short_id(about)})"
    yield f"{name} ({word} {about.thing_id})"


def _told_apart(forms: Mapping[Key, Sequence[str]], taken: set[str], ranks: Mapping[Key, int]) -> Mapping[Key, str]:
    """For each key the first of its forms that no other key needs; of equals the lowest rank keeps its form."""
    chosen = dict.fromkeys(forms, 0)
    while True:
        alike: defaultdict[str, list[Key]] = defaultdict(list)
        for key, number in chosen.items():
            alike[forms[key][number]].append(key)
        longer = [
            key
            for name, keys in alike.items()
            for key in _who_gives_way(
                [key for key in keys if chosen[key] + 1 < len(forms[key])], keys, ranks, is_taken=name in taken
            )
        ]
        if not longer:
            return {key: forms[key][number] for key, number in chosen.items()}
        for key in longer:
            chosen[key] += 1


def _who_gives_way(
    able: Sequence[Key], alike: Sequence[Key], ranks: Mapping[Key, int], *, is_taken: bool
) -> Sequence[Key]:
    """Of keys with the same name those that take a longer one; `able` are those that have one."""
    if is_taken:
        return able
    if len(alike) == 1:
        return ()
    first = min(ranks[key] for key in alike)
    firsts = [key for key in alike if ranks[key] == first]
    if len(firsts) > 1:
        return able
    return [key for key in able if key != firsts[0]] or able
