"""Every endpoint over a real socket, and the manners of a guest."""

from __future__ import annotations

import asyncio
import gzip
import zlib
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.asking import EST, PROFILE, PROJECT, TARGET, asking, polling
from ts2mqtt.errors import NotTheApiError
from ts2mqtt.simulator.faults import Fault
from ts2mqtt.simulator.http1 import Answer

if TYPE_CHECKING:
    from ts2mqtt.scheduler.client import TargetSchedulerClient
    from ts2mqtt.simulator.api import SimulatedApi
    from ts2mqtt.simulator.observatory import SimulatedObservatory


class TestTrueAnswers:
    @pytest.mark.parametrize("bare", [False, True])
    async def test_version_with_and_without_quotes(
        self, example_api: SimulatedApi, client: TargetSchedulerClient, bare: bool
    ) -> None:
        example_api.bare_version = bare

        assert await client.version() == "5.9.3.0"

    @pytest.mark.parametrize("body", [b"5.10.0-beta.1\r\n", b' "v6.0" ', b"5"])
    async def test_versions_to_come(
        self, example_api: SimulatedApi, client: TargetSchedulerClient, body: bytes
    ) -> None:
        example_api.faults.add("/version", Fault.body(body, "text/plain"))

        assert await client.version() == body.decode().strip().strip('"')

    @pytest.mark.parametrize("pretty", [False, True])
    async def test_profiles(self, example_api: SimulatedApi, client: TargetSchedulerClient, pretty: bool) -> None:
        example_api.pretty = pretty

        profiles = (await client.profiles()).items

        assert (profiles.lost, profiles.faults) == (0, ())
        assert [(profile.name, profile.active) for profile in profiles.items] == [
            ("Profile 1", True),
            ("Profile 2", False),
            ("Profile 3", False),
        ]
        assert profiles.items[0].id == PROFILE

    async def test_projects(self, client: TargetSchedulerClient) -> None:
        first, second = (await client.projects(PROFILE)).items.items

        assert (first.id, first.profile_id, first.name, first.state, first.priority) == (
            PROJECT,
            PROFILE,
            "P1",
            "Active",
            1,
        )
        assert first.create_date == datetime(2026, 2, 26, 6, 17, 59, tzinfo=EST)
        assert (first.minimum_time, first.enable_grader, first.description) == (30, True, None)
        assert (second.name, second.state) == ("P2", "Draft")

    async def test_projects_of_an_unknown_profile_are_none(self, client: TargetSchedulerClient) -> None:
        assert (await client.projects("nobody")).items.items == ()

    async def test_targets(self, client: TargetSchedulerClient) -> None:
        (target,) = (await client.targets(PROJECT)).items.items

        assert (target.id, target.project_id, target.name, target.active) == (TARGET, PROJECT, "M 31", True)
        assert (target.ra, target.dec, target.rotation, target.epoch, target.roi) == (
            0.7123138886666667,
            41.26875,
            0,
            "J2000",
            100,
        )
        assert target.exposure_plan is not None
        assert [(p.template_name, p.filter_name, p.exposure, p.desired) for p in target.exposure_plan] == [
            (name, name, 60, 1) for name in ("Lum", "Red", "Green", "Blue")
        ]

    async def test_statistics(self, example: SimulatedObservatory, client: TargetSchedulerClient) -> None:
        target = example.target(TARGET)
        for hfr in (2.0, 3.0):
            example.acquire(target, 0, hfr=hfr, fwhm=4.0, eccentricity=0.5)

        statistics = (await client.statistics(TARGET)).items

        assert [row.filter_name for row in statistics] == ["Lum", "Red", "Green", "Blue"]
        assert (statistics[0].hfr_mean, statistics[0].hfr_std_dev) == (2.5, 0.5)
        assert (statistics[0].fwhm_mean, statistics[0].eccentricity_mean) == (4.0, 0.5)
        assert (statistics[1].hfr_mean, statistics[1].hfr_below_auto_accept_level) == (0, -1)

    async def test_an_empty_body_means_no_statistics(
        self, example: SimulatedObservatory, client: TargetSchedulerClient
    ) -> None:
        # No image carries an FWHM, the common case: the plugin throws while it writes the answer.
        example.acquire(example.target(TARGET), 0)

        assert (await client.statistics(TARGET)).items == ()

    async def test_an_empty_body_that_claims_to_be_gzip_means_no_statistics(
        self, example_api: SimulatedApi, client: TargetSchedulerClient
    ) -> None:
        empty = Answer(chunked=False, headers=(("Content-Encoding", "gzip"),))
        example_api.faults.add("/targets/*/statistics", Fault.answer(empty))

        assert (await client.statistics(TARGET)).items == ()

    async def test_preview(self, client: TargetSchedulerClient, example_api: SimulatedApi) -> None:
        wait, work = (await client.preview(PROFILE)).items

        assert (wait.wait_period, wait.id, wait.name, wait.exposure_plan) == (True, None, None, ())
        assert wait.start_time == datetime(2026, 2, 27, 13, tzinfo=EST)
        assert (work.wait_period, work.id, work.name) == (False, TARGET, "M 31")
        assert work.start_time == wait.end_time == datetime(2026, 2, 27, 19, 38, 15, 443681, tzinfo=EST)
        assert [(run.filter_name, run.exposure, run.count) for run in work.exposure_plan or ()] == [
            (name, 60, 1) for name in ("Lum", "Red", "Green", "Blue")
        ]
        assert example_api.requests[-1].request.query == {}

    async def test_a_previews_start_travels_with_its_offset(
        self, client: TargetSchedulerClient, example_api: SimulatedApi
    ) -> None:
        start = datetime(2026, 2, 27, 1, 30, tzinfo=timezone(timedelta(hours=5, minutes=30)))

        await client.preview(PROFILE, start)

        assert example_api.requests[-1].request.query == {"startTime": "2026-02-27T01:30:00+05:30"}

    async def test_compressed_answers_of_a_proxy_are_read(
        self, example_api: SimulatedApi, client: TargetSchedulerClient
    ) -> None:
        body = b'[{"Id": "a", "Name": "Packed"}]'
        raw_deflate = zlib.compressobj(wbits=-zlib.MAX_WBITS)
        packed = {"gzip": gzip.compress(body), "deflate": raw_deflate.compress(body) + raw_deflate.flush()}
        for coding, octets in packed.items():
            answer = Answer(body=octets, headers=(("Content-Encoding", coding),))
            example_api.faults.add("/profiles", Fault.answer(answer), times=1)

            assert (await client.profiles()).items.items[0].name == "Packed"

    async def test_escaped_and_odd_names_come_as_they_are(
        self, example: SimulatedObservatory, client: TargetSchedulerClient
    ) -> None:
        name = '"Ωméga" <&\'+`> /#\r\n\0 🔭'
        example.rename(example.active_profile, name)

        assert (await client.profiles()).items.items[0].name == name


