"""The user's sequence as the REST calls show it: containers in containers, each with its status."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ts2mqtt.simulator.nina.process import ProcessState, Status
    from ts2mqtt.simulator.rows import JsonValue

_PROPERTIES_BYTES = 48_000
_PROGRESS_BYTES = 90
"""So much longer is /sequence/state after each image."""


def sequence_json(state: ProcessState) -> JsonValue:
    """The three roots; Target Scheduler's container is nested, and no target's name is in it."""
    begun: Status = "CREATED" if state.sequence == "CREATED" else "FINISHED"
    is_over = state.sequence == "FINISHED"
    ends: Status = "CREATED"
    if is_over:
        ends = "FINISHED"
    elif state.scheduler == "FINISHED":
        ends = "RUNNING"
    targets: Status = state.sequence if ends == "CREATED" else "FINISHED"
    waits_for_safety: Status = "RUNNING" if targets == "RUNNING" and state.scheduler == "CREATED" else "CREATED"
    scheduler = _container("Target Scheduler Container", state.scheduler)
    acquisition = _container("Target Acquisition", state.scheduler, [scheduler], conditions=("Loop while safe",))
    safety = _container("Wait for safety", waits_for_safety, [_item("Wait for Time Span", waits_for_safety)])
    night = _container("Night", targets, [acquisition, safety], triggers=("Meridian Flip", "AF After Time"))
    camera = _container("Camera Prep", begun, [_item("Cool Camera", begun)])
    return [
        {"GlobalTriggers": [{"Name": "Failures to MQTT broker_Trigger", "Status": "CREATED"}]},
        _container("Start", begun, [_item("Connect Equipment", begun), _item("Find home", begun)]),
        _container("Targets", targets, [camera, night]),
        _container("End", ends, [_item("Park Scope", ends), _item("Warm Camera", ends)]),
    ]


def sequence_state(state: ProcessState, images: int) -> JsonValue:
    """The same with every property of every plugin: it grows with each image."""
    roots = sequence_json(state)
    progress = "x" * (_PROPERTIES_BYTES + images * _PROGRESS_BYTES)
    return [*roots, {"SchedulerProgress": progress}] if isinstance(roots, list) else roots


def _container(
    name: str,
    status: Status,
    items: Sequence[JsonValue] = (),
    *,
    conditions: Sequence[str] = (),
    triggers: Sequence[str] = (),
) -> JsonValue:
    return {
        "Conditions": [_item(f"{condition}_Condition", "CREATED") for condition in conditions],
        "Triggers": [_item(f"{trigger}_Trigger", "CREATED") for trigger in triggers],
        "Items": list(items),
        "Status": status,
        "Name": f"{name}_Container",
    }


def _item(name: str, status: Status) -> JsonValue:
    return {"Name": name, "Status": status}
