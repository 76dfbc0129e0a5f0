"""Finds the simulated API's answer to a request."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus
from typing import TYPE_CHECKING

from ts2mqtt.errors import NotFoundError
from ts2mqtt.simulator.http1 import Answer, Request, html_page
from ts2mqtt.simulator.wire import encode

if TYPE_CHECKING:
    from ts2mqtt.simulator.observatory import SimulatedObservatory
    from ts2mqtt.simulator.rows import JsonValue


def is_preview(request: Request) -> bool:
    return request.path.endswith("/preview")


def answer_to(
    observatory: SimulatedObservatory, request: Request, *, api_version: str, pretty: bool, bare_version: bool
) -> Answer:
    """The API's answer, or the web server's error page; paths and ids are case-sensitive."""
    if request.method != "GET":
        return html_page(HTTPStatus.METHOD_NOT_ALLOWED)
    try:
        value = _value(observatory, _route(request.path, api_version), request.query.get("startTime"))
    except (NotFoundError, ValueError, OverflowError) as failure:
        return html_page(_status(failure))
    if value is None:
        # The plugin throws an exception while it writes the answer, when the status 200 is already decided.
        return Answer(chunked=False)
    if bare_version and value == observatory.version:
        return Answer(body=observatory.version.encode())
    return Answer(body=encode(value, pretty=pretty))


def _status(failure: NotFoundError | ValueError | OverflowError) -> HTTPStatus:
    if isinstance(failure, NotFoundError):
        return HTTPStatus.NOT_FOUND
    if isinstance(failure, ValueError):
        return HTTPStatus.BAD_REQUEST
    # The start time is at the end of the calendar, and its night is beyond it, in .NET as in Python.
    return HTTPStatus.INTERNAL_SERVER_ERROR


def _route(path: str, api_version: str) -> list[str]:
    below = path.removeprefix(f"/ts/{api_version}/")
    return [] if below == path else below.split("/")


def _value(observatory: SimulatedObservatory, route: list[str], start_time: str | None) -> JsonValue:
    match route:
        case ["version"]:
            return observatory.version_answer()
        case ["profiles"]:
            return observatory.profiles_answer()
        case ["profiles", profile_id, "projects"]:
            return observatory.projects_answer(profile_id)
        case ["projects", project_id, "targets"]:
            return observatory.targets_answer(project_id)
        case ["targets", target_id, "statistics"]:
            return observatory.statistics_answer(target_id)
        case ["profiles", profile_id, "preview"]:
            start = None if start_time is None else datetime.fromisoformat(start_time)
            return observatory.preview_answer(profile_id, start)
        case _:
            raise NotFoundError(f"The API has no route {'/'.join(route)!r}")
