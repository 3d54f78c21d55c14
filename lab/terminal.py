"""What the `lab` command says: notes on standard error, results on standard output."""

from __future__ import annotations

from rich.console import Console

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)


def note(text: str) -> None:
    """One line of progress."""
    err.print(f"[bold cyan]ha-lab:[/] {text}", soft_wrap=True)


def warn(text: str) -> None:
    err.print(f"[bold yellow]ha-lab:[/] {text}", soft_wrap=True)


def fail(text: str) -> None:
    """An error, as it is: it may hold brackets that are no markup."""
    err.print("[bold red]ha-lab:[/] ", end="")
    err.print(text, markup=False, soft_wrap=True)
