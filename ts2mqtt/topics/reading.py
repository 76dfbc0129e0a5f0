"""Reads payloads back into the models that wrote them, whoever wrote what stands there."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias, TypeVar

from pydantic import ValidationError
from pydantic_core import from_json

from ts2mqtt.topics.payloads import Payload

if TYPE_CHECKING:
    from pydantic import JsonValue
    from pydantic_core import ErrorDetails

Model = TypeVar("Model", bound=Payload)
_Path: TypeAlias = tuple[int | str, ...]

_MOST_FAULTS = 1_000
"""To tell a million of them would take seconds; no version of ours ever wrote one."""


def read(model: type[Model], payload: bytes) -> Model | None:
    """The payload, whose unreadable keys are as if they were not there; None if it is no such payload.

    A thing without a key that its model cannot do without is unreadable as a whole. So is a list with such a thing
    in it: a list with a hole would say that something is gone.
    """
    try:
        return model.model_validate_json(payload)
    except ValidationError:
        pass
    try:
        # The standard library's parser gives up on deeply nested garbage with an error of its own kind.
        content: JsonValue = from_json(payload)
    except ValueError:
        return None
    return read_content(model, content)


def read_whole(model: type[Model], payload: bytes) -> Model | None:
    """The payload, if each of its keys can be read; keys may be missing, as they are in an earlier version's."""
    try:
        return model.model_validate_json(payload)
    except ValidationError:
        return None


def read_content(model: type[Model], content: JsonValue) -> Model | None:
    """As `read()`, of JSON that is parsed already; its unreadable keys are taken out of it."""
    while True:
        try:
            return model.model_validate(content)
        except ValidationError as error:
            if error.error_count() > _MOST_FAULTS:
                return None
            faults = error.errors(include_url=False, include_context=False, include_input=False)
        # In a thing that is unreadable as a whole there may be other faults: it is taken out with them.
        dropped = [_drop(content, path) for path in {_unreadable(fault) for fault in faults}]
        if not any(dropped):
            return None


def _unreadable(fault: ErrorDetails) -> _Path:
    """Where the key stands that is to be taken out; empty for the payload itself."""
    path = fault["loc"][:-1] if fault["type"] == "missing" else fault["loc"]
    while path and isinstance(path[-1], int):
        path = path[:-1]
    return path


def _drop(content: JsonValue, path: _Path) -> bool:
    """Takes a key out; False where it does not stand, or no longer."""
    if not path:
        return False
    *way, key = path
    for step in way:
        match content, step:
            case dict(), str() if step in content:
                content = content[step]
            case list(), int() if step < len(content):
                content = content[step]
            case _:
                return False
    if not isinstance(content, dict) or key not in content:
        return False
    del content[str(key)]
    return True
