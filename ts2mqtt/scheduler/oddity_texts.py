"""What the log and `check` say of things that cannot be told apart by their ids, in words for the user."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ts2mqtt.logs.wording import counted

if TYPE_CHECKING:
    from ts2mqtt.observatory.oddities import TwoPlaces, WithoutId

_MOST_NAMES = 10
WHAT_TO_DO_WITHOUT_ID = "They are older than the plugin's ids: copy each project there and paste it, copies get ids."


def without_id_text(things: WithoutId) -> str | None:
    """One line; None if everything has an id."""
    if not things:
        return None
    return f"{without_id_counts(things)} cannot be shown, because they have no id. {WHAT_TO_DO_WITHOUT_ID}"


def without_id_counts(things: WithoutId) -> str:
    """Projects with their names, and how many targets."""
    parts = []
    if things.projects:
        names = [repr(name) for name in things.projects[:_MOST_NAMES]]
        more = len(things.projects) - len(names)
        named = ", ".join(names) + (f" and {more} more" if more else "")
        parts.append(f"{counted(len(things.projects), 'project')} ({named})")
    if things.targets:
        parts.append(counted(things.targets, "target"))
    return " and ".join(parts)


def two_places_text(doubles: tuple[TwoPlaces, ...]) -> str | None:
    """One line; None if every id stands in one place."""
    if not doubles:
        return None
    first = doubles[0]
    more = f", and so do {len(doubles) - 1} more projects and targets" if len(doubles) > 1 else ""
    where = " and in ".join(first.places)
    return (
        f"the {first.name} stands in {where}{more}; the one in the active profile counts, "
        "else that of an Active project, else the first"
    )
