"""What a client gets: requests through the VIP, twenty a second."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lab.drill.events import AnyEvent, Request
from lab.drill.model import Probe
from lab.drill.probes.http import HttpProbe
from lab.drill.scene import Scene
from lab.drill.target import Target
from lab.watch.model import STALE_S, Cell, Section
from lab.watch.probing import keep_probing

INTERVAL_S = 0.05
WINDOW_S = 2.0
"""The rate is that of the last so many seconds."""


@dataclass
class Requests:
    """Counts and the last answer."""

    probe: Probe = field(default_factory=lambda: HttpProbe(interval_s=INTERVAL_S))
    name: str = "requests"
    slow_s: float = 0.25
    total: Counter[str] = field(default_factory=Counter)
    """`ok`, `slow` (answered, too late), `failed`, `unknown`."""
    recent: deque[tuple[float, str]] = field(default_factory=deque)
    """When each of the last requests ended, and how."""
    begun: float | None = None
    """When the first request was sent."""
    last_good: Request | None = None
    failure: str = ""
    """What went wrong last."""
    trouble: str = ""
    """Why nothing is asked at present."""

    def is_present(self, target: Target) -> bool:
        self.slow_s = target.drill.slow_ms / 1000
        return self.probe.why_not(target) is None

    async def look(self, scene: Scene) -> None:
        await keep_probing(self.probe, scene, self.take, self.died)

    def take(self, event: AnyEvent) -> None:
        if not isinstance(event, Request):
            return
        kind: str = event.outcome
        if kind == "ok":
            kind = "slow" if event.took_s > self.slow_s else "ok"
            self.last_good = event
        else:
            self.failure = event.detail or f"status {event.status}"
        self.total[kind] += 1
        self.recent.append((event.t + event.took_s, kind))
        self.trouble = ""
        self.begun = event.t if self.begun is None else self.begun

    def died(self, _probe: str, why: str) -> None:
        self.trouble = why

    def rates(self, now: float) -> Counter[str]:
        """How many requests ended in the last WINDOW_S, by their kind."""
        while self.recent and self.recent[0][0] < now - WINDOW_S:
            self.recent.popleft()
        return Counter(kind for ended, kind in self.recent if ended <= now)

    def per_second(self, now: float) -> float:
        """The rate of all of them; at the beginning that since the first."""
        window_s = min(WINDOW_S, now - self.begun) if self.begun is not None else 0.0
        return self.rates(now).total() / window_s if window_s > 0 else 0.0

    def is_seen(self) -> bool:
        return sum(self.total.values()) >= WINDOW_S / INTERVAL_S / 2 or bool(self.trouble)

    def section(self, now: float) -> Section:
        rates = self.rates(now)
        header = ("requests", "per second", "ok", "slow", "failed", "last", "from", "")
        good = self.last_good
        fresh = good is not None and now - good.t <= STALE_S
        latency = f"{good.took_s * 1000:.1f} ms" if good is not None else "-"
        row = (
            Cell(self._word(rates), self._style(rates)),
            Cell(f"{self.per_second(now):.1f}"),
            Cell(str(self.total["ok"])),
            Cell(str(self.total["slow"]), "warn" if rates["slow"] else "plain"),
            Cell(str(self._bad(self.total)), "bad" if self._bad(rates) else "plain"),
            Cell(latency, "plain" if fresh else "dim"),
            Cell(good.server or "?" if good is not None else "-", "plain" if fresh else "dim"),
            Cell(self.trouble or (self.failure if self._bad(rates) else ""), "bad"),
        )
        return Section("clients", header, (row,))

    @staticmethod
    def _bad(counts: Counter[str]) -> int:
        return counts["failed"] + counts["unknown"]

    def _word(self, rates: Counter[str]) -> str:
        if not rates:
            return "no data"
        return "failing" if self._bad(rates) else "slow" if rates["slow"] else "served"

    def _style(self, rates: Counter[str]) -> Any:
        styles = {"served": "good", "slow": "warn", "no data": "warn", "failing": "bad"}
        return styles[self._word(rates)]

    def data(self, now: float) -> Mapping[str, Any]:
        rates = self.rates(now)
        good = self.last_good
        return {
            "state": self._word(rates),
            "perSecond": round(self.per_second(now), 1),
            "ok": self.total["ok"],
            "slow": self.total["slow"],
            "failed": self._bad(self.total),
            "lastMs": round(good.took_s * 1000, 3) if good is not None else None,
            "server": good.server if good is not None else None,
            "lastFailure": self.trouble or self.failure or None,
        }

    def summary(self) -> str:
        total = self.total
        return (
            f"{total.total()} requests: {total['ok']} ok, {total['slow']} slow, "
            f"{self._bad(total)} failed"
        )
