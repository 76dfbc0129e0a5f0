"""Looks step by step whether everything that a bridge needs is there, and says what to do where it is not."""

from ts2mqtt.check.findings import Cause, Finding, as_json, as_text
from ts2mqtt.check.run import CONFIG, check

__all__ = ["CONFIG", "Cause", "Finding", "as_json", "as_text", "check"]
