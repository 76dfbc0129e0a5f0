"""Where the API of a rig is: at the first of its URLs that answers like the API."""

from __future__ import annotations

from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

from ts2mqtt.errors import RigError, RigUnreachableError
from ts2mqtt.scheduler.client import TargetSchedulerClient
from ts2mqtt.scheduler.rig_failures import Subject

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from ts2mqtt.config import PollingConfig, RigConfig
    from ts2mqtt.observatory.model import Listing, Profile
    from ts2mqtt.scheduler.client import HttpOptions
    from ts2mqtt.scheduler.lists import RigLists
    from ts2mqtt.scheduler.rig_failures import RigFailures


class Endpoint:
    """The URLs of one rig, the one that answered last first, each with its client while the endpoint is open."""

    def __init__(self, rig: RigConfig, polling: PollingConfig, failures: RigFailures, http: HttpOptions) -> None:
        self.version: str | None = None
        """The plugin's version, as the API told it last."""
        self._rig = rig
        self._polling = polling
        self._failures = failures
        self._http = http
        self._urls = list(rig.urls)
        self._clients: dict[str, TargetSchedulerClient] = {}

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Has a client for each URL while the block runs."""
        async with AsyncExitStack() as clients:
            for url in self._urls:
                client = TargetSchedulerClient(self._rig, url, self._polling, self._http)
                self._clients[url] = await clients.enter_async_context(client)
            yield

    @property
    def client(self) -> TargetSchedulerClient:
        """Asks the URL that answered last."""
        return self._clients[self._urls[0]]

    def use(self, polling: PollingConfig) -> None:
        """For every request from now on."""
        self._polling = polling
        for client in self._clients.values():
            client.use(polling)

    async def find(self, lists: RigLists, *, is_known: bool, version_is_due: bool) -> Listing[Profile]:
        """Reads the profiles from the first URL that answers like the API; from then on `client` asks that URL.

        `is_known`: whether the API answered there last time. Elsewhere its version must first tell it from another
        program on this port.
        """
        faults: list[str] = []
        for url in tuple(self._urls):
            client = self._clients[url]
            try:
                if self.version is None or not is_known or url != self._urls[0]:
                    await self._read_version(client)
                elif version_is_due:
                    with self._failures.reading(Subject("the plugin's version")):
                        await self._read_version(client)
                profiles = await lists.read_profiles(client)
            except RigError as error:
                faults.append(str(error))
            else:
                self._urls.remove(url)
                self._urls.insert(0, url)
                return profiles
        raise RigUnreachableError("; ".join(faults))

    async def _read_version(self, client: TargetSchedulerClient) -> None:
        self.version = await client.version()
