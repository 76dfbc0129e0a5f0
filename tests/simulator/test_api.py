"""The simulated API over real sockets: the wire as the plugin's web server makes it."""

from __future__ import annotations

import asyncio
import gzip
import json
import zlib
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from tests.simulator.closing_port import closes_what_comes_as_the_port_closes
from tests.simulator.raw_client import RawClient
from ts2mqtt.errors import Ts2mqttError
from ts2mqtt.simulator.api import SimulatedApi
from ts2mqtt.simulator.busy_observatory import busy_observatory
from ts2mqtt.simulator.faults import Fault

if TYPE_CHECKING:
    from ts2mqtt.simulator.observatory import SimulatedObservatory

HTML = "text/html; charset=utf-8"


def profile_path(observatory: SimulatedObservatory, below: str) -> str:
    return f"/ts/v0/profiles/{observatory.active_profile.id}/{below}"


def statistics_path(observatory: SimulatedObservatory) -> str:
    return f"/ts/v0/targets/{next(observatory.targets()).id}/statistics"


async def test_an_answer_is_chunked_uncached_json_without_etag(client: RawClient) -> None:
    answer = await client.get("/ts/v0/version")

    assert (answer.status, answer.body) == (200, b'"5.9.3.0"')
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["transfer-encoding"] == "chunked"
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "no-cache" in answer.headers["cache-control"]
    assert "etag" not in answer.headers
    assert "content-encoding" not in answer.headers


async def test_the_version_may_come_bare(api: SimulatedApi, client: RawClient) -> None:
    api.bare_version = True

    assert (await client.get("/ts/v0/version")).body == b"5.9.3.0"
    assert (await client.get("/ts/v0/profiles")).body.startswith(b"[{")
    assert api.observatory.counters.requests["version"] == 1


async def test_the_version_in_the_path_can_rise(api: SimulatedApi, client: RawClient) -> None:
    api.api_version = "v1"

    assert (await client.get("/ts/v1/version")).status == 200
    assert (await client.get("/ts/v0/version")).status == 404


async def test_pretty_answers_have_crlf_and_compact_ones_no_space(api: SimulatedApi, client: RawClient) -> None:
    compact = (await client.get("/ts/v0/profiles")).body
    api.pretty = True
    pretty = (await client.get("/ts/v0/profiles")).body

    assert b" " not in compact
    assert pretty.startswith(b'[\r\n  {\r\n    "Id": ')
    assert json.loads(compact) == json.loads(pretty)


async def test_names_arrive_escaped(api: SimulatedApi, client: RawClient) -> None:
    api.observatory.active_profile.name = "Größe \"1\" & <2>+'3'\n#/"

    body = (await client.get("/ts/v0/profiles")).body

    assert b"Gr\\u00F6\\u00DFe \\u00221\\u0022 \\u0026 \\u003C2\\u003E\\u002B\\u00273\\u0027\\n#/" in body
    assert json.loads(body)[0]["Name"] == api.observatory.active_profile.name


@pytest.mark.parametrize(
    ("accept", "coding"),
    [
        ("identity", None),
        ("gzip", "gzip"),
        ("gzip, deflate, br, zstd", "gzip"),
        ("br, identity", None),
        ("deflate", "deflate"),
        ("*", "gzip"),
        ("gzip;q=0.1, identity;q=0.9", None),
        ("gzip;q=0, deflate;q=nonsense, identity", None),
        ("identity;x=1", None),
        ("", None),
    ],
)
async def test_an_answer_comes_in_a_coding_that_the_client_accepts(
    client: RawClient, accept: str, coding: str | None
) -> None:
    answer = await client.get("/ts/v0/profiles", f"Accept-Encoding: {accept}")

    assert answer.headers.get("content-encoding") == coding
    if coding == "gzip":
        body = gzip.decompress(answer.body)
    elif coding == "deflate":
        body = zlib.decompress(answer.body, wbits=-zlib.MAX_WBITS)
    else:
        body = answer.body
    assert json.loads(body)[0]["Name"] == "Backyard"


async def test_compression_can_be_off(api: SimulatedApi, client: RawClient) -> None:
    api.gzip = False

    assert "content-encoding" not in (await client.get("/ts/v0/profiles", "Accept-Encoding: gzip")).headers


async def test_only_unknown_codings_are_not_acceptable(api: SimulatedApi, client: RawClient) -> None:
    answer = await client.get("/ts/v0/profiles", "Accept-Encoding: br, zstd;q=0.5")

    assert (answer.status, answer.headers["content-type"]) == (406, HTML)
    assert api.is_listening


async def test_a_failure_under_unknown_codings_kills_the_listener(api: SimulatedApi, client: RawClient) -> None:
    client.send("/ts/v0/projects/nobody/targets", "Accept-Encoding: br")

    assert await client.rest() == b""
    assert not api.is_listening
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(api.host, api.port)


