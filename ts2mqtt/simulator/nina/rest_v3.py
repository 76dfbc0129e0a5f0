"""The REST calls of the Advanced API, version 3, as far as a client of version 2 may try them."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from ts2mqtt.simulator.http1 import Answer, Request, html_page
from ts2mqtt.simulator.nina.json_text import system_text_json
from ts2mqtt.simulator.nina.rest import application_start
from ts2mqtt.simulator.nina.v3 import event_rows

if TYPE_CHECKING:
    from ts2mqtt.simulator.nina.nina import SimulatedNina

_PAGE = 100


def answer_to(nina: SimulatedNina, request: Request) -> Answer:
    """The start of the process, and the history in pages; what else there is stays unknown."""
    match request.path:
        case "/v3/api/time/application-start":
            return Answer(body=system_text_json(application_start(nina)))
        case "/v3/api/events":
            page = int(request.query.get("page", "0"))
            rows = event_rows(nina.history)[page * _PAGE : (page + 1) * _PAGE]
            return Answer(body=system_text_json(rows))
        case _:
            return html_page(HTTPStatus.NOT_FOUND)
