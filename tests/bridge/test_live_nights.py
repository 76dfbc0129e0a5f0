"""A night in front of a simulated N.I.N.A.: how soon things are told, and that nothing is invented or told twice."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from datetime import datetime, timedelta
from statistics import median
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.live_delays import (
    START,
    announced_targets,
    exposure_delays,
    is_end,
    recorded_observatory,
    told,
)
from tests.support.live_night import LiveRig, play_live
from tests.support.night_delays import WITHOUT_DATABASE, kind_of
from ts2mqtt.config import PollingConfig
from ts2mqtt.observatory.events import (
    EXPOSURE_ACQUIRED,
    IMAGE_SAVED,
    MERIDIAN_FLIP_FINISHED,
    MERIDIAN_FLIP_STARTED,
    TARGET_FINISHED,
    TARGET_STARTED,
)
from ts2mqtt.observatory.sharpness import MOST_VALUES
from ts2mqtt.simulator.nina.announcement import AFTER_FLIP, BEFORE_FLIP, IMAGE_SAVE
from ts2mqtt.simulator.nina.faults import LiveFault

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ts2mqtt.simulator.nina.announcement import Announcement
    from ts2mqtt.simulator.rows import SimulatedExposurePlan

ONE_NIGHT = timedelta(days=1)


class Night:
    """A night of a busy observatory; `faults` by the names of the events that they are of."""

    def __init__(self, *, restarts: bool = False, faults: Mapping[str, LiveFault] | None = None) -> None:
        observatory, self.recorded = recorded_observatory()
        self._observatory = observatory
        self._images_before = {id(plan): len(plan.images) for _, plan in self._plans()}

        async def script(rig: LiveRig) -> None:
            for pattern, fault in (faults or {}).items():
                rig.nina.nina.faults.add(pattern, fault)
            if restarts:
                for hours in range(6, 24, 2):
                    await rig.until(START + timedelta(hours=hours))
                    await rig.stop_bridge()
                    rig.start_bridge()
            await rig.until(START + ONE_NIGHT)

        self.rig = play_live(observatory, script)

    @property
    def report(self) -> dict[str, Any]:
        """That of the night, as it stood in its end."""
        reports = (update.state["tonight"]["report"] for update in reversed(self.rig.updates))
        return next(report for report in reports if report["night"] == START.date().isoformat())

    @property
    def true_hfrs(self) -> dict[tuple[str, str, float], list[float]]:
        """By target, filter and length of the exposures."""
        hfrs: defaultdict[tuple[str, str, float], list[float]] = defaultdict(list)
        for target_id, plan in self._plans():
            for image in plan.images[self._images_before.get(id(plan), 0) :]:
                assert image.hfr
                hfrs[target_id, plan.filter_name, plan.exposure_s].append(image.hfr)
        return hfrs

    def _plans(self) -> Iterator[tuple[str, SimulatedExposurePlan]]:
        for target in self._observatory.targets():
            for plan in target.exposure_plans:
                yield target.id, plan

    @property
    def announced(self) -> list[Announcement]:
        return list(self.rig.nina.nina.announced)

    def told(self, event_type: str) -> list[tuple[datetime, str | None]]:
        return told(self.rig.events, event_type)

    def runs_at(self, moment: datetime) -> bool:
        states = [state for time, state in self.rig.nina.nina.states if time <= moment]
        return states[-1].sequence == "RUNNING"


@pytest.fixture(scope="module")
def night() -> Night:
    return Night()


@pytest.fixture(scope="module")
def restarted() -> Night:
    return Night(restarts=True)


def test_a_target_is_told_when_it_is_announced(night: Night) -> None:
    starts = night.told(TARGET_STARTED)
    announced = list(announced_targets(night.announced))

    assert [target_id for _, target_id in starts] == [one.target_id for one in announced]
    assert all(
        timedelta() <= time - one.time < timedelta(seconds=2)
        for (time, _), one in zip(starts, announced, strict=True)
    )
    assert len(night.told(TARGET_FINISHED)) == len(starts)


def test_the_end_of_imaging_is_told_at_once(night: Night) -> None:
    ends = [one for one in night.announced if is_end(one)]

    for end in ends:
        later = [update for update in night.rig.updates if update.time > end.time + timedelta(seconds=5)]
        earlier = [update for update in night.rig.updates if update.time <= end.time + timedelta(seconds=5)]
        assert earlier[-1].state["imaging"] is not True
        assert later
    assert ends


def test_an_exposure_is_told_seconds_after_it_is_in_the_database(night: Night) -> None:
    delays = exposure_delays(night.recorded, night.rig.events)

    assert len(delays) == len(night.told(EXPOSURE_ACQUIRED)) > 50
    assert median(delays) < 3


def test_a_night_that_is_heard_takes_few_requests_more_than_what_a_user_may_edit(night: Night) -> None:
    requests = [kind_of(request.path) for request in night.rig.api.requests]

    # Six lists of targets and one of projects every two minutes, and six or seven other lists every ten.
    polling = PollingConfig()
    edited, others = (
        ONE_NIGHT.total_seconds() / polling.edit_interval,
        ONE_NIGHT.total_seconds() / polling.slow_interval,
    )
    few = 8 * len(night.told(EXPOSURE_ACQUIRED))
    assert sum(kind not in WITHOUT_DATABASE for kind in requests) <= 7 * edited + 7 * others + few


def test_every_light_and_flip_is_told_once(night: Night) -> None:
    lights = [one for one in night.announced if one.event == IMAGE_SAVE and _kind(one) == "LIGHT"]
    flips = Counter(one.event for one in night.announced)

    assert len(night.told(IMAGE_SAVED)) == len(lights)
    assert len(night.told(MERIDIAN_FLIP_STARTED)) == flips[BEFORE_FLIP]
    assert len(night.told(MERIDIAN_FLIP_FINISHED)) == flips[AFTER_FLIP]
    assert night.rig.updates[-1].state["last_image"]["stars"] > 0


@pytest.mark.parametrize("restarts", [False, True])
def test_the_report_of_the_night_has_the_medians_of_its_images(
    night: Night, restarted: Night, *, restarts: bool
) -> None:
    played = restarted if restarts else night
    report = played.report

    true, medians = played.true_hfrs, hfr_medians(report)

    assert medians.keys() == true.keys()
    counted = sum(count for one in report["hfr_counts"] for _, count in one["counts"])
    # What is saved while the bridge starts is not heard.
    assert 0 <= sum(map(len, true.values())) - counted <= (20 if restarts else 0)
    for plan, hfrs in true.items():
        nearness = 0.3 if restarts else 0.006 if len(set(hfrs)) <= MOST_VALUES else 0.04
        assert medians[plan] == pytest.approx(median(hfrs), abs=nearness), plan
    lights = [one.time for one in played.announced if one.event == IMAGE_SAVE and _kind(one) == "LIGHT"]
    assert abs(datetime.fromisoformat(report["last_image"]["time"]) - lights[-1]) < timedelta(seconds=1)
    assert len(json.dumps(report["hfr_counts"])) < 1_000 * len(true)


def hfr_medians(report: dict[str, Any]) -> dict[tuple[str, str, float], float | None]:
    """By target, filter and length of the exposures."""
    return {
        (target["id"], row["filter"], row["exposure_s"]): row["hfr_median"]
        for target in report["targets"]
        for row in target["filters"]
    }


def _kind(image: Announcement) -> object:
    statistics = image.fields["ImageStatistics"]
    assert isinstance(statistics, dict)
    return statistics["ImageType"]


def test_no_night_plan_is_asked_for_while_the_sequence_runs(night: Night) -> None:
    assert night.rig.previews
    assert [time for time in night.rig.previews if night.runs_at(time)] == []


def test_the_rig_never_waited_for_the_bridge(night: Night) -> None:
    assert night.rig.nina.waits
    assert night.rig.nina.longest_wait_s < 0.05


def test_a_bridge_that_is_restarted_tells_nothing_twice(night: Night, restarted: Night) -> None:
    assert restarted.told(TARGET_STARTED)[:1] == night.told(TARGET_STARTED)[:1]
    assert [target for _, target in restarted.told(TARGET_STARTED)] == [
        target for _, target in night.told(TARGET_STARTED)
    ]
    assert len(restarted.told(EXPOSURE_ACQUIRED)) == len(night.told(EXPOSURE_ACQUIRED))
    images = [update.state["last_image"] for update in restarted.rig.updates]
    first = next(number for number, image in enumerate(images) if image)
    assert all(images[first:])


@pytest.mark.parametrize(
    "faults",
    [
        {"*": LiveFault.duplicate()},
        {"*": LiveFault.drop()},
        {"TS-*": LiveFault.fields(TargetName="Nobody", Coordinates=[])},
    ],
    ids=["twice", "lost", "of a target that nobody has"],
)
def test_what_goes_wrong_with_words_invents_no_exposure_and_no_target(
    night: Night, faults: dict[str, LiveFault]
) -> None:
    disturbed = Night(faults=faults)

    assert len(disturbed.told(EXPOSURE_ACQUIRED)) == len(night.told(EXPOSURE_ACQUIRED))
    assert [target for _, target in disturbed.told(TARGET_STARTED)] == [
        target for _, target in night.told(TARGET_STARTED)
    ]


@pytest.mark.parametrize("faults", [{IMAGE_SAVE: LiveFault.drop()}, {"*": LiveFault.drop()}], ids=["images", "all"])
def test_where_words_are_lost_no_exposure_is_told_later_than_with_a_full_look(faults: dict[str, LiveFault]) -> None:
    disturbed = Night(faults=faults)

    assert max(exposure_delays(disturbed.recorded, disturbed.rig.events)) <= PollingConfig().interval + 1.0
