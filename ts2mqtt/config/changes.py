"""Compares two configurations, and says which changes a running bridge can apply."""

from collections.abc import Iterator
from dataclasses import dataclass

from pydantic import BaseModel

from ts2mqtt.config.faults import KeyPath, dotted
from ts2mqtt.config.models import Config, RigConfig

APPLIED_AT_ONCE: tuple[KeyPath, ...] = (("polling",), ("log",), ("home_assistant", "project_states"))
"""All other keys need a restart: they decide who ts2mqtt is at the broker, or which rigs it asks."""


@dataclass(frozen=True)
class Changes:
    """The keys that differ, written with dots; no values, because a value may be a secret."""

    applied: tuple[str, ...]
    need_restart: tuple[str, ...]


def changes(old: Config, new: Config) -> Changes:
    """The keys that differ and are written in at least one of the two; other defaults are left out."""
    keys = dict.fromkeys((*_differences(old, new, ()), *_rig_differences(old.rigs, new.rigs)))
    is_applied = {key: any(key[: len(section)] == section for section in APPLIED_AT_ONCE) for key in keys}
    return Changes(
        applied=tuple(dotted(key) for key in keys if is_applied[key]),
        need_restart=tuple(dotted(key) for key in keys if not is_applied[key]),
    )


def taken_up(running: Config, new: Config) -> Config:
    """The running configuration with everything of the new one that is applied at once."""
    project_states = new.home_assistant.project_states
    home_assistant = running.home_assistant.model_copy(update={"project_states": project_states})
    return running.model_copy(update={"polling": new.polling, "log": new.log, "home_assistant": home_assistant})


def _differences(old: BaseModel, new: BaseModel, section: KeyPath) -> Iterator[KeyPath]:
    written = old.model_fields_set | new.model_fields_set
    for name, field in type(new).model_fields.items():
        before, after = getattr(old, name), getattr(new, name)
        key = (*section, field.alias or name)
        if before == after or key == ("rigs",):
            continue
        if isinstance(before, BaseModel) and isinstance(after, BaseModel):
            yield from _differences(before, after, key)
        elif name == "password" and getattr(new, "password_file", None):
            # The user has changed the content of the file.
            yield (*section, "password_file")
        elif name in written:
            yield key


def _rig_differences(old: tuple[RigConfig, ...], new: tuple[RigConfig, ...]) -> Iterator[KeyPath]:
    """Compare rigs with the same id; their order in the list does not matter."""
    before = {rig.id: rig for rig in old}
    for number, rig in enumerate(new):
        if rig.id in before:
            yield from _differences(before.pop(rig.id), rig, ("rigs", number))
        else:
            yield ("rigs", f"{rig.id} (added)")
    for rig_id in before:
        yield ("rigs", f"{rig_id} (removed)")
