"""The service: `lab-visits CONFIG`; the password comes from systemd's credentials."""

from __future__ import annotations

import json
import os
import sys
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from .page import Answer, client_of, json_answer, sorry, visits_answer
from .store import Config, Store, StoreError

REQUEST_TIMEOUT_S = 5.0
LOCAL = "127.0.0.1"
PATH = "/visits"


class VisitsServer(ThreadingHTTPServer):
    """Answers for one store."""

    daemon_threads = True
    request_queue_size = 64
    allow_reuse_address = True

    def __init__(self, config: Config, store: Store, port: int) -> None:
        super().__init__((LOCAL, port), Handler)
        self.config = config
        self.store = store

    def handle_error(self, request: object, client_address: object) -> None:
        """Whoever hung up does not want the answer any more; other errors go to the journal."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


class Handler(BaseHTTPRequestHandler):
    """One request of nginx."""

    timeout = REQUEST_TIMEOUT_S
    wbufsize = -1
    server: VisitsServer

    def do_GET(self) -> None:
        """Read; the library calls it by this name."""
        self._serve(stores=False)

    def do_POST(self) -> None:
        """Store one."""
        self._serve(stores=True)

    def _serve(self, *, stores: bool) -> None:
        if self.path.partition("?")[0] != PATH:
            self._send(json_answer(HTTPStatus.NOT_FOUND, {"error": f"there is only {PATH}"}))
            return
        config, store = self.server.config, self.server.store
        client = client_of(self.headers.get("X-Forwarded-For", ""), self.client_address[0])
        try:
            count, latest = store.add(client) if stores else store.read()
        except StoreError as error:
            stored = "unknown" if stores and error.sent else "no"
            self._send(sorry(config.machine, config.engine, str(error), stored=stored))
            return
        self._send(visits_answer(config.machine, config.engine, count, latest, stored=stores))

    def _send(self, answer: Answer) -> None:
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)

    def log_message(self, *_: object) -> None:
        """nginx keeps the log."""


def main() -> None:
    """Serve until the process is ended."""
    data = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    port = data.pop("listen_port")
    config = Config(**data)
    credentials = Path(os.environ["CREDENTIALS_DIRECTORY"])
    password = (credentials / "password").read_text(encoding="utf-8").strip()
    VisitsServer(config, Store(config, password), port).serve_forever()
