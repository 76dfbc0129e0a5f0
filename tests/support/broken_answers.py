"""Every way in which an answer of the API can be broken that we could think of, to be planted into the simulated API.

    for broken in BROKEN_ANSWERS:
        api.faults.add(broken.path, broken.fault())
        # now the bridge lives on, everything else is still there, and one line of the log matches broken.says

A path is a pattern of `ts2mqtt.simulator.faults`; a test may put an id in place of its `*` to break one list only.
Those below `/targets/` come into play once a target has images and its counts move.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ts2mqtt.simulator.faults import Exchange, Fault
from ts2mqtt.simulator.http1 import Answer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ts2mqtt.simulator.rows import JsonValue

Row = dict[str, "JsonValue"]

VERSION = "/version"
PROFILES = "/profiles"
PROJECTS = "/profiles/*/projects"
TARGETS = "/projects/*/targets"
STATISTICS = "/targets/*/statistics"


@dataclass(frozen=True, slots=True)
class BrokenAnswer:
    """`says` is a regular expression that finds the one line of the log."""

    name: str
    path: str
    fault: Callable[[], Fault]
    says: str

    def __str__(self) -> str:
        return f"{self.path}: {self.name}"


def altered(change: Callable[[list[Row]], None]) -> Fault:
    """The true list of rows, after `change` has been at it."""

    async def act(exchange: Exchange) -> Answer:
        answer = await exchange.regular_answer()
        rows: list[Row] = json.loads(answer.body)
        change(rows)
        return replace(answer, body=json.dumps(rows).encode())

    return Fault(act)


def _field(name: str, value: JsonValue) -> Callable[[], Fault]:
    """The first row with this value in a field."""
    return lambda: altered(lambda rows: rows[0].__setitem__(name, value))


def _plan_field(name: str, value: JsonValue) -> Callable[[], Fault]:
    """The first exposure plan of the first target with this value in a field."""

    def change(rows: list[Row]) -> None:
        plans = rows[0]["ExposurePlan"]
        assert isinstance(plans, list)
        assert isinstance(plans[0], dict)
        plans[0][name] = value

    return lambda: altered(change)


def _row(value: JsonValue) -> Callable[[], Fault]:
    """The true list with one more row, which is none."""

    async def act(exchange: Exchange) -> Answer:
        answer = await exchange.regular_answer()
        return replace(answer, body=json.dumps([value, *json.loads(answer.body)]).encode())

    return lambda: Fault(act)


def _body(body: bytes) -> Callable[[], Fault]:
    return lambda: Fault.body(body)


def _coded(coding: str, body: bytes) -> Callable[[], Fault]:
    return lambda: Fault.answer(Answer(body=body, headers=(("Content-Encoding", coding),)))


def _redirect() -> Fault:
    return Fault.answer(Answer(status=302, headers=(("Location", "http://127.0.0.1:9/login"),)))


def _unreadable() -> Iterator[tuple[str, Callable[[], Fault], str]]:
    """What is no answer of this API at all, whatever was asked."""
    yield "status 500", lambda: Fault.status(500), "status 500"
    yield "status 503", lambda: Fault.status(503), "status 503"
    yield "status 400", lambda: Fault.status(400), "status 400"
    yield "status 401", lambda: Fault.status(401), "401.*login"
    yield "status 403", lambda: Fault.status(403), "403.*login"
    yield "status 404", lambda: Fault.status(404), "does not know|404"
    yield "a redirect", _redirect, "status 302"
    yield "a web page", Fault.html, "web page"
    yield "a web page that claims to be JSON", _body(b"\r\n <!DOCTYPE html><html></html>"), "web page"
    yield "a connection reset", Fault.reset, "broke the connection"
    yield "a connection closed in the middle", lambda: Fault.truncate(after=1), "broke the connection"
    yield "gzip that is none", Fault.invalid_gzip, "cannot be unpacked"
    yield "a coding nobody asked for", _coded("br", b"\x8b\x02\x80[]\x03"), "br"
    yield "codings over codings", _coded("gzip, gzip, gzip", b""), "gzip, gzip, gzip"


def _no_list() -> Iterator[tuple[str, Callable[[], Fault], str]]:
    """What should be a list of rows and is none."""
    yield "white space", _body(b" \r\n\t"), "empty body"
    yield "half a list", _body(b'[{"Id": "a", "Na'), "not JSON"
    yield "a list and more", _body(b"[] []"), "not JSON"
    yield "words", _body(b"database is locked"), "not JSON"
    yield "an object", _body(b'{"error": "database is locked"}'), "an object where a list"
    yield "a text", _body(b'"database is locked"'), "a text where a list"
    yield "a number", _body(b"-1"), "a number where a list"
    yield "null", _body(b"null"), "null where a list"
    yield "true", _body(b"true"), "a truth value where a list"
    yield "NaN", _body(b"NaN"), "a number where a list"
    yield "bytes that are no UTF-8", _body(b"[\xff\xfe]"), "not JSON"
    yield "UTF-16", _body('[{"Id": "a"}]'.encode("utf-16")), "not JSON"
    yield "a byte order mark alone", _body(b"\xef\xbb\xbf"), "not JSON"
    yield "two byte order marks", _body(b"\xef\xbb\xbf\xef\xbb\xbf[]"), "not JSON"
    yield "a byte order mark before words", _body(b"\xef\xbb\xbfdatabase is locked"), "not JSON"
    yield "NUL bytes", _body(b"\0" * 1000), "not JSON"
    yield "a surrogate outside of a text", _body(b"[\\ud800]"), "not JSON"
    yield "a number of 5000 digits", _body(b"[" + b"1" * 5000 + b"]"), "not JSON"
    yield "a hundred thousand brackets", _body(b"[" * 100_000), "not JSON"
    yield "100 MB", lambda: Fault.endless(100), "more than 4 MiB"
    yield "no end", Fault.endless, "more than 4 MiB"
    yield "100,000 rows that are none", _body(b"[" + b"0," * 100_000 + b"0]"), "cannot be read"


def _named(octets: bytes) -> Callable[[], Fault]:
    """The true list with these bytes in the name of its first row."""

    async def act(exchange: Exchange) -> Answer:
        answer = await exchange.regular_answer()
        rows: list[Row] = json.loads(answer.body)
        rows[0]["Name"] = "?name?"
        return replace(answer, body=json.dumps(rows).encode().replace(b"?name?", octets))

    return lambda: Fault(act)


def _bad_text() -> Iterator[tuple[str, Callable[[], Fault], str]]:
    """Characters that are none, in one name."""
    for name, octets in (
        ("a byte that is no UTF-8", b"M\xff31"),
        ("half a character", b"M\xc3"),
        ("a surrogate in UTF-8", b"\xed\xa0\x80"),
        ("Latin-1", b"G\xf6ttingen"),
        ("a lone surrogate", b"\\ud800"),
        ("a lone second surrogate", b"M \\udc00 31"),
        ("two surrogates in the wrong order", b"\\ude00\\ud83d"),
        ("a surrogate after a backslash", b"\\\\\\ud83d"),
    ):
        yield f"a name with {name}", _named(octets), "characters that are none"


def _wrong_parent(field: str) -> Iterator[tuple[str, Callable[[], Fault], str]]:
    other = "00000000-0000-4000-8000-000000000000"
    yield "a row of another parent", _field(field, other), "another project or profile"
    yield "a row of no parent that exists", _field(field, "?"), "another project or profile"

    def all_rows(rows: list[Row]) -> None:
        for row in rows:
            row[field] = other

    yield "another parent's rows", lambda: altered(all_rows), "another project or profile"
    yield "a parent that is a number", _field(field, 7), f"{field}: .*found 7"


def _wrong_profile() -> Iterator[tuple[str, Callable[[], Fault], str]]:
    return _wrong_parent("ProfileId")


def _wrong_project() -> Iterator[tuple[str, Callable[[], Fault], str]]:
    return _wrong_parent("ProjectId")


def _bad_ids() -> Iterator[tuple[str, Callable[[], Fault], str]]:
    """Ids that must never become part of a topic."""
    bad_ids: tuple[tuple[str, JsonValue], ...] = (
        ("with a slash", "a/b"),
        ("with a hash", "a#"),
        ("with a plus", "+"),
        ("with a NUL", "a\0b"),
        ("of 10 kB", "a" * 10_000),
        ("that is empty", ""),
        ("that climbs", "../../version"),
        ("with a line break", "a\n"),
        ("with a blank", "a b"),
        ("with an umlaut", "ä"),
        ("that is a number", 5),
        ("that is null", None),
        ("that is an object", {"Id": "a"}),
    )
    for name, value in bad_ids:
        yield f"an id {name}", _field("Id", value), "Id: .*found"
    yield "no id", lambda: altered(lambda rows: rows[0].__delitem__("Id")), "Id: (Field required|found none)"
    yield "the same id twice", lambda: altered(lambda rows: rows.append({**rows[0], "Name": "Twin"})), "Id: .*twice"
    yield "a row that is null", _row(None), "item: .*found None"
    yield "a row that is a text", _row("M 31"), "item: .*found 'M 31'"
    yield "a row that is a list", _row([[]]), "item: .*found"


def _bad_profile_fields() -> Iterator[tuple[str, Callable[[], Fault], str]]:
    yield "a name that is a number", _field("Name", 7), "Name: .*found 7"
    yield "a doubtful activity", _field("Active", "maybe"), "Active: .*found 'maybe'"


def _bad_project_fields() -> Iterator[tuple[str, Callable[[], Fault], str]]:
    yield "a state that is a number", _field("State", 1), "State: .*found 1"
    yield "a state that is a list", _field("State", ["Active"]), "State: .*found"
    yield "a state that is a truth value", _field("State", True), "State: .*found True"
    yield "a priority in words", _field("Priority", "high"), "Priority: .*found 'high'"
    yield "a priority beyond all numbers", _field("Priority", 10**30), "Priority: .*found 1000"
    yield "a date in words", _field("CreateDate", "yesterday"), "CreateDate: .*found 'yesterday'"
    yield "a date that is an object", _field("ActiveDate", {}), "ActiveDate: .*found {}"
    yield "a date beyond the calendar", _field("CreateDate", "12026-02-26T06:17:59Z"), "CreateDate: .*found '12026"
    yield "an altitude of infinity", _field("MinimumAltitude", float("inf")), "MinimumAltitude: .*found inf"
    yield "a description in pieces", _field("Description", ["a", ["b"]]), "Description: .*found"


def _bad_target_fields() -> Iterator[tuple[str, Callable[[], Fault], str]]:
    yield "a right ascension in words", _field("RA", "00h42m"), "RA: .*found '00h42m'"
    yield "a right ascension of NaN", _field("RA", float("nan")), "RA: .*found nan"
    yield "a declination in a list", _field("Dec", [[[[41.2]]]]), "Dec: .*found"
    yield "a name that is an object", _field("Name", {"en": "M 31"}), "Name: .*found"
    yield "exposure plans in words", _field("ExposurePlan", "none"), "ExposurePlan: .*found 'none'"
    yield "an exposure plan that is null", _field("ExposurePlan", [None]), "ExposurePlan.0: .*found None"
    yield "half a million exposure plans", _field("ExposurePlan", [None] * 500_000), "ExposurePlan"
    yield "a negative count", _plan_field("Desired", -5), "ExposurePlan.0.Desired: .*found -5"
    yield "half an exposure", _plan_field("Acquired", 1.5), "ExposurePlan.0.Acquired: .*found 1.5"
    yield "a count beyond all numbers", _plan_field("Accepted", 1e30), "ExposurePlan.0.Accepted: .*found 1e"
    yield "a number of 4000 digits", _plan_field("Desired", int("1" * 4000)), "ExposurePlan.0.Desired: .*found 1111"
    yield "an exposure time in words", _plan_field("Exposure", "60 s"), "ExposurePlan.0.Exposure: .*found '60 s'"
    yield "an exposure time below 0", _plan_field("Exposure", -1), "ExposurePlan.0.Exposure: .*found -1"
    yield "an exposure of months", _plan_field("Exposure", 10_000_000), "ExposurePlan.0.Exposure: .*found 10000000"
    yield "an exposure time of NaN", _plan_field("Exposure", float("nan")), "ExposurePlan.0.Exposure: .*found nan"
    yield "a template that is a number", _plan_field("TemplateName", 5), "ExposurePlan.0.TemplateName: .*found 5"
    yield "exposure plans that are an object", _field("ExposurePlan", {}), "ExposurePlan: .*found {}"
    yield "1,001 exposure plans", _field("ExposurePlan", [{}] * 1_001), "ExposurePlan"
    yield "a filter that is a list", _plan_field("FilterName", ["Lum"]), "ExposurePlan.0.FilterName: .*found"


def _bad_statistics() -> Iterator[tuple[str, Callable[[], Fault], str]]:
    yield "an HFR in words", _field("HFRMean", "round"), "HFRMean: .*found 'round'"
    yield "an FWHM of NaN", _field("FWHMMean", float("nan")), "FWHMMean: .*found nan"
    yield "a row that is null", _row(None), "item: .*found None"


def _no_version() -> Iterator[tuple[str, Callable[[], Fault], str]]:
    for name, body in (
        ("an empty body", b""),
        ("null", b"null"),
        ("a list", b"[]"),
        ("an object", b'{"Version": "5.9.3.0"}'),
        ("words", b"It works!"),
        ("invalid UTF-8", b"5.9\xff"),
        ("a text in a text", b'"\\"5.9\\""'),
        ("half a text", b'"5.9'),
        ("a number of 10 kB", b"5" * 10_000),
        ("control characters", b"5.9\x1b[31m"),
    ):
        yield name, _body(body), "no version number|not JSON|empty body"


def _all() -> Iterator[BrokenAnswer]:
    kinds = (
        (VERSION, (_unreadable, _no_version)),
        (PROFILES, (_unreadable, _no_list, _bad_ids, _bad_text, _bad_profile_fields)),
        (PROJECTS, (_unreadable, _no_list, _bad_ids, _bad_text, _wrong_profile, _bad_project_fields)),
        (TARGETS, (_unreadable, _no_list, _bad_ids, _bad_text, _wrong_project, _bad_target_fields)),
        (STATISTICS, (_unreadable, _no_list, _bad_statistics)),
    )
    for path, groups in kinds:
        for group in groups:
            for name, fault, says in group():
                # An empty body, white space included, is how the plugin says that there are no statistics.
                if (path, name) != (STATISTICS, "white space"):
                    yield BrokenAnswer(name, path, fault, says)
    for path in (PROFILES, PROJECTS, TARGETS):
        yield BrokenAnswer("an empty body", path, Fault.empty, "empty body")


BROKEN_ANSWERS: list[BrokenAnswer] = list(_all())
