"""The night plan as a picture for a phone in the dark."""

from ts2mqtt.picture.night import night_picture

__all__ = ["night_picture"]
