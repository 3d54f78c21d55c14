"""A lab that exists in memory only: a probe that sees what a fault does to it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, cast

from components.timers import Timers
from lab.drill.control import Control
from lab.drill.events import AnyEvent, Outcome, Owner, Prediction, Request
from lab.drill.model import Audit, Emit, Fault, Finding, Text, Victims
from lab.drill.scene import Scene
from lab.drill.target import Target, target_from
from lab.machines import Machines

EVERY_S = 0.005


def outputs(**drill: Any) -> dict[str, Any]:
    """The stack outputs of a pair with one app server."""
    machine = {"user": "lab", "port": 22}
    return {
        "version": 1,
        "stack": "demo",
        "provider": "existing",
        "prefix": "ha-lab-demo",
        "vip": "10.16.1.100",
        "urls": {"https": "https://10.16.1.100/"},
        "machines": {
            "lb1": {"address": "10.16.1.11", "roles": ["load_balancer"], **machine},
            "lb2": {"address": "10.16.1.12", "roles": ["load_balancer"], **machine},
            "app1": {"address": "10.16.1.21", "roles": ["app"], **machine},
        },
        "timers": {"name": "fast", "predictedFailoverS": {}},
        "drill": {"allowed": True, **drill},
        "credentials": {"sshPrivateKey": "not a key", "hostKeys": {}},
    }


def target(**drill: Any) -> Target:
    return target_from(outputs(**drill), stack="demo")


@dataclass
class World:
    """Whether clients are served; who owns the VIP; what was done to it."""

    serves: bool = True
    owner: str | None = "lb1"
    done: list[str] = field(default_factory=list)
    dies: bool = False
    """Whether the probe ends with an error when the fault comes."""

    @property
    def scene(self) -> Scene:
        class Named:
            name = "rig"

        return Scene(
            target=target(),
            machines=cast(Machines, None),
            control=cast(Control, Named()),
            namespace=None,
        )

    def fault(
        self,
        *,
        inject: Callable[[], Awaitable[None]] | None = None,
        predicted_s: float = 0.05,
    ) -> Fault:
        """Nobody is served until it is undone."""

        async def resolve(_scene: Scene) -> Victims:
            return ("lb1",)

        async def break_it(_scene: Scene, victims: Victims) -> None:
            self.done.append(f"inject {','.join(victims)}")
            if inject is not None:
                await inject()
            self.serves = False

        async def put_right(_scene: Scene, victims: Victims) -> None:
            self.done.append(f"undo {','.join(victims)}")
            self.serves = True

        def predict(_timers: Timers, _target: Target) -> Prediction:
            return Prediction(seconds=predicted_s, formula="as long as it lasts")

        return Fault(
            name="world-gone",
            title=Text("The world is gone", "Le monde a disparu"),
            resolve=resolve,
            inject=break_it,
            undo=put_right,
            predict=predict,
        )

    def audit(self) -> Audit:
        async def check(_scene: Scene) -> Finding:
            return Finding("pass" if self.serves else "fail", "looked")

        return Audit(name="served", title=Text("served", "servi"), check=check, within_s=1)


@dataclass
class WorldProbe:
    """Asks the world every 5 ms."""

    world: World
    name: str = "http"
    interval_s: float = EVERY_S
    is_session: bool = False

    def why_not(self, _target: Target) -> str | None:
        return None

    async def run(self, _scene: Scene, emit: Emit, stop: asyncio.Event) -> None:
        while not stop.is_set():
            if self.world.dies and not self.world.serves:
                msg = "killed"
                raise RuntimeError(msg)
            outcome: Outcome = "ok" if self.world.serves else "failed"
            now = time.monotonic()
            emit(Request(t=now, probe=self.name, took_s=0.001, outcome=outcome))
            await asyncio.sleep(EVERY_S)


@dataclass
class OwnerProbe:
    """Says who owns the VIP."""

    world: World
    name: str = "address"
    interval_s: float = EVERY_S
    is_session: bool = False

    def why_not(self, _target: Target) -> str | None:
        return None

    async def run(self, _scene: Scene, emit: Emit, stop: asyncio.Event) -> None:
        while not stop.is_set():
            owner = self.world.owner
            event: AnyEvent = Owner(
                t=time.monotonic(),
                probe=self.name,
                source=owner or "lb1",
                owners=(owner,) if owner else (),
            )
            emit(event)
            await asyncio.sleep(EVERY_S)
