"""One frame of the view, for people and for programs. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from lab.watch.model import Rows, Section, Style

STYLES: dict[Style, str] = {
    "plain": "",
    "good": "green",
    "warn": "yellow",
    "bad": "bold red",
    "dim": "dim",
}


def frame(title: str, every: Sequence[Rows], now: float) -> Group:
    """The whole view at a moment."""
    parts: list[RenderableType] = [Text(title, style="bold")]
    for rows in every:
        section = rows.section(now)
        parts += [Text(""), table(section)]
    return Group(*parts)


def table(section: Section) -> Table:
    title = Text(section.title, style="bold cyan")
    found = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for name in section.header:
        found.add_column(name, header_style="dim", overflow="fold")
    for row in section.rows:
        found.add_row(*(Text(cell.text, style=STYLES[cell.style]) for cell in row))
    return found


def data(every: Sequence[Rows], now: float, *, stack: str, wall: str) -> Mapping[str, Any]:
    """The same as one JSON object."""
    return {
        "t": round(now, 3),
        "wall": wall,
        "stack": stack,
        **{rows.name: rows.data(now) for rows in every},
    }


def summary(every: Sequence[Rows], took_s: float) -> str:
    """The last line."""
    said = [text for rows in every if (text := rows.summary())]
    return "; ".join([f"watched for {took_s:.0f} s", *said])
