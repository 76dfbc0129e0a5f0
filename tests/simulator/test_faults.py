"""Every planted fault as the client sees it."""

from __future__ import annotations

import asyncio
import gzip
import zlib
from typing import TYPE_CHECKING

import pytest

from tests.simulator.raw_client import RawClient
from ts2mqtt.simulator.faults import Fault, matches
from ts2mqtt.simulator.http1 import Answer

if TYPE_CHECKING:
    from ts2mqtt.simulator.api import SimulatedApi

PATH = "/ts/v0/profiles"


@pytest.mark.parametrize(
    ("path", "pattern", "expected"),
    [
        ("/ts/v0/projects/1/targets", "/projects/*/targets", True),
        ("/ts/v0/projects/1/targets", "/ts/v0/projects/*", True),
        ("/ts/v0/projects/1/targets", "*", True),
        ("/ts/v0/profiles", "/Profiles", False),
        ("/ts/v0/profiles/1/projects", "/profiles", False),
        ("/profiles", "/profiles", True),
        ("/other/profiles", "/profiles", False),
    ],
)
def test_patterns_match_the_path_whole_or_below_the_version(path: str, pattern: str, expected: bool) -> None:
    assert matches(path, pattern) is expected


@pytest.mark.parametrize(("status", "closes"), [(500, True), (400, True), (503, False), (404, False)])
async def test_a_status_with_its_page(api: SimulatedApi, client: RawClient, status: int, closes: bool) -> None:
    api.faults.add("/profiles", Fault.status(status))

    answer = await client.get(PATH)

    assert answer.status == status
    assert str(status).encode() in answer.body
    assert (answer.headers.get("connection") == "close") is closes
    if closes:
        assert await client.rest() == b""
    else:
        assert (await client.get("/ts/v0/version")).status == 200


async def test_any_body_and_any_answer(api: SimulatedApi, client: RawClient) -> None:
    api.faults.add("/profiles", Fault.body(b"[{", "text/plain", status=202), times=1)
    api.faults.add("/version", Fault.answer(Answer(status=307, headers=(("Location", "/elsewhere"),))))

    body, redirect = await client.get(PATH), await client.get("/ts/v0/version")

    assert (body.status, body.headers["content-type"], body.body) == (202, "text/plain", b"[{")
    assert (redirect.status, redirect.headers["location"]) == (307, "/elsewhere")


async def test_another_program_on_the_port(api: SimulatedApi, client: RawClient) -> None:
    api.faults.add("*", Fault.html())

    answer = await client.get(PATH)

    assert (answer.status, answer.headers["content-type"][:9]) == (200, "text/html")


async def test_an_empty_answer(api: SimulatedApi, client: RawClient) -> None:
    api.faults.add("/profiles", Fault.empty())

    answer = await client.get(PATH)

    assert (answer.status, answer.headers["content-length"], answer.body) == (200, "0", b"")


async def test_gzip_that_is_none(api: SimulatedApi, client: RawClient) -> None:
    api.faults.add("/profiles", Fault.invalid_gzip())

    answer = await client.get(PATH, "Accept-Encoding: gzip")

    assert answer.headers["content-encoding"] == "gzip"
    with pytest.raises(zlib.error):
        gzip.decompress(answer.body)


async def test_an_answer_that_breaks_off(api: SimulatedApi, client: RawClient) -> None:
    api.faults.add("/profiles", Fault.truncate(after=5))

    client.send(PATH)
    octets = await client.rest()

    assert octets.endswith(b'\r\n\r\n5\r\n[{"Id\r\n')


async def test_a_connection_that_is_reset(api: SimulatedApi, client: RawClient) -> None:
    api.faults.add("/profiles", Fault.reset())

    client.send(PATH)

    with pytest.raises(ConnectionResetError):
        await client.rest()


async def test_an_answer_that_waits_is_the_truth_of_the_later_moment(api: SimulatedApi, client: RawClient) -> None:
    release = asyncio.Event()
    api.faults.add("/profiles", Fault.delay(release), times=1)
    client.send(PATH)
    await api.wait_for_request("/profiles")
    api.observatory.active_profile.name = "Renamed"
    release.set()

    assert b"Renamed" in (await client.answer()).body

    api.faults.add("/profiles", Fault.delay(0.01))
    assert b"Renamed" in (await client.get(PATH)).body


async def test_an_answer_that_drips(api: SimulatedApi, client: RawClient) -> None:
    true = (await client.get(PATH)).body
    api.faults.add("/profiles", Fault.drip(0.0))

    client.send(PATH)
    dripped = await client.answer()

    assert dripped.body == true
    assert await client.rest() == b""


async def test_no_answer_until_the_client_gives_up(api: SimulatedApi) -> None:
    api.faults.add("/profiles", Fault.hang())
    async with RawClient.connected(api) as client:
        client.send(PATH)
        await api.wait_for_request("/profiles")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(client.answer(), 0.02)
        client.send("/ts/v0/version")
        assert api.open_connections == 1
    await api.wait_for_connections(0)


async def test_an_answer_of_many_megabytes(api: SimulatedApi, client: RawClient) -> None:
    api.faults.add("/profiles", Fault.endless(megabytes=3))

    client.send(PATH)

    assert len(await client.rest()) > 3 * 1024 * 1024


async def test_an_answer_without_end_ends_with_the_client(api: SimulatedApi) -> None:
    api.faults.add("/profiles", Fault.endless())
    async with RawClient.connected(api) as client:
        client.send(PATH)
        await api.wait_for_request("/profiles")
    await api.wait_for_connections(0)


async def test_a_client_that_does_not_read_does_not_hold_up_the_stop(api: SimulatedApi, client: RawClient) -> None:
    api.faults.add("/profiles", Fault.endless())
    client.send(PATH)
    await api.wait_for_request("/profiles")

    await api.stop()

    assert api.open_connections == 0


async def test_a_fault_lasts_as_often_as_told_or_until_removed(api: SimulatedApi, client: RawClient) -> None:
    twice = api.faults.add("/profiles", Fault.status(503), times=2)
    statuses = [(await client.get(PATH)).status for _ in range(3)]
    assert statuses == [503, 503, 200]
    assert twice.hits == 2
    twice.remove()

    lasting = api.faults.add("/profiles", Fault.status(404))
    first = (await client.get(PATH)).status
    lasting.remove()
    assert (first, (await client.get(PATH)).status) == (404, 200)


async def test_the_latest_fault_wins_and_all_can_be_cleared(api: SimulatedApi, client: RawClient) -> None:
    api.faults.add("*", Fault.status(503))
    api.faults.add("/profiles", Fault.status(404))
    assert [(await client.get(path)).status for path in (PATH, "/ts/v0/version")] == [404, 503]

    api.faults.clear()

    assert (await client.get(PATH)).status == 200
    assert api.observatory.counters.requests == {"profiles": 1}
