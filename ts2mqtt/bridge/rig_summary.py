"""One line about a rig that has answered for the first time: what was found there, and what becomes of it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from ts2mqtt.logs.wording import counted
from ts2mqtt.observatory.model import PROJECT_STATES
from ts2mqtt.observatory.tree import distinct_projects, distinct_targets

if TYPE_CHECKING:
    from ts2mqtt.home_assistant.discovery import Announced
    from ts2mqtt.observatory.model import Rig


def rig_summary(rig: Rig, announced: Announced | None) -> str:
    """`announced` is None where Home Assistant is not told."""
    parts = [f"Target Scheduler {rig.plugin_version} (API {rig.api_version}) at {rig.url}", _profiles(rig)]
    parts.append(f"{_projects(rig)} with {counted(sum(1 for _ in distinct_targets(rig)), 'target')}")
    if announced:
        hidden = f" ({announced.disabled} of them disabled at first)" if announced.disabled else ""
        devices = counted(announced.devices, "device")
        entities = counted(announced.entities, "entity", "entities")
        parts.append(f"Home Assistant gets {devices} with {entities}{hidden}")
    return "; ".join(parts)


def _profiles(rig: Rig) -> str:
    active = f"profile {rig.active_profile.name!r} is active" if rig.active_profile else "no profile is active"
    return f"{counted(len(rig.known_profiles), 'profile')}, {active}"


def _projects(rig: Rig) -> str:
    states = Counter(place.project.state for place in distinct_projects(rig))
    known = [state for state in PROJECT_STATES if states[state]]
    told = ", ".join(f"{states[state]} {state}" for state in known)
    return counted(states.total(), "project") + (f" ({told})" if told else "")
