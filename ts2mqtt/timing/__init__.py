"""Time as a value: the one clock, and how long things take; both are handed in from the top."""

from ts2mqtt.timing.clock import Clock, PacedClock, SystemClock, make_sure_of_time_zone
from ts2mqtt.timing.timings import (
    BrokerTimings,
    CheckTimings,
    HomeAssistantTimings,
    LogTimings,
    LookUpTimings,
    NinaTimings,
    PaceTimings,
    RigTimings,
    Timings,
)

__all__ = [
    "BrokerTimings",
    "CheckTimings",
    "Clock",
    "HomeAssistantTimings",
    "LogTimings",
    "LookUpTimings",
    "NinaTimings",
    "PaceTimings",
    "PacedClock",
    "RigTimings",
    "SystemClock",
    "Timings",
    "make_sure_of_time_zone",
]
