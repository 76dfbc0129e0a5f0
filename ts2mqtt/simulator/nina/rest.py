"""The REST calls of the Advanced API, version 2.

Every handler answers HTTP 200, and the truth stands in `Success` and `StatusCode` of the body. For an unknown route
the web server has its 404 page.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING

from ts2mqtt.simulator.http1 import Answer, Request, html_page
from ts2mqtt.simulator.nina.devices import camera, guider, safety_monitor
from ts2mqtt.simulator.nina.json_text import system_text_json
from ts2mqtt.simulator.nina.sequence import sequence_json, sequence_state
from ts2mqtt.simulator.nina.v2 import history_entry
from ts2mqtt.simulator.wire import net_time

if TYPE_CHECKING:
    from ts2mqtt.simulator.nina.nina import SimulatedNina
    from ts2mqtt.simulator.rows import JsonValue

API_PATH = "/v2/api"
Query = Mapping[str, str]

_SEQUENCE_IS_READY_AFTER = timedelta(seconds=7.5)
_PROFILE_BYTES = 14_000


def answer_to(nina: SimulatedNina, request: Request) -> Answer:
    """The answer to a request for what N.I.N.A. shows now."""
    if request.method != "GET":
        return html_page(HTTPStatus.METHOD_NOT_ALLOWED)
    route = _ROUTES.get(request.path)
    return html_page(HTTPStatus.NOT_FOUND) if route is None else route(nina, request.query)


def application_start(nina: SimulatedNina) -> str:
    """When the process started."""
    return net_time(nina.state.started_at, nina.state.started_at.microsecond % 10, nina.observatory.timezone)


def succeeded(response: JsonValue) -> Answer:
    return _answer(response, "", HTTPStatus.OK)


def failed(error: str, status: int = HTTPStatus.INTERNAL_SERVER_ERROR) -> Answer:
    """A failure as the plugin tells it, with HTTP 200; "Unknown error" if a list changes while it is read."""
    return _answer("", error, status)


def _answer(response: JsonValue, error: str, status: int) -> Answer:
    body: JsonValue = {
        "Response": response,
        "Error": error,
        "StatusCode": int(status),
        "Success": status == HTTPStatus.OK,
        "Type": "API",
    }
    return Answer(body=system_text_json(body))


def _version(nina: SimulatedNina, _: Query) -> Answer:
    return succeeded(nina.version)


def _application_start(nina: SimulatedNina, _: Query) -> Answer:
    return succeeded(application_start(nina))


def _event_history(nina: SimulatedNina, _: Query) -> Answer:
    """Every event since N.I.N.A. started: there are no pages, and nothing is ever left out."""
    zone = nina.observatory.timezone
    return succeeded([history_entry(announcement, zone) for announcement in nina.history])


def _camera(nina: SimulatedNina, _: Query) -> Answer:
    return succeeded(camera(nina.state, nina.observatory.now))


def _safety_monitor(nina: SimulatedNina, _: Query) -> Answer:
    return succeeded(safety_monitor(nina.state))


def _guider(nina: SimulatedNina, _: Query) -> Answer:
    return succeeded(guider(nina.state))


def _sequence_json(nina: SimulatedNina, _: Query) -> Answer:
    if not _sequence_is_ready(nina):
        return failed("Sequence is not initialized", HTTPStatus.CONFLICT)
    return succeeded(sequence_json(nina.state))


def _sequence_state(nina: SimulatedNina, _: Query) -> Answer:
    if not _sequence_is_ready(nina):
        return Answer(chunked=False)
    return succeeded(sequence_state(nina.state, len(nina.images)))


def _sequence_is_ready(nina: SimulatedNina) -> bool:
    return nina.observatory.now_utc - nina.state.started_at >= _SEQUENCE_IS_READY_AFTER


def _image_history(nina: SimulatedNina, query: Query) -> Answer:
    if query.get("count") == "true":
        return succeeded(len(nina.images))
    images = [announcement.fields["ImageStatistics"] for announcement in nina.images]
    if query.get("all") == "true":
        return succeeded(images)
    try:
        return succeeded(images[int(query.get("index", "0"))])
    except (IndexError, ValueError):
        return failed("Index out of range", HTTPStatus.BAD_REQUEST)


def _profiles(nina: SimulatedNina, query: Query) -> Answer:
    """The list of profiles; with `active=true` all settings of the active one, which are long and hold keys."""
    profiles = nina.observatory.profiles
    if query.get("active") == "true":
        active = next((profile for profile in profiles if profile.active), None)
        name = active.name if active else ""
        return succeeded({"Name": name, "AstrometryAPIKey": "secret", "Settings": "x" * _PROFILE_BYTES})
    return succeeded(
        [
            {"Id": profile.id, "Name": profile.name, "Description": "", "IsActive": profile.active}
            for profile in profiles
        ]
    )


_ROUTES: dict[str, Callable[[SimulatedNina, Query], Answer]] = {
    f"{API_PATH}/version": _version,
    f"{API_PATH}/application-start": _application_start,
    f"{API_PATH}/event-history": _event_history,
    f"{API_PATH}/equipment/camera/info": _camera,
    f"{API_PATH}/equipment/safetymonitor/info": _safety_monitor,
    f"{API_PATH}/equipment/guider/info": _guider,
    f"{API_PATH}/sequence/json": _sequence_json,
    f"{API_PATH}/sequence/state": _sequence_state,
    f"{API_PATH}/image-history": _image_history,
    f"{API_PATH}/profile/show": _profiles,
}
