"""The shapes of the Advanced API, version 2: the message on the socket, and the event in the history."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING

from ts2mqtt.simulator.nina.announcement import IMAGE_SAVE
from ts2mqtt.simulator.nina.json_text import newtonsoft
from ts2mqtt.simulator.random_numbers import random_numbers
from ts2mqtt.simulator.wire import JsonObject, net_time

if TYPE_CHECKING:
    from datetime import datetime, tzinfo

    from ts2mqtt.simulator.nina.announcement import Announcement
    from ts2mqtt.simulator.rows import JsonValue

_LENGTH_OF_OFFSET = len("+00:00")
_NAIVE_LOCAL = ("ERROR-PLATESOLVE", "ERROR-AF", "MOUNT-CENTER", "DOME-STOPPED")
_NAMES_ONLY = ("Coordinates", "New", "Previous")


def live_message(announcement: Announcement, seed: int) -> str:
    """The message on the socket: no time, and the keys of its event in random order."""
    if announcement.bare_text is not None:
        return envelope(announcement.bare_text)
    response: JsonObject = {"Event": announcement.event, **announcement.fields}
    # The plugin keeps the keys in a .NET Hashtable, whose order is another in each process.
    numbers = random_numbers(seed, "order of keys", announcement.time, announcement.event)
    keys = list(response)
    numbers.shuffle(keys)
    return envelope({key: response[key] for key in keys})


def envelope(response: JsonValue) -> str:
    """A message on the socket with this response."""
    return newtonsoft(
        {"Response": response, "Error": "", "StatusCode": 200, "Success": True, "Type": "Socket"},
    )


def history_entry(announcement: Announcement, timezone: tzinfo) -> JsonObject:
    """The event in /event-history: an image has its time alone, and objects have lost their values."""
    time = history_time(announcement, timezone)
    if announcement.event == IMAGE_SAVE:
        return {"Event": IMAGE_SAVE, "Time": time}
    kept: JsonObject = {name: _without_values(name, value) for name, value in announcement.fields.items()}
    return {"Time": time, "Event": announcement.event, **kept}


def history_time(announcement: Announcement, timezone: tzinfo) -> str:
    """In one of three formats, by the event's name: naive UTC, naive local, local with its offset."""
    if announcement.is_of_scheduler:
        return naive_time(announcement.time, announcement.tick, UTC)
    if announcement.event in _NAIVE_LOCAL:
        return naive_time(announcement.time, announcement.tick, timezone)
    return net_time(announcement.time, announcement.tick, timezone)


def naive_time(time: datetime, tick: int, timezone: tzinfo) -> str:
    """The time in this time zone, without an offset."""
    return net_time(time, tick, timezone)[:-_LENGTH_OF_OFFSET]


def _without_values(name: str, value: JsonValue) -> JsonValue:
    if name in _NAMES_ONLY and isinstance(value, dict):
        return {key: [] for key in value}
    return value
