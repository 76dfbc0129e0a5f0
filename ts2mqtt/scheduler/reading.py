"""From the bytes of an answer to wire models: whole answers where possible, else whatever items can be saved."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails, from_json

from ts2mqtt.errors import ApiFailureError, NotTheApiError

if TYPE_CHECKING:
    from ts2mqtt.observatory.model import JsonValue

Item = TypeVar("Item", bound=BaseModel)

_LONGEST_QUOTE = 60


@dataclass(frozen=True, slots=True)
class Items(Generic[Item]):
    """The readable items of a list; `faults` says in a few words what was wrong with the others."""

    items: tuple[Item, ...]
    lost: int = 0
    faults: tuple[str, ...] = ()


class ListReader(Generic[Item]):
    """Reads JSON lists of one kind of item.

    A field with an impossible value is read as missing; an item without a usable id is lost, its siblings are
    not. Raises ApiFailureError when the bytes are no JSON list at all, NotTheApiError for a web page.
    """

    def __init__(self, item: type[Item]) -> None:
        self._all = TypeAdapter(tuple[item, ...])  # type: ignore[valid-type]
        self._one = TypeAdapter(item)

    def read(self, body: bytes) -> Items[Item]:
        try:
            return Items(self._all.validate_json(body))
        except ValidationError:
            return self._salvage(json_list(body))

    def _salvage(self, raw_items: list[JsonValue]) -> Items[Item]:
        items: list[Item] = []
        faults: list[str] = []
        lost = 0
        for raw in raw_items:
            item, item_faults = self._salvage_one(raw)
            faults += item_faults
            if item is None:
                lost += 1
            else:
                items.append(item)
        return Items(tuple(items), lost, tuple(faults))

    def _salvage_one(self, raw: JsonValue) -> tuple[Item | None, list[str]]:
        try:
            return self._one.validate_python(raw), []
        except ValidationError as error:
            details = error.errors(include_url=False, include_context=False)
        faults = [_fault(detail) for detail in details]
        for detail in details:
            _forget_value(raw, detail["loc"])
        try:
            return self._one.validate_python(raw), faults
        except ValidationError:
            return None, faults


def json_list(body: bytes) -> list[JsonValue]:
    value = json_value(body)
    if not isinstance(value, list):
        raise ApiFailureError(f"answered with {_kind(value)} where a list was expected")
    return value


def json_value(body: bytes) -> JsonValue:
    if not body.strip():
        raise ApiFailureError("answered with an empty body where JSON was expected")
    if body.lstrip().startswith(b"<"):
        raise NotTheApiError("answered with a web page where JSON was expected")
    try:
        value: JsonValue = from_json(body, allow_inf_nan=False)
    except ValueError as error:
        raise ApiFailureError(f"answered with something that is not JSON ({error})") from error
    return value


def _forget_value(raw: JsonValue, location: tuple[int | str, ...]) -> None:
    """Sets what stands at a validation error's location to null, which every field but an id may be."""
    for step in location[:-1]:
        raw = raw[step]  # type: ignore[index]
    if isinstance(raw, dict | list) and location:
        raw[location[-1]] = None  # type: ignore[index]


def _fault(detail: ErrorDetails) -> str:
    where = ".".join(str(step) for step in detail["loc"])
    found = repr(detail["input"])
    if len(found) > _LONGEST_QUOTE:
        found = f"{found[:_LONGEST_QUOTE]}…"
    return f"{where or 'item'}: {detail['msg']}, found {found}"


def _kind(value: JsonValue) -> str:
    names = {dict: "an object", str: "a text", bool: "a truth value", type(None): "null"}
    return names.get(type(value), "a number")
