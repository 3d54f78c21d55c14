"""What watches a replicated database: a writer, a reader, and the roles of its machines."""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import dataclass
from typing import Any

from lab.drill.model import Emit
from lab.drill.probes.process import ProberCommand, run_prober
from lab.drill.probes.sql_client import READ_BACK_S
from lab.drill.scene import Scene
from lab.drill.target import Target
from lab.errors import LabError

WRITE_INTERVAL_S = 0.02
READ_INTERVAL_S = 0.05
ROLE_INTERVAL_S = 0.1
TIMEOUT_S = 5.0
"""A client gives up a statement after this, or sooner where the stack says so."""
ROLE_TIMEOUT_S = 0.4
"""A role service asks its server for so long at most."""
SILENCE_S = 30.0
"""More than the table, a statement or the read-back may take."""


def why_no(engine: str, target: Target) -> str | None:
    """Why this lab's databases cannot be watched; None: they can."""
    if engine not in target.database:
        return f"the lab has no {engine}"
    if target.credentials.database is None:
        return f"the stack's outputs have no login for {engine}; run `make up` once"
    return None


def login(target: Target, engine: str, endpoint: str) -> dict[str, Any]:
    """How an application reaches `write` or `read`: settings for a prober. Raises LabError."""
    found, known = target.database[engine], target.credentials.database
    if known is None:
        msg = f"the outputs of stack {target.stack} have no login for {engine}"
        raise LabError(msg)
    return {
        "engine": engine,
        "endpoint": found[endpoint],
        "database": found["database"],
        "user": known.user,
        "password": known.password,
    }


@dataclass(frozen=True, kw_only=True)
class _Client:
    engine: str
    what: str
    interval_s: float
    is_session: bool = False

    @property
    def name(self) -> str:
        return f"{self.engine}-{self.what}"

    def why_not(self, target: Target) -> str | None:
        return why_no(self.engine, target)

    async def run(self, scene: Scene, emit: Emit, stop: asyncio.Event) -> None:
        timeout_s = min(TIMEOUT_S, scene.target.drill.request_timeout_s)
        command = ProberCommand(
            name=self.name,
            module="lab.drill.probes.sql_client",
            arguments=(self.what,),
            settings={
                **login(scene.target, self.engine, self.what),
                "run": secrets.token_hex(8),
                "timeout_s": timeout_s,
            },
            interval_s=self.interval_s,
            drain_s=timeout_s + READ_BACK_S,
            silence_s=timeout_s + SILENCE_S,
        )
        await run_prober(command, namespace=scene.namespace, emit=emit, stop=stop)


@dataclass(frozen=True, kw_only=True)
class WriteProbe(_Client):
    """Numbered rows through the write endpoint, open loop; then which of them are there."""

    what: str = "write"
    interval_s: float = WRITE_INTERVAL_S


@dataclass(frozen=True, kw_only=True)
class ReadProbe(_Client):
    """Questions to the read endpoint, open loop."""

    what: str = "read"
    interval_s: float = READ_INTERVAL_S


@dataclass(frozen=True, kw_only=True)
class RoleProbe:
    """Every database machine is asked what it is."""

    engine: str
    interval_s: float = ROLE_INTERVAL_S
    is_session: bool = False

    @property
    def name(self) -> str:
        return f"{self.engine}-roles"

    def why_not(self, target: Target) -> str | None:
        return None if self.engine in target.database else f"the lab has no {self.engine}"

    async def run(self, scene: Scene, emit: Emit, stop: asyncio.Event) -> None:
        target = scene.target
        machines = target.with_role("database")
        command = ProberCommand(
            name=self.name,
            module="lab.drill.probes.roles_client",
            settings={
                "engine": self.engine,
                "machines": {name: target.machines[name].address for name in machines},
                "port": target.database[self.engine]["rolePort"],
                "timeout_s": ROLE_TIMEOUT_S,
            },
            interval_s=self.interval_s,
            drain_s=ROLE_TIMEOUT_S,
            silence_s=SILENCE_S,
        )
        await run_prober(command, namespace=scene.namespace, emit=emit, stop=stop)
