"""What a visitor is told. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from http import HTTPStatus

RETRY_AFTER_S = 1
LONGEST_CLIENT = 100


@dataclass(frozen=True)
class Visit:
    """One stored visit."""

    at: str
    """Time of the database, ISO 8601."""
    machine: str
    """The app server that stored it."""
    client: str


@dataclass(frozen=True)
class Answer:
    """One HTTP answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def visits_answer(
    machine: str, engine: str, count: int, latest: Sequence[Visit], *, stored: bool
) -> Answer:
    """The visits: 201 where one was stored with this request."""
    data = {
        "machine": machine,
        "engine": engine,
        "visits": count,
        "latest": [asdict(visit) for visit in latest],
    }
    return json_answer(HTTPStatus.CREATED if stored else HTTPStatus.OK, data)


def sorry(machine: str, engine: str, reason: str, *, stored: str) -> Answer:
    """503, with what is known: `stored` is `no`, or `unknown` where the answer was lost."""
    data = {"machine": machine, "engine": engine, "error": reason, "stored": stored}
    headers = {"Retry-After": str(RETRY_AFTER_S)}
    return json_answer(HTTPStatus.SERVICE_UNAVAILABLE, data, headers)


def json_answer(
    status: HTTPStatus, data: Mapping[str, object], headers: Mapping[str, str] | None = None
) -> Answer:
    """Never kept by anybody on the way: the next answer is another one."""
    body = (json.dumps(data) + "\n").encode()
    own = {"Content-Type": "application/json", "Cache-Control": "no-store"}
    return Answer(status, {**own, **(headers or {})}, body)


def client_of(forwarded: str, peer: str) -> str:
    """Who visits: the first address that the load balancers passed on, as far as it is one."""
    first = forwarded.split(",")[0].strip() or peer
    is_address = all(letter in "0123456789abcdefABCDEF.:" for letter in first)
    return first[:LONGEST_CLIENT] if is_address else "unknown"
