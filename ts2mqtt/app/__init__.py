"""The start of ts2mqtt as an app (add-on) of Home Assistant."""
