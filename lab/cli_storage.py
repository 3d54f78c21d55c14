"""`lab storage`: see and mend the shared storage of a lab that is up."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated

import typer

from lab.cli_drill import Stack
from lab.terminal import note, out

if TYPE_CHECKING:
    # They bring SSH and Pulumi along: 0.3 s of every command's start.
    from lab.drill.scene import Scene
    from lab.storage.state import StorageState

NOT_WELL = 1
"""Exit status of `status` where a server or brick is away or something must be healed; 2 is for
what could not be done at all."""

storage_app = typer.Typer(
    no_args_is_help=True, help="See and mend the shared storage; Gluster does the work."
)
Server = Annotated[str, typer.Argument(help="Its name.")]
Within = Annotated[
    int, typer.Option("--within", min=1, help="Seconds to wait until all copies are the same.")
]


@storage_app.command()
def status(stack: Stack, *, as_json: bool = typer.Option(False, "--json", help="As JSON.")) -> None:
    """Show the bricks, what must be healed, and what is in split-brain.

    Example: `lab storage status demo`. Exit status: 0 all is well, 1 something is wrong, 2 could
    not be done.
    """
    from lab.storage.operate import look
    from lab.storage.show import show_state

    state = _opened(stack, look)
    if as_json:
        out.print_json(json.dumps(state.plain()))
    else:
        show_state(state)
    raise typer.Exit(0 if state.is_well else NOT_WELL)


@storage_app.command()
def heal(
    stack: Stack,
    *,
    full: bool = typer.Option(False, "--full", help="Look at every file, not at known ones only."),
    within: Within = 300,
) -> None:
    """Heal what differs and wait for it. Example: `lab storage heal demo`."""
    from lab.storage.operate import heal as run

    _opened(stack, lambda scene: run(scene, note, full=full, within_s=within))
    note("every brick is up, and nothing is left to heal")


@storage_app.command()
def replace(stack: Stack, server: Server, *, within: Within = 600) -> None:
    """Fill a server again that was installed anew, or got an empty disk; after `lab up`.

    Refused where another copy is down.

    Example: `lab storage replace demo gluster2`.
    """
    from lab.storage.operate import replace as run

    _opened(stack, lambda scene: run(scene, server, note, within_s=within))
    note(f"{server} has all its bricks, and nothing is left to heal")


def _opened(stack: str, act: Callable[[Scene], Awaitable[StorageState]]) -> StorageState:
    from lab.drill.opening import open_scene

    async def acted() -> StorageState:
        async with open_scene(stack) as scene:
            return await act(scene)

    return asyncio.run(acted())
