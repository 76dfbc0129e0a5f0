"""Suggests the key that a user probably meant by an unknown key or variable."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from ts2mqtt.config.faults import ANY, KeyPath, dotted
from ts2mqtt.config.keys import PREFIX, Kind, all_keys, key_from, keys_below, kind_of, variable

RIG_VARIABLES: dict[str, KeyPath] = {
    "TS2MQTT_RIG_URL": ("rigs", 0, "url"),
    "TS2MQTT_RIG_NAME": ("rigs", 0, "name"),
    "TS2MQTT_RIG_ID": ("rigs", 0, "id"),
}
"""For a single rig that is configured by the environment alone."""

CONFIG_VARIABLE = "TS2MQTT_CONFIG"
"""Names the file of the configuration; not a setting itself."""

_URL = "http://192.168.1.50:8188"
# Names in other MQTT bridges, and names that one would guess: (the key here, advice on its value).
_FOREIGN: Mapping[str, tuple[str, str]] = {
    "broker": ("mqtt.host", ""),
    "server": ("mqtt.host", ""),
    "host": ("mqtt.host", ""),
    "port": ("mqtt.port", ""),
    "username": ("mqtt.username", ""),
    "password": ("mqtt.password", ""),
    "topic": ("mqtt.base_topic", ""),
    "hass": ("home_assistant", ""),
    "rig": ("rigs", f'a list, such as "- url: {_URL}"'),
    "nina": ("rigs", f'a list, such as "- url: {_URL}"'),
    "url": ("rigs[].url", ""),
    "logging": ("log", ""),
    "log_level": ("log.level", ""),
    "interval": ("polling.interval", ""),
    "mqtt.broker": ("mqtt.host", ""),
    "mqtt.server": ("mqtt.host", ""),
    "mqtt.hostname": ("mqtt.host", ""),
    "mqtt.address": ("mqtt.host", ""),
    "mqtt.ip": ("mqtt.host", ""),
    "mqtt.url": ("mqtt.host", "the name or address alone"),
    "mqtt.user": ("mqtt.username", ""),
    "mqtt.pass": ("mqtt.password", ""),
    "mqtt.topic": ("mqtt.base_topic", ""),
    "mqtt.topic_prefix": ("mqtt.base_topic", ""),
    "mqtt.prefix": ("mqtt.base_topic", ""),
    "mqtt.discovery": ("home_assistant.enabled", ""),
    "mqtt.discovery_prefix": ("home_assistant.discovery_prefix", ""),
    "mqtt.ssl": ("mqtt.tls.enabled", "true or false"),
    "mqtt.ca": ("mqtt.tls.ca_file", ""),
    "mqtt.ca_cert": ("mqtt.tls.ca_file", ""),
    "mqtt.version": ("mqtt.protocol", "3.1.1 or 5"),
    "mqtt.websocket": ("mqtt.transport", "tcp or websockets"),
    "mqtt.websockets": ("mqtt.transport", "tcp or websockets"),
    "mqtt.path": ("mqtt.websocket_path", ""),
    "mqtt.tls.ca": ("mqtt.tls.ca_file", ""),
    "mqtt.tls.cert": ("mqtt.tls.cert_file", ""),
    "mqtt.tls.key": ("mqtt.tls.key_file", ""),
    "mqtt.tls.verify": ("mqtt.tls.insecure", "true or false, the other way round"),
    "home_assistant.prefix": ("home_assistant.discovery_prefix", ""),
    "home_assistant.discovery": ("home_assistant.enabled", "true or false"),
    "rigs[].host": ("rigs[].url", _URL),
    "rigs[].ip": ("rigs[].url", _URL),
    "rigs[].address": ("rigs[].url", _URL),
    "rigs[].port": ("rigs[].url", f"the port is a part of it, {_URL}"),
    "rigs[].user": ("rigs[].username", ""),
    "rigs[].token": ("rigs[].headers", 'such as {Authorization: "Bearer …"}'),
    "rigs[].version": ("rigs[].api_version", "v0"),
    "rigs[].latitude": ("rigs[].site.latitude", ""),
    "rigs[].longitude": ("rigs[].site.longitude", ""),
    "rigs[].timeout": ("polling.timeout", "for all rigs"),
    "rigs[].interval": ("polling.interval", "for all rigs"),
    "polling.period": ("polling.interval", ""),
    "polling.seconds": ("polling.interval", "such as 30s"),
    "polling.preview": ("polling.plan", "auto, manual or off"),
}


@dataclass(frozen=True)
class Suggestion:
    """The key that was probably meant, or None, and a text that says so."""

    meant: KeyPath | None
    text: str


def suggest_key(section: KeyPath, unknown: str) -> Suggestion:
    """For a key of a file that is not known in this section."""
    spelt = _snake_case(unknown)
    if foreign := _foreign((*section, spelt)):
        meant, advice = foreign
        return Suggestion(meant, f"here it is {dotted(meant)}" + (f" ({advice})" if advice else ""))
    known = keys_below(section)
    if near := get_close_matches(spelt, known, 1, 0.7):
        return Suggestion((*section, near[0]), f"did you mean {near[0]}?")
    elsewhere = [_numbered(key, section) for key in all_keys() if key[-1] == spelt]
    if elsewhere:
        places = " or ".join(dotted(key) for key in elsewhere)
        meant_elsewhere = elsewhere[0] if len(elsewhere) == 1 else None
        return Suggestion(meant_elsewhere, f"did you mean {places}?")
    return Suggestion(None, f"known here are {', '.join(known)}")


def suggest_variable(name: str, parts: KeyPath) -> Suggestion:
    """For an environment variable, read as `parts`, that is no key."""
    if foreign := _foreign(parts):
        meant, _ = foreign
        return Suggestion(meant, f"here it is {_variable(meant)}")
    candidates = {_variable(key): key for key in (_numbered(key, parts) for key in all_keys())} | RIG_VARIABLES
    # All names begin with the prefix: with it every name would look similar.
    names = {candidate.removeprefix(PREFIX): candidate for candidate in (*candidates, CONFIG_VARIABLE)}
    near = get_close_matches(name.upper().removeprefix(PREFIX), names, 1, 0.6)
    if not near:
        return Suggestion(None, f"each key has one, such as {variable(('mqtt', 'host'))} for mqtt.host")
    return Suggestion(candidates.get(names[near[0]]), f"did you mean {names[near[0]]}?")


def _foreign(key: KeyPath) -> tuple[KeyPath, str] | None:
    pattern = tuple(ANY if isinstance(part, int) else part for part in key)
    found = _FOREIGN.get(dotted(pattern))
    if found is None:
        return None
    instead, advice = found
    return _numbered(key_from(instead), key), advice


def _numbered(pattern: KeyPath, near: KeyPath) -> KeyPath:
    """The key with the number of the rig in which the unknown key is."""
    index = next((part for part in near if isinstance(part, int)), 0)
    return tuple(index if part == ANY else part for part in pattern)


def _variable(key: KeyPath) -> str:
    """The variable of the key, or for a section of one key in it."""
    below: Mapping[Kind | None, KeyPath] = {
        Kind.SECRETS: ("authorization",),
        Kind.SECTIONS: (0, "url"),
        Kind.SECTION: keys_below(key)[:1],
    }
    return variable((*key, *below.get(kind_of(key), ())))


def _snake_case(key: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])|[- .]", "_", key.strip()).lower()
