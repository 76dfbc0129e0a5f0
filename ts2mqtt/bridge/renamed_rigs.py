"""Notices a rig whose name was changed and that has no id of its own: its entities would begin anew."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ts2mqtt.config.values import slug

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ts2mqtt.topics.payloads import BridgeRig


def renamed_rigs(configured: Iterable[BridgeRig], told_before: Iterable[BridgeRig]) -> Iterator[tuple[str, str]]:
    """The name of each, and what its user can do.

    A rig is the same one if it has the same address. `told_before` is what the last bridge told about its rigs.
    """
    now = tuple(configured)
    configured_ids = {rig.id for rig in now}
    before = tuple(told_before)
    known_ids = {rig.id for rig in before}
    gone_by_url = {rig.url: rig for rig in before if rig.id not in configured_ids}
    for rig in now:
        # Who has chosen the id has chosen to begin anew.
        has_id_of_its_name = rig.id == slug(rig.name)
        if rig.id not in known_ids and has_id_of_its_name and (old := gone_by_url.get(rig.url)):
            yield rig.name, _advice(rig, old)


def _advice(rig: BridgeRig, old: BridgeRig) -> str:
    return (
        f"{rig.name}: this rig was called {old.name!r} before, and its id {rig.id!r} is made from the new name: all "
        "its entities in Home Assistant begin anew, without their history. To keep them, write "
        f"'id: {old.id}' below its name in the configuration"
    )
