"""The `lab` command: one thin function per subcommand."""

from __future__ import annotations

import json
import os
import signal
import sys
from enum import StrEnum
from typing import Annotated

import typer

from components.settings.load import SettingsError
from lab.cli_cluster import cluster_app
from lab.cli_db import db_app
from lab.cli_drill import Stack, add_to
from lab.cli_storage import storage_app
from lab.errors import LabError
from lab.stack_file import load_stack
from lab.terminal import fail, note, out
from rig.model import RigError

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="A high-availability lab: set it up, bring it up, break it, measure it, take it down.",
    epilog="Examples: `lab setup demo`, `lab up demo`, `lab plan full`, `lab outputs demo --json`, "
    "`lab check demo`, `lab drill demo --all`.",
    rich_markup_mode="markdown",
)


@app.command()
def setup(stack: Stack) -> None:
    """Make a stack ready: its state, its secrets (once), its host. Example: `lab setup demo`."""
    from lab.prepare import prepare

    prepare(stack)
    note(f"stack {stack} is ready for `pulumi up --stack {stack}`")


@app.command()
def up(
    stack: Stack,
    *,
    yes: bool = typer.Option(True, help="Do not ask."),
    replace: Annotated[
        list[str] | None, typer.Option(help="Make this virtual machine anew; may be repeated.")
    ] = None,
) -> None:
    """Bring the lab up (all set-up included) and print where it answers.

    Examples: `lab up demo`; a machine is broken beyond repair: `lab up demo --replace node3`.
    """
    from lab.prepare import prepare
    from lab.replace import replacement_words

    settings, topology = load_stack(stack)
    words = replacement_words(settings, topology, replace or [])
    cli = prepare(stack, to_change=True)
    unasked = ["--yes", "--skip-preview"] if yes else []
    status = cli.run("up", *unasked, "--suppress-outputs", *words)
    if status != 0:
        raise typer.Exit(status)
    _print_outputs(stack, cli.prefix, cli.outputs())


@app.command()
def preview(
    stack: Stack,
    *,
    full: bool = typer.Option(False, "--full", help="Unchanged lines too, as Pulumi prints them."),
    expect_no_changes: bool = typer.Option(False, help="Fail on any change."),
) -> None:
    """Show what `up` would change, line by line, and do nothing. Example: `lab preview demo`."""
    from lab.prepare import prepare
    from lab.preview import show_preview

    cli = prepare(stack)
    if expect_no_changes:
        raise typer.Exit(cli.run("preview", "--expect-no-changes"))
    raise typer.Exit(cli.run("preview", "--diff") if full else show_preview(cli))


@app.command()
def down(stack: Stack, *, yes: bool = typer.Option(True, help="Do not ask.")) -> None:
    """Remove all that the stack made; its file stays, with secrets. Example: `lab down demo`."""
    from lab.prepare import prepare_removal

    cli = prepare_removal(stack)
    status = cli.run("destroy", *(["--yes", "--skip-preview"] if yes else []))
    if status == 0:
        file = f"stacks/Pulumi.{stack}.yaml"
        note(f"{file} stays, with its secrets; `pulumi stack rm` would delete it: keep a copy")
    raise typer.Exit(status)


@app.command()
def unlock(stack: Stack, *, yes: bool = typer.Option(False, "--yes", help="Do not ask.")) -> None:
    """Remove the lock that a killed Pulumi left, after showing whose it is and asking.

    Refused while its process is running. Example: `lab unlock demo`.
    """
    from lab.stack_file import read_config
    from lab.unlock import unlock as remove

    read_config(stack)
    removed = remove(stack, ask=lambda lock: yes or typer.confirm(f"{lock}\nRemove this lock?"))
    note(f"stack {stack}: {len(removed)} locks removed" if removed else f"{stack} has no lock")


@app.command()
def outputs(
    stack: Stack, *, as_json: bool = typer.Option(False, "--json", help="As JSON, no secrets.")
) -> None:
    """Print where the lab answers and how to log in. Example: `lab outputs demo --json`."""
    from lab.prepare import open_stack

    cli = open_stack(stack)
    values = cli.outputs()
    if as_json:
        values.pop("credentials", None)
        out.print_json(json.dumps(values))
        return
    _print_outputs(stack, cli.prefix, values)


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def ssh(
    context: typer.Context, stack: Stack, machine: Annotated[str, typer.Argument(help="Its name.")]
) -> None:
    """Log in to a machine, or run one command. Example: `lab ssh demo node1 -- uptime`."""
    from lab.login import login_argv
    from lab.prepare import open_stack

    argv = login_argv(open_stack(stack), machine, context.args)
    os.execvp(argv[0], argv)  # noqa: S606 - ssh takes over: terminal, signals, exit status


@app.command()
def plan(stack: Stack) -> None:
    """Print machines, addresses and firewall of a stack, of its file alone.

    Example: `lab plan full`.
    """
    from lab.show import show_plan

    settings, topology = load_stack(stack)
    show_plan(settings, topology)


add_to(app)
app.add_typer(cluster_app, name="cluster")
app.add_typer(db_app, name="db")
app.add_typer(storage_app, name="storage")
rig_app = typer.Typer(no_args_is_help=True, help="Machines without virtualisation (see rig/).")
app.add_typer(rig_app, name="rig")


class RigTiers(StrEnum):
    """What a new rig's stack file switches on."""

    FRONT = "front"
    ALL = "all"


RigName = Annotated[str, typer.Option(help="Name of the rig, of its stack and its stack file.")]


@rig_app.command("up")
def rig_up(
    *,
    name: RigName = "rig",
    topology: Annotated[str, typer.Option(help="full (ten machines) or compact (three).")] = "full",
    tiers: Annotated[
        RigTiers,
        typer.Option(
            help="front: load balancers, app servers; all: cluster, databases, storage too."
        ),
    ] = RigTiers.FRONT,
) -> None:
    """Make the machines and their stack file. What the file says already stays as it is.

    Examples: `lab rig up --tiers all`, `lab rig up --name small --topology compact`.
    """
    from lab.rig_stack import ALL_TIERS
    from lab.rig_stack import rig_up as make

    more = ALL_TIERS if tiers is RigTiers.ALL else {}
    make(name, {"topology": topology, "timers": "standard", **more})


@rig_app.command("down")
def rig_down(*, name: RigName = "rig") -> None:
    """Remove the machines. The stack file stays. Example: `lab rig down`."""
    from rig.lifecycle import down as remove

    note(f"rig {name} is removed" if remove(name) else f"there is no rig {name}")


def _print_outputs(stack: str, prefix: tuple[str, ...], values: dict[str, object]) -> None:
    from lab.show import show_outputs

    show_outputs(stack, prefix, values)


def main() -> None:
    """Entry point: errors for people end here, without a traceback."""
    # A shell starts background jobs with interrupts ignored, and children inherit that: Pulumi's
    # language host then waits five seconds for its plugins at the end of every run.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        app()
    except (LabError, SettingsError, RigError) as error:
        fail(str(error))
        sys.exit(2)


if __name__ == "__main__":
    main()
