"""The rig: a lab's machines as namespaced Debian systems, for laptops without virtualisation.

```
sudo -E python -m rig up --machines lb1,lb2,app1 --authorized-key ~/.ssh/id_ed25519.pub
sudo -E python -m rig enter -- ssh lab@10.88.0.11
sudo -E python -m rig power-off lb1
sudo -E python -m rig down
```
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from images.spec import ImageError
from rig import inventory, lifecycle, model, state
from rig.fencing import server, service
from rig.model import Rig, RigError, plan

app = typer.Typer(
    no_args_is_help=True, add_completion=False, help=__doc__, rich_markup_mode="markdown"
)
_err = Console(stderr=True)

Name = Annotated[str, typer.Option("--name", help="Which rig; several can exist side by side.")]
MachineName = Annotated[str, typer.Argument(metavar="MACHINE", help="A machine of the rig.")]
Command = Annotated[list[str], typer.Argument(metavar="-- COMMAND...", help="What to run.")]
Key = Annotated[
    Path,
    typer.Option("--authorized-key", exists=True, dir_okay=False, help="Public key(s) of `lab`."),
]
Deadline = Annotated[float, typer.Option(min=1, help="Seconds until SSH must answer.")]


@app.command()
def up(
    key: Key,
    machines: Annotated[str, typer.Option(help="Names, separated by commas.")] = "",
    inventory_file: Annotated[
        Path | None,
        typer.Option("--inventory", exists=True, help="JSON or YAML: a list of name, address."),
    ] = None,
    address: Annotated[
        list[str] | None, typer.Option(metavar="NAME=IP", help="Fixed address; may be repeated.")
    ] = None,
    bare: Annotated[
        str, typer.Option(help="Names of machines without HA packages, with a way to apt.")
    ] = "",
    name: Name = "rig",
    cidr: Annotated[
        str | None, typer.Option(help=f"The private network [default: {model.CIDR}].")
    ] = None,
    release: Annotated[
        str | None, typer.Option(help=f"Debian release [default: {model.RELEASE}].")
    ] = None,
    deadline: Deadline = lifecycle.BOOT_DEADLINE,
    fencing: Annotated[
        bool, typer.Option("--fencing", help="A service by which clusters cut machines' power.")
    ] = False,
) -> None:
    """Make the machines that do not exist, start those that are off, wait until SSH answers."""
    begun = time.monotonic()
    listed = inventory.read(inventory_file) if inventory_file else {}
    existing = state.find(name)
    wanted = plan(
        name=name,
        cidr=cidr or (existing.cidr if existing else model.CIDR),
        release=release or (existing.release if existing else model.RELEASE),
        machines=[*_split(machines), *listed],
        bare=_split(bare),
        addresses={**listed, **inventory.parse_addresses(address or [])},
        existing=existing,
    )
    if not wanted.machines:
        raise RigError("no machines: give --machines NAME,NAME or --inventory FILE")
    with _err.status(f"rig {name}: starting {len(wanted.machines)} machines"):
        rig = lifecycle.up(
            wanted,
            authorized_keys=key.read_text(encoding="utf-8"),
            deadline=deadline,
            fencing=fencing,
        )
    seconds = time.monotonic() - begun
    _err.print(f"rig {name}: {len(rig.machines)} machines answer SSH after {seconds:.1f} s")


@app.command(name="list")
def list_(
    name: Name = "rig",
    as_json: Annotated[bool, typer.Option("--json", help="For programs: adds keys.")] = False,
) -> None:
    """Show the machines: address, power, link; with --json also host_key and identity."""
    rig = state.load(name)
    status = lifecycle.status(rig)
    if as_json:
        typer.echo(json.dumps(_as_data(rig, status), indent=2))
        return
    table = Table("machine", "address", "power", "link", "kind")
    for machine in rig.machines:
        kind = "bare" if machine.bare else rig.release
        table.add_row(machine.name, machine.address, *status[machine.name], kind)
    Console().print(table)


@app.command(name="names")
def names_() -> None:
    """Show the names of all rigs, one a line."""
    for name in state.names():
        typer.echo(name)


@app.command()
def power_off(machine: MachineName, name: Name = "rig") -> None:
    """Take a machine's power, at once; its disk stays."""
    lifecycle.power_off(name, machine)


