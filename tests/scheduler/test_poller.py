"""What a rig is asked and when, and what is made of its answers."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from tests.support.api_in_memory import ApiInMemory
from tests.support.clocks import HandClock, LoopClock
from tests.support.simulated_time import run_in_simulated_time
from tests.support.watching import (
    PATIENCE_S,
    Watched,
    at_work,
    looks,
    more_looks,
    projects_of,
    targets_of,
    two_profiles,
    watching,
)
from ts2mqtt.errors import ConfigError
from ts2mqtt.observatory.model import Statistics
from ts2mqtt.scheduler.statistics import exposure_counts
from ts2mqtt.simulator.api import SimulatedApi
from ts2mqtt.simulator.faults import Exchange, Fault
from ts2mqtt.timing import RigTimings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.support.running import Log
    from ts2mqtt.observatory.model import Rig
    from ts2mqtt.simulator.http1 import Answer
    from ts2mqtt.simulator.observatory import SimulatedObservatory
    from ts2mqtt.simulator.rows import SimulatedTarget

HOUR = 3_600.0
GENTLE = RigTimings(least_gap_s=2.0)


@pytest.fixture
def observatory() -> SimulatedObservatory:
    return two_profiles()


@pytest.fixture
async def api(observatory: SimulatedObservatory) -> AsyncIterator[SimulatedApi]:
    async with SimulatedApi(observatory) as api:
        yield api


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


def target_of(observatory: SimulatedObservatory, name: str) -> SimulatedTarget:
    return next(target for target in observatory.targets() if target.name == name)


def measured(observatory: SimulatedObservatory, name: str, *, accepted: bool | None = None) -> SimulatedTarget:
    """The target with one more image that has statistics."""
    target = target_of(observatory, name)
    observatory.acquire(target, accepted=accepted, hfr=2.0, fwhm=3.0, eccentricity=0.4)
    return target


@asynccontextmanager
async def asked_gently(
    observatory: SimulatedObservatory, **keys: float
) -> AsyncIterator[tuple[Watched, ApiInMemory]]:
    """A poller in simulated time, as patient with its rig as a real one, and what it asks."""
    clock = LoopClock()
    api = ApiInMemory(observatory, clock)
    async with at_work(Watched(looks(**keys), "http://rig", clock=clock, transport=api, timings=GENTLE)) as watched:
        yield watched, api


def _hfr_of(rig: Rig, name: str) -> float | None:
    statistics = targets_of(rig)[name].exposure_plans[0].statistics
    return statistics.hfr_mean if statistics else None


def _asked(api: SimulatedApi, projects: list[str]) -> int:
    """How often the targets of these projects were asked for."""
    return sum(api.observatory.counters.targets_requests[project] for project in projects)


async def test_what_an_exposure_does_not_change_stays_the_very_same(
    api: SimulatedApi, observatory: SimulatedObservatory
) -> None:
    def lists(rig: Rig) -> list[object]:
        profiles = [profile.projects for profile in rig.known_profiles]
        return [*profiles, *(project for listing in profiles if listing for project in listing.items)]

    async with watching(api) as watched:
        before = await watched.until(lambda rig: all(profile.projects for profile in rig.known_profiles))
        observatory.acquire(next(observatory.targets()))
        after = await watched.until(lambda rig: rig != before)
    changed = [one for one, other in zip(lists(after), lists(before), strict=True) if one is not other]
    wide = after.known_profiles[0].projects
    assert wide is not None
    assert list(map(id, changed)) == [id(wide), id(wide.items[0])]


class TestWhatIsAskedWhen:
    async def test_the_first_look_reads_everything_once(self, api: SimulatedApi) -> None:
        async with watching(api, looks(interval=1_000.0)) as watched:
            rig = watched.rig

        counters = api.observatory.counters
        assert counters.requests == Counter(version=1, profiles=1, projects=2, targets=6)
        assert {*counters.projects_requests.values(), *counters.targets_requests.values()} == {1}
        assert (rig.plugin_version, rig.url, rig.name, rig.id) == ("5.9.3.0", api.url, "Backyard", "backyard")
        assert [profile.name for profile in rig.known_profiles] == ["Wide", "Narrow"]
        assert len(projects_of(rig)) == 6
        assert len(targets_of(rig)) == 12
        assert len(watched.reports) == 1

    async def test_a_look_reads_the_active_projects_of_the_active_profile_alone(
        self, api: SimulatedApi, clock: HandClock
    ) -> None:
        counters = api.observatory.counters
        async with watching(api, clock=clock):
            await more_looks(api, 10)
            versions = counters.requests["version"]
            clock.advance(400.0)  # less than 0.8 of the slow interval
            await more_looks(api, 10)

        wide, narrow = api.observatory.profiles
        assert counters.requests["version"] == versions <= 2
        assert counters.projects_requests[wide.id] >= 20
        assert counters.projects_requests[narrow.id] == 1
        live = {project.name: counters.targets_requests[project.id] for project in api.observatory.projects()}
        assert live["Wide 1"] >= 20
        assert live["Wide 2"] >= 20
        assert {live[name] for name in ("Wide Draft", "Wide Closed", "Narrow 1", "Narrow 2")} == {1}
        assert counters.requests["preview"] == counters.requests["statistics"] == 0

    async def test_slow_things_are_read_again_once_after_the_slow_interval(
        self, api: SimulatedApi, clock: HandClock
    ) -> None:
        async with watching(api, clock=clock):
            clock.advance(601.0)
            await more_looks(api, 10)

        counters = api.observatory.counters
        slow = [project for project in api.observatory.projects() if project.name not in ("Wide 1", "Wide 2")]
        assert counters.projects_requests[api.observatory.profiles[1].id] == 2
        assert {counters.targets_requests[project.id] for project in slow} == {2}

    async def test_slow_things_spread_over_the_slow_interval(self, api: SimulatedApi, clock: HandClock) -> None:
        slow = [project.id for project in api.observatory.projects() if project.name not in ("Wide 1", "Wide 2")]
        moments: set[float] = set()
        async with watching(api, clock=clock):
            clock.advance(480.0)
            for _ in range(13):
                before = _asked(api, slow)
                await more_looks(api, 2)
                if _asked(api, slow) > before:
                    moments.add(clock.seconds)
                clock.advance(10.0)

        assert _asked(api, slow) == 8
        assert len(moments) > 1

    async def test_what_the_user_changes_is_seen(self, api: SimulatedApi) -> None:
        observatory = api.observatory
        async with watching(api) as watched:
            target = target_of(observatory, "Wide 1 a")
            observatory.acquire(target, accepted=True)
            seen = await watched.until(lambda rig: targets_of(rig)["Wide 1 a"].exposure_plans[0].accepted == 1)
            assert targets_of(seen)["Wide 1 a"].exposure_plans[0].acquired == 1

            observatory.rename(target, "Renamed")
            await watched.until(lambda rig: "Renamed" in targets_of(rig))
            observatory.remove_target(target)
            await watched.until(lambda rig: "Renamed" not in targets_of(rig))
            observatory.remove_project(next(iter(observatory.projects())))
            await watched.until(lambda rig: "Wide 1" not in projects_of(rig))
            observatory.remove_profile(observatory.profiles[1])
            await watched.until(lambda rig: len(rig.known_profiles) == 1)
            observatory.add_profile("New")
            await watched.until(lambda rig: len(rig.known_profiles) == 2)

    async def test_a_project_that_becomes_active_is_live_from_then_on(
        self, api: SimulatedApi, clock: HandClock
    ) -> None:
        draft = next(project for project in api.observatory.projects() if project.state == "Draft")
        async with watching(api, clock=clock) as watched:
            api.observatory.set_project_state(draft, "Active")
            await watched.until(lambda rig: projects_of(rig)["Wide Draft"].state == "active")
            api.observatory.rename(draft.targets[0], "Renamed")
            await watched.until(lambda rig: "Renamed" in targets_of(rig))

        assert clock.seconds == 1_000.0

    async def test_the_profile_that_becomes_active_is_live_from_then_on(
        self, api: SimulatedApi, clock: HandClock
    ) -> None:
        wide, narrow = api.observatory.profiles
        async with watching(api, clock=clock) as watched:
            api.observatory.activate_profile(narrow)
            await watched.until(lambda rig: rig.active_profile is not None and rig.active_profile.name == "Narrow")
            api.observatory.rename(target_of(api.observatory, "Narrow 2 b"), "Renamed")
            await watched.until(lambda rig: "Renamed" in targets_of(rig))
            before = api.observatory.counters.projects_requests[wide.id]
            await more_looks(api)
            assert api.observatory.counters.projects_requests[wide.id] == before

        assert clock.seconds == 1_000.0

    async def test_unchanged_answers_tell_nobody(self, api: SimulatedApi) -> None:
        async with watching(api, looks(slow_interval=0.02)) as watched:
            rig = watched.rig
            await more_looks(api, 10)

            assert len(watched.reports) == 1
            assert watched.rig is rig

    async def test_what_is_gone_is_forgotten(self, api: SimulatedApi, clock: HandClock) -> None:
        """A project that comes back is a new one, although none of its lists would be due yet."""
        profile = api.observatory.profiles[0]
        measured(api.observatory, "Wide 1 a")
        async with watching(api, clock=clock) as watched:
            clock.advance(601.0)
            await watched.until(lambda rig: _hfr_of(rig, "Wide 1 a") == 2.0)
            removed = [*profile.projects]
            for project in removed:
                api.observatory.remove_project(project)
            await watched.until(lambda rig: not set(projects_of(rig)) & {"Wide 1", "Wide Draft"})
            draft = next(project for project in removed if project.name == "Wide Draft")
            asked = api.observatory.counters.targets_requests[draft.id]
            rule = api.faults.add(f"/projects/{draft.id}/targets", Fault.status(500))
            profile.projects += removed
            rig = await watched.until(lambda rig: "Wide Draft" in projects_of(rig))

            assert projects_of(rig)["Wide Draft"].targets is None
            assert _hfr_of(rig, "Wide 1 a") is None
            assert rule.hits == 1
            assert api.observatory.counters.targets_requests[draft.id] == asked

    async def test_a_clock_that_was_set_back_leaves_nothing_in_the_future(self, api: SimulatedApi, log: Log) -> None:
        wrong, right = datetime(2031, 1, 1, 22, tzinfo=UTC), datetime(2026, 2, 27, 22, tzinfo=UTC)
        clock = HandClock(wrong)
        async with watching(api, looks(plan="auto"), clock) as watched:
            measured(api.observatory, "Wide 1 a")
            watched.poller.refresh_plan()
            await watched.until_reported(lambda report: report.plan is not None)
            clock.set(right)
            await watched.until_reported(lambda report: report.plan is None)
            await log.says("the clock of this machine was set back")

            await more_looks(api, 2)

            # A rig that was watched since 2031 would not be asked for a plan before that year.
            clock.advance(HOUR)
            async with asyncio.timeout(PATIENCE_S):
                await api.wait_for_request("/profiles/*/preview", after=1)

    async def test_a_clock_that_was_set_back_is_reported_though_nothing_else_has_changed(
        self, api: SimulatedApi, clock: HandClock
    ) -> None:
        """For what is going on now depends on the time."""
        async with watching(api, clock=clock) as watched:
            first, *_ = watched.reports
            clock.set(clock.now() - timedelta(hours=1))
            await more_looks(api, 3)

            assert watched.reports == [first, first]

    async def test_a_date_without_offset_is_in_the_zone_of_the_others(self, api: SimulatedApi) -> None:
        api.observatory.profiles[0].projects[0].raw["CreateDate"] = "2026-02-01T20:00:00"
        async with watching(api) as watched:
            created = projects_of(watched.rig)["Wide 1"].created

        assert created is not None
        assert created.isoformat() == "2026-02-01T20:00:00-05:00"

    async def test_dates_of_an_earlier_run_tell_the_zone_only_until_every_list_is_read(
        self, api: SimulatedApi
    ) -> None:
        published = datetime.fromisoformat("2026-02-01T20:00:00-03:00")
        for project in api.observatory.projects():
            project.raw.update(dict.fromkeys(("CreateDate", "ActiveDate", "InactiveDate"), "2026-02-01T20:00:00"))
        for profile in api.observatory.profiles:
            api.faults.add(f"/profiles/{profile.id}/projects", Fault.status(500))
        watched = Watched(looks(), api.url)
        watched.poller.recall(None, {}, (published,))
        async with at_work(watched):
            await more_looks(api)
            assert watched.poller.report.zone == published.tzinfo
            api.faults.clear()
            watched.poller.refresh()
            rig = await watched.until(lambda rig: all(profile.projects for profile in rig.known_profiles))

        created = projects_of(rig)["Wide 1"].created
        assert created is not None
        assert created.utcoffset() == created.replace(tzinfo=None).astimezone().utcoffset()
        assert watched.poller.report.zone is None

    async def test_it_stops_at_once_and_leaves_no_connection(self, api: SimulatedApi) -> None:
        async with watching(api):
            hanging = api.faults.add("/profiles", Fault.hang())
            await api.wait_for_request("/profiles", after=len(api.requests_to("/profiles")))
        async with asyncio.timeout(5):
            await api.wait_for_connections(0)

        assert hanging.hits > 0


class TestOtherPolling:
    """What is changed while the poller works."""

    async def test_a_shorter_interval_begins_with_a_look(self, api: SimulatedApi) -> None:
        async with watching(api, looks(interval=600.0)) as watched:
            before = len(api.requests_to("/profiles"))
            watched.poller.use(looks(interval=0.02))
            await more_looks(api, 3)
            assert len(api.requests_to("/profiles")) >= before + 3

    async def test_a_shorter_slow_interval_holds_for_what_was_put_off(
        self, api: SimulatedApi, clock: HandClock
    ) -> None:
        narrow = api.observatory.profiles[1]
        async with watching(api, clock=clock) as watched:
            watched.poller.use(looks(slow_interval=60.0))
            await more_looks(api)
            assert api.observatory.counters.projects_requests[narrow.id] == 1
            clock.advance(61.0)
            await more_looks(api)
            assert api.observatory.counters.projects_requests[narrow.id] == 2

    async def test_a_shorter_statistics_interval_too(self, api: SimulatedApi, clock: HandClock) -> None:
        requests = api.observatory.counters.statistics_requests
        async with watching(api, clock=clock) as watched:
            target = measured(api.observatory, "Wide 1 a")
            await watched.until(lambda rig: targets_of(rig)["Wide 1 a"].exposure_plans[0].statistics is not None)
            watched.poller.use(looks(timeout=9.0))
            clock.advance(601.0)
            await more_looks(api)
            assert requests == {target.id: 1}
            watched.poller.use(looks(statistics_interval=600.0))
            clock.advance(601.0)
            await more_looks(api)
            assert requests == {target.id: 2}

    async def test_a_plan_may_be_had_from_now_on(self, api: SimulatedApi) -> None:
        async with watching(api) as watched:
            watched.poller.recall(None, {}, ())
            watched.poller.refresh_plan()
            watched.poller.use(looks(plan="manual"))
            await more_looks(api)
            assert api.observatory.counters.requests["preview"] == 0
            watched.poller.refresh_plan()
            await api.wait_for_request("/profiles/*/preview*")


class TestStatistics:
    async def test_nothing_is_asked_for_targets_with_nothing_acquired(
        self, api: SimulatedApi, clock: HandClock
    ) -> None:
        async with watching(api, clock=clock):
            for _ in range(4):
                clock.advance(12 * HOUR)
                await more_looks(api, 2)

        assert api.observatory.counters.requests["statistics"] == 0

    async def test_they_are_attached_to_their_exposure_plan(self, api: SimulatedApi) -> None:
        async with watching(api) as watched:
            measured(api.observatory, "Wide 1 a")
            rig = await watched.until(
                lambda rig: targets_of(rig)["Wide 1 a"].exposure_plans[0].statistics is not None
            )

        first, second = targets_of(rig)["Wide 1 a"].exposure_plans
        assert first.statistics is not None
        assert (first.statistics.hfr_mean, first.statistics.fwhm_mean) == (2.0, 3.0)
        assert first.statistics.eccentricity_mean == 0.4
        assert second.statistics is None

    async def test_after_the_start_they_are_spread_over_the_slow_interval(
        self, api: SimulatedApi, clock: HandClock
    ) -> None:
        for target in api.observatory.targets():
            measured(api.observatory, target.name)
        asked: list[int] = []
        async with watching(api, clock=clock):
            for _ in range(12):
                await more_looks(api, 2)
                asked.append(api.observatory.counters.requests["statistics"])
                clock.advance(55.0)

        assert asked[0] == 0
        assert asked[-1] == 12
        assert set(api.observatory.counters.statistics_requests.values()) == {1}
        assert max(later - earlier for earlier, later in pairwise(asked)) <= 5

    async def test_only_a_target_whose_counts_moved_is_asked_for_again(
        self, api: SimulatedApi, clock: HandClock
    ) -> None:
        requests = api.observatory.counters.statistics_requests
        async with watching(api, clock=clock) as watched:
            target = measured(api.observatory, "Wide 1 a")
            other = measured(api.observatory, "Wide 2 b")
            await watched.until(lambda rig: targets_of(rig)["Wide 1 a"].exposure_plans[0].statistics is not None)
            await more_looks(api, 5)
            assert requests == {target.id: 1, other.id: 1}

            target.exposure_plans[0].accepted += 1
            await watched.until(lambda rig: targets_of(rig)["Wide 1 a"].exposure_plans[0].accepted == 1)
            await more_looks(api, 5)
            assert requests == {target.id: 2, other.id: 1}

            target.exposure_plans[0].accepted -= 1  # the user edits
            await more_looks(api, 5)
            assert requests == {target.id: 3, other.id: 1}

        assert clock.seconds == 1_000.0

    async def test_all_are_read_again_after_the_statistics_interval(
        self, api: SimulatedApi, clock: HandClock
    ) -> None:
        async with watching(api, clock=clock):
            target = measured(api.observatory, "Wide 1 a")
            await more_looks(api, 3)
            requests = api.observatory.counters.statistics_requests
            clock.advance(5 * HOUR)
            await more_looks(api, 3)
            assert requests == {target.id: 1}
            clock.advance(2 * HOUR)
            await more_looks(api, 3)
            assert requests == {target.id: 2}

    async def test_never_two_at_once(self, api: SimulatedApi) -> None:
        at_once: list[int] = []
        under_way = 0

        async def slowly(exchange: Exchange) -> Answer:
            nonlocal under_way
            under_way += 1
            at_once.append(under_way)
            await asyncio.sleep(0.01)
            under_way -= 1
            return await exchange.regular_answer()

        api.faults.add("/targets/*/statistics", Fault(slowly))
        async with watching(api, looks(concurrency=4)):
            for target in api.observatory.targets():
                measured(api.observatory, target.name)
            await api.wait_for_request("/targets/*/statistics", after=3)

        assert set(at_once) == {1}

    async def test_a_rig_that_takes_long_is_asked_seldom(self, api: SimulatedApi, clock: HandClock) -> None:
        release = asyncio.Event()
        api.faults.add("/targets/*/statistics", Fault.delay(release), times=1)
        async with watching(api, clock=clock):
            target = measured(api.observatory, "Wide 1 a")
            await api.wait_for_request("/targets/*/statistics")
            clock.advance(3.0)
            release.set()
            requests = api.observatory.counters.statistics_requests
            await more_looks(api, 2)
            measured(api.observatory, "Wide 1 a")
            clock.advance(59.0)
            await more_looks(api, 3)
            assert requests == {target.id: 1}
            clock.advance(2.0)
            await more_looks(api, 3)
            assert requests == {target.id: 2}

    async def test_a_failure_is_not_repeated_before_the_slow_interval(
        self, api: SimulatedApi, clock: HandClock
    ) -> None:
        rule = api.faults.add("/targets/*/statistics", Fault.status(500))
        async with watching(api, clock=clock):
            measured(api.observatory, "Wide 1 a")
            await api.wait_for_request("/targets/*/statistics")
            await more_looks(api, 3)
            measured(api.observatory, "Wide 1 a")
            clock.advance(590.0)
            await more_looks(api, 3)
            assert rule.hits == 1
            clock.advance(20.0)
            await more_looks(api, 3)
            assert rule.hits == 2

    async def test_statistics_that_are_not_to_be_had_are_no_failure(self, api: SimulatedApi, log: Log) -> None:
        async with watching(api) as watched:
            target = target_of(api.observatory, "Wide 1 a")
            api.observatory.acquire(target)  # without FWHM: the API answers an empty body
            await api.wait_for_answer("/targets/*/statistics")
            await more_looks(api, 3)

            assert targets_of(watched.rig)["Wide 1 a"].exposure_plans[0].statistics is None
            assert api.observatory.counters.statistics_requests == {target.id: 1}
            assert log.problems == []

    async def test_those_that_are_known_outlive_a_locked_database(self, api: SimulatedApi, clock: HandClock) -> None:
        """Which answers as if there were none to be had."""
        async with watching(api, clock=clock) as watched:
            target = measured(api.observatory, "Wide 1 a")
            await watched.until(lambda rig: targets_of(rig)["Wide 1 a"].exposure_plans[0].statistics is not None)
            rule = api.faults.add("/targets/*/statistics", Fault.empty())
            clock.advance(60.0)
            api.observatory.acquire(target, hfr=3.0, fwhm=3.0)
            await api.wait_for_request("/targets/*/statistics", after=1)
            await more_looks(api, 3)
            assert _hfr_of(watched.rig, "Wide 1 a") == 2.0
            assert rule.hits == 1
            clock.advance(601.0)
            await api.wait_for_request("/targets/*/statistics", after=2)
            await more_looks(api, 3)
            clock.advance(601.0)
            await more_looks(api, 3)
            assert rule.hits == 2
            rule.remove()
            clock.advance(601.0)
            await watched.until(lambda rig: _hfr_of(rig, "Wide 1 a") == 2.5)

    async def test_a_target_that_was_reset_has_none_any_more(self, api: SimulatedApi) -> None:
        async with watching(api) as watched:
            target = measured(api.observatory, "Wide 1 a")
            await watched.until(lambda rig: targets_of(rig)["Wide 1 a"].exposure_plans[0].statistics is not None)
            target.exposure_plans[0].acquired = target.exposure_plans[0].accepted = 0
            rig = await watched.until(lambda rig: targets_of(rig)["Wide 1 a"].exposure_plans[0].acquired == 0)
            assert targets_of(rig)["Wide 1 a"].exposure_plans[0].statistics is None

    async def test_after_a_restart_what_was_published_is_shown_and_not_asked_for(
        self, api: SimulatedApi, clock: HandClock
    ) -> None:
        target = measured(api.observatory, "Wide 1 a")
        remembered = {"lum_60": Statistics(hfr_mean=1.5)}
        async with watching(api, clock=clock) as before_the_restart:
            counts = exposure_counts(targets_of(before_the_restart.rig)["Wide 1 a"])
        assert counts[0] == ("lum_60", 1, 0)
        watched = Watched(looks(), api.url, clock=clock)
        watched.poller.recall(None, {target.id: (counts, remembered)}, ())
        async with at_work(watched):
            rig = await watched.until(lambda rig: rig.online is True)
            clock.advance(601.0)
            await more_looks(api, 3)
            assert targets_of(rig)["Wide 1 a"].exposure_plans[0].statistics == Statistics(hfr_mean=1.5)
            assert api.observatory.counters.requests["statistics"] == 0

            clock.advance(6 * HOUR)
            await watched.until(
                lambda rig: targets_of(rig)["Wide 1 a"].exposure_plans[0].statistics != remembered["lum_60"]
            )

    async def test_after_a_restart_what_moved_meanwhile_is_asked_for_at_once(
        self, api: SimulatedApi, clock: HandClock
    ) -> None:
        target = measured(api.observatory, "Wide 1 a")
        watched = Watched(looks(), api.url, clock=clock)
        watched.poller.recall(None, {target.id: ((("lum_60", 0, 0),), {"lum_60": Statistics(hfr_mean=1.5)})}, ())
        async with at_work(watched):
            await watched.until(lambda rig: rig.online is True)
            rig = watched.rig
            statistics = targets_of(rig)["Wide 1 a"].exposure_plans[0].statistics

        assert statistics is not None
        assert statistics.hfr_mean == 2.0
        assert clock.seconds == 1_000.0

    async def test_what_was_read_since_the_start_is_not_overwritten_by_memory(self, api: SimulatedApi) -> None:
        async with watching(api) as watched:
            target = measured(api.observatory, "Wide 1 a")
            rig = await watched.until(
                lambda rig: targets_of(rig)["Wide 1 a"].exposure_plans[0].statistics is not None
            )
            changes = len(watched.reports)
            watched.poller.recall(None, {target.id: ((), {"lum_60": Statistics(hfr_mean=9.0)})}, ())

            assert watched.rig is rig
            assert len(watched.reports) == changes

    async def test_memory_that_comes_late_is_shown_at_once(self, api: SimulatedApi, clock: HandClock) -> None:
        target = measured(api.observatory, "Wide 1 a")
        async with watching(api, clock=clock) as watched:
            counts = exposure_counts(targets_of(watched.rig)["Wide 1 a"])
            watched.poller.recall(None, {target.id: (counts, {"lum_60": Statistics(hfr_mean=1.5)})}, ())

            assert targets_of(watched.rig)["Wide 1 a"].exposure_plans[0].statistics == Statistics(hfr_mean=1.5)
        assert clock.seconds == 1_000.0


class TestFailures:
    async def test_one_failing_list_keeps_what_was_known_and_the_rest_goes_on(
        self, api: SimulatedApi, log: Log
    ) -> None:
        broken, sound = api.observatory.profiles[0].projects[:2]
        async with watching(api) as watched:
            known = projects_of(watched.rig)["Wide 1"]
            rule = api.faults.add(f"/projects/{broken.id}/targets", Fault.status(500))
            await log.says("WARNING Backyard, targets of project 'Wide 1'", "status 500", "stays")
            api.observatory.rename(sound.targets[0], "Renamed")
            rig = await watched.until(lambda rig: "Renamed" in targets_of(rig))
            assert projects_of(rig)["Wide 1"] == known
            await more_looks(api, 5)
            assert len(log.problems) == 1
            rule.remove()
            await log.says("INFO Backyard, targets of project 'Wide 1'", "recovered")

    async def test_a_list_that_fails_from_the_start_is_not_an_empty_one(self, api: SimulatedApi) -> None:
        wide, narrow = api.observatory.profiles
        lists = api.faults.add(f"/profiles/{narrow.id}/projects", Fault.status(500))
        api.faults.add(f"/projects/{wide.projects[0].id}/targets", Fault.status(500))
        async with watching(api, looks(slow_interval=0.02)) as watched:
            assert [profile.projects is None for profile in watched.rig.known_profiles] == [False, True]
            assert projects_of(watched.rig)["Wide 1"].targets is None
            assert projects_of(watched.rig)["Wide 2"].targets is not None
            lists.remove()
            await watched.until(lambda rig: "Narrow 1" in projects_of(rig))

    async def test_a_failing_list_that_is_renamed_recovers_under_its_new_name(
        self, api: SimulatedApi, log: Log
    ) -> None:
        async with watching(api) as watched:
            project = next(project for project in api.observatory.projects() if project.name == "Wide 1")
            rule = api.faults.add(f"/projects/{project.id}/targets", Fault.status(500))
            await log.says("targets of project 'Wide 1'", "status 500")
            api.observatory.rename(project, "Renamed")
            await watched.until(lambda rig: "Renamed" in projects_of(rig))
            rule.remove()
            await log.says("targets of project 'Renamed'", "recovered")
            await watched.until_reported(lambda report: report.problem is None)

    async def test_a_failing_list_that_is_gone_is_forgotten(self, api: SimulatedApi, log: Log) -> None:
        async with watching(api) as watched:
            project = next(project for project in api.observatory.projects() if project.name == "Wide 1")
            api.faults.add(f"/projects/{project.id}/targets", Fault.status(500))
            await log.says("targets of project 'Wide 1'", "status 500")
            api.observatory.remove_project(project)
            await watched.until(lambda rig: "Wide 1" not in projects_of(rig))
            await more_looks(api, 2)
            assert watched.poller.report.problem is None

    async def test_a_version_that_fails_later_is_told_and_costs_no_look(
        self, api: SimulatedApi, clock: HandClock, log: Log
    ) -> None:
        async with watching(api, clock=clock) as watched:
            rule = api.faults.add("/version", Fault.status(500))
            clock.advance(601.0)
            await log.says("Backyard, the plugin's version", "status 500")
            await more_looks(api, 3)
            assert watched.rig.online
            assert watched.rig.plugin_version == "5.9.3.0"
            rule.remove()
            clock.advance(601.0)
            await log.says("the plugin's version: recovered")

    async def test_one_missed_look_is_no_news(self, api: SimulatedApi, log: Log) -> None:
        async with watching(api) as watched:
            rule = api.faults.add("/profiles", Fault.status(500), times=1)
            await more_looks(api, 4)

            assert rule.hits == 1
            assert len(watched.reports) == 1
            assert log.problems == []

    async def test_a_rig_that_was_never_there_is_told_at_once(self, api: SimulatedApi, log: Log) -> None:
        await api.stop()
        async with at_work(Watched(looks(), api.url)) as watched:
            line = await log.says("WARNING Backyard: the API does not answer")
            rig = await watched.until(lambda rig: rig.online is False)
            assert "cannot be reached" in line
            assert line.endswith("; the bridge keeps trying; 'ts2mqtt check' says which step fails")
            assert rig.profiles is None

            await api.start()
            await watched.until(lambda rig: rig.online is True)
            await log.says("INFO Backyard: recovered")

        assert len(log.problems) == 1

    async def test_a_rig_that_goes_keeps_what_it_had_and_comes_back_by_itself(
        self, api: SimulatedApi, log: Log, clock: HandClock
    ) -> None:
        async with watching(api, clock=clock) as watched:
            known = watched.rig
            await api.stop()
            gone = await watched.until(lambda rig: rig.online is False)
            assert gone.profiles == known.profiles
            line = await log.says("Backyard: the API does not answer", "is N.I.N.A. running")
            assert "keeps trying" not in line
            await api.start()
            back = await watched.until(lambda rig: rig.online is True)

        assert back == known
        read, gone_with_its_cause, back_without = watched.reports
        assert (read.problem, back_without) == (None, read)
        assert gone_with_its_cause.problem is not None
        assert watched.poller.report.problem is None
        assert len(log.problems) == 1
        assert clock.seconds == 1_000.0

    async def test_there_is_no_storm_after_an_outage(self, api: SimulatedApi, clock: HandClock) -> None:
        for target in api.observatory.targets():
            measured(api.observatory, target.name)
        slow = [project for project in api.observatory.projects() if project.name not in ("Wide 1", "Wide 2")]
        counters = api.observatory.counters
        async with watching(api, clock=clock) as watched:
            clock.advance(700.0)
            await more_looks(api, 2)
            assert counters.requests["statistics"] == 12
            await api.stop()
            await watched.until(lambda rig: rig.online is False)
            clock.advance(12 * HOUR)
            await api.start()
            await watched.until(lambda rig: rig.online is True)
            await more_looks(api, 3)

            assert [counters.targets_requests[project.id] for project in slow] == [2] * len(slow)
            clock.advance(601.0)
            await more_looks(api, 3)
        assert counters.requests["statistics"] == 24

    async def test_a_list_that_fails_is_reported_before_the_look_is_over(self, api: SimulatedApi) -> None:
        first, second = api.observatory.profiles[0].projects[:2]
        async with watching(api) as watched:
            release = asyncio.Event()
            waiting = api.faults.add(f"/projects/{second.id}/targets", Fault.delay(release))
            failing = api.faults.add(f"/projects/{first.id}/targets", Fault.status(500))
            report = await watched.until_reported(lambda report: report.problem is not None)
            assert report.problem is not None
            assert "targets of project 'Wide 1'" in report.problem.text
            failing.remove()
            waiting.remove()
            release.set()
            await watched.until_reported(lambda report: report.problem is None)

    def test_the_pause_between_attempts_grows_and_is_bounded(self) -> None:
        async def attempts() -> list[float]:
            clock = LoopClock()
            silent = ApiInMemory(two_profiles(), clock)
            silent.on = False
            timings = RigTimings(first_retry_s=2.0, longest_retry_s=60.0, least_gap_s=0.0)
            async with at_work(Watched(looks(), "http://rig", clock=clock, timings=timings, transport=silent)):
                await asyncio.sleep(1_000 * 60.0)
            return [request.seconds for request in silent.requests]

        moments = run_in_simulated_time(attempts)
        pauses = [later - earlier for earlier, later in pairwise(moments)]

        for pause, longest in zip(pauses, (2, 4, 8, 16, 32, 60, 60), strict=False):
            assert longest / 2 <= pause <= longest
        assert min(pauses[6:]) >= 30.0
        assert max(pauses) <= 60.0
        assert len({round(pause, 3) for pause in pauses[6:]}) > 100  # rigs do not come back in step


class TestRefresh:
    async def test_a_refresh_asks_for_everything_but_statistics_now(self, api: SimulatedApi) -> None:
        measured(api.observatory, "Wide 1 a")
        counters = api.observatory.counters
        async with watching(api, looks(interval=1_000.0)) as watched:
            api.observatory.rename(target_of(api.observatory, "Narrow 2 b"), "Renamed")
            watched.poller.refresh()
            await watched.until(lambda rig: "Renamed" in targets_of(rig))

        assert set(counters.projects_requests.values()) == set(counters.targets_requests.values()) == {2}
        assert counters.requests["statistics"] == counters.requests["preview"] == 0

    async def test_a_refresh_during_a_look_is_not_lost(self, api: SimulatedApi) -> None:
        async with watching(api, looks(interval=1_000.0)) as watched:
            release = asyncio.Event()
            api.faults.add("/profiles/*/projects", Fault.delay(release), times=1)
            watched.poller.refresh()
            await api.wait_for_request("/profiles/*/projects", after=2)
            watched.poller.refresh()
            release.set()
            async with asyncio.timeout(10):
                await api.wait_for_request("/profiles", after=2)

    def test_a_flood_of_refreshes_is_bounded(self) -> None:
        async def moments_of_looks() -> list[float]:
            clock = LoopClock()
            api = ApiInMemory(two_profiles(), clock)
            polls = looks(interval=1_000.0)
            timings = RigTimings(least_gap_s=2.0)
            async with at_work(Watched(polls, "http://rig", clock=clock, timings=timings, transport=api)) as watched:
                for _ in range(110):
                    watched.poller.refresh()
                    await asyncio.sleep(0.1)
            return [request.seconds for request in api.requests_to("/profiles")]

        assert run_in_simulated_time(moments_of_looks) == pytest.approx([0, 2, 4, 6, 8, 10], abs=0.001)

    def test_a_flood_of_requests_for_the_plan_reads_one_in_a_minute(self) -> None:
        async def flooded() -> None:
            clock = LoopClock()
            api = ApiInMemory(two_profiles(), clock)
            polls = looks(plan="manual", interval=1.0)
            async with at_work(Watched(polls, "http://rig", clock=clock, transport=api)) as watched:
                for minute in range(3):
                    for _ in range(50):
                        watched.poller.refresh_plan()
                        await asyncio.sleep(1.0)
                    assert len(api.requests_to("/preview")) == minute + 1
                    await asyncio.sleep(12.0)
                    assert len(api.requests_to("/preview")) == minute + 2

        run_in_simulated_time(flooded)

    async def test_a_refresh_tries_a_silent_rig_at_once(self, api: SimulatedApi) -> None:
        never = RigTimings(first_retry_s=1_000.0, longest_retry_s=1_000.0, least_gap_s=0.02)
        await api.stop()
        async with at_work(Watched(looks(), api.url, timings=never)) as watched:
            await watched.until(lambda rig: rig.online is False)
            await api.start()
            watched.poller.refresh()
            await watched.until(lambda rig: rig.online is True)


class TestEdits:
    """What a user changes is read at the edit interval, and for ten minutes after a change at the interval."""

    def test_an_edit_is_seen_within_the_edit_interval_and_makes_everything_live_for_ten_minutes(self) -> None:
        observatory = two_profiles()
        project = next(observatory.projects())

        async def asked() -> list[float]:
            async with asked_gently(observatory, interval=30.0, edit_interval=120.0) as (watched, api):
                await asyncio.sleep(125.0)
                observatory.rename(project, "Renamed")
                await asyncio.sleep(116.0)
                assert "Renamed" in projects_of(watched.rig)
                await asyncio.sleep(1_200.0)
            wide = observatory.profiles[0]
            return [request.seconds for request in api.requests_to(f"/profiles/{wide.id}/projects")]

        moments = run_in_simulated_time(asked)
        gaps = [round(after - before) for before, after in pairwise(moments)]
        assert gaps[:2] == [120, 120]
        assert set(gaps[2:21]) == {30}
        assert set(gaps[21:]) == {120}

    def test_what_an_edit_moves_from_one_list_to_another_is_seen_in_both_in_one_look(self) -> None:
        observatory = two_profiles()
        one, other = list(observatory.projects())[:2]

        async def moved() -> list[set[str]]:
            async with asked_gently(observatory, interval=300.0, edit_interval=300.0) as (watched, _api):
                await asyncio.sleep(50.0)
                # As a restored database does: with its id.
                other.targets.append(one.targets.pop())
                watched.poller.hasten(one.id)
                await asyncio.sleep(5.0)
                return [set(targets_of(report.rig)) for report in watched.reports]

        first, *_, last = run_in_simulated_time(moved)
        assert first == last

    def test_an_exposure_is_no_edit(self) -> None:
        observatory = two_profiles()
        project = next(observatory.projects())

        async def asked() -> int:
            async with asked_gently(observatory, interval=30.0, edit_interval=120.0) as (_watched, api):
                await asyncio.sleep(65.0)
                observatory.acquire(project.targets[0])
                await asyncio.sleep(595.0)
            return len(api.requests_to(f"/profiles/{observatory.profiles[0].id}/projects"))

        assert run_in_simulated_time(asked) == 6


class TestListsOfDifferentAges:
    def test_each_list_has_its_own_read_time(self) -> None:
        observatory = two_profiles()
        one, other = list(observatory.projects())[:2]

        async def read_before() -> tuple[float, ...]:
            async with asked_gently(observatory, interval=60.0, edit_interval=60.0) as (watched, _api):
                await asyncio.sleep(50.0)
                watched.poller.hasten(one.id)
                await asyncio.sleep(5.0)
                observatory.acquire(one.targets[0])
                observatory.acquire(other.targets[0])
                await asyncio.sleep(10.0)
                before = watched.poller.report.read_before
                return tuple((before[project.id] - LoopClock().start).total_seconds() for project in (one, other))

        assert run_in_simulated_time(read_before) == pytest.approx((50, 0), abs=0.1)


class TestHasten:
    """Somebody outside knows that there is something to read."""

    def test_the_targets_of_one_project_are_read_and_nothing_else_as_soon_as_the_rig_may_be_asked(self) -> None:
        observatory = two_profiles()
        project = next(observatory.projects())

        async def asked() -> list[tuple[float, str]]:
            async with asked_gently(observatory, interval=300.0) as (watched, api):
                await asyncio.sleep(1.0)
                watched.poller.hasten(project.id)
                await asyncio.sleep(49.0)
                watched.poller.hasten(project.id)
                await asyncio.sleep(100.0)
            return [(round(request.seconds, 1), request.path) for request in api.requests if request.seconds > 0.5]

        path = f"/projects/{project.id}/targets"
        assert run_in_simulated_time(asked) == [(2.0, path), (50.0, path)]

    def test_without_a_project_all_that_is_live_is_read(self) -> None:
        async def asked() -> list[str]:
            async with asked_gently(two_profiles(), interval=300.0) as (watched, api):
                await asyncio.sleep(50.0)
                watched.poller.hasten()
                await asyncio.sleep(100.0)
            return [request.path.split("/")[-1] for request in api.requests if request.seconds > 10.0]

        assert run_in_simulated_time(asked) == ["profiles", "projects", "targets", "targets"]

    def test_whoever_asks_is_told_also_that_nothing_has_changed_and_when_the_profiles_were_read(self) -> None:
        async def told() -> list[float]:
            async with asked_gently(two_profiles(), interval=300.0) as (watched, _api):
                await asyncio.sleep(50.0)
                known = len(watched.reports)
                watched.poller.hasten()
                await asyncio.sleep(100.0)
                start = LoopClock().start
                times = [report.profiles_read for report in watched.reports[known:]]
                return [(time - start).total_seconds() for time in times if time is not None]

        assert run_in_simulated_time(told) == [50.0]

    def test_a_flood_is_bounded(self) -> None:
        observatory = two_profiles()
        project = next(observatory.projects())

        async def moments() -> list[float]:
            async with asked_gently(observatory, interval=300.0) as (watched, api):
                for _ in range(110):
                    watched.poller.hasten(project.id)
                    await asyncio.sleep(0.1)
            return [request.seconds for request in api.requests_to(f"/projects/{project.id}/targets")]

        assert run_in_simulated_time(moments) == pytest.approx([0, 2, 4, 6, 8, 10], abs=0.001)

    def test_the_look_that_was_due_comes_all_the_same_and_nothing_is_read_more_often_afterwards(self) -> None:
        observatory = two_profiles()
        project = next(observatory.projects())

        async def asked() -> list[float]:
            async with asked_gently(observatory, interval=60.0) as (watched, api):
                await asyncio.sleep(50.0)
                observatory.acquire(project.targets[0])
                watched.poller.hasten(project.id)
                await asyncio.sleep(150.0)
            return [request.seconds for request in api.requests_to("/profiles")]

        assert run_in_simulated_time(asked) == pytest.approx([0, 60, 120, 180], abs=0.001)

    def test_a_project_in_which_something_is_to_be_read_while_the_rig_is_silent_is_a_look_as_any_other(self) -> None:
        observatory = two_profiles()
        project = next(observatory.projects())

        async def asked() -> list[str]:
            async with asked_gently(observatory, interval=60.0) as (watched, api):
                await asyncio.sleep(50.0)
                api.on = False
                await asyncio.sleep(150.0)
                assert watched.rig.online is False
                before = len(api.requests)
                watched.poller.hasten(project.id)
                await asyncio.sleep(0.5)
                return [request.path for request in api.requests[before:]]

        assert run_in_simulated_time(asked) == ["/version"]


class TestSeveralAddresses:
    async def test_the_port_may_change_with_the_profile(self, api: SimulatedApi, log: Log) -> None:
        wide, narrow = api.observatory.profiles
        async with SimulatedApi(api.observatory) as other:
            await other.stop()
            async with at_work(Watched(looks(), api.url, other.url)) as watched:
                await watched.until(lambda rig: rig.online is True)
                assert watched.rig.url == api.url

                await api.stop()
                api.observatory.activate_profile(narrow)
                await other.start()
                rig = await watched.until(lambda rig: rig.url == other.url)
                assert rig.active_profile is not None
                assert (rig.online, rig.active_profile.name) == (True, "Narrow")

                await api.start()
                before = len(api.requests)
                await more_looks(other, 5)
                assert len(api.requests) == before  # it stays with the one that answers

                await other.stop()
                api.observatory.activate_profile(wide)
                await watched.until(lambda rig: rig.url == api.url)

        assert len(log.about("the API does not answer")) <= 1  # while there was none at either port

    async def test_another_program_on_the_first_port(self, api: SimulatedApi, log: Log) -> None:
        async with SimulatedApi(api.observatory) as router:
            router.faults.add("*", Fault.html())
            async with at_work(Watched(looks(), router.url, api.url)) as watched:
                await watched.until(lambda rig: rig.online is True)
                before = len(router.requests)
                await more_looks(api, 3)
                assert len(router.requests) == before
                assert watched.rig.url == api.url

        assert log.problems == []

    async def test_another_program_on_the_second_port_when_the_first_falls_silent(self, api: SimulatedApi) -> None:
        """Its empty list would say that everything is gone."""
        async with SimulatedApi(api.observatory) as router:
            router.faults.add("*", Fault.body(b"[]"))
            async with at_work(Watched(looks(), api.url, router.url)) as watched:
                await watched.until(lambda rig: rig.online is True)
                await api.stop()
                rig = await watched.until(lambda rig: rig.online is False or not rig.known_profiles)
                assert (rig.online, len(rig.known_profiles)) == (False, 2)

    async def test_if_none_answers_all_are_named(self, api: SimulatedApi, log: Log) -> None:
        await api.stop()
        async with SimulatedApi(api.observatory) as router:
            router.faults.add("*", Fault.status(404))
            async with at_work(Watched(looks(), api.url, router.url)) as watched:
                await watched.until(lambda rig: rig.online is False)

        assert len(log.problems) == 1
        assert f"{api.url} cannot be reached" in log.problems[0]
        assert f"{router.url} answers 404" in log.problems[0]

    def test_an_address_that_is_none_is_a_fault_of_the_config(self) -> None:
        with pytest.raises(ConfigError, match="URL of a rig cannot be used"):
            Watched(looks(), f"http://{'ä' * 70}:8188")