class TestManners:
    async def test_what_a_request_carries(self, example_api: SimulatedApi, client: TargetSchedulerClient) -> None:
        await client.profiles()

        request = example_api.requests[0].request
        assert (request.method, request.path) == ("GET", "/ts/v0/profiles")
        assert request.headers["accept-encoding"] == "identity"
        assert request.headers["user-agent"] == "ts2mqtt"
        assert "authorization" not in request.headers

    async def test_login_and_headers_for_a_proxy(self, example_api: SimulatedApi) -> None:
        login: dict[str, Any] = {"username": "astro", "password": "s3cret"}
        async with asking(example_api.url, headers={"X-Api-Key": "k3y"}, **login) as client:
            await client.version()

        headers = example_api.requests[0].request.headers
        assert headers["authorization"] == "Basic YXN0cm86czNjcmV0"
        assert headers["x-api-key"] == "k3y"

    async def test_a_url_with_a_path_and_another_api_version(self, example_api: SimulatedApi) -> None:
        async with asking(f"{example_api.url}/astro/", api_version="v1") as client:
            with pytest.raises(NotTheApiError, match="404 for /ts/v1/version"):
                await client.version()

        assert example_api.requests[0].path == "/astro/ts/v1/version"

    async def test_the_connection_is_kept(self, example_api: SimulatedApi, client: TargetSchedulerClient) -> None:
        for _ in range(5):
            await client.version()

        assert example_api.open_connections == 1

    async def test_more_answers_than_one_connection_gives(
        self, example_api: SimulatedApi, client: TargetSchedulerClient
    ) -> None:
        example_api.answers_per_connection = 3
        for _ in range(10):
            await client.version()

        assert len(example_api.requests) == 10

    async def test_a_connection_closed_while_idle_costs_nothing(
        self, example_api: SimulatedApi, client: TargetSchedulerClient
    ) -> None:
        await client.version()
        await example_api.close_idle_connections()

        assert await client.version() == "5.9.3.0"
        assert len(example_api.requests) == 2

    async def test_never_more_requests_at_once_than_allowed(self, example_api: SimulatedApi) -> None:
        release = asyncio.Event()
        example_api.faults.add("/profiles", Fault.delay(release))
        async with asking(example_api.url, polling(concurrency=2)) as client, asking(example_api.url) as other:
            lists = [asyncio.create_task(client.profiles()) for _ in range(6)]
            await example_api.wait_for_request("/profiles", after=1)
            for _ in range(5):  # time enough for a third one to come through
                await other.version()
            under_way = len(example_api.requests_to("/profiles"))
            release.set()
            await asyncio.gather(*lists)

        assert under_way == 2
        assert len(example_api.requests_to("/profiles")) == 6

    async def test_other_limits_hold_from_the_next_request_on(self, example_api: SimulatedApi) -> None:
        example_api.faults.add("/profiles", Fault.hang())
        async with asking(example_api.url, polling(concurrency=1)) as client:
            client.use(polling(concurrency=2, timeout=0.2))
            failures = await asyncio.gather(*(client.profiles() for _ in range(2)), return_exceptions=True)

        assert [str(failure).split(";")[0] for failure in failures] == [
            f"{example_api.url} did not answer within 0.2 s"
        ] * 2
        assert example_api.max_concurrent == 2

    async def test_the_same_bytes_are_not_read_again(
        self, example: SimulatedObservatory, client: TargetSchedulerClient
    ) -> None:
        profiles, projects = await client.profiles(), await client.projects(PROFILE)
        targets = await client.targets(PROJECT)

        assert await client.profiles(profiles) is profiles
        assert await client.projects(PROFILE, projects) is projects
        assert await client.targets(PROJECT, targets) is targets

        example.rename(example.target(TARGET), "Andromeda")
        renamed = await client.targets(PROJECT, targets)
        assert renamed is not targets
        assert renamed.items.items[0].name == "Andromeda"
