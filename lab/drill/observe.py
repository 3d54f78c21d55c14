"""What the drill itself must know while it runs: are clients served, who owns the VIP.

Only for deciding when to go on; the verdict is made of the history alone.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable

from lab.drill.events import AnyEvent, Owner, Request, RoleSeen, Write

POLL_S = 0.02
OWNER_PROBES = frozenset({"arp", "address"})
FRESH_S = 1.0
"""A look that is older says nothing about now."""


class Observer:
    """Follows the events of one drill."""

    def __init__(self, *, slow_s: float, probes: tuple[str, ...]) -> None:
        self._slow_s = slow_s
        self._silent = set(probes)
        self.dead: dict[str, str] = {}
        """Probes that ended too early, and why."""
        self._bad_at = float("-inf")
        """When the last request that was not good was begun."""
        self._good: dict[str, list[float]] = {}
        """By probe, when the good requests since then were begun."""
        self._answered: dict[str, float] = {}
        """By probe: all of its requests that were begun before then are over."""
        self._owners: dict[str, dict[str, tuple[float, tuple[str, ...]]]] = {}
        """By VIP, by source: when it was heard last, and whom it named."""

    def see(self, event: AnyEvent) -> None:
        """Take note of one event."""
        if isinstance(event, Request | Write):
            self._silent.discard(event.probe)
            good = event.outcome == "ok" and (
                isinstance(event, Write) or event.took_s <= self._slow_s
            )
            if good:
                insort(self._good.setdefault(event.probe, []), event.t)
            else:
                self._bad_at = max(self._bad_at, event.t)
            until_then = event.t + event.took_s if event.waits_since is None else event.waits_since
            known = self._answered.get(event.probe, until_then)
            self._answered[event.probe] = max(known, until_then)
        elif isinstance(event, Owner):
            self._silent.discard(event.probe or event.source)
            self._owners.setdefault(event.vip, {})[event.source] = (event.t, event.owners)
        elif isinstance(event, RoleSeen):
            self._silent.discard(event.probe or event.service)

    @property
    def vips(self) -> tuple[str, ...]:
        """The VIPs that anything looks at, or is to look at: that of the load balancers is ''."""
        awaited = () if self._silent.isdisjoint(OWNER_PROBES) else ("",)
        return tuple(sorted({*self._owners, *awaited}))

    @property
    def silent(self) -> tuple[str, ...]:
        """Probes that have not seen anything yet."""
        return tuple(sorted(self._silent))

    def lost(self, probe: str, why: str) -> None:
        """Nothing is to be expected from this probe any more."""
        self._silent.discard(probe)
        self._answered.pop(probe, None)
        self.dead[probe] = why

    @property
    def answered(self) -> float:
        """Every request of every client that was begun before this moment is over; of what was
        begun later one may still be in flight, and go wrong."""
        return min(self._answered.values(), default=float("-inf"))

    def good_since(self, moment: float) -> int:
        """Good requests in a row, begun after this moment and after the last that was not good, and
        none in flight among them; of the client that has the fewest."""
        after, until_then = max(moment, self._bad_at), self.answered
        counts = [
            bisect_left(times, until_then) - bisect_right(times, after)
            for times in self._good.values()
        ]
        return max(min(counts, default=0), 0)

    def owners(self, now: float, vip: str = "") -> set[str]:
        """Who has a VIP, as the machines say that were heard lately."""
        of_vip = self._owners.get(vip, {}).values()
        fresh = [owners for t, owners in of_vip if now - t <= FRESH_S]
        return {owner for owners in fresh for owner in owners}


async def until(condition: Callable[[], bool], *, within_s: float) -> bool:
    """Whether the condition became true in time."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + within_s
    while not condition():
        if loop.time() >= deadline:
            return False
        await asyncio.sleep(POLL_S)
    return True
