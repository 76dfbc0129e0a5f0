"""Two pages for people: every topic with its keys, every entity with its reason."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from pydantic import JsonValue, TypeAdapter

from ts2mqtt.home_assistant import entities
from ts2mqtt.home_assistant.components import spoken
from ts2mqtt.home_assistant.discovery import DevicePayload
from ts2mqtt.home_assistant.languages import GERMAN
from ts2mqtt.interface.asyncapi import INTRODUCTION, examples, payload_schemas
from ts2mqtt.interface.channels import CHANNELS, PARAMETERS
from ts2mqtt.topics.payloads import EVENTS, UNIT, Event

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from ts2mqtt.interface.asyncapi import Schema
    from ts2mqtt.interface.channels import Channel, Content

_PARTS = TypeAdapter(dict[str, dict[str, JsonValue]])
_MADE = "<!-- Made by `ts2mqtt schema --docs`; what it says is changed where it is made from. -->"


def pages() -> dict[str, str]:
    """By file name."""
    return {"topics.md": _topics_page(), "entities.md": _entities_page()}


def _topics_page() -> str:
    lines = [
        _MADE,
        "# Topics",
        "",
        f"{INTRODUCTION} The same as a document for machines: `ts2mqtt schema` (AsyncAPI 3).",
        "",
        *_table(
            ("topic", "what stands there", "retained", "who writes"),
            (
                (
                    f"[`{channel.address}`](#{_anchor(channel.title)})",
                    channel.title,
                    "yes" if channel.retained else "no",
                    "you" if channel.inbound else "ts2mqtt",
                )
                for channel in CHANNELS
            ),
        ),
        "",
        *_table(
            ("in a topic's name", "stands for"),
            (
                (f"`{{{name}}}`", parameter.meaning + (f" (`{parameter.default}`)" if parameter.default else ""))
                for name, parameter in PARAMETERS.items()
            ),
        ),
    ]
    schemas, known = payload_schemas(), examples()
    for channel in CHANNELS:
        lines += ["", *_section(channel, schemas, known)]
    return "\n".join(lines) + "\n"


def _section(channel: Channel, schemas: Mapping[str, Schema], known: Mapping[str, list[JsonValue]]) -> Iterator[str]:
    yield from (f"## {channel.title}", "", f"`{channel.address}`", "", channel.meaning)
    for content in channel.contents:
        if content.model is not None:
            description = schemas[content.model.__name__].get("description")
            yield from ("", f"**{content.name}**" + (f": {_flat(str(description))}" if description else ""), "")
        yield from _example(content, known.get(content.name, []))
        if content.model is DevicePayload:
            yield from ("", "The keys are those of Home Assistant's MQTT discovery; see [the entities](entities.md).")
        elif content.model is not None:
            rows = _keys(schemas[content.model.__name__], schemas)
            yield from ("", *_table(("key", "type", "unit", "meaning"), rows))
        if content.model is Event:
            meanings = ((f"`{event_type}`", meaning) for event_type, meaning in EVENTS.items())
            yield from ("", *_table(("event_type", "what happened"), meanings))


def _example(content: Content, known: list[JsonValue]) -> Iterator[str]:
    if content.model is not None and known:
        yield from ("```json", json.dumps(known[0], indent=2, ensure_ascii=False), "```")
    elif known:
        yield from ("", "For example: " + ", ".join(f"`{word}`" for word in known) + ".")


def _keys(schema: Schema, schemas: Mapping[str, Schema], above: str = "") -> Iterator[Sequence[str]]:
    """Key by key, those of an object inside after it: `tonight.date`, `blocks[].start`."""
    for key, part in _PARTS.validate_python(schema["properties"]).items():
        kind, unit, inner = _kind(part, schemas)
        yield f"`{above}{key}`", kind, unit, _flat(str(part.get("description", "")))
        if inner is not None:
            yield from _keys(inner, schemas, f"{above}{key}{'[]' if kind.startswith('list') else ''}.")


def _kind(part: Schema, schemas: Mapping[str, Schema]) -> tuple[str, str, Schema | None]:
    """The type in words, the unit, and the object inside if there is one."""
    match part:
        case {"anyOf": [dict(first), {"type": "null"}]}:
            kind, unit, inner = _kind(first, schemas)
            return f"{kind} or null", unit, inner
        case {"allOf": [dict(first)]}:
            return _kind(first, schemas)
        case {"$ref": str(reference)}:
            return "object", "", schemas[reference.rpartition("/")[2]]
        case {"type": "array", "items": dict(items)}:
            kind, unit, inner = _kind(items, schemas)
            return f"list of {kind}s", unit, inner
        case _:
            return _plain_kind(part), str(part.get(UNIT, "")), None


def _plain_kind(part: Schema) -> str:
    if isinstance(words := part.get("enum"), list):
        return " or ".join(f"`{word}`" for word in words)
    name = str(part.get("format") or part.get("type") or "anything")
    return _KINDS.get(name, name)


_KINDS = {
    "string": "text",
    "integer": "whole number",
    "boolean": "true or false",
    "date-time": "time",
}

_DEVICES: tuple[tuple[str, str, tuple[entities.Entity, ...]], ...] = (
    ("Bridge", "One for the bridge itself; the rigs are tied to it.", entities.BRIDGE),
    ("Rig", "One for each rig.", entities.RIG),
    ("Profile", "One for each profile of N.I.N.A., tied to its rig.", entities.PROFILE),
    (
        "Project",
        "One for each project in one of the states of `home_assistant.project_states`, tied to its profile.",
        entities.PROJECT,
    ),
    ("Target", "One for each target of such a project, tied to it.", entities.TARGET),
    (
        "Exposure plan",
        "None of its own: these stand in the target's, after the name of the plan, such as “Lum 60 s accepted”.",
        entities.EXPOSURE_PLAN,
    ),
)

_PLATFORMS: tuple[tuple[type[entities.Entity], str], ...] = (
    (entities.Truth, "binary sensor"),
    (entities.Connectivity, "binary sensor"),
    (entities.Selection, "select"),
    (entities.Press, "button"),
    (entities.Picture, "image"),
    (entities.Happening, "event"),
    (entities.Shown, "sensor"),
)


def _entities_page() -> str:
    lines = [
        _MADE,
        "# Entities in Home Assistant",
        "",
        "What is off at first waits in the device's list of entities until you enable it. What is live is",
        "unavailable while the rig's API is; everything else shows what was known last, and is unavailable only",
        "while the bridge is down. Names, units and states are English or German (`home_assistant.language`); ids",
        "are the same in both. What is there *with a site* needs `site` in the rig's configuration.",
    ]
    for title, meaning, rows in _DEVICES:
        heads = ("name", "in German", "kind", "at first", "unit", "device class", "live", "why it exists")
        lines += ["", f"## {title}", "", meaning, "", *_table(heads, map(_entity, rows))]
    lines += [
        "",
        "## Device triggers",
        "",
        "Each rig also offers what happens as triggers, to begin an automation with a click:",
        "",
        *_table(
            ("trigger", "what happened"), ((f"`{event_type}`", meaning) for event_type, meaning in EVENTS.items())
        ),
    ]
    return "\n".join(lines) + "\n"


def _entity(row: entities.Entity) -> Sequence[str]:
    german = spoken(row, GERMAN)
    unit = row.unit or "" if isinstance(row, entities.Measure) else ""
    platform = next(name for kind, name in _PLATFORMS if isinstance(row, kind))
    category = f", {row.category}" if row.category else ""
    return (
        row.name,
        german.name,
        platform + category,
        ("on" if row.enabled else "off") + (", with a site" if row.needs_site else ""),
        unit,
        row.device_class or "",
        "yes" if row.live else "",
        row.why,
    )


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield _row(heads)
    yield _row(["---"] * len(heads))
    yield from map(_row, rows)


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _flat(text: str) -> str:
    return " ".join(text.split())


def _anchor(title: str) -> str:
    """As GitHub makes it from a heading."""
    kept = "".join(letter for letter in title.lower() if letter.isalnum() or letter in " -")
    return kept.replace(" ", "-")
