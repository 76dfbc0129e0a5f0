"""Right ascension and declination as people write them."""

from __future__ import annotations

_DEGREES_PER_HOUR = 15.0


def ra_degrees(hours: float) -> float:
    """Right ascension in degrees, from hours; rounded to a billionth to hide the float's last digit."""
    return round(hours * _DEGREES_PER_HOUR, 9)


def ra_text(hours: float) -> str:
    """Right ascension as `00h42m44.3s`, to a tenth of a second of time; never shows 60 seconds or 24 hours."""
    tenths = round(hours * 36_000) % (24 * 36_000)
    minutes, tenths = divmod(tenths, 600)
    return f"{minutes // 60:02d}h{minutes % 60:02d}m{tenths // 10:02d}.{tenths % 10}s"


def dec_text(degrees: float) -> str:
    """Declination as `+41°16'08"`, to a second of arc; never shows 60 seconds, nor a negative zero."""
    seconds = round(abs(degrees) * 3_600)
    sign = "-" if degrees < 0 and seconds else "+"
    minutes, seconds = divmod(seconds, 60)
    return f"{sign}{minutes // 60:02d}°{minutes % 60:02d}'{seconds:02d}\""
