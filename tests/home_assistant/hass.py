"""A real Home Assistant of the test's own: on a free port of 127.0.0.1, its MQTT set up, ended by its pid.

    async with HomeAssistant(NEWEST, tmp_path, broker.port) as hass:
        await hass.wait_until(lambda: hass.state("sensor.backyard_activity") == "imaging", "imaging")

`states`, `entities`, `devices` and `log` are what it has told so far; wait_until() looks again at all that it tells.
"""

from __future__ import annotations

import asyncio
import signal
import subprocess
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from itertools import count, groupby
from typing import TYPE_CHECKING, Any, Self

import httpx
import yaml

from tests.home_assistant.connection import HassConnection, connected
from tests.home_assistant.prepare import hass_command
from tests.home_assistant.storage import access_token, write_configuration
from tests.support.mosquitto import free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from tests.home_assistant.releases import Release

_PATIENCE_S = 45.0
_START_S = 180.0
_LISTENS = "Now listening on port"
_BORN = "birth message sent"
_REGISTRY_EVENTS = {"entity_registry_updated", "device_registry_updated"}
_LEVELS = (" WARNING ", " ERROR ", " CRITICAL ")
# A test run that is killed takes its Home Assistant with it.
_ENDS_WITH_US = ("setpriv", "--pdeathsig", "TERM", "--")
# It is prepared for the integrations that the tests need; at every start it misses the others.
_ABOUT_ITSELF = ("[homeassistant.bootstrap]", "[homeassistant.setup]", "[aiohttp_fast_zlib]")
# Where it keeps a disabled entity it clears the topic of a device that has gone once more for each of them.
_CLEARED_AGAIN = ("No device components to cleanup", "mqtt.discovery is logging too frequently")
_serial = count(1)


