"""From the bytes of an answer to wire models: whole answers where possible, else whatever items can be saved."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Generic, TypeVar

from pydantic import BaseModel, FailFast, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails, from_json

from ts2mqtt.errors import ApiFailureError, NotTheApiError

if TYPE_CHECKING:
    from collections.abc import Callable

    from ts2mqtt.observatory.model import JsonValue

Item = TypeVar("Item", bound=BaseModel)

_LONGEST_QUOTE = 60
_MOST_LOST = 1_000
# A nested list stops at its first faulty row (wire.py), so that each try finds the fault of one row.
_MOST_TRIES = 100


@dataclass(frozen=True, slots=True)
class Items(Generic[Item]):
    """The readable items of a list; `faults` says in a few words what was wrong with the others."""

    items: tuple[Item, ...]
    lost: int = 0
    faults: tuple[str, ...] = ()


class ListReader(Generic[Item]):
    """Reads JSON lists of one kind of item.

    A field with an impossible value is read as missing; an item without a usable id, or with an unreadable
    field that is vital to it (wire.py), is lost, its siblings are not. Where `identity` tells items apart, the
    first of a kind stands and its doubles are left out. Raises ApiFailureError when the bytes are no JSON list at
    all or hardly any of it can be read, NotTheApiError for a web page.
    """

    def __init__(self, item: type[Item], identity: Callable[[Item], str] | None = None) -> None:
        # One fault is enough to know that the items must be looked at one by one.
        rows = Annotated[tuple[item, ...], FailFast()]  # type: ignore[valid-type]
        self._all: TypeAdapter[tuple[Item, ...]] = TypeAdapter(rows)
        self._one = TypeAdapter(item)
        self._vital: frozenset[tuple[str, ...]] = getattr(item, "VITAL", frozenset())
        self._identity = identity

    def read(self, body: bytes) -> Items[Item]:
        try:
            items = Items(self._all.validate_json(body))
        except ValidationError:
            items = self._salvage(json_list(body))
        return self._without_doubles(items, self._identity) if self._identity else items

    def _salvage(self, raw_items: list[JsonValue]) -> Items[Item]:
        items: list[Item] = []
        faults: list[str] = []
        lost = 0
        for raw in raw_items:
            item, item_faults = self._salvage_one(raw)
            faults += item_faults
            if item is None:
                lost += 1
                if lost > _MOST_LOST:
                    raise ApiFailureError(f"answered with a list of which over {_MOST_LOST} items cannot be read")
            else:
                items.append(item)
        return Items(tuple(items), lost, tuple(faults))

    def _without_doubles(self, items: Items[Item], identity: Callable[[Item], str]) -> Items[Item]:
        first: dict[str, Item] = {}
        doubles = [identity(item) for item in items.items if first.setdefault(identity(item), item) is not item]
        if not doubles:
            return items
        faults = (f"Id: {double!r} stands there twice; the first one counts" for double in doubles)
        return Items(tuple(first.values()), items.lost, (*items.faults, *faults))

    def _salvage_one(self, raw: JsonValue) -> tuple[Item | None, list[str]]:
        faults: list[str] = []
        forgotten: set[tuple[int | str, ...]] = set()
        for _ in range(_MOST_TRIES):
            try:
                return self._one.validate_python(raw), faults
            except ValidationError as error:
                details = error.errors(include_url=False, include_context=False)
            if any(detail["loc"] in forgotten for detail in details):
                break
            faults += (_fault(detail) for detail in details)
            if any(_field(detail) in self._vital for detail in details):
                break
            for detail in details:
                forgotten.add(detail["loc"])
                _forget_value(raw, detail["loc"])
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
        # NaN is no JSON, but where it stands it shall cost one field and not the whole list.
        value: JsonValue = from_json(body, allow_inf_nan=True)
    except ValueError as error:
        raise ApiFailureError(f"answered with something that is not JSON ({error})") from error
    return value


def _forget_value(raw: JsonValue, location: tuple[int | str, ...]) -> None:
    """Sets what stands at a validation error's location to null, which every field but an id may be."""
    for step in location[:-1]:
        raw = raw[step]  # type: ignore[index]
    if isinstance(raw, dict | list) and location:
        raw[location[-1]] = None  # type: ignore[index]


def _field(detail: ErrorDetails) -> tuple[str, ...]:
    """The names on the way to the fault, without the places in lists."""
    return tuple(step for step in detail["loc"] if isinstance(step, str))


def _fault(detail: ErrorDetails) -> str:
    where = ".".join(str(step) for step in detail["loc"])
    found = repr(detail["input"])
    if len(found) > _LONGEST_QUOTE:
        found = f"{found[:_LONGEST_QUOTE]}…"
    return f"{where or 'item'}: {detail['msg']}, found {found}"


def _kind(value: JsonValue) -> str:
    names = {dict: "an object", str: "a text", bool: "a truth value", type(None): "null"}
    return names.get(type(value), "a number")
