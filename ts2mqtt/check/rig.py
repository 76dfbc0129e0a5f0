"""Checks one rig at each of its URLs: the way there, the API behind it, its profiles and its clock."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ts2mqtt.check.findings import Cause, Finding, excused, shortened
from ts2mqtt.check.network import (
    Peer,
    address_text,
    connection,
    look_up,
    looked_up_text,
    port_of,
    reach,
    rig_peer,
    shake_hands,
    speaks_tls,
)
from ts2mqtt.check.steps import StepFailedError, Steps, Verdict, failed_step, sentence
from ts2mqtt.config.rig_tls import tls_context, tls_of
from ts2mqtt.errors import NotTheApiError, RigError, RigUnreachableError
from ts2mqtt.logs.wording import counted, spoken_duration
from ts2mqtt.nina.catch_up import NinaApi
from ts2mqtt.scheduler.client import HttpOptions, TargetSchedulerClient, public_url
from ts2mqtt.scheduler.oddity_texts import WHAT_TO_DO_WITHOUT_ID, without_id_counts
from ts2mqtt.scheduler.ports import API_PORT, port_advice
from ts2mqtt.scheduler.rows_at_once import read_rows
from ts2mqtt.timing import CheckTimings, NinaTimings, SystemClock

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable
    from datetime import datetime

    from ts2mqtt.config import PollingConfig, RigConfig
    from ts2mqtt.scheduler.rows_at_once import Rows
    from ts2mqtt.timing import Clock

_OTHER_VERSIONS = ("v0", "v1", "v2")
_MOST_SKEW_S = 30.0
"""What a clock may be off before current and next target change at a visibly wrong moment."""


async def check_rig(
    rig: RigConfig,
    polling: PollingConfig,
    tell: Callable[[Finding], None],
    *,
    clock: Clock = SystemClock(),
    timings: CheckTimings = CheckTimings(),
) -> None:
    """Every URL of the rig. With one that works the others are no fault: only one of them is in use at a time."""
    if len(rig.urls) == 1:
        await _UrlCheck(rig, polling, rig.urls[0], Steps(f"rig {rig.id}", tell, clock), timings).run()
        return
    findings_by_url: list[list[Finding]] = [[] for _ in rig.urls]
    async with asyncio.TaskGroup() as group:
        for url, findings in zip(rig.urls, findings_by_url, strict=True):
            steps = Steps(f"rig {rig.id} {public_url(url)}", findings.append, clock)
            group.create_task(_UrlCheck(rig, polling, url, steps, timings).run())
    for finding in excused(findings_by_url, "No fault as long as another URL of this rig works."):
        tell(finding)


@dataclass(frozen=True, slots=True)
class _UrlCheck:
    rig: RigConfig
    polling: PollingConfig
    url: str
    steps: Steps
    timings: CheckTimings

    async def run(self) -> None:
        peer = self._peer()
        steps = self.steps
        try:
            addresses = await steps.run_required(
                "name", look_up(peer), lambda addresses: looked_up_text(peer, addresses)
            )
            address = await steps.run_required(
                "TCP",
                reach(peer, addresses),
                lambda address: f"{address_text(address, peer.port)} takes connections",
            )
            tls = None
            if urlsplit(self.url).scheme == "https":
                tls, _ = await steps.run_required(
                    "TLS", self._shake_hands(peer, address), lambda agreed: self._tls_text(agreed[1])
                )
            async with TargetSchedulerClient(self.rig, self.url, self.polling, HttpOptions(tls=tls)) as client:
                await steps.run_required(
                    "API",
                    self._version(client, peer, address),
                    lambda version: f"Target Scheduler {version} answers as /ts/{self.rig.api_version}",
                )
                await steps.run_required("profiles", self._profiles(client), lambda text: text)
                rows = await read_rows(client)
                await steps.run_independent("ids", _check_ids(rows))
                await steps.run_independent("dates", self._check_dates(rows))
        except StepFailedError:
            return
        path = f"{urlsplit(self.url).path}/ts/{self.rig.api_version}/version"
        await steps.run_independent("clock", self._check_clock(peer, address, tls, path))

    def _peer(self) -> Peer:
        return rig_peer(
            self.url,
            if_refused=sentence(port_advice(self.url))
            or "N.I.N.A. is not running on that computer, or 'Enable API' is off in the Target Scheduler "
            f"preferences of its active profile, or 'API Port' there is not {port_of(self.url)}.",
            ca_key=f"ca_file of the rig '{self.rig.id}'",
            patience_s=self.timings.reach_s,
        )

    async def _shake_hands(self, peer: Peer, address: str) -> tuple[ssl.SSLContext, str]:
        """What the API's client has to use, and the version of TLS that was agreed on."""
        try:
            context = tls_context(self.rig)
        except OSError as error:
            raise StepFailedError(
                f"{peer.ca_key} cannot be used", "It must be a file with one or more certificates in PEM format."
            ) from error
        return context, await shake_hands(peer, address, context)

    def _tls_text(self, version: str) -> str:
        trust = "its certificate is trusted" if self.rig.verify_tls else "its certificate is not looked at"
        return f"{version}, {trust}"

    async def _version(self, client: TargetSchedulerClient, peer: Peer, address: str) -> str:
        try:
            return await client.version()
        except NotTheApiError as error:
            raise await self._not_the_api(peer, error) from error
        except RigUnreachableError as error:
            raise await self._not_answered(peer, address, error) from error
        except RigError as error:
            raise await self._refused(peer, address, error) from error

    async def _not_the_api(self, peer: Peer, error: NotTheApiError) -> StepFailedError:
        for version in _OTHER_VERSIONS:
            if version != self.rig.api_version and await self._answers_as(version):
                return StepFailedError(
                    f"the API answers as /ts/{version}, not as /ts/{self.rig.api_version}",
                    f"Write 'api_version: {version}' for the rig '{self.rig.id}'.",
                )
        if error.advice:
            return failed_step(error)
        if await self._is_advanced_api():
            return StepFailedError(
                f"{peer} is N.I.N.A.'s plugin Advanced API, and not the Target Scheduler's API",
                f"The Target Scheduler has a port of its own, usually {API_PORT}: see 'API Port' in its preferences, "
                "and write that port into url.",
            )
        return StepFailedError(
            error.message,
            f"Another program owns port {peer.port} there. Compare 'API Port' in the Target Scheduler preferences of "
            "N.I.N.A.'s active profile; after a change of port there, write it into url.",
        )

    async def _is_advanced_api(self) -> bool:
        reach_s = self.timings.reach_s
        patience = NinaTimings(connect_timeout_s=reach_s, answer_s=reach_s)
        async with NinaApi(self.url, patience, tls_of(self.url, self.rig)) as api:
            return await api.version() is not None

    async def _answers_as(self, version: str) -> bool:
        other = self.rig.model_copy(update={"api_version": version})
        async with TargetSchedulerClient(other, self.url, self.polling) as client:
            try:
                await client.version()
            except RigError:
                return False
        return True

    async def _not_answered(self, peer: Peer, address: str, error: RigUnreachableError) -> StepFailedError:
        if await self._wants_tls(peer, address):
            return _https_needed(peer)
        if isinstance(error.__cause__, TimeoutError):
            return StepFailedError(
                f"{peer} takes the connection, but does not answer within {self.polling.timeout:g} s",
                sentence(port_advice(self.url))
                or "N.I.N.A. hangs or is very busy, or another program owns this port: look at the PC, and restart "
                "N.I.N.A. if it does not react. If it is only slow, raise polling.timeout.",
            )
        return StepFailedError(
            f"{peer} takes the connection and breaks it without an answer",
            sentence(port_advice(self.url))
            or f"Another program may own port {peer.port} there, or N.I.N.A. is just ending: compare 'API Port' in "
            "the Target Scheduler preferences of its active profile.",
        )

    async def _refused(self, peer: Peer, address: str, error: RigError) -> StepFailedError:
        if await self._wants_tls(peer, address):
            return _https_needed(peer)
        return _refusal(self.rig, error)

    async def _wants_tls(self, peer: Peer, address: str) -> bool:
        return urlsplit(self.url).scheme == "http" and await speaks_tls(peer, address)

    async def _profiles(self, client: TargetSchedulerClient) -> str:
        try:
            answer = (await client.profiles()).items
        except RigError as error:
            raise _refusal(self.rig, error) from error
        if not answer.items:
            raise StepFailedError(
                "the API names no N.I.N.A. profile",
                "Open N.I.N.A. and look whether its profiles are there; if they are, please report this.",
            )
        unreadable = f", {answer.lost} cannot be read" if answer.lost else ""
        active = [profile.name or profile.id for profile in answer.items if profile.active]
        which = f"{shortened(active[0])} is active" if active else "none is active"
        return f"{counted(len(answer.items), 'profile')}, {which}{unreadable}"

    async def _check_dates(self, rows: Rows) -> Verdict | None:
        """None where every date has an offset, or the user has said how the others are to be read."""
        if not rows.has_dates_without_offset or self.rig.time_zone:
            return None
        return Verdict(
            ok=False,
            message="dates come without an offset from UTC, and are read in the time zone of this machine",
            advice=f"Write the rig's time zone for '{self.rig.id}', such as 'time_zone: America/New_York'.",
        )

    async def _check_clock(self, peer: Peer, address: str, tls: ssl.SSLContext | None, path: str) -> Verdict | None:
        """None where the answer carries no time."""
        try:
            async with asyncio.timeout(self.timings.date_s):
                rig_time = await _server_time(peer, address, tls, path)
        except (OSError, EOFError, ValueError, asyncio.LimitOverrunError):
            return None
        # The header has whole seconds; the middle of the second is the best guess.
        ahead_s = (rig_time - self.steps.clock.now()).total_seconds() + 0.5
        if abs(ahead_s) <= _MOST_SKEW_S:
            return Verdict(ok=True, message="agrees with the clock of this machine")
        direction = "ahead of" if ahead_s > 0 else "behind"
        return Verdict(
            ok=False,
            message=f"{spoken_duration(abs(ahead_s))} {direction} the clock of this machine",
            advice="Have both computers set their clocks by the network (on Windows: Settings, Time & language, Sync "
            "now); until then current and next target change at the wrong moment.",
        )


