"""All keys of the configuration, taken from the models, and their names in the file and the environment."""

from collections.abc import Iterator, Mapping
from enum import Enum, auto
from pathlib import Path
from typing import get_args, get_origin

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from ts2mqtt.config.faults import ANY, KeyPath
from ts2mqtt.config.models import Config

PREFIX = "TS2MQTT_"


class Kind(Enum):
    """The kinds of keys."""

    SECTION = auto()
    SECTIONS = auto()
    """A list of sections."""
    VALUE = auto()
    TEXTS = auto()
    """A list of values, or a single one."""
    SECRET = auto()
    SECRETS = auto()
    """Secrets with names that the user chooses."""
    FILE = auto()


def kind_of(key: KeyPath) -> Kind | None:
    """None for a key that does not exist."""
    pattern = _pattern(key)
    if _KINDS.get(pattern[:-1]) is Kind.SECRETS:
        return Kind.SECRET
    return _KINDS.get(pattern)


def keys_below(section: KeyPath) -> tuple[str, ...]:
    pattern = _pattern(section)
    return tuple(str(key[-1]) for key in _KINDS if key and key[:-1] == pattern and key[-1] != ANY)


def all_keys() -> tuple[KeyPath, ...]:
    """Every key that takes a value, with ANY for a number in a list."""
    return tuple(key for key, kind in _KINDS.items() if kind not in {Kind.SECTION, Kind.SECTIONS})


def key_from(dotted_key: str) -> KeyPath:
    """The key or pattern for a text such as rigs[].url."""
    return tuple(dotted_key.replace(ANY, f".{ANY}").split("."))


def variable(key: KeyPath) -> str:
    """The environment variable of a key, such as TS2MQTT_RIGS__0__URL."""
    return PREFIX + "__".join("0" if part == ANY else str(part).upper() for part in key)


def _pattern(key: KeyPath) -> KeyPath:
    return tuple(ANY if isinstance(part, int) else part for part in key)


def _kinds(model: type[BaseModel], section: KeyPath) -> Iterator[tuple[KeyPath, Kind]]:
    yield section, Kind.SECTION
    for name, field in model.model_fields.items():
        key = (*section, field.alias or name)
        kind, below = _kind(field)
        if kind is Kind.SECTIONS:
            yield key, kind
            key = (*key, ANY)
        if below is None:
            yield key, kind
        else:
            yield from _kinds(below, key)


def _kind(field: FieldInfo) -> tuple[Kind, type[BaseModel] | None]:
    """The kind of a key, and the model of the sections there."""
    outer = field.annotation
    origin = get_origin(outer)
    if origin is Mapping:
        return Kind.SECRETS, None
    for inner in get_args(outer) or (outer,):
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            return Kind.SECTIONS if origin is tuple else Kind.SECTION, inner
    if origin is tuple:
        return Kind.TEXTS, None
    found = tuple(_types_in(outer))
    kinds = {SecretStr: Kind.SECRET, Path: Kind.FILE}
    return next((kind for type_, kind in kinds.items() if type_ in found), Kind.VALUE), None


def _types_in(annotation: object) -> Iterator[object]:
    yield annotation
    for inner in get_args(annotation):
        yield from _types_in(inner)


_KINDS: Mapping[KeyPath, Kind] = dict(_kinds(Config, ()))
