"""What Home Assistant has to show, read from what the broker holds: devices, entities and their states."""

from __future__ import annotations

import json
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any

from tests.discovery.home_assistant import entities_in, shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.home_assistant.hass import HomeAssistant

_PREFIX = "homeassistant/device/"
_WITHOUT_A_STATE = {"button", "event", "image"}
"""Their state is a time: when somebody pressed, when something happened, when the picture came."""


@cache
def _read(payload: bytes) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(payload)
    return told


def discovered(held: Mapping[str, bytes], base: str) -> list[dict[str, Any]]:
    """The discovery payloads of all devices of the bridge with this base topic."""
    return [_read(payload) for topic, payload in held.items() if topic.startswith(f"{_PREFIX}{base}/")]


def components(held: Mapping[str, bytes], base: str) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Every entity's component, with the payload that it stands in."""
    for payload in discovered(held, base):
        for component in entities_in(payload).values():
            if "unique_id" in component:
                yield payload, component


def differences(hass: HomeAssistant, held: Mapping[str, bytes], base: str) -> list[str]:
    """Where Home Assistant differs from the broker; nothing if it shows all of the bridge as told."""
    found: list[str] = []
    wanted = list(components(held, base))
    for payload in discovered(held, base):
        found += _device_differences(hass, payload["device"])
    for payload, component in wanted:
        found += _entity_differences(hass, payload, component, held)
    known = {unique_id for unique_id in hass.entities if unique_id.startswith(f"{base}_")}
    spared = _what_stays_for_ever(hass)
    strays = known - {component["unique_id"] for _, component in wanted} - spared
    found += [f"{unique_id} is too many" for unique_id in strays]
    places = {hass.entities[unique_id]["device_id"] for unique_id in spared}
    devices = {identifier for payload in discovered(held, base) for identifier in payload["device"]["identifiers"]}
    return found + [
        f"the device {identifier} is too many"
        for identifier, device in hass.devices.items()
        if (identifier == base or identifier.startswith(f"{base}_"))
        and identifier not in devices
        and device["id"] not in places
    ]


def _what_stays_for_ever(hass: HomeAssistant) -> set[str]:
    if hass.release.removes_what_is_disabled:
        return set()
    return {unique_id for unique_id, entry in hass.entities.items() if entry["disabled_by"]}


def _device_differences(hass: HomeAssistant, device: dict[str, Any]) -> Iterator[str]:
    identifier = device["identifiers"][0]
    entry = hass.devices.get(identifier)
    if entry is None:
        yield f"the device {identifier} is missing"
        return
    for key in ("name", "manufacturer", "model", "sw_version", "configuration_url"):
        if entry[key] != device.get(key):
            yield f"the device {identifier} has {key} {entry[key]!r}, not {device.get(key)!r}"
    parent = hass.devices.get(device.get("via_device", ""), {}).get("id")
    if entry["via_device_id"] != parent:
        yield f"the device {identifier} hangs on {entry['via_device_id']}, not on {parent}"


def _entity_differences(
    hass: HomeAssistant, payload: dict[str, Any], component: dict[str, Any], held: Mapping[str, bytes]
) -> Iterator[str]:
    unique_id = component["unique_id"]
    entry = hass.entities.get(unique_id)
    if entry is None:
        yield f"{unique_id} is missing"
        return
    device = hass.devices.get(payload["device"]["identifiers"][0], {})
    enabled = component.get("enabled_by_default", True)
    wanted = {
        "original_name": component["name"],
        "entity_category": component.get("entity_category"),
        "disabled_by": None if enabled else "integration",
        "device_id": device.get("id"),
    }
    for key, value in wanted.items():
        if entry[key] != value:
            yield f"{unique_id} has {key} {entry[key]!r}, not {value!r}"
    domain = entry["entity_id"].partition(".")[0]
    if domain != component["platform"]:
        yield f"{unique_id} is a {domain}, not a {component['platform']}"
    state = hass.states.get(entry["entity_id"])
    if (state is not None) != enabled:
        yield f"{unique_id} has {'no' if enabled else 'a'} state"
    if state is not None:
        yield from _state_differences(unique_id, state, payload, component, held)


def _state_differences(
    unique_id: str,
    state: dict[str, Any],
    payload: dict[str, Any],
    component: dict[str, Any],
    held: Mapping[str, bytes],
) -> Iterator[str]:
    attributes = state["attributes"]
    told = ("device_class", "unit_of_measurement", "state_class", "icon", "options", "event_types")
    for key in told:
        if attributes.get(key) != component.get(key):
            yield f"{unique_id} has {key} {attributes.get(key)!r}, not {component.get(key)!r}"
    is_available = available(payload, component, held)
    if (state["state"] != "unavailable") != is_available:
        yield f"{unique_id} is {state['state']}, though it is {'' if is_available else 'not '}available"
    elif is_available and component["platform"] not in _WITHOUT_A_STATE:
        value = _value(json.dumps(component), held.get(component["state_topic"]))
        if not _is(state["state"], value, component):
            yield f"{unique_id} is {state['state']!r}, not {value!r}"


def available(payload: dict[str, Any], component: dict[str, Any], held: Mapping[str, bytes]) -> bool:
    """An entity's own topics count instead of its device's; all of them, or the last one heard where there is one."""
    topics = [one["topic"] for one in component.get("availability", payload.get("availability", ()))]
    assert len(topics) < 2 or component.get("availability_mode", payload.get("availability_mode")) == "all"
    return all(held.get(topic) == b"online" for topic in topics)


@cache
def _value(component: str, payload: bytes | None) -> str | float | datetime | None:
    return None if payload is None else shown(json.loads(component), payload)


def _is(state: str, value: str | float | datetime | None, component: dict[str, Any]) -> bool:
    if value is None or state == "unknown":
        return value is None and state == "unknown"
    if isinstance(value, float):
        return float(state) == value
    if isinstance(value, datetime):
        return datetime.fromisoformat(state) == value.replace(microsecond=0)
    if component["platform"] == "binary_sensor":
        return state == ("on" if value == component.get("payload_on", "ON") else "off")
    return state == value
