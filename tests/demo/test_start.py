"""The demo and the simulated observatory, in the test's own event loop."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from tests.support.observer import observing
from ts2mqtt.demo.plain_lines import PlainLines
from ts2mqtt.demo.start import demo, simulate, simulation_start, site_at_dusk, url_to_ask_at
from ts2mqtt.errors import BrokerError, Ts2mqttError
from ts2mqtt.simulator.api import SimulatedApi
from ts2mqtt.simulator.broker import EmbeddedBroker
from ts2mqtt.simulator.observatory import SimulatedObservatory
from ts2mqtt.simulator.rig_steps import CloudedOver, Counted, Evening
from ts2mqtt.simulator.sky import Sky

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

_PATIENCE_S = 60.0
SPEED = 600.0


class Said:
    """What is said, line by line, and who waits for it."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._happened = asyncio.Event()

    def __call__(self, line: str) -> None:
        self.lines.append(line)
        self._happened.set()

    async def line(self, meets: Callable[[str], bool]) -> str:
        """The first that meets this; each is looked at once."""
        looked_at = 0
        async with asyncio.timeout(_PATIENCE_S):
            while True:
                for line in self.lines[looked_at:]:
                    if meets(line):
                        return line
                looked_at = len(self.lines)
                self._happened.clear()
                await self._happened.wait()

    async def topic(self, start: str) -> str:
        return await self.line(lambda line: line.startswith(start))

    async def port(self) -> int:
        welcome = await self.topic("MQTT broker for this demo:")
        return int(welcome.rpartition(":")[2])


@asynccontextmanager
async def running_demo(port: int = 0) -> AsyncIterator[Said]:
    said, stopping = Said(), asyncio.Event()
    running = asyncio.create_task(demo(port, SPEED, stopping, PlainLines(said)))
    try:
        yield said
    finally:
        stopping.set()
        async with asyncio.timeout(_PATIENCE_S):
            await running


async def first_word(url: str) -> dict[str, Any]:
    """What N.I.N.A. tells first; in some evenings it is started anew before it tells anything."""
    async with asyncio.timeout(_PATIENCE_S):
        async for nina in connect(url):
            with suppress(ConnectionClosed):
                word: dict[str, Any] = json.loads(await nina.recv())
                return word
    raise AssertionError("it connects again and again until time is up")