async def _check_ids(rows: Rows) -> Verdict | None:
    """None where everything has an id."""
    if not rows.without_id:
        return None
    return Verdict(
        ok=False, message=f"{without_id_counts(rows.without_id)} without an id", advice=WHAT_TO_DO_WITHOUT_ID
    )


def _https_needed(peer: Peer) -> StepFailedError:
    return StepFailedError(f"{peer} wants TLS", "Write https:// in place of http:// in url.", Cause.TLS_WANTED)


def _refusal(rig: RigConfig, error: RigError) -> StepFailedError:
    """For an answer that is a failure: a plain RigError says that the login was refused."""
    if error.advice:
        return failed_step(error)
    if type(error) is not RigError:
        return StepFailedError(
            error.message,
            "A failure (5xx) comes from a proxy that does "
            "not reach N.I.N.A., or from the Target Scheduler, whose log in N.I.N.A. knows why.",
        )
    if rig.username or rig.headers:
        advice = f"The proxy does not take what the rig '{rig.id}' has as username, password or headers: compare."
    else:
        advice = f"Write username and password (or headers) for the rig '{rig.id}', as the proxy in front wants them."
    return StepFailedError(error.message, advice, Cause.LOGIN)


async def _server_time(peer: Peer, address: str, tls: ssl.SSLContext | None, path: str) -> datetime:
    """The time of the server's clock; asked without the login, as a refusal carries it too.

    Raises ValueError for an answer without a time.
    """
    host = address_text(peer.host, peer.port)
    async with connection(peer, address, tls) as (reader, writer):
        # The plugin's server wants a coding that it knows, and ignores `Connection: close`.
        writer.write(f"GET {path} HTTP/1.1\r\nHost: {host}\r\nAccept-Encoding: identity\r\n\r\n".encode())
        await writer.drain()
        head = await reader.readuntil(b"\r\n\r\n")
    for line in head.decode("latin-1").split("\r\n"):
        name, _, value = line.partition(":")
        if name.lower() == "date":
            return parsedate_to_datetime(value.strip()).astimezone(UTC)
    raise ValueError("no Date")
