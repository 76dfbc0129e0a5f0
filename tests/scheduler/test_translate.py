"""From the wire's words to the observatory's."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone, tzinfo

import pytest

from tests.support.build import exposure_plan
from ts2mqtt.observatory.model import ExposurePlan, PlanBlock, PlannedExposures, Profile, Project, Statistics
from ts2mqtt.scheduler import translate as translation, wire

EST = timezone(timedelta(hours=-5))


def a_project(**fields: object) -> Project:
    return translation.project(wire.Project.model_validate({"Id": "p", **fields}), EST)


class TestProfiles:
    def test_everything(self) -> None:
        answer = wire.Profile.model_validate({"Id": "p", "Name": "Backyard", "Active": True, "Camera": "ASI2600"})

        assert translation.profile(answer) == Profile(
            id="p", name="Backyard", active=True, extra={"Camera": "ASI2600"}
        )

    @pytest.mark.parametrize("fields", [{}, {"Name": None, "Active": None}])
    def test_nothing(self, fields: dict[str, None]) -> None:
        answer = wire.Profile.model_validate({"Id": "p", **fields})

        assert translation.profile(answer) == Profile(id="p", name="", active=False)


class TestProjects:
    def test_everything(self) -> None:
        made = a_project(
            Name="Autumn",
            ProfileId="x",
            State="Active",
            Priority=2,
            Description="galaxies",
            CreateDate="2026-02-26T06:17:59-05:00",
            ActiveDate="2026-02-27T06:17:59-05:00",
            InactiveDate="2026-02-28T06:17:59-05:00",
            MinimumTime=30,
            UseCustomHorizon=True,
            HorizonOffset=1.5,
            MeridianWindow=60,
            FilterSwitchFrequency=2,
            DitherEvery=3,
            EnableGrader=False,
            Mosaic=True,
            FlatsHandling=7,
            MinimumAltitude=20,
            MaximumAltitude=85.5,
            SmartExposureOrder=True,
            MoonAvoidance={"on": True},
        )

        assert made == Project(
            id="p",
            name="Autumn",
            state="active",
            priority="high",
            description="galaxies",
            created=datetime(2026, 2, 26, 6, 17, 59, tzinfo=EST),
            activated=datetime(2026, 2, 27, 6, 17, 59, tzinfo=EST),
            deactivated=datetime(2026, 2, 28, 6, 17, 59, tzinfo=EST),
            minimum_time_min=30,
            use_custom_horizon=True,
            horizon_offset_deg=1.5,
            meridian_window_min=60,
            filter_switch_frequency=2,
            dither_every=3,
            enable_grader=False,
            mosaic=True,
            flats_handling="periodically",
            flats_period_days=7,
            minimum_altitude_deg=20.0,
            maximum_altitude_deg=85.5,
            smart_exposure_order=True,
            extra={"MoonAvoidance": {"on": True}},
        )

    def test_nothing(self) -> None:
        made = a_project()

        assert (made.name, made.extra, made.targets) == ("", {}, None)
        assert {made.state, made.priority, made.created, made.flats_handling, made.mosaic} == {None}

    @pytest.mark.parametrize(
        ("state", "word"),
        [
            ("Draft", "draft"),
            ("CLOSED", "closed"),
            ("On Hold", "on_hold"),
            ("A/#+\0", "a"),
            ("", None),
            ("###", None),
            ("x" * 100, "x" * 40),
            (None, None),
        ],
    )
    def test_states_known_and_to_come(self, state: str | None, word: str | None) -> None:
        assert a_project(State=state).state == word

    @pytest.mark.parametrize(
        ("priority", "word", "extra"),
        [
            (0, "low", {}),
            (1, "normal", {}),
            (2, "high", {}),
            (None, None, {}),
            (3, None, {"Priority": 3}),
            (-1, None, {"Priority": -1}),
        ],
    )
    def test_priorities_known_and_to_come(
        self, priority: int | None, word: str | None, extra: dict[str, int]
    ) -> None:
        made = a_project(Priority=priority)

        assert (made.priority, made.extra) == (word, extra)

    @pytest.mark.parametrize(
        ("number", "word", "days", "extra"),
        [
            (0, "off", None, {}),
            (100, "on_target_completion", None, {}),
            (200, "immediately", None, {}),
            (1, "periodically", 1, {}),
            (14, "periodically", 14, {}),
            (None, None, None, {}),
            (15, None, None, {"FlatsHandling": 15}),
            (300, None, None, {"FlatsHandling": 300}),
            (-1, None, None, {"FlatsHandling": -1}),
        ],
    )
    def test_flats_handling(
        self, number: int | None, word: str | None, days: int | None, extra: dict[str, int]
    ) -> None:
        made = a_project(FlatsHandling=number)

        assert (made.flats_handling, made.flats_period_days, made.extra) == (word, days, extra)


class TestDates:
    @pytest.mark.parametrize(
        "never",
        [
            "1969-12-31T19:00:00-05:00",
            "1970-01-01T00:00:00Z",
            "1970-01-01T12:00:00+12:00",
            "1970-01-01T00:00:00",
            "0001-01-01T00:00:00",
            "0001-01-01T00:00:00+00:00",
            "9999-12-31T23:59:59.9999999",
            "9999-12-31T23:59:59-12:00",
            None,
        ],
    )
    @pytest.mark.parametrize("zone", [None, EST, timezone(timedelta(hours=14))])
    def test_never_is_none(self, never: str | None, zone: tzinfo | None) -> None:
        answer = wire.Project.model_validate({"Id": "p", "ActiveDate": never, "InactiveDate": never})

        made = translation.project(answer, zone)

        assert (made.activated, made.deactivated) == (None, None)

    def test_seven_fractional_digits(self) -> None:
        created = a_project(CreateDate="2026-02-27T19:38:15.4436817-05:00").created

        assert created == datetime(2026, 2, 27, 19, 38, 15, 443681, tzinfo=EST)

    def test_a_date_without_offset_is_in_the_rigs_zone(self) -> None:
        assert a_project(CreateDate="2026-02-27T19:38:15").created == datetime(2026, 2, 27, 19, 38, 15, tzinfo=EST)

    def test_a_date_without_offset_is_in_our_zone_before_the_rigs_is_known(self) -> None:
        naive = datetime(2026, 2, 27, 19, 38, 15)  # noqa: DTZ001 - as the API may send it

        made = translation.with_offset(naive, None)

        assert made.utcoffset() is not None
        assert made == naive.astimezone()

    def test_an_offset_of_its_own_stays(self) -> None:
        moment = datetime(2026, 2, 27, 19, tzinfo=UTC)

        assert translation.with_offset(moment, EST) is moment


class TestTargets:
    def test_everything(self) -> None:
        answer = wire.Target.model_validate(
            {
                "Id": "t",
                "ProjectId": "p",
                "Name": "M 31",
                "Active": False,
                "RA": 0.7,
                "Dec": -41.3,
                "Rotation": 90,
                "Epoch": "JNOW",
                "ROI": 50,
                "Catalogue": "Messier",
                "ExposurePlan": [
                    {
                        "TemplateName": "Luminance",
                        "Exposure": 60.5,
                        "FilterName": "Lum",
                        "Desired": 10,
                        "Acquired": 8,
                        "Accepted": 5,
                        "Ungraded": 3,
                        "Gain": 100,
                    },
                    {},
                ],
            }
        )

        made = translation.target(answer)

        assert (made.id, made.name, made.active) == ("t", "M 31", False)
        assert (made.ra_hours, made.dec_deg, made.rotation_deg) == (0.7, -41.3, 90.0)
        assert (made.epoch, made.roi_percent, made.extra) == ("JNOW", 50.0, {"Catalogue": "Messier"})
        first, second = made.exposure_plans
        assert first == ExposurePlan(
            key="luminance_60_5",
            template="Luminance",
            filter="Lum",
            exposure_s=60.5,
            desired=10,
            acquired=8,
            accepted=5,
            ungraded=3,
            extra={"Gain": 100},
        )
        assert (second.template, second.filter, second.exposure_s) == (None, None, None)
        assert (second.desired, second.acquired, second.accepted, second.ungraded) == (0, 0, 0, 0)

    @pytest.mark.parametrize("fields", [{}, {"ExposurePlan": None}, {"ExposurePlan": []}])
    def test_without_exposure_plans(self, fields: dict[str, object]) -> None:
        made = translation.target(wire.Target.model_validate({"Id": "t", **fields}))

        assert (made.name, made.active, made.ra_hours, made.exposure_plans) == ("", None, None, ())


def plan(key: str, filter_name: str, exposure_s: float = 60.0) -> ExposurePlan:
    return ExposurePlan(
        key=key,
        template=key,
        filter=filter_name,
        exposure_s=exposure_s,
        desired=1,
        acquired=1,
        accepted=1,
        ungraded=0,
    )


def row(filter_name: str, exposure_s: float = 60.0, hfr: float = 2.0, **fields: object) -> wire.Statistics:
    return wire.Statistics.model_validate(
        {"FilterName": filter_name, "Exposure": exposure_s, "HFRMean": hfr, "HFRStdDev": 0.1, **fields}
    )


class TestStatistics:
    def test_everything(self) -> None:
        answer = row(
            "Lum",
            HFRBelowAutoAcceptLevel=5,
            FWHMMean=3.5,
            FWHMStdDev=0,
            FWHMBelowAutoAcceptLevel=0,
            EccentricityMean=0.4,
            EccentricityStdDev=0.2,
            EccentricityBelowAutoAcceptLevel=-1,
            Stars=900,
        )

        assert translation.statistics_by_plan([plan("lum", "Lum")], [answer]) == {
            "lum": Statistics(
                hfr_mean=2.0,
                hfr_std_dev=0.1,
                hfr_below_auto_accept=5.0,
                fwhm_mean=3.5,
                fwhm_std_dev=0.0,
                fwhm_below_auto_accept=0.0,
                eccentricity_mean=0.4,
                eccentricity_std_dev=0.2,
                eccentricity_below_auto_accept=None,
                extra={"Stars": 900},
            )
        }

    @pytest.mark.parametrize("fields", [{}, {"HFRBelowAutoAcceptLevel": -1}, {"FWHMMean": 0, "FWHMStdDev": 0}])
    def test_mean_0_means_no_images(self, fields: dict[str, float]) -> None:
        assert translation.statistics_by_plan([plan("lum", "Lum")], [row("Lum", hfr=0, **fields)]) == {}

    def test_what_was_not_measured_is_none(self) -> None:
        answer = row("Lum", FWHMMean=0, FWHMStdDev=0, FWHMBelowAutoAcceptLevel=-1)

        made = translation.statistics_by_plan([plan("lum", "Lum")], [answer])["lum"]

        assert (made.hfr_mean, made.fwhm_mean, made.fwhm_std_dev, made.eccentricity_mean) == (2.0, None, None, None)

    def test_they_belong_to_the_plan_of_their_filter_and_time_in_any_order(self) -> None:
        plans = [plan("lum_60", "Lum"), plan("lum_120", "Lum", 120.0), plan("red", "Red")]
        answers = [row("Red", hfr=3.0), row("Lum", 120.0, hfr=1.2), row("Lum", hfr=1.1)]

        made = translation.statistics_by_plan(plans, answers)

        assert {key: value.hfr_mean for key, value in made.items()} == {"lum_60": 1.1, "lum_120": 1.2, "red": 3.0}

    def test_among_equals_the_order_decides(self) -> None:
        plans = [plan("lum_60", "Lum"), plan("lum_60_2", "Lum")]

        made = translation.statistics_by_plan(plans, [row("Lum", hfr=1.0), row("Lum", hfr=2.0), row("Lum", hfr=3.0)])

        assert {key: value.hfr_mean for key, value in made.items()} == {"lum_60": 1.0, "lum_60_2": 2.0}

    def test_a_plan_that_went_or_came_between_two_answers_upsets_nobody(self) -> None:
        made = translation.statistics_by_plan([plan("red", "Red"), plan("new", "SII")], [row("Lum"), row("Red")])

        assert list(made) == ["red"]

    def test_a_plan_without_filter_or_time(self) -> None:
        bare = exposure_plan(key="bare", exposure_s=None)
        answer = wire.Statistics.model_validate({"FilterName": "Lum", "HFRMean": 2.0})

        assert list(translation.statistics_by_plan([bare], [answer])) == ["bare"]


def block(**fields: object) -> PlanBlock:
    times = {"StartTime": "2026-02-27T19:00:00", "EndTime": "2026-02-27T20:00:00.1234567-05:00"}
    return translation.plan_block(wire.PreviewBlock.model_validate({**times, **fields}), EST)


class TestPlanBlocks:
    def test_a_target_with_its_exposures_in_order(self) -> None:
        runs = [{"FilterName": "Lum", "Exposure": 60, "Count": 2}, {"FilterName": "Lum"}, {"FilterName": "Red"}]

        made = block(Id="t", Name="M 31", WaitPeriod=False, ExposurePlan=runs, Score=0.5)

        assert made == PlanBlock(
            target_id="t",
            name="M 31",
            start=datetime(2026, 2, 27, 19, tzinfo=EST),
            end=datetime(2026, 2, 27, 20, 0, 0, 123456, tzinfo=EST),
            exposures=(
                PlannedExposures("Lum", 60.0, 2),
                PlannedExposures("Lum", None, 0),
                PlannedExposures("Red", None, 0),
            ),
            extra={"Score": 0.5},
        )

    @pytest.mark.parametrize(
        "fields", [{"WaitPeriod": True}, {"WaitPeriod": True, "Id": "t", "Name": "x"}, {"WaitPeriod": None}, {}]
    )
    def test_a_wait_has_no_target(self, fields: dict[str, object]) -> None:
        made = block(**fields)

        assert (made.is_wait, made.name, made.exposures) == (True, None, ())

    def test_a_target_without_a_name(self) -> None:
        assert block(Id="t", Name=None).name == ""

    @pytest.mark.parametrize(
        "time", ["0001-01-01T00:00:00", "9999-12-31T23:59:59.9999999", "1969-12-31T19:00:00-05:00"]
    )
    def test_a_block_outside_of_time_is_refused(self, time: str) -> None:
        with pytest.raises(ValueError, match="beyond reason"):
            block(StartTime=time)
