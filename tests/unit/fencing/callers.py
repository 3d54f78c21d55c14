"""A fence service on loopback, and callers that do not keep to the protocol."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from rig.fencing.guest.agent import ask
from rig.fencing.requests import Answer, Request
from rig.fencing.server import FenceService

KEY = "k" * 64
Do = Callable[[Request], Answer]


@dataclass
class Power:
    """Stands for a rig: remembers what was asked of it."""

    asked: list[tuple[str, str]] = field(default_factory=list)

    def __call__(self, request: Request) -> Answer:
        self.asked.append((request.action, request.machine))
        if request.action == "list":
            return Answer(machines=(("m1", "on"), ("m2", "off")))
        if request.machine == "m9":
            return Answer(error="off m9: there is no such machine")
        return Answer(power="off" if request.action == "off" else "on")


@dataclass(frozen=True)
class Service:
    """A running service."""

    address: tuple[str, int]
    key_file: Path

    def ask(self, action: str, machine: str = "", *, key: str = KEY) -> dict[str, object]:
        """As the agent asks."""
        return ask(self.address, key.encode(), action, machine, timeout_s=30)

    def connect(self) -> socket.socket:
        return socket.create_connection(self.address, timeout=30)

    def said_to(self, line: bytes) -> bytes:
        """What the service says to whoever sends this, the greeting left out."""
        with self.connect() as connection, connection.makefile("rb") as lines:
            lines.readline()
            with contextlib.suppress(OSError):
                connection.sendall(line)
                connection.shutdown(socket.SHUT_WR)
                return lines.read()
        return b""


@contextmanager
def running(folder: Path, do: Do, *, key: str = KEY) -> Iterator[Service]:
    """A service whose machines are `do`, on a free port of this host."""
    key_file = folder / "key"
    key_file.write_text(key + "\n")
    listener = socket.create_server(("127.0.0.1", 0))
    loop = asyncio.new_event_loop()
    serving = loop.create_task(FenceService(key_file, do).serve(listener))
    thread = threading.Thread(target=_run, args=(loop, serving))
    thread.start()
    try:
        yield Service(address=listener.getsockname()[:2], key_file=key_file)
    finally:
        loop.call_soon_threadsafe(serving.cancel)
        thread.join()


def _run(loop: asyncio.AbstractEventLoop, serving: asyncio.Task[None]) -> None:
    with contextlib.suppress(asyncio.CancelledError):
        loop.run_until_complete(serving)
    loop.close()


class Relay:
    """Passes a conversation on to a service, and keeps what the caller sent."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address: tuple[str, int] = self._listener.getsockname()[:2]
        self.sent = b""
        self._change: Callable[[dict[str, object]], None] = lambda _: None

    def changing(self, change: Callable[[dict[str, object]], None]) -> None:
        """Change each answer of the service on its way."""
        self._change = change

    def pass_one_on(self) -> None:
        """One conversation, from greeting to answer."""
        caller, _ = self._listener.accept()
        with caller, self._service.connect() as service, service.makefile("rb") as said:
            caller.sendall(said.readline())
            with caller.makefile("rb") as asked:
                self.sent = asked.readline()
            service.sendall(self.sent)
            answer = json.loads(said.readline())
            self._change(answer)
            caller.sendall(json.dumps(answer).encode() + b"\n")

    def close(self) -> None:
        self._listener.close()
