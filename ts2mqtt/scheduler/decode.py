"""From the bytes of an answer to wire models: whole answers where possible, else whatever items can be saved."""

from __future__ import annotations

import re
from codecs import BOM_UTF8
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Generic, TypeVar

from pydantic import FailFast, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails, from_json

from ts2mqtt.errors import ApiFailureError, NotTheApiError

if TYPE_CHECKING:
    from collections.abc import Callable

    from ts2mqtt.observatory.model import JsonValue
    from ts2mqtt.scheduler.wire import Answer

Item = TypeVar("Item", bound="Answer")

_LONGEST_QUOTE = 60
_MOST_LOST = 1_000
# A nested list stops at its first faulty row (wire.py), so that each try finds the fault of one row.
_MOST_TRIES = 100
# Any escape in a JSON text, from the left: a pair of surrogates, one that is alone (the group), or another one.
_ESCAPE = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(\\u[dD][89a-fA-F][0-9a-fA-F]{2})|\\.", re.DOTALL
)


@dataclass(frozen=True, slots=True)
class Items(Generic[Item]):
    """The readable items of a list; `faults` says in a few words what was wrong with the others.

    `without_id` has the names of rows that are older than the plugin's ids: nothing is wrong with the answer.
    """

    items: tuple[Item, ...]
    lost: int = 0
    faults: tuple[str, ...] = ()
    without_id: tuple[str, ...] = ()


class ListReader(Generic[Item]):
    """Reads JSON lists of one kind of item.

    A field with an impossible value is read as missing; an item without a usable id is lost, its siblings are not.
    Where `identity` tells items apart, one of a kind stands (by the rank of wire.py, then the first) and its doubles
    are left out. Raises ApiFailureError when the bytes are no JSON list at all or hardly any of it can be read,
    NotTheApiError for a web page.
    """

    def __init__(self, item: type[Item], identity: Callable[[Item], str] | None = None) -> None:
        # One fault is enough to know that the items must be looked at one by one.
        rows = Annotated[tuple[item, ...], FailFast()]  # type: ignore[valid-type]
        self._all: TypeAdapter[tuple[Item, ...]] = TypeAdapter(rows)
        self._one = TypeAdapter(item)
        self._may_lack_id = item.MAY_LACK_ID
        self._identity = identity

    def read(self, body: bytes) -> Items[Item]:
        try:
            items = Items(self._all.validate_json(body.removeprefix(BOM_UTF8)))
        except ValidationError:
            items = self._salvage(json_list(body))
            if _mended(body) != body:
                faults = ("a text has characters that are none; they are shown as \ufffd", *items.faults)
                items = replace(items, faults=faults)
        return self._without_doubles(items, self._identity) if self._identity else items

    def _salvage(self, raw_items: list[JsonValue]) -> Items[Item]:
        items: list[Item] = []
        faults: list[str] = []
        without_id: list[str] = []
        lost = 0
        for raw in raw_items:
            if self._may_lack_id and isinstance(raw, dict) and _lacks_id(raw):
                without_id.append(_name(raw))
                continue
            item, item_faults = self._salvage_one(raw)
            faults += item_faults
            if item is None:
                lost += 1
                if lost > _MOST_LOST:
                    raise ApiFailureError(f"answered with a list of which over {_MOST_LOST} items cannot be read")
            else:
                items.append(item)
        return Items(tuple(items), lost, tuple(faults), tuple(without_id))

    def _without_doubles(self, items: Items[Item], identity: Callable[[Item], str]) -> Items[Item]:
        chosen: dict[str, Item] = {}
        doubles: list[str] = []
        for item in items.items:
            other = chosen.setdefault(identity(item), item)
            if other is not item:
                doubles.append(identity(item))
                chosen[identity(item)] = min(other, item, key=lambda one: one.rank)
        if not doubles:
            return items
        faults = (f"Id: {double!r} stands there twice; the active one counts, else the first" for double in doubles)
        return replace(items, items=tuple(chosen.values()), faults=(*items.faults, *faults))

    def _salvage_one(self, raw: JsonValue) -> tuple[Item | None, list[str]]:
        faults: list[str] = []
        forgotten: set[tuple[int | str, ...]] = set()
        for _ in range(_MOST_TRIES):
            try:
                return self._one.validate_python(raw), faults
            except ValidationError as error:
                details = error.errors(include_url=False, include_context=False)
            if any(detail["loc"] in forgotten for detail in details):
                return None, faults
            faults += (_fault(detail) for detail in details)
            for detail in details:
                forgotten.add(detail["loc"])
                _forget_value(raw, detail["loc"])
        # A nested list of which nearly every row is faulty: the item without that list.
        _forget_value(raw, details[0]["loc"][:1])
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
        # NaN is no JSON, but where it stands it shall cost one field and not the whole list.
        value: JsonValue = from_json(_mended(body).removeprefix(BOM_UTF8), allow_inf_nan=True)
    except ValueError as error:
        raise ApiFailureError(f"answered with something that is not JSON ({error})") from error
    return value


def _mended(body: bytes) -> bytes:
    """With U+FFFD for each byte that is no UTF-8 and each half of a surrogate pair: that is one name's fault."""
    try:
        body.decode()
    except UnicodeDecodeError:
        body = body.decode(errors="replace").encode()
    return _ESCAPE.sub(lambda escape: rb"\ufffd" if escape[1] else escape[0], body)


def _lacks_id(row: dict[str, JsonValue]) -> bool:
    value = row.get("Id")
    return value is None or (isinstance(value, str) and not value.strip())


def _name(row: dict[str, JsonValue]) -> str:
    value = row.get("Name")
    return value if isinstance(value, str) else ""


def _forget_value(raw: JsonValue, location: tuple[int | str, ...]) -> None:
    """Sets what stands at a validation error's location to null, which every field but an id may be.

    A row of a nested list becomes one without any field.
    """
    for step in location[:-1]:
        raw = raw[step]  # type: ignore[index]
    if isinstance(raw, dict | list) and location:
        raw[location[-1]] = {} if isinstance(raw, list) else None  # type: ignore[index]


def _fault(detail: ErrorDetails) -> str:
    where = ".".join(str(step) for step in detail["loc"])
    found = repr(detail["input"])
    if len(found) > _LONGEST_QUOTE:
        found = f"{found[:_LONGEST_QUOTE]}…"
    return f"{where or 'item'}: {detail['msg']}, found {found}"


def _kind(value: JsonValue) -> str:
    names = {dict: "an object", str: "a text", bool: "a truth value", type(None): "null"}
    return names.get(type(value), "a number")
