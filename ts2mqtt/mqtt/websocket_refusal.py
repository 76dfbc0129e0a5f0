"""What a web server answers that does not take a WebSocket: paho only says that the handshake failed."""

from __future__ import annotations

import http.client
from typing import TYPE_CHECKING

from ts2mqtt.logs.wording import without_secrets
from ts2mqtt.mqtt.tls import tls_context

if TYPE_CHECKING:
    from ts2mqtt.config import MqttConfig

_PATIENCE_S = 5.0
_UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dHMybXF0dCBpcyBoZXJlIQ==",
    "Sec-WebSocket-Protocol": "mqtt",
}


def websocket_refusal(config: MqttConfig) -> tuple[str, str] | None:
    """Message and advice, None where nothing can be told; asks the server once more, and blocks meanwhile."""
    try:
        status, location = _asked(config)
    except (OSError, http.client.HTTPException):
        return None
    if status == http.HTTPStatus.SWITCHING_PROTOCOLS:
        return None
    message = f"the web server answers {status} for the WebSocket {config.websocket_path}"
    if location:
        return (
            f"{message} and sends to {without_secrets(location)}",
            "write host, port and path of that address as mqtt.host, mqtt.port and mqtt.websocket_path",
        )
    return message, "compare mqtt.websocket_path with the server's configuration"


def _asked(config: MqttConfig) -> tuple[int, str | None]:
    connection = (
        http.client.HTTPSConnection(config.host, config.port, timeout=_PATIENCE_S, context=tls_context(config.tls))
        if config.tls.enabled
        else http.client.HTTPConnection(config.host, config.port, timeout=_PATIENCE_S)
    )
    try:
        connection.request("GET", config.websocket_path, headers=_UPGRADE)
        answer = connection.getresponse()
        return answer.status, answer.getheader("Location")
    finally:
        connection.close()