class TestTheDemo:
    async def test_tells_every_kind_of_message(self) -> None:
        async with running_demo() as said:
            for start in (
                "ts2mqtt/status  online",
                "ts2mqtt/bridge  {",
                "ts2mqtt/backyard/status  online",
                "ts2mqtt/backyard/state  {",
                "ts2mqtt/backyard/profile/",
                "ts2mqtt/backyard/project/",
                "ts2mqtt/backyard/target/",
                "homeassistant/device/ts2mqtt/backyard/config  {",
                "homeassistant/device/ts2mqtt/backyard_target_",
            ):
                await said.topic(start)

    async def test_keeps_its_heartbeats_to_itself_and_its_lines_short(self) -> None:
        async with running_demo() as said:
            await said.topic("homeassistant/device/ts2mqtt/backyard_target_")
            assert [line for line in said.lines if "/heartbeat" in line.partition("  ")[0]] == []
            assert max(len(line) for line in said.lines) == 160
            cut = await said.topic("ts2mqtt/backyard/target/")
            assert cut.endswith("…")

    async def test_says_first_how_to_watch_it(self) -> None:
        async with running_demo() as said:
            port = await said.port()
            assert said.lines[2].endswith(f"mosquitto_sub -p {port} -v -t 'ts2mqtt/+/status' -t 'ts2mqtt/+/event'")
            assert f"mosquitto_sub -p {port} -F '%t  %l bytes' -t 'ts2mqtt/#'" in said.lines[3]
            api = said.lines[1].split()[2].rstrip(",")
            async with httpx.AsyncClient(base_url=api) as client:
                assert len((await client.get("/ts/v0/profiles")).json()) == 2

    async def test_tells_live_what_the_rig_does(self) -> None:
        async with running_demo() as said:
            url = (await said.topic("N.I.N.A.'s live events:")).split()[-1]
            assert (await first_word(url))["Type"] == "Socket"

    async def test_serves_others_who_watch(self) -> None:
        async with running_demo() as said, observing(await said.port()) as observer:
            state = await observer.wait_for("ts2mqtt/backyard/state")
            assert state.json["name"] == "Backyard"
            await observer.wait_until(lambda: bool(observer.held_below("ts2mqtt/backyard/target/")))
            target = min(observer.held_below("ts2mqtt/backyard/target/"))
            assert json.loads(observer.held[target])["exposure_plans"]

    async def test_shows_hostile_text_without_obeying_it_and_pictures_as_such(self) -> None:
        async with running_demo() as said, observing(await said.port()) as observer:
            await said.topic("ts2mqtt/status")
            await observer.publish("ts2mqtt/note", "\x1b[2J\nforged")
            await observer.publish("ts2mqtt/picture", b"\x89PNG\r\n\x1a\n" + bytes(92))
            await observer.publish("ts2mqtt/noise", b"\xff\xfe")
            assert await said.topic("ts2mqtt/note") == r"ts2mqtt/note  \x1b[2J\nforged"
            assert await said.topic("ts2mqtt/picture") == "ts2mqtt/picture  (a picture, 100 bytes)"
            assert await said.topic("ts2mqtt/noise") == "ts2mqtt/noise  \ufffd\ufffd"

    async def test_gives_its_port_back(self) -> None:
        async with running_demo() as said:
            port = await said.port()
        async with EmbeddedBroker(port) as broker:
            assert broker.port == port

    async def test_needs_a_free_port_and_says_what_to_type_for_another_one(self) -> None:
        async with EmbeddedBroker() as broker:
            with pytest.raises(BrokerError) as told:
                await demo(broker.port, SPEED, asyncio.Event(), PlainLines(Said()))
        other = broker.port + 1
        assert told.value.message == (
            f"The embedded broker cannot use port {broker.port} of 127.0.0.1 (another program listens there)"
        )
        assert told.value.advice == (
            f"choose another port: ts2mqtt demo --port {other}, or with make: make demo DEMO='--port {other}'"
        )

    async def test_ends_when_what_it_says_cannot_be_said(self) -> None:
        def say(line: str) -> None:
            if line.startswith("ts2mqtt/"):
                raise BrokenPipeError

        with pytest.raises(BrokenPipeError):
            async with asyncio.timeout(_PATIENCE_S):
                await demo(0, SPEED, asyncio.Event(), PlainLines(say))

    async def test_grows_while_it_runs(self) -> None:
        """What is imaged is published: some target is told a second time, with other counts."""
        said, stopping = Said(), asyncio.Event()
        running = asyncio.create_task(demo(0, 20_000.0, stopping, PlainLines(said, line_length=100_000)))

        counts: dict[str, set[int]] = {}

        def has_grown(line: str) -> bool:
            topic, _, text = line.partition("  ")
            if not topic.startswith("ts2mqtt/backyard/target/"):
                return False
            counts.setdefault(topic, set()).add(json.loads(text)["acquired"])
            return len(counts[topic]) > 1

        await said.line(has_grown)
        stopping.set()
        await running


