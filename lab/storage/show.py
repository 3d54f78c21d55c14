"""The storage for people: a table of the bricks, and what is wrong."""

from __future__ import annotations

from rich.markup import escape
from rich.table import Table

from lab.storage.state import StorageState
from lab.terminal import out


def show_state(state: StorageState) -> None:
    """Print the bricks and what is wrong with them."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("volume", "brick", "state", "to heal", "split-brain"):
        table.add_column(column)
    for brick in state.bricks:
        how = "[green]up[/]" if brick.online else "[red]down[/]"
        table.add_row(brick.volume, brick.name, how, count(brick.pending), count(brick.split_brain))
    out.print(table)
    for problem in state.problems:
        out.print(f"[red]{escape(problem)}[/]")


def count(number: int | None) -> str:
    """`-` where it cannot be said."""
    return "-" if number is None else str(number)
