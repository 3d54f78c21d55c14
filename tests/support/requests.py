"""Requests as clients make them: one fresh connection each, the lab's certificate not verified."""

from __future__ import annotations

import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from types import TracebackType

import httpx

from lab.netns import inside
from tests.support.waiting import MOMENT_S, deadline_s

TIMEOUT_S = 30.0
"""Who is slow has not failed: a client waits for that longer than any timer of a lab."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What one request gave."""

    at_s: float
    """Start, on the monotonic clock."""
    took_s: float
    status: int
    """HTTP status; 0 where there was no answer."""
    machine: str
    """The app server that answered."""
    error: str

    @property
    def end_s(self) -> float:
        """When it was over, on the same clock."""
        return self.at_s + self.took_s


def request(
    method: str,
    url: str,
    *,
    namespace: str | None,
    timeout_s: float = TIMEOUT_S,
    content: bytes = b"",
) -> httpx.Response:
    """One request over a connection of its own; redirects are not followed."""
    with inside(namespace), httpx.Client(verify=False, timeout=timeout_s) as client:  # noqa: S501
        return client.request(method, url, content=content or None)


def get(url: str, *, namespace: str | None, timeout_s: float = TIMEOUT_S) -> httpx.Response:
    """One GET, likewise."""
    return request("GET", url, namespace=namespace, timeout_s=timeout_s)


def ask(url: str, *, namespace: str | None, timeout_s: float = TIMEOUT_S) -> Answer:
    """One GET that never raises."""
    start = time.monotonic()
    try:
        response = get(url, namespace=namespace, timeout_s=timeout_s)
    except httpx.HTTPError as error:
        return Answer(start, time.monotonic() - start, 0, "", f"{type(error).__name__}: {error}")
    machine = response.headers.get("X-Served-By", "")
    return Answer(start, time.monotonic() - start, response.status_code, machine, "")


@dataclass
class Loop:
    """Requests one after the other in a thread, while the `with` block does something to the lab.

    Bounded: it ends with the block, and after `limit_s` in any case.
    """

    url: str
    namespace: str | None
    pause_s: float = 0.01
    limit_s: float = 600.0
    answers: list[Answer] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Loop:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._thread.join(TIMEOUT_S + deadline_s(MOMENT_S))
        assert not self._thread.is_alive(), "the request loop did not end"

    def _run(self) -> None:
        end = time.monotonic() + self.limit_s
        while not self._stop.is_set() and time.monotonic() < end:
            self.answers.append(ask(self.url, namespace=self.namespace))
            self._stop.wait(self.pause_s)

    @property
    def failed(self) -> list[Answer]:
        """Requests without a status 200."""
        return [answer for answer in self.answers if answer.status != 200]

    @property
    def machines(self) -> Counter[str]:
        """How often each app server answered."""
        return Counter(answer.machine for answer in self.answers if answer.status == 200)
