"""Replaces settings of the file by the TS2MQTT_… variables of the environment."""

from collections.abc import Mapping
from pathlib import Path

from ts2mqtt.config.faults import Fault, KeyPath, Place, dotted
from ts2mqtt.config.keys import PREFIX, Kind, keys_below, kind_of, variable
from ts2mqtt.config.settings import Settings, file_below
from ts2mqtt.config.suggestions import CONFIG_VARIABLE, RIG_VARIABLES, suggest_variable


def overlay(written: Settings, environment: Mapping[str, str]) -> Settings:
    """The settings of the file, replaced by those of the environment.

    An empty variable counts as not set, because Docker compose passes a variable that the user left out as empty.
    """
    variables, faults = _read(environment, written)
    gaps = _gaps(variables, written)
    variables = {key: name for key, name in variables.items() if key[:2] not in gaps}
    replaced = {old for old in written.places for new in variables if _replaces(new, old)}
    values = {key: value for key, value in written.values.items() if key not in replaced}
    places = {key: place for key, place in written.places.items() if key not in replaced}
    for key, name in variables.items():
        values[key] = _value(key, environment[name])
        places[key] = Place(name, variable=True)
    return Settings(written.root, values, places, (*written.faults, *faults, *gaps.values()), written.warnings)


def _read(environment: Mapping[str, str], written: Settings) -> tuple[dict[KeyPath, str], list[Fault]]:
    """The variable for each key, and a fault for each variable with a wrong name."""
    variables: dict[KeyPath, str] = {}
    faults: list[Fault] = []
    for name in sorted(environment):
        if not name.startswith(PREFIX) or name == CONFIG_VARIABLE:
            continue
        key = RIG_VARIABLES.get(name) or _parts(name)
        if name not in RIG_VARIABLES:
            fault = _name_fault(name, key)
        else:
            fault = _single_rig_fault(name, written) if environment[name] else None
        if fault:
            faults.append(fault)
        elif environment[name]:
            if key in variables:
                faults.append(_fault(name, key, f"{variables[key]} says the same; expected only one of them"))
            variables.setdefault(key, name)
    return variables, faults


def _single_rig_fault(name: str, written: Settings) -> Fault | None:
    if not any(key[0] == "rigs" and len(key) > 1 for key in written.places):
        return None
    text = (
        f"is for a configuration without rigs, but {written.place_of(('rigs',))} has some; "
        f"use {variable(RIG_VARIABLES[name])} to change the first of them"
    )
    return _fault(name, ("rigs",), text)


def _name_fault(name: str, key: KeyPath) -> Fault | None:
    kind = kind_of(key) if name == name.upper() else None
    if kind is None:
        return _unknown(name, key)
    if kind is Kind.SECTIONS:
        text = f"{dotted(key)} is a list; set TS2MQTT_RIG_URL, or {variable((*key, 0, 'url'))} and so on"
        return _fault(name, key, text, key)
    if kind in {Kind.SECTION, Kind.SECRETS}:
        first = "authorization" if kind is Kind.SECRETS else keys_below(key)[0]
        text = f"{dotted(key)} has keys of its own; set them one by one, such as {variable((*key, first))}"
        return _fault(name, key, text, key)
    return None


def _parts(name: str) -> KeyPath:
    """RIGS__0__HEADERS__X_API_KEY → ("rigs", 0, "headers", "X-API-KEY"); the key may not exist."""
    key: KeyPath = ()
    for part in name.removeprefix(PREFIX).split("__"):
        if kind_of(key) is Kind.SECRETS:
            key = (*key, part.replace("_", "-"))
        elif part.isascii() and part.isdecimal():
            key = (*key, int(part[:9]))
        else:
            key = (*key, part.lower())
    return key


def _unknown(name: str, parts: KeyPath) -> Fault:
    suggestion = suggest_variable(name, parts)
    for length in range(1, len(parts)):
        known, following = parts[:length], parts[length]
        kind = kind_of(known)
        if kind is Kind.TEXTS:
            text = f"{dotted(known)} takes all its values at once; write {variable(known)}, with commas between"
            return _fault(name, parts, text, known)
        if kind is Kind.SECTIONS and isinstance(following, str):
            meant = (*known, 0, *parts[length:])
            example = variable(meant if kind_of(meant) else (*known, 0, "url"))
            return _fault(name, parts, f"{dotted(known)} is a list, numbered from 0; write {example}", meant)
        if kind is Kind.SECTION and isinstance(following, int):
            return _fault(name, parts, f"{dotted(known)} is no list; {suggestion.text}", suggestion.meant)
    return _fault(name, parts, f"unknown variable; {suggestion.text}", suggestion.meant)


def _gaps(variables: Mapping[KeyPath, str], written: Settings) -> dict[KeyPath, Fault]:
    """A fault for each rig with a number that leaves a gap before it."""
    rigs = {key[:2] for key in (*variables, *written.places) if key[0] == "rigs" and len(key) > 1}
    following = next(number for number in range(len(rigs) + 1) if ("rigs", number) not in rigs)
    next_one = variable(("rigs", following, "url"))
    text = f"there is no rigs[{following}]; expected numbers without a gap: the next one is {next_one}"
    beyond = {key[:2]: name for key, name in variables.items() if key[:2] in rigs and _number(key) > following}
    return {rig: _fault(name, rig, text, rig) for rig, name in beyond.items()}


def _number(key: KeyPath) -> int:
    return key[1] if isinstance(key[1], int) else 0


_PASSWORDS = {"password": "password_file", "password_file": "password"}


def _replaces(new: KeyPath, old: KeyPath) -> bool:
    """Whether a variable for `new` replaces `old` of the file.

    A password_file also replaces a password. The names of headers are compared without regard to capitals.
    """
    if new[:-1] == old[:-1] and _PASSWORDS.get(str(new[-1])) == old[-1]:
        return True
    if kind_of(new[:-1]) is Kind.SECRETS and len(old) == len(new):
        return new[:-1] == old[:-1] and str(new[-1]).casefold() == str(old[-1]).replace("_", "-").casefold()
    return old[: len(new)] == new


def _value(key: KeyPath, text: str) -> object:
    return file_below(Path(), text) if kind_of(key) is Kind.FILE else text


def _fault(name: str, key: KeyPath, text: str, meant: KeyPath | None = None) -> Fault:
    return Fault(Place(name, variable=True), key, text, meant)
