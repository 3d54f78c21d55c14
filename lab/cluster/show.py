"""The cluster for people: a table of its members, and what is wrong."""

from __future__ import annotations

from rich.table import Table

from lab.cluster.state import ClusterState
from lab.terminal import out

COLOURS = {"online": "green", "standby": "yellow", "maintenance": "yellow", "pending": "yellow"}


def show_state(state: ClusterState) -> None:
    """Print the members and what runs where."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("member", "state", "resources"):
        table.add_column(column)
    for member in state.members:
        colour = COLOURS.get(member.state, "red")
        name = f"{member.name} (leads)" if member.leads else member.name
        resources = ", ".join(member.resources) or "-"
        table.add_row(name, f"[{colour}]{member.state}[/]", resources)
    out.print(table)
    for line in remarks(state):
        out.print(line)


def remarks(state: ClusterState) -> list[str]:
    """What a table does not say: quorum, maintenance, fencing, failures."""
    found = []
    if not state.quorum:
        found.append("[red]no majority: nothing runs in this part of the cluster[/]")
    if state.maintenance:
        found.append("[yellow]maintenance: the cluster starts, stops and monitors nothing[/]")
    if not state.fencing:
        found.append("[yellow]no fencing: a member that is cut off keeps its resources[/]")
    if state.stopped:
        found.append(f"[yellow]stopped: {', '.join(state.stopped)}[/]")
    return [*found, *(f"[red]failed: {failure}[/]" for failure in state.failures)]
