"""A copy of a database on its way to another machine: who asks proves that it knows the secret.

    sender    {"nonce": N}
    receiver  {"machine": ..., "nonce": M, "proof": HMAC(secret, "receiver N M")}
    sender    {"proof": HMAC(secret, "sender N M")}   or {"error": why}
    sender    frames: 4 bytes of length, then so much of the copy; length 0 ends it
    sender    {"proof": HMAC(secret, "copy N M" + SHA-256 of the copy)}   or {"error": why}

The secret is the replication user's password, and whoever has that may read everything anyway. The
copy itself is not encrypted, as replication is not: it belongs on the lab's own network.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import struct
from collections.abc import Callable, Iterator
from typing import IO

from .shell import DatabaseError

LINE_LIMIT = 4096
FRAME = 1 << 20
"""Bytes of the copy in one frame, at most."""
_LENGTH = struct.Struct(">I")


def send(
    wire_in: IO[bytes], wire_out: IO[bytes], secret: str, copy: Callable[[], Iterator[bytes]]
) -> str:
    """Serve one request; `copy` makes the parts of the copy. Returns who asked.

    Raises DatabaseError, after the other end was told.
    """
    nonce = secrets.token_hex(16)
    _say(wire_out, {"nonce": nonce})
    asked = _hear(wire_in)
    both = f"{nonce} {asked.get('nonce', '')}"
    if not hmac.compare_digest(asked.get("proof", ""), proof(secret, f"receiver {both}")):
        _say(wire_out, {"error": "the proof is wrong: another password?"})
        raise DatabaseError("somebody asked for a copy without knowing the secret")
    _say(wire_out, {"proof": proof(secret, f"sender {both}")})
    digest = hashlib.sha256()
    try:
        for part in copy():
            for at in range(0, len(part), FRAME):
                frame = part[at : at + FRAME]
                digest.update(frame)
                wire_out.write(_LENGTH.pack(len(frame)) + frame)
    except DatabaseError as error:
        wire_out.write(_LENGTH.pack(0))
        _say(wire_out, {"error": str(error)})
        raise
    wire_out.write(_LENGTH.pack(0))
    _say(wire_out, {"proof": proof(secret, f"copy {both} {digest.hexdigest()}")})
    return asked.get("machine", "")


def receive(wire_in: IO[bytes], wire_out: IO[bytes], secret: str, machine: str) -> Iterator[bytes]:
    """The parts of the copy, as they come. Raises DatabaseError where it is not whole."""
    nonce = secrets.token_hex(16)
    both = f"{_hear(wire_in).get('nonce', '')} {nonce}"
    question = {"machine": machine, "nonce": nonce, "proof": proof(secret, f"receiver {both}")}
    _say(wire_out, question)
    _check(_hear(wire_in), proof(secret, f"sender {both}"))
    digest = hashlib.sha256()
    while True:
        (length,) = _LENGTH.unpack(_exactly(wire_in, _LENGTH.size))
        if length == 0:
            break
        if length > FRAME:
            raise DatabaseError("the copy is not one: a part of it is too long")
        part = _exactly(wire_in, length)
        digest.update(part)
        yield part
    _check(_hear(wire_in), proof(secret, f"copy {both} {digest.hexdigest()}"))


def proof(secret: str, what: str) -> str:
    """What nobody can say who does not know the secret."""
    return hmac.digest(secret.encode(), what.encode(), "sha256").hex()


def _check(answer: dict[str, str], expected: str) -> None:
    if "error" in answer:
        msg = f"the other machine sent no copy: {answer['error']}"
        raise DatabaseError(msg)
    if not hmac.compare_digest(answer.get("proof", ""), expected):
        raise DatabaseError("the sender of the copy does not know the secret: another password?")


def _say(wire: IO[bytes], what: dict[str, str]) -> None:
    wire.write(json.dumps(what).encode() + b"\n")
    wire.flush()


def _hear(wire: IO[bytes]) -> dict[str, str]:
    line = wire.readline(LINE_LIMIT)
    try:
        heard = json.loads(line)
    except ValueError:
        heard = None
    if not isinstance(heard, dict):
        raise DatabaseError("the other machine hung up, or speaks something else")
    return {str(key): str(value) for key, value in heard.items()}


def _exactly(wire: IO[bytes], count: int) -> bytes:
    found = wire.read(count)
    if len(found) != count:
        raise DatabaseError("the other machine hung up in the middle of the copy")
    return found
