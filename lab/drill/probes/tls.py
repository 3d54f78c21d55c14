"""TLS without a socket: bytes in, bytes out.

Why not the `ssl` module: it hands a session on by encoding and parsing it again, the certificate
included, which costs more than the session saves. Why TLS 1.2 at most: a resumed session of it
needs no public-key operation at all. A request that finds no session to resume (another load
balancer, a reloaded one) makes a full handshake, as any new client.

The certificate is not verified: it is the lab's own, and the question is who answers, not who may.
"""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric import ec
from OpenSSL import SSL

CHUNK = 65536


class TlsError(Exception):
    """The other side does not speak TLS with us; the text says why in a few words."""


class TlsClient:
    """Makes layers that resume each other's sessions."""

    def __init__(self) -> None:
        self._context = SSL.Context(SSL.TLS_CLIENT_METHOD)
        self._context.set_verify(SSL.VERIFY_NONE)
        self._context.set_max_proto_version(SSL.TLS1_2_VERSION)
        # One group, which every server has: a key for each that is offered would cost its time.
        self._context.set_tmp_ecdh(ec.SECP256R1())
        self._session: SSL.Session | None = None

    def layer(self) -> TlsLayer:
        """A layer for one new connection."""
        return TlsLayer(self, self.connection())

    def connection(self) -> SSL.Connection:
        connection = SSL.Connection(self._context, None)
        connection.set_connect_state()
        if self._session is not None:
            connection.set_session(self._session)
        return connection

    def remember(self, connection: SSL.Connection) -> None:
        """The next one resumes this one's session."""
        self._session = connection.get_session()


class TlsLayer:
    """The TLS of one connection."""

    def __init__(self, client: TlsClient, connection: SSL.Connection) -> None:
        self._client = client
        self._connection = connection
        self._waiting = b""
        """What is to be sent as soon as the handshake is over."""
        self.is_open = False
        """Whether the handshake is over."""

    def send(self, data: bytes) -> bytes:
        """What must go onto the wire for these bytes to be sent; the rest follows by `receive`."""
        if self.is_open:
            self._connection.send(data)
        else:
            self._waiting += data
            self._shake_hands()
        return self._outgoing()

    def receive(self, data: bytes) -> tuple[bytes, bytes]:
        """The plain bytes that have come, and what must go onto the wire. Raises TlsError."""
        self._connection.bio_write(data)
        if not self.is_open:
            self._shake_hands()
        plain = self._plain() if self.is_open else b""
        return plain, self._outgoing()

    def forget(self) -> None:
        """The connection is closed, well or not: its session can still be resumed."""
        self._connection.set_shutdown(SSL.SENT_SHUTDOWN | SSL.RECEIVED_SHUTDOWN)

    def _shake_hands(self) -> None:
        try:
            self._connection.do_handshake()
        except SSL.WantReadError:
            return
        except SSL.Error as error:
            raise TlsError(_reason(error)) from None
        self.is_open = True
        self._client.remember(self._connection)
        if self._waiting:
            self._connection.send(self._waiting)

    def _plain(self) -> bytes:
        parts = []
        try:
            while True:
                parts.append(self._connection.recv(CHUNK))
        except (SSL.WantReadError, SSL.ZeroReturnError):
            return b"".join(parts)
        except SSL.Error as error:
            raise TlsError(_reason(error)) from None

    def _outgoing(self) -> bytes:
        try:
            return self._connection.bio_read(CHUNK)
        except SSL.WantReadError:
            return b""


def _reason(error: SSL.Error) -> str:
    """`wrong version number` of OpenSSL's list of (library, function, reason)."""
    found = error.args[0] if error.args else ()
    reasons = [str(entry[-1]) for entry in found] if isinstance(found, list) else []
    return f"TLS: {', '.join(reasons) or error}"


class PlainLayer:
    """The same interface without TLS."""

    is_open = True

    def send(self, data: bytes) -> bytes:
        return data

    def receive(self, data: bytes) -> tuple[bytes, bytes]:
        return data, b""

    def forget(self) -> None:
        """Nothing is kept."""


Layer = TlsLayer | PlainLayer