@pytest.mark.parametrize(
    "path",
    [
        "/ts/v0/projects/nobody/targets",
        "/ts/v0/targets/nobody/statistics",
        "/ts/v0/profiles/nobody/preview",
        "/ts/v0/Profiles",
        "/ts/v0/nothing",
        "/",
    ],
)
async def test_what_is_unknown_is_a_404_page_on_a_connection_that_lives_on(client: RawClient, path: str) -> None:
    answer = await client.get(path)

    assert (answer.status, answer.headers["content-type"]) == (404, HTML)
    assert b"<html>" in answer.body
    assert (await client.get("/ts/v0/version")).status == 200


async def test_the_projects_of_an_unknown_profile_are_an_empty_list(client: RawClient) -> None:
    answer = await client.get("/ts/v0/profiles/nobody/projects")

    assert (answer.status, answer.body) == (200, b"[]")


async def test_ids_are_case_sensitive(api: SimulatedApi, client: RawClient) -> None:
    identity = next(api.observatory.projects()).id

    assert (await client.get(f"/ts/v0/projects/{identity}/targets")).status == 200
    assert (await client.get(f"/ts/v0/projects/{identity.upper()}/targets")).status == 404


async def test_statistics_that_fail_are_an_empty_body(api: SimulatedApi, client: RawClient) -> None:
    api.observatory.acquire(next(api.observatory.targets()))
    path = statistics_path(api.observatory)

    plain = await client.get(path)
    packed = await client.get(path, "Accept-Encoding: gzip")

    for answer in (plain, packed):
        assert (answer.status, answer.headers["content-type"], answer.body) == (200, "application/json", b"")
        assert answer.headers["content-length"] == "0"
    assert packed.headers["content-encoding"] == "gzip"
    assert api.observatory.counters.requests["statistics"] == 2


async def test_head_is_405_with_a_body(client: RawClient) -> None:
    answer = await client.get("/ts/v0/version", method="HEAD")

    assert answer.status == 405
    assert answer.body
    assert (await client.get("/ts/v0/version", method="POST")).status == 405


async def test_preview_takes_a_start_time(api: SimulatedApi, client: RawClient) -> None:
    path = profile_path(api.observatory, "preview")

    today = json.loads((await client.get(path)).body)
    later = json.loads((await client.get(f"{path}?startTime=2026-03-01T15:00:00%2B02:00")).body)
    naive = json.loads((await client.get(f"{path}?startTime=2026-03-01T15:00:00.0000000")).body)

    assert today[0]["StartTime"] == "2026-02-27T13:00:00-05:00"
    assert later[0]["StartTime"] == "2026-03-01T08:00:00-05:00"
    assert naive[0]["StartTime"] == "2026-03-01T15:00:00"
    assert api.observatory.counters.previews_taken == 3


@pytest.mark.parametrize(
    ("start", "status"), [("soon", 400), ("2026-03-01T15:00:00+02:00", 400), ("9999-12-31T23:00:00-05:00", 500)]
)
async def test_a_bad_start_time_closes_the_connection(
    api: SimulatedApi, client: RawClient, start: str, status: int
) -> None:
    # A bare plus is a space in a query, so the second one is no time either.
    answer = await client.get(profile_path(api.observatory, f"preview?startTime={start}"))

    assert (answer.status, answer.headers["content-type"]) == (status, HTML)
    assert await client.rest() == b""


async def test_no_http_is_a_400_that_closes(client: RawClient) -> None:
    client.send_bytes(b"hello\r\n\r\n")

    assert (await client.answer()).status == 400
    assert await client.rest() == b""


async def test_stop_closes_a_connection_that_comes_as_the_port_closes(api: SimulatedApi) -> None:
    assert await closes_what_comes_as_the_port_closes(api.port, api.stop())


async def test_connection_close_is_ignored(client: RawClient) -> None:
    for _ in range(3):
        answer = await client.get("/ts/v0/version", "Connection: close")
        assert answer.headers.get("connection") != "close"


async def test_requests_sent_together_are_answered_in_turn(client: RawClient) -> None:
    client.send("/ts/v0/version")
    client.send("/ts/v0/nothing")

    assert [(await client.answer()).status, (await client.answer()).status] == [200, 404]


async def test_the_101st_answer_closes_the_connection(client: RawClient) -> None:
    answers = [await client.get("/ts/v0/version") for _ in range(101)]

    assert [answer.headers.get("connection") for answer in answers[-2:]] == [None, "close"]
    assert await client.rest() == b""


async def test_an_idle_connection_is_closed(observatory: SimulatedObservatory) -> None:
    async with SimulatedApi(observatory, idle_timeout_s=0.05) as api, RawClient.connected(api) as client:
        assert (await client.get("/ts/v0/version")).status == 200
        assert await client.rest() == b""


