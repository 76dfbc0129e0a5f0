"""Draws the night plan as a PNG in dark colours, sized for a phone."""

from ts2mqtt.picture.night import night_picture

__all__ = ["night_picture"]
