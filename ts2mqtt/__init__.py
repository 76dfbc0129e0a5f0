"""Publishes what N.I.N.A.'s Target Scheduler plans and has done to MQTT."""

__version__ = "0.1.0"
