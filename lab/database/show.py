"""An engine's state for people."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from components.database.guest.model import PRIMARY, REPLICA, Follower, State
from lab.database.decide import alarms
from lab.database.model import Look, Picture


def show_picture(picture: Picture, console: Console) -> None:
    """One line for each machine, then what is wrong."""
    table = Table(box=None, pad_edge=False)
    for column in ("machine", "role", "term", "log", "replication"):
        table.add_column(column, overflow="fold")
    for machine, look in sorted(picture.looks.items()):
        table.add_row(machine, *(escape(cell) for cell in cells(look)))
    console.print(f"[bold]{picture.engine}[/]")
    console.print(table)
    for alarm in alarms(picture):
        style = "bold red" if alarm.fatal else "yellow"
        console.print(f"[{style}]{'alarm' if alarm.fatal else 'note'}[/] {escape(alarm.text)}")


def cells(look: Look) -> tuple[str, str, str, str]:
    """Role, term, position, replication of one machine."""
    state = look.state
    if state is None:
        return "no answer", "", "", look.why
    term = str(state.term) if state.term else ""
    return state.role, term, state.position, replication(state)


def replication(state: State) -> str:
    """Who follows whom, in a few words."""
    if state.role == REPLICA:
        lag = f", {state.lag_s:.1f} s behind" if state.lag_s else ""
        return f"from {state.follows}{lag}" if state.follows else "receives nothing"
    if state.role != PRIMARY:
        return state.detail or (f"was {state.was}" if state.was else "")
    followers = [
        f"{f.name} ({'synchronous' if f.synchronous else 'asynchronous'}, {lag_of(f)})"
        for f in state.followers
        if f.streaming
    ]
    return f"to {', '.join(followers) or 'nobody'}; synchronous: {state.synchronous}"


def lag_of(follower: Follower) -> str:
    """How far a replica is behind, in its primary's eyes."""
    lag = follower.lag_bytes
    return "catching up" if lag is None else f"{lag / 1024:.0f} KiB behind"


def as_json(picture: Picture) -> dict[str, object]:
    """The same for scripts."""
    return {
        "engine": picture.engine,
        "machines": {
            machine: look.state.as_json() if look.state else {"role": "unknown", "detail": look.why}
            for machine, look in sorted(picture.looks.items())
        },
        "alarms": [{"text": a.text, "fatal": a.fatal} for a in alarms(picture)],
    }
