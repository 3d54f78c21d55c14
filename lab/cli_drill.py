"""The commands that break, watch and examine a lab that is up: drill, check, reapply, watch."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from lab.errors import LabError
from lab.stack_file import known_stacks


def stacks(incomplete: str) -> list[str]:
    """Names of stacks, for the shell's completion."""
    return [name for name in known_stacks() if name.startswith(incomplete)]


def fault_names(incomplete: str) -> list[str]:
    """Names of faults, for the shell's completion."""
    from lab.drill.tiers.registry import TIERS

    names = ["none", *(fault.name for tier in TIERS for fault in tier.faults)]
    return [name for name in names if name.startswith(incomplete)]


Stack = Annotated[
    str, typer.Argument(help="Name of the stack: stacks/Pulumi.NAME.yaml", autocompletion=stacks)
]
Language = Annotated[
    str, typer.Option(help="en or fr; unset: as the terminal's.", show_default=False)
]


def spoken(language: str) -> str:
    """`en` or `fr`. Raises LabError for another."""
    if language not in ("", "en", "fr"):
        msg = f"--language {language!r}: expected en or fr"
        raise LabError(msg)
    return language or ("fr" if os.environ.get("LANG", "").startswith("fr") else "en")


def drill(
    stack: Annotated[
        str, typer.Argument(help="Name of the stack; none with --replay.", autocompletion=stacks)
    ] = "",
    *,
    fault: Annotated[
        list[str] | None,
        typer.Option(
            help="Break this; may be repeated. `none` breaks nothing and expects no failure.",
            autocompletion=fault_names,
        ),
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Every fault that is possible.")] = False,
    list_: Annotated[bool, typer.Option("--list", help="Show the faults; break nothing.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be done; break nothing.")
    ] = False,
    runs: Annotated[int, typer.Option(min=1, max=1000, help="Runs of each fault.")] = 1,
    seed: Annotated[int, typer.Option(help="Decides the moments of the faults.")] = 0,
    keep: Annotated[bool, typer.Option("--keep", help="Leave the fault in place.")] = False,
    undo: Annotated[bool, typer.Option("--undo", help="Undo what was left in place.")] = False,
    replay: Annotated[
        list[Path] | None, typer.Option(help="Judge this old history again; may be repeated.")
    ] = None,
    report: Annotated[
        Path | None, typer.Option(help="Folder for histories and reports.", show_default=False)
    ] = None,
    language: Language = "",
    as_json: Annotated[bool, typer.Option("--json", help="Verdicts as JSON.")] = False,
) -> None:
    """Break the lab on purpose, measure what clients suffer, put it right, audit it.

    Examples: `lab drill rig --list`; `lab drill rig --fault vip-owner-power-off --runs 10`;
    `lab drill rig --all`; `lab drill --replay .state/drills/rig/.../001-....jsonl`.

    Exit status: 0 all passed, 1 one failed, 2 could not be done, 3 one is unknown (no data),
    130 interrupted (the lab is put right first).
    """
    from lab.drill import session

    options = session.Options(
        faults=tuple(fault or ()),
        every=every,
        runs=runs,
        seed=seed,
        dry_run=dry_run,
        keep=keep,
        language=spoken(language),
        as_json=as_json,
        folder=report,
    )
    if replay:
        raise typer.Exit(session.replay(replay, options))
    if not stack:
        msg = "which stack? `lab drill STACK --list`, or `lab drill --replay FILE`"
        raise LabError(msg)
    if undo:
        raise typer.Exit(session.undo(stack))
    if list_:
        raise typer.Exit(session.list_faults(stack, options))
    if keep and (every or runs > 1 or len(options.faults) != 1):
        msg = "--keep leaves one fault in place: give one --fault and one run"
        raise LabError(msg)
    raise typer.Exit(session.drill(stack, options))


def check(
    stack: Stack,
    *,
    drift: Annotated[bool, typer.Option(help="Compare files and units too.")] = True,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Ask whether the lab is whole, and what was changed by hand. Changes nothing; seconds.

    Examples: `lab check demo`; `lab check demo --json`.

    Exit status: 0 all is well, 1 something is wrong or changed, 2 bad input, 3 could not look.
    """
    from lab.health.command import check as run

    raise typer.Exit(run(stack, with_drift=drift, as_json=as_json))


def reapply(
    stack: Stack,
    machine: Annotated[str, typer.Argument(help="This machine alone.")] = "",
    *,
    every: Annotated[
        bool, typer.Option("--all", help="All that was applied, also where nothing drifted.")
    ] = False,
) -> None:
    """Put right, through Pulumi, what was changed by hand on the machines.

    Examples: `lab reapply demo`; `lab reapply demo node1`.
    """
    from lab.reapply import reapply as run

    raise typer.Exit(run(stack, machine or None, every))


def watch(
    stack: Stack,
    *,
    once: Annotated[bool, typer.Option("--once", help="One look, then end.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a second.")] = False,
) -> None:
    """Live: who owns the VIP, requests per second, servers as the load balancers see them.

    Examples: `lab watch demo`; `lab watch demo --once --json`.
    """
    from lab.watch.command import watch as run

    raise typer.Exit(run(stack, once=once, as_json=as_json))


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    from lab.exercise.cli import exercise

    for command in (drill, check, reapply, watch, exercise):
        app.command()(command)
