"""Night plans to draw."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from io import BytesIO
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from PIL import Image

from ts2mqtt.observatory.model import NightPlan, PlanBlock, PlannedExposures
from ts2mqtt.picture import night_picture

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import tzinfo

    from ts2mqtt.observatory.night_report import ImagedStretch
    from ts2mqtt.observatory.site import Site
    from ts2mqtt.picture.target_row import Coordinates

BERLIN = ZoneInfo("Europe/Berlin")
NIGHT = date(2026, 11, 22)
Run = tuple[str | None, float | None, int]


def at(hour: int, minute: int = 0, *, night: date = NIGHT, zone: ZoneInfo = BERLIN) -> datetime:
    """An hour of the night; hours before noon are of the next morning."""
    day = night + timedelta(days=hour < 12)
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=zone)


def block(target: str | None, start: datetime, end: datetime, *runs: Run, name: str | None = None) -> PlanBlock:
    return PlanBlock(
        target_id=target,
        name=target if name is None else name,
        start=start,
        end=end,
        exposures=tuple(PlannedExposures(*run) for run in runs),
    )


def plan(*blocks: PlanBlock, night: date = NIGHT) -> NightPlan:
    return NightPlan(profile_id="p", night=night, fetched=datetime(2026, 11, 22, 15, tzinfo=UTC), blocks=blocks)


def draw(  # noqa: PLR0913 (those of night_picture)
    drawn: NightPlan,
    *,
    zone: tzinfo | None = BERLIN,
    site: Site | None = None,
    coordinates: Mapping[str, Coordinates] | None = None,
    rig_name: str = "Backyard",
    imaged: Sequence[ImagedStretch] = (),
    width: int = 824,
) -> bytes:
    return night_picture(
        drawn,
        zone=zone,
        site=site,
        coordinates=coordinates or {},
        rig_name=rig_name,
        imaged=imaged,
        width=width,
    )


def image(png: bytes) -> Image.Image:
    return Image.open(BytesIO(png)).convert("RGB")


def columns(picture: Image.Image, colour: str, at_least: int = 25) -> list[int]:
    """The x of all columns that hold a good number of pixels of this colour: bars, no dots beside counts."""
    wanted = tuple(bytes.fromhex(colour[1:]))
    found = Counter(
        place % picture.width for place, pixel in enumerate(picture.get_flattened_data()) if pixel == wanted
    )
    return sorted(x for x, pixels in found.items() if pixels >= at_least)
