"""A month of a busy observatory, played once: what N.I.N.A. announced, and what the rig counted in its database."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from tests.support.recorded_rig import RecordedRig, TrueExposure
from ts2mqtt.simulator.automation import ObservatoryAutomation
from ts2mqtt.simulator.busy_observatory import busy_observatory
from ts2mqtt.simulator.nina.nina import SimulatedNina
from ts2mqtt.simulator.observatory import SimulatedObservatory
from ts2mqtt.simulator.scripted_user import ScriptedUser
from ts2mqtt.simulator.sky import Site

if TYPE_CHECKING:
    from ts2mqtt.simulator.nina.announcement import Announcement
    from ts2mqtt.simulator.nina.faults import Delivery

BERLIN = ZoneInfo("Europe/Berlin")
START = datetime(2026, 3, 15, 12, tzinfo=UTC)


def busy(seed: int = 7) -> SimulatedObservatory:
    return busy_observatory(seed=seed, start=START, site=Site(latitude_deg=52.5, longitude_deg=13.4), timezone=BERLIN)


@dataclass(frozen=True, slots=True)
class Month:
    """Announcements and deliveries in their order; each exposure with the time of its count."""

    nina: SimulatedNina
    announced: tuple[Announcement, ...]
    deliveries: tuple[Delivery, ...]
    exposures: tuple[TrueExposure, ...]

    def of(self, *events: str) -> list[Announcement]:
        return [announcement for announcement in self.announced if announcement.event in events]


@pytest.fixture(scope="session")
def month() -> Month:
    observatory = busy()
    rig = RecordedRig(observatory, START)
    observatory.automation = ObservatoryAutomation(rig, ScriptedUser(observatory, START))
    nina = SimulatedNina(observatory)
    nina.advance(START + timedelta(days=30))
    return Month(nina, tuple(nina.announced), tuple(nina.take_deliveries()), tuple(rig.exposures))


@pytest.fixture
def observatory() -> SimulatedObservatory:
    """One profile with one target, and no rig that images by itself."""
    observatory = SimulatedObservatory(timezone=ZoneInfo("America/Chicago"))
    project = observatory.add_project(observatory.add_profile("Backyard"), "Narrowband")
    observatory.add_target(project, "Wizard Nebula", ra_hours=22.79, dec_deg=58.13)
    return observatory


@pytest.fixture
def nina(observatory: SimulatedObservatory) -> SimulatedNina:
    return SimulatedNina(observatory)
