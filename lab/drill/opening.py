"""Open a lab: its outputs, connections to its machines, and what switches them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from lab.drill.control.choose import control_for
from lab.drill.scene import Scene
from lab.drill.target import target_from
from lab.machines import Machines
from lab.prepare import open_stack

ENTER = ("ip", "netns", "exec")


@asynccontextmanager
async def open_scene(stack: str) -> AsyncIterator[Scene]:
    """The scene of a stack that is up, whether drills of it are allowed or not.

    Raises LabError where the stack is not up, or cannot be reached from here at all. That a machine
    does not answer is seen later, by who asks it.
    """
    cli = await asyncio.to_thread(open_stack, stack)
    target = target_from(await asyncio.to_thread(cli.outputs, secrets=True), stack=stack)
    namespace = namespace_of(cli.prefix)
    credentials = target.credentials
    async with Machines(
        target.machines,
        private_key=credentials.ssh_private_key,
        host_keys=credentials.host_keys,
        namespace=namespace,
        patience=target.timer_set.patience,
    ) as machines:
        control = control_for(target, namespace, machines)
        yield Scene(target=target, machines=machines, control=control, namespace=namespace)


def namespace_of(prefix: Sequence[str]) -> str | None:
    """The network namespace that these words enter; None: they enter none."""
    words = tuple(prefix)
    return words[len(ENTER)] if words[: len(ENTER)] == ENTER else None
