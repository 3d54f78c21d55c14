"""The `lab db` commands: who is primary, and changes of that on request."""

from __future__ import annotations

from typing import Annotated

import typer

from lab.cli_drill import Stack

db_app = typer.Typer(
    no_args_is_help=True, help="The databases: who is primary, and changes of that on request."
)
Engine = Annotated[str, typer.Argument(help="postgresql or mariadb")]
Machine = Annotated[str, typer.Argument(help="Its name; unset: the only possible one.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")]


@db_app.command()
def status(
    stack: Stack,
    engine: Annotated[str, typer.Argument(help="This engine alone.")] = "",
    *,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Show who is primary, who follows, how far behind, and what is wrong.

    Examples: `lab db status demo`; `lab db status demo postgresql --json`.

    Exit status: 0 all is well, 1 something is wrong, 2 could not be done.
    """
    from lab.database.command import status as run

    raise typer.Exit(run(stack, engine, for_scripts=as_json))


@db_app.command()
def switchover(
    stack: Stack, engine: Engine, machine: Machine = "", *, dry_run: DryRun = False
) -> None:
    """Let the primary and its replica change places; nothing is lost, writes pause for seconds.

    Refused where the replica is away or far behind.

    Examples: `lab db switchover demo postgresql`; `lab db switchover demo postgresql --dry-run`.
    """
    from lab.database.command import Options
    from lab.database.command import switchover as run

    run(stack, engine, Options(machine=machine or None, dry_run=dry_run))


@db_app.command()
def promote(
    stack: Stack,
    engine: Engine,
    machine: Machine = "",
    *,
    dry_run: DryRun = False,
    is_off: Annotated[
        list[str] | None,
        typer.Option(help="This machine has no power, you have seen it; may be repeated."),
    ] = None,
    accept_loss: Annotated[
        bool, typer.Option("--accept-loss", help="Even if acknowledged writes may be missing.")
    ] = False,
) -> None:
    """Make a replica the primary because the old one is gone; or let a primary go on alone.

    Not with `failover: pacemaker`: there the cluster decides.

    A machine that does not answer is switched off first (libvirt, rig), or must be: `--is-off`.
    Refused where acknowledged writes may be missing on the replica.

    Examples: `lab db promote demo postgresql`; the replica is gone for long, and writes wait for
    it: `lab db promote demo postgresql db1`.
    """
    from lab.database.command import Options
    from lab.database.command import promote as run

    options = Options(
        machine=machine or None,
        dry_run=dry_run,
        off=tuple(is_off or ()),
        accept_loss=accept_loss,
    )
    run(stack, engine, options)


@db_app.command()
def rejoin(
    stack: Stack,
    engine: Engine,
    machine: Machine = "",
    *,
    dry_run: DryRun = False,
    discard: Annotated[
        bool, typer.Option("--discard", help="Give up what this machine alone has.")
    ] = False,
    reseed: Annotated[
        bool, typer.Option("--reseed", help="Replace its data with a copy of the primary's.")
    ] = False,
) -> None:
    """Let a machine follow the primary again, by the gentlest way that works; says which and why.

    Refused where transactions would be lost that may have been acknowledged.

    Examples: `lab db rejoin demo postgresql db1`; `lab db rejoin demo postgresql db1 --reseed`.
    """
    from lab.database.command import Options
    from lab.database.command import rejoin as run

    options = Options(machine=machine or None, dry_run=dry_run, discard=discard, reseed=reseed)
    run(stack, engine, options)