@app.command()
def power_on(
    machine: MachineName, name: Name = "rig", deadline: Deadline = lifecycle.BOOT_DEADLINE
) -> None:
    """Start a machine that is off, with the disk it had; wait until SSH answers."""
    lifecycle.power_on(name, machine, deadline=deadline)


@app.command()
def reinstall(machine: MachineName, key: Key, name: Name = "rig") -> None:
    """Give a machine an empty disk and a new identity; address and host key stay."""
    lifecycle.reinstall(name, machine, authorized_keys=key.read_text(encoding="utf-8"))


@app.command()
def freeze(machine: MachineName, name: Name = "rig") -> None:
    """Pause a machine: nothing in it runs, nothing answers for it, until `thaw`."""
    lifecycle.freeze(name, machine)


@app.command()
def thaw(machine: MachineName, name: Name = "rig") -> None:
    """Let a frozen machine go on."""
    lifecycle.thaw(name, machine)


@app.command()
def cut(
    machine: MachineName,
    name: Name = "rig",
    keep_carrier: Annotated[
        bool, typer.Option(help="As a dead switch: the machine does not see its link go.")
    ] = False,
) -> None:
    """Cut a machine's network link, as pulling its cable: it sees that carrier is gone."""
    lifecycle.cut(name, machine, keep_carrier=keep_carrier)


@app.command()
def join(machine: MachineName, name: Name = "rig") -> None:
    """Give a machine its network link back."""
    lifecycle.join(name, machine)


@app.command(name="exec")
def exec_(machine: MachineName, command: Command, name: Name = "rig") -> None:
    """Run a command as root in a machine, without SSH: `exec lb1 -- systemctl --failed`."""
    _become(lifecycle.enter_argv(name, machine, command))


@app.command()
def shell(machine: MachineName, name: Name = "rig") -> None:
    """A root shell in a machine."""
    _become(lifecycle.enter_argv(name, machine, ["bash", "--login"]))


@app.command()
def enter(command: Command, name: Name = "rig") -> None:
    """Run a command of the host in the rig's network, where the machines can be reached."""
    _become(lifecycle.enter_argv(name, None, command))


@app.command()
def fence_service(name: Name = "rig") -> None:
    """Answer the fence agents of the machines, in the foreground; `up --fencing` starts it."""
    server.run(name, service.key_file(name))


@app.command()
def down(name: Name = "rig") -> None:
    """Remove the rig: processes, links, namespaces, disks. Also what a crash left behind."""
    existed = lifecycle.down(name)
    _err.print(f"rig {name}: {'removed' if existed else 'there was nothing to remove'}")


def _split(names: str) -> list[str]:
    return [name.strip() for name in names.split(",") if name.strip()]


def _as_data(rig: Rig, status: dict[str, tuple[str, str]]) -> dict[str, object]:
    machines = [
        {**asdict(m), "power": status[m.name][0], "link": status[m.name][1]} for m in rig.machines
    ]
    return {
        "name": rig.name,
        "release": rig.release,
        "cidr": rig.cidr,
        "gateway": rig.gateway,
        "namespace": rig.namespace,
        "machines": machines,
    }


def _become(argv: list[str]) -> None:
    # Replaces this process: signals, terminal and exit status are the command's own.
    os.execvp(argv[0], argv)  # noqa: S606


def run(command: Callable[[], None]) -> int:
    """Run; a problem is one message on stderr and status 1, never a traceback."""
    try:
        command()
    except (RigError, ImageError) as problem:
        _err.print(f"[red]error:[/red] {problem}", highlight=False, soft_wrap=True)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(run(app))
