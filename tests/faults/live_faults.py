"""What may go wrong between N.I.N.A. and the bridge: for some minutes, and at random which.

fault = FAULTS["names of nobody"]
await fault.begin(rig)
...
await fault.end(rig)
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from tests.support.recorded_rig import RecordedRig
from ts2mqtt.simulator.faults import Fault
from ts2mqtt.simulator.nina.faults import LiveFault
from ts2mqtt.simulator.nina.server import SOCKET_PATH

if TYPE_CHECKING:
    from tests.support.live_night import LiveRig

TWIN = "Twin"
"""The name of two targets, in two projects of that name."""

REFUSED = "refused"
"""The one fault in which no N.I.N.A. runs."""

RESTARTED = "restarted, with its history gone"
"""The one fault that the rig itself has."""

_A_RESTART = timedelta(seconds=40)

Act = Callable[["LiveRig"], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class NinaFault:
    """`begin` brings it about, and `end` has all as before."""

    begin: Act
    end: Act


def _of_events(pattern: str, fault: LiveFault, times: int | None = None) -> NinaFault:
    async def begin(rig: LiveRig) -> None:
        rig.nina.nina.faults.add(pattern, fault, times=times)

    return NinaFault(begin, _no_fault_of_events)


async def _no_fault_of_events(rig: LiveRig) -> None:
    rig.nina.nina.faults.clear()


def _of_requests(pattern: str, fault: Fault, *, cuts: bool = False) -> NinaFault:
    """With `cuts` every connection is cut first, so that there are requests."""

    async def begin(rig: LiveRig) -> None:
        rig.nina.faults.add(pattern, fault)
        if cuts:
            await rig.nina.close_connections()

    async def end(rig: LiveRig) -> None:
        rig.nina.faults.clear()

    return NinaFault(begin, end)


async def _stall(rig: LiveRig) -> None:
    rig.nina.is_stalled = True


async def _go_on(rig: LiveRig) -> None:
    rig.nina.is_stalled = False


async def _mute(rig: LiveRig) -> None:
    rig.nina.mute()


async def _unmute(rig: LiveRig) -> None:
    rig.nina.answers_pings = True


async def _refuse(rig: LiveRig) -> None:
    await rig.nina.stop()


async def _accept(rig: LiveRig) -> None:
    await rig.nina.start()


async def _speak_v3(rig: LiveRig) -> None:
    rig.nina.speaks_v3 = rig.nina.nina.speaks_v3 = True
    await rig.nina.close_connections()


async def _speak_v2(rig: LiveRig) -> None:
    rig.nina.speaks_v3 = rig.nina.nina.speaks_v3 = False
    await rig.nina.close_connections()


async def _restart(rig: LiveRig) -> None:
    """The rig stops with it; nobody starts the sequence before the fault ends."""
    await rig.end_nina()
    await rig.until(rig.now + _A_RESTART)
    await rig.start_nina()


async def _start_sequence(rig: LiveRig) -> None:
    assert isinstance(rig.recorded, RecordedRig)
    rig.recorded.start_again(rig.now)
    rig.nina.nina.look_again()


FAULTS = {
    "dropped": _of_events("*", LiveFault.drop()),
    "words of the Target Scheduler dropped": _of_events("TS-*", LiveFault.drop()),
    "twice": _of_events("*", LiveFault.duplicate()),
    "out of order": _of_events("*", LiveFault.reorder()),
    "late": _of_events("*", LiveFault.delay(30)),
    "names of nobody": _of_events("TS-*", LiveFault.fields(TargetName="Nobody")),
    "a project of nobody": _of_events("TS-*", LiveFault.fields(ProjectName="Nobody")),
    "names of two": _of_events("TS-*", LiveFault.fields(TargetName=TWIN, ProjectName=TWIN, Coordinates=None)),
    "names of another place": _of_events("TS-*", LiveFault.fields(TargetName=TWIN, ProjectName=TWIN)),
    "bare strings": _of_events("TS-*", LiveFault.bare_string("Clouds are coming")),
    "no numbers": _of_events("*", LiveFault.nan()),
    "huge": _of_events("*", LiveFault.huge(0.1), times=3),
    "no JSON": _of_events("*", LiveFault.raw('{"Response":{"Event":"TS-TARGETSTART","TargetName":')),
    "closed": _of_events("*", LiveFault.close(), times=3),
    "reset": _of_events("*", LiveFault.reset(), times=3),
    "stalled": NinaFault(_stall, _go_on),
    "mute": NinaFault(_mute, _unmute),
    REFUSED: NinaFault(_refuse, _accept),
    "no Advanced API": _of_requests(SOCKET_PATH, Fault.status(404), cuts=True),
    "another server": _of_requests("*", Fault.html(), cuts=True),
    "no answer": _of_requests("*", Fault.hang(), cuts=True),
    "half answers": _of_requests("/v2/api/*", Fault.truncate(), cuts=True),
    "version 3": NinaFault(_speak_v3, _speak_v2),
    RESTARTED: NinaFault(_restart, _start_sequence),
}
