"""Peak memory of a bridge when others send many megabytes: foreign messages below its base topic, a rig's answers.

python -m benchmarks.large_messages
"""

from __future__ import annotations

import asyncio
import sys
from dataclasses import replace
from pathlib import Path

from benchmarks import watched
from benchmarks.hosting_site import HostingSite, hosting_site
from benchmarks.passes import OF_THE_BRIDGE
from benchmarks.rig_server import MESSAGES
from benchmarks.tables import table
from ts2mqtt.simulator.api import SimulatedApi
from ts2mqtt.simulator.observatory import SimulatedObservatory

_MB = 1_000_000
_SETTLES_S = 5.0
_PATIENCE_S = 120.0
_INTERVAL_S = 3_600.0
_COMMAND = "ts2mqtt/command"


async def measure() -> str:
    rows = []
    for protocol in ("3.1.1", "5"):
        rows.append((protocol, "one retained message of 200 MB", await _retained(protocol, 200 * _MB)))
        rows.append((protocol, "5 commands of 100 MB", await _commands(protocol, 100 * _MB, 5)))
    for what, megabytes in (("a rig with 14 names of 1 MB", 1), ("a rig with an answer of 16 MB", 16)):
        rows.append(("3.1.1", what, await _names(megabytes * _MB, 14 // megabytes or 1)))
    return table(("MQTT", "what others send", "MB resident at most"), rows)


async def _names(length: int, count: int) -> int:
    """Of targets, each in a project of its own, beside one that is as usual."""
    observatory = SimulatedObservatory(seed=1)
    profile = observatory.add_profile("Observatory")
    for number in range(count):
        project = observatory.add_project(profile, f"Project {number}")
        observatory.add_target(project, "x" * length, ra_hours=0.7, dec_deg=41.3)
    last = observatory.add_project(profile, "Last")
    observatory.add_target(last, "M 31", ra_hours=0.7, dec_deg=41.3)
    async with hosting_site(1) as site, SimulatedApi(observatory) as api:
        rig = replace(site, urls=[api.url])
        async with watched.bridge(rig, _INTERVAL_S) as bridge:
            await site.observer.wait_until(
                lambda: any(b'"name":"M 31"' in payload for payload in site.observer.held.values()),
                "the last target",
                patience_s=_PATIENCE_S,
            )
            await asyncio.sleep(_SETTLES_S)
            return round(_peak_mb(bridge))


async def _retained(protocol: str, size: int) -> int:
    """It is there when the bridge starts."""
    async with hosting_site(1) as site:
        await _publish(site, "ts2mqtt/foreign", size, "--retain")
        async with watched.bridge(site, _INTERVAL_S, protocol=protocol) as bridge:
            await site.retained(MESSAGES + OF_THE_BRIDGE + 1, _PATIENCE_S)
            return round(_peak_mb(bridge))


async def _commands(protocol: str, size: int, count: int) -> int:
    async with hosting_site(1) as site, watched.bridge(site, _INTERVAL_S, protocol=protocol) as bridge:
        await site.retained(MESSAGES + OF_THE_BRIDGE, _PATIENCE_S)
        for _ in range(count):
            await _publish(site, _COMMAND, size)
        # The bridge answers this one on its own topic when it has read the others.
        mark = site.observer.mark()
        await site.observer.publish(_COMMAND, "log_level info")
        await site.observer.wait_for("ts2mqtt/bridge", after=mark)
        return round(_peak_mb(bridge))


async def _publish(site: HostingSite, topic: str, size: int, *options: str) -> None:
    payload = site.folder / "payload"
    with payload.open("wb") as file:
        file.truncate(size)
    publishing = await asyncio.create_subprocess_exec(
        "mosquitto_pub", "-p", str(site.broker_port), "-q", "1", "-t", topic, "-f", str(payload), *options
    )
    assert await publishing.wait() == 0


def _peak_mb(program: watched.Watched) -> float:
    status = Path(f"/proc/{program.pid}/status").read_text(encoding="ascii")
    line = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1_024 / _MB


def main() -> int:
    sys.stdout.write(asyncio.run(measure()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
