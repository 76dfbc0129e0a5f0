"""The answer to a request that wants to open the socket."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from websockets.utils import accept_key

from ts2mqtt.simulator.http1 import Answer, html_page

if TYPE_CHECKING:
    from ts2mqtt.simulator.http1 import Request

_SERVER = "EmbedIO/3.5.2"


def handshake(request: Request, *, with_wrong_key: bool = False) -> Answer:
    """101, or the page of 400 for a request without a key, or with a subprotocol; extensions are ignored."""
    headers = request.headers
    key = headers.get("sec-websocket-key")
    if headers.get("upgrade", "").lower() != "websocket" or key is None or "sec-websocket-protocol" in headers:
        return html_page(HTTPStatus.BAD_REQUEST)
    accepted = accept_key("another key" if with_wrong_key else key)
    return Answer(status=HTTPStatus.SWITCHING_PROTOCOLS, headers=(("Sec-WebSocket-Accept", accepted),))


def switching_head(answer: Answer) -> bytes:
    """The head of the answer 101, after which frames follow."""
    lines = ["HTTP/1.1 101 Switching Protocols", f"Server: {_SERVER}", "Connection: Upgrade", "Upgrade: websocket"]
    lines += [f"{name}: {value}" for name, value in answer.headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
