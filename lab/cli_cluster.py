"""`lab cluster`: see and operate the Pacemaker cluster of a lab that is up."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Annotated

import typer

from lab.cli_drill import Stack
from lab.terminal import note, out

NOT_WELL = 1
"""Exit status of `status` where the cluster has no majority, a member is lost, or something
failed; 2 is for what could not be done at all."""

cluster_app = typer.Typer(
    no_args_is_help=True, help="See and operate the Pacemaker cluster; pcs does the work."
)


def machine_names(context: typer.Context, incomplete: str) -> list[str]:
    """Names of the stack's members, for the shell's completion."""
    from components.topology import Role
    from lab.stack_file import load_stack

    _, topology = load_stack(context.params.get("stack", ""))
    names = [machine.name for machine in topology.with_role(Role.CLUSTER)]
    return [name for name in names if name.startswith(incomplete)]


def resource_names(context: typer.Context, incomplete: str) -> list[str]:
    """Names of the resources of the stack's settings, for the shell's completion."""
    from lab.stack_file import load_stack

    settings, _ = load_stack(context.params.get("stack", ""))
    return [name for name in settings.cluster.resources if name.startswith(incomplete)]


Member = Annotated[str, typer.Argument(help="Its name.", autocompletion=machine_names)]
Anywhere = Annotated[
    str | None,
    typer.Argument(help="A member; none: all of them.", autocompletion=machine_names),
]
Resource = Annotated[str, typer.Argument(help="Its name.", autocompletion=resource_names)]


@cluster_app.command()
def status(stack: Stack, *, as_json: bool = typer.Option(False, "--json", help="As JSON.")) -> None:
    """Show the members, what runs where, and what failed. Example: `lab cluster status demo`."""
    from lab.cluster.operate import look
    from lab.cluster.show import show_state
    from lab.cluster.state import ClusterState
    from lab.drill.opening import open_scene

    async def looked() -> ClusterState:
        async with open_scene(stack) as scene:
            return await look(scene)

    state = asyncio.run(looked())
    if as_json:
        out.print_json(json.dumps(state.plain()))
    else:
        show_state(state)
    raise typer.Exit(0 if state.is_well else NOT_WELL)


@cluster_app.command()
def standby(stack: Stack, member: Member) -> None:
    """Let a member run nothing; its resources move. Example: `lab cluster standby demo node1`."""
    from lab.cluster import operate

    _carry_out(stack, operate.standby(member, on=True), member=member)


@cluster_app.command()
def unstandby(stack: Stack, member: Member) -> None:
    """End a member's standby; nothing moves back. Example: `lab cluster unstandby demo node1`."""
    from lab.cluster import operate

    _carry_out(stack, operate.standby(member, on=False), member=member)


@cluster_app.command()
def move(stack: Stack, resource: Resource, member: Anywhere = None) -> None:
    """Move a resource, and what must be with it. Example: `lab cluster move demo vip node2`."""
    from lab.cluster import operate

    _carry_out(stack, operate.move(resource, member), member=member, resource=resource)


@cluster_app.command()
def clear(stack: Stack, resource: Resource) -> None:
    """Take back bans and moves that were left. Example: `lab cluster clear demo vip`."""
    from lab.cluster import operate

    _carry_out(stack, operate.clear(resource), resource=resource)


@cluster_app.command()
def maintenance(
    stack: Stack,
    member: Anywhere = None,
    *,
    off: bool = typer.Option(False, "--off", help="End it."),
) -> None:
    """Keep the cluster's hands off all resources, or a member's; `--off` ends it.

    Example: `lab cluster maintenance demo`, then `lab cluster maintenance demo --off`.
    """
    from lab.cluster import operate

    _carry_out(stack, operate.maintenance(member, on=not off), member=member)


def _carry_out(
    stack: str, words: Sequence[str], *, member: str | None = None, resource: str | None = None
) -> None:
    """Check the names, run pcs, say what it said."""
    from lab.cluster.operate import look, members_of, must_be_known, pcs, resources_of
    from lab.drill.opening import open_scene

    async def done() -> str:
        async with open_scene(stack) as scene:
            if member is not None:
                must_be_known("member", member, members_of(scene.target))
            if resource is not None:
                must_be_known("resource", resource, resources_of(await look(scene)))
            return await pcs(scene, words)

    said = asyncio.run(done())
    note(said or f"done: pcs {' '.join(words)}")
