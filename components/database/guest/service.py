"""The role service: which role each database has on this machine, over HTTP.

`/postgresql` tells everything as JSON. `/postgresql/primary` and `/postgresql/replica` answer 200
where clients may write and read here, and 503 where not: a load balancer routes by them. Every
answer is asked of the server at that moment; nothing is cached.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from .model import Config
from .watch import Watch

REQUEST_TIMEOUT_S = 5.0


class RoleServer(ThreadingHTTPServer):
    """Serves the watches of this machine's engines."""

    daemon_threads = True
    request_queue_size = 64
    allow_reuse_address = True

    def __init__(self, config: Config, watches: Mapping[str, Watch]) -> None:
        super().__init__((config.address, config.role_port), Handler)
        self.watches = watches

    def handle_error(self, request: object, client_address: object) -> None:
        """Whoever hung up does not want the answer any more; other errors go to the journal."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


class Handler(BaseHTTPRequestHandler):
    """One request."""

    timeout = REQUEST_TIMEOUT_S
    wbufsize = -1
    """Everything in one packet: a load balancer hangs up once it has read the status."""
    server: RoleServer

    def do_GET(self) -> None:
        """One question; the library calls it by this name."""
        engine, _, role = self.path.strip("/").partition("/")
        watch = self.server.watches.get(engine)
        if watch is None or role not in ("", "primary", "replica"):
            self._answer(HTTPStatus.NOT_FOUND, {"error": "/ENGINE, /ENGINE/primary or /replica"})
            return
        state = watch.state()
        is_good = role == "" or (
            watch.is_primary(state) if role == "primary" else watch.is_replica(state)
        )
        status = HTTPStatus.OK if is_good else HTTPStatus.SERVICE_UNAVAILABLE
        self._answer(status, state.as_json())

    def _answer(self, status: HTTPStatus, data: Mapping[str, object]) -> None:
        body = (json.dumps(data) + "\n").encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Checks come several times a second; they are no news."""
