"""The AsyncAPI document in the hands of somebody who has nothing else, and asks whether messages are as it says."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import TYPE_CHECKING, Any

from jsonschema import Draft7Validator, FormatChecker
from referencing import Registry
from referencing.jsonschema import DRAFT7

from ts2mqtt.interface.asyncapi import asyncapi_document
from ts2mqtt.interface.channels import CHANNELS, PARAMETERS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ts2mqtt.interface.channels import Channel

_URI = "urn:ts2mqtt"
_PNG = b"\x89PNG\r\n\x1a\n"
DOCUMENT: dict[str, Any] = json.loads(json.dumps(asyncapi_document()))
SCHEMAS: dict[str, Any] = DOCUMENT["components"]["schemas"]
MESSAGES: dict[str, Any] = DOCUMENT["components"]["messages"]


def faults(topic: str, payload: bytes) -> list[str]:
    """What the document does not allow in a message; strict: also a key that it does not name."""
    (first, *others) = (_faults_as(content.name, payload) for content in channel_of(topic).contents)
    return first if all(others) else []


def channel_of(topic: str) -> Channel:
    """The channel that a topic is of, under the default base topic and prefix; a KeyError unless it is just one."""
    found = [channel for channel in CHANNELS if re.fullmatch(_pattern(channel), topic)]
    if len(found) != 1:
        raise KeyError(topic)
    return found[0]


def _pattern(channel: Channel) -> str:
    defaults = {name: parameter.default for name, parameter in PARAMETERS.items()}
    return re.sub(r"{(\w+)}", lambda match: defaults[match[1]] or "[^/]+", channel.address)


@cache
def validator(message: str) -> Draft7Validator:
    """For one message's payload."""
    whole = json.loads(json.dumps(DOCUMENT))
    for schema in whole["components"]["schemas"].values():
        _close(schema)
    registry: Registry[Any] = Registry().with_resource(_URI, DRAFT7.create_resource(whole))
    reference = {"$ref": f"{_URI}#/components/messages/{message}/payload"}
    return Draft7Validator(reference, registry=registry, format_checker=FormatChecker())


def _faults_as(message: str, payload: bytes) -> list[str]:
    if MESSAGES[message]["contentType"] == "image/png":
        return [] if payload.startswith(_PNG) else ["no PNG"]
    is_text = MESSAGES[message]["contentType"] == "text/plain"
    value = payload.decode() if is_text else json.loads(payload)
    return [f"{error.json_path}: {error.message[:200]}" for error in validator(message).iter_errors(value)]


def _close(schema: Any) -> None:
    """New keys may come some day, but none that this version does not tell of."""
    for part in _parts(schema):
        if "properties" in part:
            part["additionalProperties"] = False


def _parts(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        for inner in value.values():
            yield from _parts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _parts(inner)
