"""What happens in N.I.N.A. before and after the night: a start, devices, the sequence; flats, and its end."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from ts2mqtt.simulator.nina import images
from ts2mqtt.simulator.nina.announcement import HOMED, SAFETY_CHANGED, SEQUENCE_FINISHED, SEQUENCE_STARTING
from ts2mqtt.simulator.nina.process import ProcessState

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from ts2mqtt.simulator.nina.habits import Habits
    from ts2mqtt.simulator.nina.script import Script
    from ts2mqtt.simulator.planner import NextExposure
    from ts2mqtt.simulator.rig_steps import Evening

_DEVICES = ("CAMERA", "FILTERWHEEL", "FOCUSER", "ROTATOR", "WEATHER", "GUIDER", "MOUNT")
_MONITOR = ("SAFETY", "SWITCH")


def join_in_the_night(state: ProcessState) -> ProcessState:
    """The state where the simulation begins when it is night already: the sequence runs."""
    return replace(
        state, sequence="RUNNING", scheduler="CREATED", devices_connected=True, monitor_connected=True, is_safe=True
    )


def new_process(started_at: datetime, *, is_safe: bool) -> ProcessState:
    """N.I.N.A. after its start: nothing is connected but the safety monitor, and no sequence runs."""
    return ProcessState(started_at=started_at, is_safe=is_safe)


def evening(script: Script, step: Evening, habits: Habits) -> None:
    """From the user's arrival until Target Scheduler has its turn."""
    spare = step.night.dusk - step.at
    script.wait(0, spare / timedelta(seconds=4))
    if habits.restarts or script.state.sequence == "RUNNING":
        script.set(new_process(script.at, is_safe=script.state.is_safe))
        script.wait(2, 10)
        _connect(script, _MONITOR)
    script.wait(0, spare / timedelta(seconds=4))
    if not script.state.devices_connected:
        _connect(script, _DEVICES)
        script.state = replace(script.state, devices_connected=True)
    if script.state.is_safe == step.is_cloudy:
        script.state = replace(script.state, is_safe=not step.is_cloudy)
        script.tell(SAFETY_CHANGED, IsSafe=not step.is_cloudy)
    if habits.takes_snapshot:
        script.wait(3, 10)
        script.save_image(images.snapshot(script.numbers))
    script.wait(1, 20)
    running = replace(script.state, sequence="RUNNING", scheduler="CREATED")
    if habits.tells_start:
        script.state = running
        script.tell(SEQUENCE_STARTING)
    else:
        script.set(running)
    script.wait(1, 4)
    script.unpark()
    script.wait(2, 8)
    script.tell(HOMED)
    script.wait(1, 5)


def morning(script: Script, habits: Habits, last_of_filter: Mapping[str, NextExposure]) -> None:
    """From the last target until the devices are off: nothing says that Target Scheduler has finished."""
    script.set(replace(script.state, scheduler="FINISHED", exposes_until=None))
    script.wait(1, 4)
    script.stop_guiding()
    script.wait(20, 90)
    script.park()
    if not script.state.is_safe:
        script.wait(30, 300)
        script.state = replace(script.state, is_safe=True)
        script.tell(SAFETY_CHANGED, IsSafe=True)
    script.wait(900, 1800)
    for filter_name, exposure in last_of_filter.items():
        script.change_filter(filter_name)
        for _ in range(habits.flats_per_filter):
            script.wait(2, 4)
            script.save_image(images.flat(exposure.target.name, filter_name, script.numbers))
    script.wait(30, 300)
    for device in reversed(_DEVICES):
        script.wait(0.1, 1)
        script.tell(f"{device}-DISCONNECTED")
    script.set(replace(script.state, devices_connected=False))
    if habits.tells_end:
        script.wait(1, 60)
        script.state = replace(script.state, sequence="FINISHED")
        script.tell(SEQUENCE_FINISHED)


def _connect(script: Script, devices: tuple[str, ...]) -> None:
    """N.I.N.A. disconnects before it connects, also what was never connected."""
    for device in devices:
        script.wait(0.5, 2)
        script.tell(f"{device}-DISCONNECTED")
        script.wait(0.1, 2)
        script.tell(f"{device}-CONNECTED")
