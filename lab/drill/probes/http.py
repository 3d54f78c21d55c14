"""Clients: fresh connections, and one session, both through the VIP."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urljoin

from lab.drill.model import Emit
from lab.drill.probes.process import ProberCommand, run_prober
from lab.drill.scene import Scene
from lab.drill.target import Target

INTERVAL_S = 0.01
SILENCE_S = 5.0
"""Beyond the request timeout: so long nothing at all may be heard from a prober."""


def whoami_url(target: Target) -> str:
    """The page that says who answers."""
    return urljoin(target.urls["https"], "whoami")


@dataclass(frozen=True, kw_only=True)
class _Client:
    """Requests to one URL, on an absolute schedule, from inside the lab's network."""

    name: str
    is_session: bool
    url: Callable[[Target], str] = whoami_url
    interval_s: float = INTERVAL_S

    def why_not(self, target: Target) -> str | None:
        try:
            self.url(target)
        except KeyError as error:
            return f"the stack's outputs have no {error}"
        return None

    async def run(self, scene: Scene, emit: Emit, stop: asyncio.Event) -> None:
        timeout_s = scene.target.drill.request_timeout_s
        command = ProberCommand(
            name=self.name,
            arguments=("session" if self.is_session else "fresh",),
            settings={"url": self.url(scene.target), "timeout_s": timeout_s},
            interval_s=self.interval_s,
            drain_s=timeout_s,
            silence_s=timeout_s + SILENCE_S,
        )
        await run_prober(command, namespace=scene.namespace, emit=emit, stop=stop)


@dataclass(frozen=True, kw_only=True)
class HttpProbe(_Client):
    """A fresh connection for each request; open loop."""

    name: str = "http"
    is_session: bool = False


@dataclass(frozen=True, kw_only=True)
class SessionProbe(_Client):
    """One connection that is kept; a request in each interval, or as soon as the one before is
    answered."""

    name: str = "session"
    is_session: bool = True
