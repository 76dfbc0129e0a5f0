"""Generates the AsyncAPI 3 document: every topic, with the JSON Schema of its payload."""

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
    "What ts2mqtt publishes from N.I.N.A.'s Target Scheduler, and the commands that it takes. The unit is part of a "
    "key's name. Times are ISO 8601 with an offset. An unknown value is null. A key never disappears; new keys may "
    "come."
)


def asyncapi_json() -> str:
    """The whole document as JSON text."""
    return json.dumps(asyncapi_document(), indent=2) + "\n"


def asyncapi_document() -> Schema:
    schemas, examples_by_name = payload_schemas(), examples()
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
            "messages": {
                name: _message(content, examples_by_name.get(name, [])) for name, content in contents.items()
            },
            "schemas": dict(schemas),
        },
    }


def payload_schemas() -> Mapping[str, Schema]:
    """The schemas of all payload models, and of the models inside them, by name."""
    models = {content.model for channel in CHANNELS for content in channel.contents if content.model}
    _, document = models_json_schema(
        [(model, "serialization") for model in sorted(models, key=lambda model: model.__name__)],
        ref_template="#/components/schemas/{model}",
    )
    return {
        name: _with_separate_references(schema)
        for name, schema in _SCHEMAS.validate_python(document["$defs"]).items()
    }


def examples() -> Mapping[str, list[JsonValue]]:
    """The messages of a simulated observatory, by the name of the message."""
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


def _message(content: Content, message_examples: list[JsonValue]) -> Schema:
    message: Schema = {"name": content.name, "contentType": content.content_type, "payload": _payload(content)}
    if message_examples:
        message["examples"] = [{"payload": example} for example in message_examples]
    return message


def _payload(content: Content) -> Schema:
    if content.model is not None:
        return {"$ref": f"#/components/schemas/{content.model.__name__}"}
    if content.words:
        return {"type": "string", "enum": list(content.words)}
    if content.pattern:
        return {"type": "string", "pattern": content.pattern}
    return {"type": "string", "format": "binary"}


def _with_separate_references(schema: Schema) -> Schema:
    """Wrap each $ref that has other keys beside it: JSON Schema draft 7, which AsyncAPI uses, ignores such keys."""
    changed: Schema = {key: _with_references_inside(value) for key, value in schema.items()}
    if "$ref" in changed and len(changed) > 1:
        changed["allOf"] = [{"$ref": changed.pop("$ref")}]
    return changed


def _with_references_inside(value: JsonValue) -> JsonValue:
    if isinstance(value, dict):
        return _with_separate_references(value)
    return [_with_references_inside(item) for item in value] if isinstance(value, list) else value
