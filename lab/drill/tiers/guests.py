"""The scripts that faults and audits run on the machines."""

from __future__ import annotations

from pathlib import Path

_FOLDER = Path(__file__).parent / "guest"


def guest_script(name: str, *arguments: str) -> str:
    """A shell script of `guest/` with its arguments, as one command line for a root shell."""
    text = (_FOLDER / name).read_text(encoding="utf-8")
    return f"set -- {' '.join(arguments)}\n{text}"


def guest_program(name: str) -> str:
    """The text of a Python program of `guest/`; the machines' Python is 3.9 at least."""
    return (_FOLDER / name).read_text(encoding="utf-8")
