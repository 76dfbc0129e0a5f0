"""Writes a configuration as YAML with comments, with the keys that were set and no others."""

from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel, SecretStr

from ts2mqtt.config.models import MqttConfig, RigConfig

_HEAD = """\
# The configuration of ts2mqtt, written by `ts2mqtt setup`. There are more settings, all of them optional:
# config.yaml.example explains them. `ts2mqtt check` tries what stands here.
"""
_COMMENTS = {
    "username": "The login. Keep the quotes around the password.",
    "tls": "An encrypted connection.",
    "id": "A part of every topic and entity. Keep it when you change the name, else all entities are made anew.",
    "url": "The address of the PC that runs N.I.N.A., and the port from the Target Scheduler's preferences.",
    "nina_url": "N.I.N.A.'s Advanced API, for live events.",
}
_ONE_BYTE, _TWO_BYTES = 0xFF, 0xFFFF


def config_text(mqtt: MqttConfig, rigs: tuple[RigConfig, ...]) -> str:
    """The file's text; it ends with a line end."""
    lines = [_HEAD, "# The MQTT broker.", "mqtt:", *_lines(mqtt, "  "), ""]
    lines += ["# The rigs: each one N.I.N.A. whose Target Scheduler API is enabled.", "rigs:"]
    for rig in rigs:
        first, *rest = _lines(rig, "    ")
        lines += [f"  - {first.strip()}", *rest]
    return "\n".join([*lines, ""])


def quoted(text: str) -> str:
    """The text in double quotes, as YAML reads it back: every character that may not stand there is escaped."""
    return '"' + "".join(_escaped(character) for character in text) + '"'


def _escaped(character: str) -> str:
    if character in '\\"':
        return f"\\{character}"
    # What Python can print YAML can hold; among the rest are line ends and U+FEFF.
    if character.isprintable():
        return character
    code = ord(character)
    if code <= _ONE_BYTE:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= _TWO_BYTES else f"\\U{code:08x}"


def _lines(section: BaseModel, indent: str) -> Iterator[str]:
    for name, field in type(section).model_fields.items():
        if name not in section.model_fields_set:
            continue
        key, value = field.alias or name, getattr(section, name)
        if value is None:
            continue
        if comment := _COMMENTS.get(key):
            yield f"{indent}# {comment}"
        if isinstance(value, BaseModel):
            yield f"{indent}{key}:"
            yield from _lines(value, f"{indent}  ")
        else:
            yield f"{indent}{key}: {_value(value)}"


def _value(value: object) -> str:
    if isinstance(value, SecretStr):
        return quoted(value.get_secret_value())
    if isinstance(value, tuple):
        return _value(value[0]) if len(value) == 1 else f"[{', '.join(map(_value, value))}]"
    if isinstance(value, bool):
        return "true" if value else "false"
    return quoted(str(value)) if isinstance(value, str | Path) else str(value)
