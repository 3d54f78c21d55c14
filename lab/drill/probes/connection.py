"""A client's HTTP connection on a socket that never blocks."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from lab.drill.probes.answer import Answer, AnswerReader, BrokenAnswerError
from lab.drill.probes.tls import Layer, PlainLayer, TlsClient, TlsError

CHUNK = 65536
PORTS = {"http": 80, "https": 443}
OWN_LIMITS = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.EADDRNOTAVAIL}
"""Errors of this host, which say nothing of the lab: nothing was sent."""


class BrokenError(Exception):
    """The request failed; the text says why in a few words."""


class NotSentError(Exception):
    """This host could not even try; the text says why in a few words."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where the requests go."""

    family: int
    address: tuple[str, int]
    host: str
    """As the URL says it."""
    path: str
    layer: Callable[[], Layer]

    def request(self, *, keep_alive: bool) -> bytes:
        """The bytes of one GET."""
        lines = (
            f"GET {self.path} HTTP/1.1",
            f"Host: {self.host}",
            "User-Agent: ha-lab-drill",
            "Accept: */*",
            f"Connection: {'keep-alive' if keep_alive else 'close'}",
        )
        return "\r\n".join((*lines, "", "")).encode("latin-1")


def endpoint_of(url: str) -> Endpoint:
    """The endpoint of an http or https URL. Raises OSError where its name is unknown."""
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or PORTS[parts.scheme]
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    family, address = int(found[0]), (str(found[4][0]), port)
    path = f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"
    layer = TlsClient().layer if parts.scheme == "https" else PlainLayer
    return Endpoint(family, address, parts.netloc, path, layer)


class Connection:
    """Begins to connect when it is made; carries one request at a time.

    Register `fileno` for EPOLLIN | EPOLLOUT, edge-triggered, and call `advance` at each event.
    """

    def __init__(self, endpoint: Endpoint, request: bytes) -> None:
        """Raises BrokenError or NotSentError."""
        self._layer = endpoint.layer()
        self._unsent = b""
        self._request = request
        self._reader: AnswerReader | None = AnswerReader()
        self._is_connected = False
        self.is_over = False
        """Whether the other side has closed it."""
        try:
            kind = socket.SOCK_STREAM | socket.SOCK_NONBLOCK
            self._socket = socket.socket(endpoint.family, kind)
        except OSError as error:
            raise NotSentError(words_for(error.errno)) from None
        number = self._socket.connect_ex(endpoint.address)
        if number not in (0, errno.EINPROGRESS):
            self.close()
            kind_of_error = NotSentError if number in OWN_LIMITS else BrokenError
            raise kind_of_error(words_for(number))

    def fileno(self) -> int:
        return self._socket.fileno()

    @property
    def waits_for(self) -> str:
        """What has not come yet: `connection`, `TLS handshake` or `answer`."""
        if not self._is_connected:
            return "connection"
        return "answer" if self._layer.is_open else "TLS handshake"

    def ask(self, request: bytes) -> None:
        """Send another request, after the answer to the one before. Raises BrokenError."""
        self._reader = AnswerReader()
        try:
            self._send(self._layer.send(request))
        except OSError as error:
            raise BrokenError(words_for(error.errno)) from None

    def advance(self) -> Answer | None:
        """Do what can be done now; the answer when it is complete.

        Raises BrokenError; also where no request is on its way and the other side closed.
        """
        try:
            if not self._is_connected:
                self._connected()
            elif self._unsent:
                self._send(b"")
            return self._receive()
        except OSError as error:
            raise BrokenError(words_for(error.errno)) from None
        except (TlsError, BrokenAnswerError) as error:
            raise BrokenError(str(error)) from None

    def close(self) -> None:
        self._layer.forget()
        self._socket.close()

    def _connected(self) -> None:
        number = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if number:
            raise OSError(number, os.strerror(number))
        self._is_connected = True
        self._send(self._layer.send(self._request))

    def _send(self, data: bytes) -> None:
        self._unsent += data
        if self._unsent:
            try:
                sent = self._socket.send(self._unsent)
            except BlockingIOError:
                return
            self._unsent = self._unsent[sent:]

    def _receive(self) -> Answer | None:
        """Take everything that has come, for an edge is reported once only."""
        answer: Answer | None = None
        while True:
            try:
                data = self._socket.recv(CHUNK)
            except BlockingIOError:
                return answer
            if not data:
                self.is_over = True
                return answer or self._ended()
            plain, outgoing = self._layer.receive(data)
            if outgoing:
                self._send(outgoing)
            if plain and self._reader is not None:
                answer = self._reader.feed(plain)
                if answer is not None:
                    self._reader = None

    def _ended(self) -> Answer:
        if self._reader is None:
            msg = "closed while idle"
            raise BrokenError(msg)
        if not self._layer.is_open:
            msg = "closed during the TLS handshake"
            raise BrokenError(msg)
        return self._reader.end()


def words_for(number: int | None) -> str:
    """`connection refused` of an error number."""
    text = os.strerror(number or 0)
    return text[:1].lower() + text[1:]
