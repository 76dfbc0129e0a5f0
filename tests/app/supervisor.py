"""A stand-in for the Supervisor's API: it knows one token, an app's options, and what it was told about MQTT."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Mapping

TOKEN = "the-supervisor's-token"  # noqa: S105 - opens nothing


class Supervisor:
    """Answers as supervisor/api does: `service` is the MQTT service's data, None while no app provides it."""

    def __init__(self, service: Mapping[str, Any] | None, options: Mapping[str, Any] | None = None) -> None:
        self.service = service
        self.options = options
        self.asked: list[str] = []
        supervisor = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                supervisor.asked.append(self.path)
                status, answer = supervisor.answer(self.path, self.headers.get("Authorization"))
                body = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def answer(self, path: str, authorization: str | None) -> tuple[int, dict[str, Any]]:
        if authorization != f"Bearer {TOKEN}":
            return 401, {"result": "error", "message": "Invalid token"}
        if path == "/addons/self/options/config":
            return 200, {"result": "ok", "data": self.options}
        if path != "/services/mqtt":
            return 404, {"result": "error", "message": "Not found"}
        if self.service is None:
            return 400, {"result": "error", "message": "Service not enabled"}
        return 200, {"result": "ok", "data": {"addon": "core_mosquitto", "protocol": "3.1.1", **self.service}}
