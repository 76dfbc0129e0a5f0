"""Publishes what N.I.N.A.'s Target Scheduler plans and has done to MQTT."""

__version__ = "0.1.0"
REPOSITORY_URL = ""
"""Where the source, its issues and its blueprints are; empty until it is known. `make address URL=…` sets it."""