class TestTheSimulatedObservatory:
    async def test_answers_until_it_is_stopped(self) -> None:
        said, stopping = Said(), asyncio.Event()
        running = asyncio.create_task(simulate(0, SPEED, stopping, said))
        url = (await said.topic("A simulated observatory")).split()[5].rstrip(",")
        assert url in said.lines[1]
        async with httpx.AsyncClient(base_url=url) as client:
            profiles = (await client.get("/ts/v0/profiles")).json()
            assert [profile["Active"] for profile in profiles].count(True) == 1
            projects = (await client.get(f"/ts/v0/profiles/{profiles[0]['Id']}/projects")).json()
            assert {project["State"] for project in projects} == {"Draft", "Active", "Inactive", "Closed"}
            nina = (await said.topic("Its N.I.N.A.")).split()[-1].rstrip(".")
            assert (await first_word(nina))["Success"] is True
            created = {datetime.fromisoformat(project["CreateDate"]).date() for project in projects}
            assert all((datetime.now().astimezone().date() - day).days < 30 for day in created)
            stopping.set()
            await running
            with pytest.raises(httpx.ConnectError):
                await client.get("/ts/v0/version")

    async def test_needs_a_free_port(self) -> None:
        async with SimulatedApi(SimulatedObservatory()) as api:
            with pytest.raises(Ts2mqttError) as told:
                await simulate(api.port, SPEED, asyncio.Event(), Said())
        assert told.value.advice == f"choose another port: ts2mqtt simulate --port {api.port + 1}"

    async def test_in_real_time_its_clock_is_this_machine_s_and_it_is_evening_there(self) -> None:
        said, stopping = Said(), asyncio.Event()
        running = asyncio.create_task(simulate(0, 1.0, stopping, said))
        url = (await said.topic("A simulated observatory")).split()[5].rstrip(",")
        assert said.lines[0].endswith("as fast as a real one.")
        async with httpx.AsyncClient(base_url=url) as client:
            answer = await client.get("/ts/v0/version")
        told = parsedate_to_datetime(answer.headers["date"])
        assert abs(told - datetime.now(UTC)) < timedelta(minutes=5)
        await said.topic("It stands where it is evening now.")
        stopping.set()
        await running

    async def test_with_another_pace_it_says_that_its_clock_is_its_own(self) -> None:
        said, stopping = Said(), asyncio.Event()
        running = asyncio.create_task(simulate(0, SPEED, stopping, said))
        await said.line(lambda line: line.endswith("and is not the clock of this machine."))
        stopping.set()
        await running


@pytest.mark.parametrize("month", [1, 3, 6, 9, 12])
@pytest.mark.parametrize("hour", [0, 5, 11, 17, 23])
def test_somewhere_it_gets_dark_at_every_hour_of_the_year(month: int, hour: int) -> None:
    moment = datetime(2026, month, 21, hour, 13, tzinfo=UTC)
    night = Sky(site_at_dusk(moment)).night_from(moment - timedelta(minutes=22))
    assert night is not None
    assert abs(night.dusk - moment) < timedelta(seconds=1)
    assert night.dawn - night.dusk > timedelta(hours=4)


@pytest.mark.parametrize("seed", [None, 3, 8])
@pytest.mark.parametrize("speed", [10.0, 60.0, 240.0])
def test_the_first_night_is_clear_and_the_second_has_clouds(seed: int | None, speed: float) -> None:
    start = simulation_start(seed, speed)
    observatory = start.observatory()
    observatory.notes_steps = True
    observatory.advance(start.begins + timedelta(days=2))
    night = 0
    cloudy: list[int] = []
    counted: Counter[int] = Counter()
    for step in observatory.take_steps():
        night += isinstance(step, Evening)
        counted[night] += isinstance(step, Counted)
        if isinstance(step, CloudedOver):
            cloudy.append(night)
            assert step.before_dawn
    assert cloudy == [2]
    assert min(counted[1], counted[2]) > 50


@pytest.mark.parametrize("speed", [10.0, 60.0, 240.0, 600.0])
def test_it_begins_early_enough_for_a_night_plan_before_the_sequence_starts(speed: float) -> None:
    start = simulation_start(None, speed)
    observatory = start.observatory()
    observatory.notes_steps = True
    observatory.advance(start.begins + timedelta(hours=3))
    evening = next(step for step in observatory.take_steps() if isinstance(step, Evening))
    # A bridge that has just started looks for as long as two of the longest exposures take, and five minutes.
    looks = 3 * timedelta(seconds=2 * speed)
    assert evening.at - start.begins > min(timedelta(minutes=15) + looks, timedelta(minutes=100))


@pytest.mark.parametrize(
    ("url", "host", "shown"),
    [
        ("http://0.0.0.0:8188", "0.0.0.0", "http://127.0.0.1:8188"),  # noqa: S104 - nothing listens there
        ("ws://[::]:1888/v2/socket", "::", "ws://127.0.0.1:1888/v2/socket"),
        ("http://192.168.1.50:8188", "192.168.1.50", "http://192.168.1.50:8188"),
    ],
)
def test_the_address_that_is_told_is_one(url: str, host: str, shown: str) -> None:
    assert url_to_ask_at(url, host) == shown
