"""The service's side of the fence protocol, as values: reading, proving, answering. No I/O."""

from __future__ import annotations

import hmac
import json
import re
from dataclasses import dataclass

from rig.fencing.guest.agent import POWER_ACTIONS, VERSION, sign

MAX_REQUEST = 1024
"""Bytes; an honest request has about 300."""
ACTIONS = (*POWER_ACTIONS, "list")
_HEX = re.compile(r"[0-9a-f]{64}")
_MACHINE = re.compile(r"[a-z0-9-]{0,32}")


class RefusedError(Exception):
    """What is said to a caller that cannot be served; nothing that it could learn from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a caller wants that has proven to hold the key."""

    action: str
    machine: str
    """Empty where the action is not about one machine."""
    nonces: tuple[str, str]
    """The service's and the caller's; the answer is signed over both."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What is told to the caller."""

    error: str = ""
    """Why it was not done; empty when it was."""
    power: str = ""
    """The machine's power afterwards: on, off, frozen, booting."""
    machines: tuple[tuple[str, str], ...] = ()
    """Every machine with its power, where that was asked."""


def greeting(nonce: str) -> bytes:
    """The first line of the service; `nonce` is used once and never again."""
    return _line({"version": VERSION, "nonce": nonce})


def proven(line: bytes, *, key: bytes, nonce: str) -> Request:
    """The request of a line. Raises RefusedError unless it was signed with the key for this nonce.

    A line that was good on another connection is not good here: the nonce is another.
    """
    try:
        message = json.loads(line)
        texts = [message[name] for name in ("action", "machine", "nonce", "mac")]
    except (ValueError, TypeError, KeyError, RecursionError):
        raise RefusedError("not a request") from None
    if not all(isinstance(text, str) for text in texts):
        raise RefusedError("not a request")
    action, machine, theirs, mac = texts
    well_formed = action in ACTIONS and _MACHINE.fullmatch(machine)
    if not (well_formed and _HEX.fullmatch(theirs) and _HEX.fullmatch(mac)):
        raise RefusedError("not a request")
    expected = sign(key, "request", nonce, theirs, action, machine)
    if not hmac.compare_digest(mac, expected):
        raise RefusedError("wrong key")
    return Request(action=action, machine=machine, nonces=(nonce, theirs))


def answered(answer: Answer, *, key: bytes, request: Request) -> bytes:
    """The line that answers a request."""
    values = {"error": answer.error, "power": answer.power, "machines": dict(answer.machines)}
    body = json.dumps(values)
    return _line({"body": body, "mac": sign(key, "answer", *request.nonces, body)})


def refused(problem: RefusedError) -> bytes:
    """The line for a caller without the key: it cannot be signed."""
    return _line({"refused": str(problem)})


def _line(message: dict[str, object]) -> bytes:
    return json.dumps(message).encode() + b"\n"
