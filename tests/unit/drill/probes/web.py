"""A web server for tests that behaves as it is told, and remembers when connections came."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import struct
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from tests.support.services.certificate import SITE_PEM

GOOD = (
    b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nX-Served-By: app1\r\nX-Load-Balancer: lb1\r\n\r\nyes"
)
ANSWERS = {
    "ok": GOOD,
    "500": b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n",
    "503": b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n",
    "garbage": b"SSH-2.0-OpenSSH_9.2p1 Debian\r\n\r\n",
    "half": GOOD[:-1],
    "last": GOOD.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"),
}
RESET_AT_CLOSE = struct.pack("ii", 1, 0)


@dataclass
class Web:
    """What it does to each request from now on: a key of ANSWERS, `hang`, `reset` or `close`."""

    mode: str = "ok"
    url: str = ""
    arrivals: list[float] = field(default_factory=list)
    """When each connection was accepted, on the monotonic clock."""
    requests: int = 0
    resumed: int = 0
    """TLS connections that resumed a session."""
    open: set[asyncio.StreamWriter] = field(default_factory=set)
    delay_s: float = 0.0
    """Before each answer."""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.arrivals.append(time.monotonic())
        self.open.add(writer)
        tls = writer.get_extra_info("ssl_object")
        self.resumed += bool(tls and tls.session_reused)
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while await reader.readuntil(b"\r\n\r\n"):
                self.requests += 1
                await asyncio.sleep(self.delay_s)
                if not await self._answer(writer):
                    break
        self.open.discard(writer)
        writer.close()

    async def _answer(self, writer: asyncio.StreamWriter) -> bool:
        """Whether the connection stays."""
        if self.mode == "hang":
            await asyncio.Event().wait()
        if self.mode == "reset":
            sock: socket.socket = writer.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_AT_CLOSE)
            writer.transport.abort()
            return False
        if self.mode == "close":
            return False
        writer.write(ANSWERS[self.mode])
        await writer.drain()
        return self.mode not in ("half", "garbage")

    def hang_up(self) -> None:
        """Close every connection that is open now."""
        for writer in list(self.open):
            writer.close()


@asynccontextmanager
async def web(*, tls: bool = False) -> AsyncIterator[Web]:
    """A server on loopback."""
    served = Web()
    context = _tls() if tls else None
    server = await asyncio.start_server(served.serve, "127.0.0.1", 0, ssl=context, backlog=1000)
    port = server.sockets[0].getsockname()[1]
    served.url = f"{'https' if tls else 'http'}://127.0.0.1:{port}/whoami"
    try:
        yield served
    finally:
        # What hangs is left to the end of the loop: it would be waited for here.
        server.close()
        served.hang_up()


def _tls() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.NamedTemporaryFile(mode="w", suffix=".pem") as file:
        file.write(SITE_PEM.content)
        file.flush()
        context.load_cert_chain(file.name)
    return context


@asynccontextmanager
async def nobody() -> AsyncIterator[str]:
    """The URL of a port that refuses connections."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}/"


@asynccontextmanager
async def silence() -> AsyncIterator[str]:
    """The URL of a port on which nothing is ever accepted and the queue is full: connections to it
    are not answered, as those to a machine without power."""
    with contextlib.ExitStack() as stack:
        full = stack.enter_context(socket.socket())
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for _ in range(2):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(full.getsockname())
        yield f"http://127.0.0.1:{full.getsockname()[1]}/"