class HomeAssistant:
    """One Home Assistant; it may be stopped or killed and started again, on the same port and configuration.

    `configuration` is YAML that is added to its own. With `follows` false it is told nothing by itself, which would
    cost it much with thousands of devices: `states`, `entities` and `devices` are then as the last look() has read
    them.
    """

    def __init__(
        self, release: Release, directory: Path, mqtt_port: int, *, configuration: str = "", follows: bool = True
    ) -> None:
        self.release = release
        self._follows = follows
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.token = access_token()
        """Opens its HTTP API (`Authorization: Bearer …`), and its frontend as a person who is logged in."""
        self.log: list[str] = []
        """Its log, all starts, in order; a traceback belongs to the line that it follows."""
        self.events: list[dict[str, Any]] = []
        """Whatever went over its bus while it was connected."""
        self.states: dict[str, dict[str, Any]] = {}
        """The state objects, by entity id."""
        self.units: dict[str, set[str]] = {}
        """The units that an entity has had, by entity id; of those alone that have statistics."""
        self.entities: dict[str, dict[str, Any]] = {}
        """MQTT's entries in the entity registry, by unique id; those that are disabled too."""
        self.devices: dict[str, dict[str, Any]] = {}
        """MQTT's entries in the device registry, by identifier."""
        self._directory = directory
        self._process: asyncio.subprocess.Process | None = None
        self._connection: HassConnection | None = None
        self._listening: asyncio.Task[None] | None = None
        self._keeping: asyncio.Task[None] | None = None
        self._happened = asyncio.Event()
        self._registries_changed = asyncio.Event()
        self._http = httpx.AsyncClient(
            base_url=self.url, trust_env=False, timeout=30, headers={"Authorization": f"Bearer {self.token}"}
        )
        directory.mkdir(parents=True, exist_ok=True)
        write_configuration(directory, release, port=self.port, mqtt_port=mqtt_port, configuration=configuration)

    async def __aenter__(self) -> Self:
        try:
            await self.start()
        except BaseException:
            await self.kill()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()
        await self._http.aclose()

    async def start(self) -> None:
        """Returns when it runs and has said its birth on the broker, five seconds after it was connected."""
        mark = len(self.log)
        self._process = await asyncio.create_subprocess_exec(
            *_ENDS_WITH_US,
            *hass_command(self.release, self._directory),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            limit=2**24,
        )
        self._listening = asyncio.create_task(self._listen(self._process))
        await self.says(_LISTENS, after=mark, patience_s=_START_S)
        self._connection = await connected(self.port, self.token, self._on_event, follows=self._follows)
        if not self._follows:
            await self.says(_BORN, after=mark, patience_s=_START_S)
            return
        await self.look()
        self._keeping = asyncio.create_task(self._keep_registries())
        if (await self.command("get_config"))["state"] != "RUNNING":
            await self.wait_until(
                lambda: any(e["event_type"] == "homeassistant_started" for e in self.events), "start"
            )
        await self.says(_BORN, after=mark)

    async def stop(self) -> None:
        """Ends in peace; nothing if it does not run."""
        await self._end(signal.SIGTERM)

    async def kill(self) -> None:
        """As when the power fails: no goodbye, nothing saved."""
        await self._end(signal.SIGKILL)

    async def restart(self) -> None:
        await self.stop()
        await self.start()

    async def look(self) -> None:
        """Reads its states and its registries."""
        self.states = {state["entity_id"]: state for state in await self.command("get_states")}
        await self._read_registries()

    @property
    def pid(self) -> int:
        """Of the process that runs now."""
        assert self._process, "Home Assistant does not run"
        return self._process.pid

    def state(self, entity_id: str) -> str | None:
        """None for an entity that it does not have, or that is disabled."""
        state = self.states.get(entity_id)
        return str(state["state"]) if state else None

    def entity_id(self, unique_id: str) -> str:
        return str(self.entities[unique_id]["entity_id"])

    def state_of(self, unique_id: str) -> str | None:
        """As state(), for the entity with a unique id; None if there is none."""
        entry = self.entities.get(unique_id)
        return self.state(entry["entity_id"]) if entry else None

    def mark(self) -> int:
        """A place in the log, for problems()."""
        return len(self.log)

    def problems(self, after: int = 0) -> list[str]:
        """Warnings and worse since a mark, but for what it has to say about the way it was installed."""
        return [
            line
            for line in self.log[after:]
            if any(level in line[:45] for level in _LEVELS)
            and not any(logger in line for logger in _ABOUT_ITSELF)
            and (self.release.removes_what_is_disabled or not any(text in line for text in _CLEARED_AGAIN))
        ]

    async def says(self, text: str, *, after: int = 0, patience_s: float = _PATIENCE_S) -> str:
        """The first line of the log, since a mark, with this text in it."""

        def said() -> list[str]:
            return [line for line in self.log[after:] if text in line]

        await self.wait_until(lambda: bool(said()), f"{text!r} in the log", patience_s=patience_s)
        return said()[0]

    async def wait_until(
        self, condition: Callable[[], bool], what: str | Callable[[], object], *, patience_s: float = _PATIENCE_S
    ) -> None:
        """Looks again at every event, change of a registry and line of the log; `what` may tell what is missing."""
        try:
            async with asyncio.timeout(patience_s):
                while not condition():
                    if self._process and self._process.returncode is not None:
                        raise AssertionError(f"Home Assistant has ended: {self.log[-30:]}")
                    self._happened.clear()
                    await self._happened.wait()
        except TimeoutError:
            missing = what if isinstance(what, str) else what()
            last = "\n".join(f"  {line}" for line in self.log[-20:])
            raise AssertionError(f"waited in vain for {missing}; Home Assistant said last:\n{last}") from None

    async def wait_for_event(
        self, event_type: str, condition: Callable[[dict[str, Any]], bool] | None = None, *, after: int = 0
    ) -> dict[str, Any]:
        """The first event of a type, since a place in `events`, whose data meets the condition."""

        def found() -> list[dict[str, Any]]:
            return [
                event
                for event in self.events[after:]
                if event["event_type"] == event_type and (condition is None or condition(event["data"]))
            ]

        await self.wait_until(lambda: bool(found()), f"the event {event_type}")
        return found()[0]

    async def command(self, command: str, **fields: Any) -> Any:
        """Any command of the WebSocket API, and its result; AssertionError if it is refused."""
        assert self._connection, "Home Assistant does not run"
        return await self._connection.command(command, **fields)

    async def get(self, path: str) -> httpx.Response:
        """Any address of its HTTP server."""
        return await self._http.get(path)

    async def post(self, path: str, body: Any) -> httpx.Response:
        return await self._http.post(path, json=body)

    async def call_service(self, service: str, entity_id: str | list[str] | None = None, **fields: Any) -> None:
        """Does an action, such as `button.press`, and returns when it is done."""
        domain, _, name = service.partition(".")
        target = {"target": {"entity_id": entity_id}} if entity_id else {}
        await self.command("call_service", domain=domain, service=name, service_data=fields, **target)

    async def render(self, template: str) -> str:
        """The text of a template, as its template editor shows it."""
        answer = await self.post("/api/template", {"template": template})
        assert answer.status_code == HTTPStatus.OK, answer.text
        return answer.text

    async def image(self, entity_id: str) -> tuple[str, bytes]:
        """Content type and bytes of what an image entity shows."""
        answer = await self.get(f"/api/image_proxy/{entity_id}")
        assert answer.status_code == HTTPStatus.OK, answer.text
        return answer.headers["content-type"], answer.content

    async def history(self, entity_id: str) -> list[str]:
        """The different states that the recorder has of an entity, in order; it writes them once a second."""
        since = (datetime.now(UTC) - timedelta(days=1)).isoformat()
        answer = await self.command(
            "history/history_during_period", start_time=since, entity_ids=[entity_id], minimal_response=True
        )
        return [state for state, _ in groupby(str(row["s"]) for row in answer.get(entity_id, []))]

    async def import_blueprint(self, path: Path) -> str:
        """Saves a blueprint of automations as an import does, and returns the path by which automations use it."""
        name = f"ts2mqtt/{path.name}"
        await self.command(
            "blueprint/save",
            domain="automation",
            path=name,
            yaml=_text(path),
            allow_override=True,
        )
        listed = (await self.command("blueprint/list", domain="automation"))[name]
        assert "error" not in listed, listed
        return name

    async def create_automation(self, config: Mapping[str, Any]) -> str:
        """As its editor does; returns the entity id when it is on. `use_blueprint` in `config` makes one of those."""
        identity = f"automation_{next(_serial)}"
        answer = await self.post(f"/api/config/automation/config/{identity}", {"alias": identity} | dict(config))
        assert answer.status_code == HTTPStatus.OK, answer.text

        def made() -> list[str]:
            return [
                entity_id
                for entity_id, state in self.states.items()
                if entity_id.startswith("automation.") and state["attributes"].get("id") == identity
            ]

        await self.wait_until(lambda: any(self.state(one) == "on" for one in made()), f"{identity} to be on")
        return made()[0]

    async def remove_automation(self, entity_id: str) -> None:
        identity = self.states[entity_id]["attributes"]["id"]
        answer = await self._http.delete(f"/api/config/automation/config/{identity}")
        assert answer.status_code == HTTPStatus.OK, answer.text
        await self.wait_until(lambda: entity_id not in self.states, f"{entity_id} to go")

    async def traces(self, entity_id: str) -> list[dict[str, Any]]:
        """The runs of an automation, oldest first, each with its trace."""
        item = self.states[entity_id]["attributes"]["id"]
        runs = await self.command("trace/list", domain="automation", item_id=item)
        return [
            await self.command("trace/get", domain="automation", item_id=item, run_id=run["run_id"]) for run in runs
        ]

    async def create_dashboard(self, path: Path, url_path: str) -> None:
        """Adds a dashboard from a YAML file; it stands at `/<url_path>` (which has a hyphen in it)."""
        config = yaml.safe_load(_text(path))
        await self.command(
            "lovelace/dashboards/create", url_path=url_path, title=path.stem, mode="storage", show_in_sidebar=True
        )
        await self.command("lovelace/config/save", url_path=url_path, config=config)

    def _on_event(self, event: dict[str, Any]) -> None:
        self.events.append(event)
        if event["event_type"] == "state_changed":
            entity_id, state = event["data"]["entity_id"], event["data"]["new_state"]
            if state is None:
                self.states.pop(entity_id, None)
            else:
                self.states[entity_id] = state
                if "state_class" in state["attributes"]:
                    unit = state["attributes"].get("unit_of_measurement", "")
                    self.units.setdefault(entity_id, set()).add(unit)
        if event["event_type"] in _REGISTRY_EVENTS:
            self._registries_changed.set()
        self._happened.set()

    async def _keep_registries(self) -> None:
        while True:
            await self._registries_changed.wait()
            self._registries_changed.clear()
            await self._read_registries()
            self._happened.set()

    async def _read_registries(self) -> None:
        entities = await self.command("config/entity_registry/list")
        self.entities = {entry["unique_id"]: entry for entry in entities if entry["platform"] == "mqtt"}
        devices = await self.command("config/device_registry/list")
        self.devices = {
            identifier[1]: device
            for device in devices
            for identifier in device["identifiers"]
            if identifier[0] == "mqtt"
        }

    async def _listen(self, process: asyncio.subprocess.Process) -> None:
        assert process.stderr
        async for line in process.stderr:
            self.log.append(line.decode(errors="replace").rstrip())
            self._happened.set()
        await process.wait()
        self._happened.set()

    async def _end(self, number: signal.Signals) -> None:
        process, self._process = self._process, None
        connection, self._connection = self._connection, None
        if self._keeping:
            self._keeping.cancel()
            await asyncio.gather(self._keeping, return_exceptions=True)
        try:
            if connection:
                await connection.close()
        finally:
            if process and process.returncode is None:
                process.send_signal(number)
                try:
                    async with asyncio.timeout(_PATIENCE_S):
                        await process.wait()
                except TimeoutError:
                    process.kill()
            if self._listening:
                await self._listening


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")
