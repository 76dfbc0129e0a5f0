"""Checks the way to N.I.N.A.'s Advanced API at each of its addresses, and whether it is the rig's own N.I.N.A."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

from ts2mqtt.check.findings import Finding, excused, shortened
from ts2mqtt.check.network import Peer, address_text, look_up, looked_up_text, port_of, reach, rig_peer
from ts2mqtt.check.steps import StepFailedError, Steps, Verdict, failed_step
from ts2mqtt.config.rig_tls import tls_of
from ts2mqtt.errors import NinaError, RigError
from ts2mqtt.nina.catch_up import NinaApi, NinaProfile
from ts2mqtt.nina.socket import event_socket
from ts2mqtt.scheduler.client import TargetSchedulerClient
from ts2mqtt.timing import CheckTimings, NinaTimings, SystemClock

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

    from ts2mqtt.config import PollingConfig, RigConfig
    from ts2mqtt.timing import Clock


async def check_nina(
    rig: RigConfig,
    polling: PollingConfig,
    tell: Callable[[Finding], None],
    *,
    clock: Clock = SystemClock(),
    timings: CheckTimings = CheckTimings(),
) -> None:
    """Every address; with one that works the others are no fault, as only one of them is in use at a time."""
    findings_by_url: list[list[Finding]] = [[] for _ in rig.nina_urls]
    rig_profile_id = asyncio.create_task(_rig_profile_id(rig, polling))
    async with asyncio.TaskGroup() as group:
        for url, findings in zip(rig.nina_urls, findings_by_url, strict=True):
            steps = Steps(f"rig {rig.id} {url}", findings.append, clock)
            group.create_task(_AddressCheck(url, rig, rig_profile_id, steps, timings).run())
    for finding in excused(findings_by_url, "No fault as long as another nina_url works."):
        tell(finding)


async def _rig_profile_id(rig: RigConfig, polling: PollingConfig) -> str | None:
    """Of the active profile, as the Target Scheduler's API names it; None if it does not answer."""
    for url in rig.urls:
        try:
            async with TargetSchedulerClient(rig, url, polling) as client:
                profiles = (await client.profiles()).items.items
        except (RigError, OSError):
            continue
        return next((profile.id for profile in profiles if profile.active), None)
    return None


@dataclass(frozen=True, slots=True)
class _AddressCheck:
    url: str
    rig: RigConfig
    rig_profile_id: asyncio.Task[str | None]
    steps: Steps
    timings: CheckTimings

    async def run(self) -> None:
        peer, steps = self._peer(), self.steps
        try:
            addresses = await steps.run_required(
                "name", look_up(peer), lambda addresses: looked_up_text(peer, addresses)
            )
            await steps.run_required(
                "TCP",
                self._reach(peer, addresses),
                lambda address: f"{address_text(address, peer.port)} takes connections",
            )
            await steps.run_required("live events", self._listen(), lambda text: text)
            await steps.run_independent("profile", self._compare_profiles())
        except StepFailedError:
            return

    def _peer(self) -> Peer:
        return rig_peer(
            self.url,
            if_refused="N.I.N.A. is not running on that computer, its plugin Advanced API is not installed or "
            f"switched off, or its port is not {port_of(self.url)}: see the plugin's options in N.I.N.A.",
            ca_key=f"ca_file of the rig '{self.rig.id}'",
            patience_s=self.timings.reach_s,
        )

    @property
    def _patience(self) -> NinaTimings:
        reach_s = self.timings.reach_s
        return NinaTimings(connect_timeout_s=reach_s, answer_s=reach_s)

    async def _reach(self, peer: Peer, addresses: tuple[str, ...]) -> str:
        try:
            return await reach(peer, addresses)
        except StepFailedError as failed:
            raise await self._moved(peer, failed) from failed

    async def _listen(self) -> str:
        try:
            async with event_socket(self.url, self.steps.clock, self._patience, self._tls), self._api() as api:
                version = await api.version()
        except NinaError as error:
            raise await self._moved(self._peer(), failed_step(error)) from error
        return f"Advanced API {version or '(it does not tell its version)'} tells live events"

    async def _moved(self, peer: Peer, failed: StepFailedError) -> StepFailedError:
        """The plugin takes the next free port where its own is taken."""
        parts = urlsplit(self.url)
        host = f"[{peer.host}]" if ":" in peer.host else peer.host
        other = urlunsplit((parts.scheme, f"{host}:{peer.port + 1}", parts.path, "", ""))
        try:
            async with event_socket(other, self.steps.clock, self._patience, self._tls):
                return StepFailedError(
                    failed.message,
                    f"The Advanced API answers at {other}: its own port was taken when N.I.N.A. started. Write this "
                    "address into nina_url, too.",
                )
        except (NinaError, ValueError):
            return failed

    async def _compare_profiles(self) -> Verdict | None:
        async with self._api() as api:
            profile = await api.active_profile()
        rig_profile_id = await self.rig_profile_id
        if profile is None or rig_profile_id is None:
            return Verdict(ok=None, message="whether this is the N.I.N.A. of this rig cannot be told")
        return _verdict_on(profile, rig_profile_id)

    def _api(self) -> NinaApi:
        return NinaApi(self.url, self._patience, self._tls)

    @property
    def _tls(self) -> ssl.SSLContext | None:
        return tls_of(self.url, self.rig)


def _verdict_on(profile: NinaProfile, rig_profile_id: str) -> Verdict:
    if profile.id.lower() == rig_profile_id.lower():
        return Verdict(ok=True, message=f"{shortened(profile.name)} is active, as in the Target Scheduler")
    return Verdict(
        ok=False,
        message=f"{shortened(profile.name)} is active, and in the Target Scheduler of this rig another profile is",
        advice="This is another N.I.N.A. than that of the rig. Of two on one PC the one that is started first has "
        "port 1888, the other one 1889: write both addresses into nina_url.",
    )
