"""The `lab exercise` command."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lab.cli_drill import Language, spoken, stacks


def names(incomplete: str) -> list[str]:
    """Names of exercises, for the shell's completion."""
    from lab.exercise.registry import EXERCISES

    return [each.name for each in EXERCISES if each.name.startswith(incomplete)]


def exercise(
    name: Annotated[
        str, typer.Argument(help="Its name; without it, all are listed.", autocompletion=names)
    ] = "",
    stack: Annotated[
        str, typer.Argument(help="Name of the stack.", autocompletion=stacks)
    ] = "demo",
    *,
    student: Annotated[str, typer.Option(help="Name for the report.")] = "",
    step: Annotated[
        list[int] | None, typer.Option(help="Take this step only; may be repeated.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option(help="Folder for histories and the report.", show_default=False)
    ] = None,
    deadline: Annotated[
        float, typer.Option(min=1, help="Seconds to wait for each thing that you do.")
    ] = 600,
    language: Language = "",
) -> None:
    """Break the lab by hand; this only watches, times, and writes the report. Injects nothing.

    Examples: `lab exercise`; `lab exercise failover demo --student "Ada"`;
    `lab exercise failover rig --step 1 --step 2 --language fr`.

    Exit status: 0 all that was tried is measured, 2 could not be done, 3 a step was not seen in
    time or has no data, 130 interrupted; what was measured is always reported.
    """
    from lab.exercise import session

    spoken_language = spoken(language)
    if not name:
        raise typer.Exit(session.list_exercises(spoken_language))
    options = session.Options(
        language=spoken_language,
        student=student,
        output=output,
        steps=tuple(step or ()),
        deadline_s=deadline,
    )
    raise typer.Exit(session.exercise(stack, name, options))
