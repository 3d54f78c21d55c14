"""A prober: a process of its own that looks at the lab and writes what it sees, one event a line.

Its settings are the first line of its standard input. When that input ends (the drill is over, or
dead) it begins nothing new, waits for what is in flight, and exits. Of its own accord it ends after
a longest time. Everything runs in one thread around one epoll, so that a look costs little and
nothing delays another; nothing of the drill itself is imported, so that it starts quickly.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import select
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from lab.drill.probes.schedule import Schedule

FLUSH_S = 0.05
"""So old may an event become before it is handed on: a write for each would cost more."""
MOST_UNREAD = 64 * 1024 * 1024
"""Bytes that may wait for a drill that does not read."""
LAST_WORDS_S = 5.0
"""For so long the last events are offered."""
NICE = -10
"""A prober that waits for a processor measures this host instead of the lab."""

AUTOGROUP = Path("/proc/self/autogroup")

Ready = Callable[[int, float], None]
"""Called with the events of epoll and the time at which they were seen."""
READ = select.EPOLLIN
BOTH_EDGES = select.EPOLLIN | select.EPOLLOUT | select.EPOLLRDHUP | select.EPOLLET


class Output:
    """Lines of JSON on a pipe, never waited for while there is something to look at."""

    def __init__(self, descriptor: int) -> None:
        os.set_blocking(descriptor, False)
        self._descriptor = descriptor
        self._lines: list[str] = []
        self._held = b""
        self._next_at = 0.0

    def emit(self, event: dict[str, Any]) -> None:
        """Hand one event on, soon."""
        self.line(json.dumps(event))

    def line(self, event: str) -> None:
        """The same for an event that is JSON already."""
        self._lines.append(event)

    def flush(self, now: float) -> None:
        """Write what has gathered, if it is time. Ends the process where nobody listens."""
        if now < self._next_at or not (self._lines or self._held):
            return
        self._next_at = now + FLUSH_S
        if self._lines:
            self._held += ("\n".join(self._lines) + "\n").encode()
            self._lines.clear()
        with contextlib.suppress(BlockingIOError):
            try:
                self._held = self._held[os.write(self._descriptor, self._held) :]
            except BrokenPipeError:
                sys.exit("nobody reads what this prober sees")
        if len(self._held) > MOST_UNREAD:
            sys.exit("the drill does not read what this prober sees")

    def close(self) -> None:
        """Write all that is left, for a bounded time."""
        deadline = time.monotonic() + LAST_WORDS_S
        while self._lines or self._held:
            self._next_at = 0.0
            self.flush(time.monotonic())
            left = deadline - time.monotonic()
            if self._held and (left <= 0 or not _is_writable(self._descriptor, left)):
                sys.exit("the drill does not read what this prober sees")


def _is_writable(descriptor: int, within_s: float) -> bool:
    poll = select.poll()
    poll.register(descriptor, select.POLLOUT)
    return bool(poll.poll(within_s * 1000))


class Watcher(Protocol):
    """What one kind of prober does."""

    def look(self, slots: range, /) -> None:
        """These numbers of the schedule are due now."""

    def tend(self, now: float, /) -> None:
        """End what takes too long; called at least once each interval."""

    @property
    def in_flight(self) -> int:
        """How much was begun and is not over."""

    def cut_off(self, now: float, /) -> None:
        """The prober ends: what is still in flight stays unknown."""


class Prober:
    """The loop of a prober process."""

    def __init__(self, output: Output, *, stdin: int = 0) -> None:
        self.output = output
        self._epoll = select.epoll()
        self._ready: dict[int, Ready] = {}
        self._stdin = stdin
        self._input_ended = False
        self.is_ending = False
        """Nothing new may be begun."""

    def watch(self, descriptor: int, ready: Ready, events: int = BOTH_EDGES) -> None:
        """Call `ready` when something happens to it."""
        self._ready[descriptor] = ready
        self._epoll.register(descriptor, events)

    def forget(self, descriptor: int) -> None:
        """Before it is closed, which takes it out of epoll too."""
        self._ready.pop(descriptor, None)

    def run(self, watcher: Watcher, *, interval_s: float, longest_s: float, drain_s: float) -> None:
        """Look until the input ends, or for `longest_s`; then wait up to `drain_s` for the rest."""
        os.set_blocking(self._stdin, False)
        self.watch(self._stdin, self._heard, READ)
        begin = time.monotonic()
        schedule = Schedule(begin, interval_s)
        end = float("inf")
        while True:
            now = time.monotonic()
            slots = schedule.due(now)
            if not self.is_ending and (self._input_ended or now - begin >= longest_s):
                self.is_ending, end = True, now + drain_s
            if slots and not self.is_ending:
                watcher.look(slots)
            watcher.tend(now)
            if now >= end or (self.is_ending and not watcher.in_flight):
                break
            self.output.flush(now)
            self._wait(schedule.next_at - time.monotonic())
        watcher.cut_off(time.monotonic())
        self.output.close()

    def _wait(self, seconds: float) -> None:
        events = self._epoll.poll(max(0.0, seconds))
        now = time.monotonic()
        for descriptor, seen in events:
            ready = self._ready.get(descriptor)
            if ready is not None:
                ready(seen, now)

    def _heard(self, _events: int, _now: float) -> None:
        with contextlib.suppress(BlockingIOError):
            if not os.read(self._stdin, 4096):
                self._input_ended = True
                self._epoll.unregister(self._stdin)
                self.forget(self._stdin)


def read_settings(stdin: int = 0) -> dict[str, Any]:
    """The first line of the input. Ends the process where there is none."""
    line = b""
    while not line.endswith(b"\n"):
        part = os.read(stdin, 1)
        if not part:
            sys.exit("no settings came: this program is started by `lab drill`")
        line += part
    settings: dict[str, Any] = json.loads(line)
    return settings


def prepare_process() -> None:
    """Room for many connections, and a processor in time; both as far as this user may."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, 0, NICE)
        # A prober has a session of its own. Where the kernel shares the processors out by session,
        # that nice value means nothing outside of it, and this one counts.
        AUTOGROUP.write_text(str(NICE), encoding="ascii")
