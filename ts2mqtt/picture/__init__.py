"""Draws a night as a PNG in dark colours, sized for a phone: its plan, or what has become of it."""

from ts2mqtt.picture.last_night import last_night_picture
from ts2mqtt.picture.night import night_picture

__all__ = ["last_night_picture", "night_picture"]