async def test_a_client_that_leaves_frees_its_connection(api: SimulatedApi) -> None:
    async with RawClient.connected(api) as client:
        await client.get("/ts/v0/version")
        assert api.open_connections == 1
    await api.wait_for_connections(0)


async def test_idle_connections_can_be_closed_under_the_client(api: SimulatedApi) -> None:
    release = asyncio.Event()
    api.faults.add("/profiles", Fault.delay(release))
    async with RawClient.connected(api) as idle, RawClient.connected(api) as busy:
        await idle.get("/ts/v0/version")
        busy.send("/ts/v0/profiles")
        await api.wait_for_request("/profiles")

        await api.close_idle_connections()

        assert await idle.rest() == b""
        release.set()
        assert (await busy.answer()).status == 200


async def test_stops_in_the_middle_of_an_answer_and_starts_on_the_same_port(api: SimulatedApi) -> None:
    api.faults.add("/profiles", Fault.hang(), times=1)
    port = api.port
    async with RawClient.connected(api) as client:
        client.send("/ts/v0/profiles")
        await api.wait_for_request("/profiles")
        await api.stop()
        assert await client.rest() == b""
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(api.host, port)

    await api.start()

    assert api.url == f"http://127.0.0.1:{port}"
    async with RawClient.connected(api) as client:
        assert (await client.get("/ts/v0/version")).status == 200


async def test_refuses_new_connections_while_old_ones_live_on(api: SimulatedApi, client: RawClient) -> None:
    await client.get("/ts/v0/version")

    api.refuse_connections()

    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(api.host, api.port)
    assert (await client.get("/ts/v0/version")).status == 200
    await api.start()
    async with RawClient.connected(api) as another:
        assert (await another.get("/ts/v0/version")).status == 200


async def test_a_port_in_use_is_told_to_the_user(api: SimulatedApi) -> None:
    with pytest.raises(Ts2mqttError, match=f"port {api.port}.*choose another port"):
        await SimulatedApi(api.observatory, port=api.port).start()


async def test_requests_are_recorded_with_what_they_carried(api: SimulatedApi, client: RawClient) -> None:
    await client.get("/ts/v0/version", "User-Agent: bridge")
    await client.get(profile_path(api.observatory, "preview?startTime=x"))

    first, second = api.requests
    assert (first.time, first.method, first.path) == (api.observatory.now, "GET", "/ts/v0/version")
    assert first.request.headers["user-agent"] == "bridge"
    assert second.request.query == {"startTime": "x"}
    assert api.requests_to("/profiles/*") == [second]
    assert [recorded.path for recorded in api.answered] == [first.path, second.path]


async def test_one_can_wait_for_a_request_and_for_its_answer(api: SimulatedApi, client: RawClient) -> None:
    release = asyncio.Event()
    api.faults.add("/profiles", Fault.delay(release))
    await client.get("/ts/v0/version")
    waiting = asyncio.create_task(api.wait_for_request("/ts/v0/profiles"))
    client.send("/ts/v0/profiles")
    assert (await waiting).path == "/ts/v0/profiles"
    assert len(api.answered) == 1

    release.set()

    await api.wait_for_answer("/profiles")
    await client.answer()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(api.wait_for_request("/profiles", after=1), 0.01)


async def test_the_most_requests_at_once_are_seen(api: SimulatedApi) -> None:
    release = asyncio.Event()
    rule = api.faults.add("*", Fault.delay(release))
    async with RawClient.connected(api) as one, RawClient.connected(api) as two, RawClient.connected(api) as three:
        for client in (one, two, three):
            client.send("/ts/v0/version")
        await api.wait_for_request(after=2)
        release.set()
        for client in (one, two, three):
            await client.answer()

    assert api.max_concurrent == 3
    assert rule.hits == 3


async def test_a_preview_can_be_slow(api: SimulatedApi, client: RawClient) -> None:
    api.preview_seconds = 0.05
    loop = asyncio.get_running_loop()
    began = loop.time()

    await client.get(profile_path(api.observatory, "preview"))

    assert loop.time() - began >= 0.05


async def test_the_clock_moves_a_lively_observatory_before_every_answer() -> None:
    start = datetime(2026, 3, 1, 12, tzinfo=UTC)
    observatory = busy_observatory(start=start, timezone=ZoneInfo("Europe/Berlin"))
    times = [start]

    def acquired(body: bytes) -> int:
        return sum(plan["Acquired"] for target in json.loads(body) for plan in target["ExposurePlan"])

    async with SimulatedApi(observatory, clock=lambda: times[-1]) as api, RawClient.connected(api) as client:
        path = f"/ts/v0/projects/{observatory.active_profile.projects[1].id}/targets"
        before = acquired((await client.get(path)).body)
        times.append(start + timedelta(days=6))
        after = acquired((await client.get(path)).body)

    assert after > before
    assert observatory.now == times[-1]
    assert [recorded.time for recorded in api.requests] == times
