"""A copy on its way: who gets it, and that a copy that is not whole is none."""

from __future__ import annotations

import io
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import IO, cast

import pytest

from components.database.guest.seed import FRAME, receive, send
from components.database.guest.shell import DatabaseError
from tests.support.waiting import MOMENT_S, deadline_s

SECRET = "s3cret"
COPY = [b"abc", b"", b"x" * (2 * FRAME + 5)]


@contextmanager
def a_sender(copy: Callable[[], Iterator[bytes]], secret: str = SECRET) -> Iterator[socket.socket]:
    """The other end of a sender that serves one request."""
    here, there = socket.socketpair()

    def serve() -> None:
        with (
            suppress(DatabaseError, OSError),
            there,
            there.makefile("rb") as wire_in,
            there.makefile("wb") as wire_out,
        ):
            send(wire_in, wire_out, secret, copy)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    with here:
        here.settimeout(30)
        yield here
    thread.join(deadline_s(MOMENT_S))


def received(wire: socket.socket, secret: str = SECRET) -> bytes:
    with wire.makefile("rb") as wire_in, wire.makefile("wb") as wire_out:
        return b"".join(receive(wire_in, wire_out, secret, "db2"))


def test_a_copy_arrives_whole() -> None:
    with a_sender(lambda: iter(COPY)) as wire:
        assert received(wire) == b"".join(COPY)


def test_nothing_is_sent_to_whoever_does_not_know_the_secret() -> None:
    begun = []

    def copy() -> Iterator[bytes]:
        begun.append(True)
        return iter(COPY)

    with a_sender(copy) as wire, pytest.raises(DatabaseError, match="proof is wrong"):
        received(wire, "another")
    assert begun == []


def test_a_failed_copy_is_an_error_with_its_reason() -> None:
    def copy() -> Iterator[bytes]:
        yield b"half"
        raise DatabaseError("the disk is full")

    with a_sender(copy) as wire, pytest.raises(DatabaseError, match="the disk is full"):
        received(wire)


def test_a_copy_that_breaks_off_is_none() -> None:
    sent = io.BytesIO()
    with a_sender(lambda: iter([b"half"])) as wire:
        wire_in, wire_out = wire.makefile("rb"), wire.makefile("wb")

        class Tap(io.RawIOBase):
            """Hears only the beginning."""

            def readline(self, size: int | None = -1, /) -> bytes:
                return wire_in.readline(size or -1)

            def read(self, size: int = -1, /) -> bytes:
                part = wire_in.read(size)
                sent.write(part)
                return part if sent.tell() <= 6 else b""

        with pytest.raises(DatabaseError, match="hung up in the middle"):
            b"".join(receive(cast("IO[bytes]", Tap()), wire_out, SECRET, "db2"))


def test_a_changed_copy_is_noticed() -> None:
    with a_sender(lambda: iter([b"whole"])) as wire:
        wire_in, wire_out = wire.makefile("rb"), wire.makefile("wb")

        class Liar(io.RawIOBase):
            """Changes the copy on the way."""

            def readline(self, size: int | None = -1, /) -> bytes:
                return wire_in.readline(size or -1)

            def read(self, size: int = -1, /) -> bytes:
                return wire_in.read(size).replace(b"whole", b"WHOLE")

        with pytest.raises(DatabaseError, match="does not know the secret"):
            b"".join(receive(cast("IO[bytes]", Liar()), wire_out, SECRET, "db2"))


@pytest.mark.parametrize("said", [b"", b"HTTP/1.1 400\r\n", b"[1]\n"])
def test_something_else_at_the_port_is_an_error(said: bytes) -> None:
    with pytest.raises(DatabaseError, match="speaks something else"):
        list(receive(io.BytesIO(said), io.BytesIO(), SECRET, "db2"))
