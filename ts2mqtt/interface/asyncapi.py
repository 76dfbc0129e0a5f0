"""The AsyncAPI 3 document: every topic, with the JSON Schemas of the models that make what is published there."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import TYPE_CHECKING, TypeAlias

from pydantic import JsonValue, TypeAdapter
from pydantic.json_schema import models_json_schema

from ts2mqtt import __version__
from ts2mqtt.interface.channels import CHANNELS, PARAMETERS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ts2mqtt.interface.channels import Channel, Content

Schema: TypeAlias = dict[str, JsonValue]

_QOS = 1
_EXAMPLES = TypeAdapter(dict[str, list[JsonValue]])
_SCHEMAS = TypeAdapter(dict[str, dict[str, JsonValue]])
INTRODUCTION = (
    "What ts2mqtt publishes of N.I.N.A.'s Target Scheduler, and what it can be told. Keys carry their unit, times "
    "are ISO 8601 with an offset, unknown is null. A key never disappears; new ones may come."
)


def asyncapi_json() -> str:
    """The whole document, as JSON."""
    return json.dumps(asyncapi_document(), indent=2, ensure_ascii=False) + "\n"


def asyncapi_document() -> Schema:
    schemas, known = payload_schemas(), examples()
    contents = {content.name: content for channel in CHANNELS for content in channel.contents}
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "ts2mqtt",
            "version": __version__,
            "description": INTRODUCTION,
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": {channel.key: _channel(channel) for channel in CHANNELS},
        "operations": {channel.key: _operation(channel) for channel in CHANNELS},
        "components": {
            "messages": {name: _message(content, known.get(name, [])) for name, content in contents.items()},
            "schemas": dict(schemas),
        },
    }


def payload_schemas() -> Mapping[str, Schema]:
    """By name, the schema of every model that is published and of every model inside one."""
    models = {content.model for channel in CHANNELS for content in channel.contents if content.model}
    _, found = models_json_schema(
        [(model, "serialization") for model in sorted(models, key=lambda model: model.__name__)],
        ref_template="#/components/schemas/{model}",
    )
    return {name: _with_lone_references(schema) for name, schema in _SCHEMAS.validate_python(found["$defs"]).items()}


def examples() -> Mapping[str, list[JsonValue]]:
    """By message, what a simulated observatory has published."""
    text = files("ts2mqtt.interface").joinpath("examples.json").read_bytes()
    return _EXAMPLES.validate_json(text)


def _channel(channel: Channel) -> Schema:
    described: Schema = {
        "address": channel.address,
        "title": channel.title,
        "description": channel.meaning,
        "messages": {content.name: {"$ref": f"#/components/messages/{content.name}"} for content in channel.contents},
    }
    if channel.parameters:
        described["parameters"] = {name: _parameter(name) for name in channel.parameters}
    return described


def _parameter(name: str) -> Schema:
    parameter = PARAMETERS[name]
    described: Schema = {"description": parameter.meaning}
    if parameter.default is not None:
        described["default"] = parameter.default
    if parameter.examples:
        described["examples"] = list(parameter.examples)
    return described


def _operation(channel: Channel) -> Schema:
    return {
        "action": "receive" if channel.inbound else "send",
        "channel": {"$ref": f"#/channels/{channel.key}"},
        "summary": channel.title,
        "bindings": {"mqtt": {"qos": _QOS, "retain": channel.retained, "bindingVersion": "0.2.0"}},
    }


def _message(content: Content, known: list[JsonValue]) -> Schema:
    message: Schema = {"name": content.name, "contentType": content.content_type, "payload": _payload(content)}
    if known:
        message["examples"] = [{"payload": example} for example in known]
    return message


def _payload(content: Content) -> Schema:
    if content.model is not None:
        return {"$ref": f"#/components/schemas/{content.model.__name__}"}
    if content.words:
        return {"type": "string", "enum": list(content.words)}
    if content.pattern:
        return {"type": "string", "pattern": content.pattern}
    return {"type": "string", "format": "binary"}


def _with_lone_references(schema: Schema) -> Schema:
    """AsyncAPI's schemas are of draft 7, where nothing that stands beside a $ref counts."""
    changed: Schema = {key: _inside(value) for key, value in schema.items()}
    if "$ref" in changed and len(changed) > 1:
        changed["allOf"] = [{"$ref": changed.pop("$ref")}]
    return changed


def _inside(value: JsonValue) -> JsonValue:
    if isinstance(value, dict):
        return _with_lone_references(value)
    return [_inside(item) for item in value] if isinstance(value, list) else value
