"""A whole exercise with one person: its steps one after the other, and the report at the end."""

from __future__ import annotations

import asyncio
import datetime
import signal
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.table import Table
from rich.text import Text as Line

from lab.drill.journal import Journal
from lab.drill.opening import open_scene
from lab.drill.scene import Scene
from lab.drill.session import INTERRUPTED, PASS, UNKNOWN, refuse_unfinished, titles
from lab.exercise.guide import Guide
from lab.exercise.hands import hands_for
from lab.exercise.keyboard import Keyboard
from lab.exercise.model import Exercise, ExerciseStep
from lab.exercise.progress import Ending
from lab.exercise.registry import EXERCISES, chosen_steps, exercise_named
from lab.exercise.report import Report
from lab.exercise.taken import StepTaken
from lab.exercise.words import say
from lab.pulumi_cli import STATE
from lab.terminal import note, out, warn

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the person asked for."""

    language: str = "en"
    student: str = ""
    output: Path | None = None
    """Folder for histories and the report; None: below `.state/exercises/`."""
    steps: tuple[int, ...] = ()
    """Numbers of the steps to take; empty: all."""
    deadline_s: float = 600.0
    """How long a person has for each thing that is waited for."""


def list_exercises(language: str) -> int:
    """Show every exercise with its steps; the exit status."""
    for exercise in EXERCISES:
        heading = f"{exercise.name}: {exercise.title.in_language(language)}"
        table = Table(title=Line(heading), title_justify="left", box=None, show_header=False)
        for number, step in enumerate(exercise.steps, 1):
            table.add_row(str(number), Line(step.fault.title.in_language(language)), step.name)
        out.print(table)
        out.print(Line(exercise.text.in_language(language)))
    return PASS


def exercise(stack: str, name: str, options: Options) -> int:
    """Lead a person through an exercise; the exit status.

    0: all that was tried is measured. 3: a step was not seen in time, or has no data. 130: it was
    interrupted. In each case the report of what was done is written. Raises LabError where the lab
    is not up, or not well enough to measure anything.
    """
    chosen = exercise_named(name)
    steps = chosen_steps(chosen, options.steps)
    return asyncio.run(until_interrupted(_exercise(stack, chosen, steps, options), options, stack))


async def until_interrupted(work: Coroutine[Any, Any, int], options: Options, stack: str) -> int:
    """Its exit status; an interrupt ends it, after its report was written."""
    loop = asyncio.get_running_loop()
    task = asyncio.ensure_future(work)
    for number in SIGNALS:
        loop.add_signal_handler(number, task.cancel)
    try:
        return await task
    except asyncio.CancelledError:
        warn(say("interrupted", options.language, stack=stack))
        return INTERRUPTED
    finally:
        for number in SIGNALS:
            loop.remove_signal_handler(number)


async def _exercise(
    stack: str, chosen: Exercise, steps: Sequence[tuple[int, ExerciseStep]], options: Options
) -> int:
    journal = Journal(stack)
    async with open_scene(stack) as scene:
        with journal.alone(), Keyboard().reading() as keyboard:
            refuse_unfinished(journal, stack)
            return await _take_all(scene, chosen, steps, options, keyboard)


async def _take_all(
    scene: Scene,
    chosen: Exercise,
    steps: Sequence[tuple[int, ExerciseStep]],
    options: Options,
    keyboard: Keyboard,
) -> int:
    begun = datetime.datetime.now().astimezone()
    folder = options.output or new_folder(scene.target.stack, begun)
    guide = Guide(
        scene=scene,
        hands=hands_for(scene),
        keyboard=keyboard,
        folder=folder,
        deadline_s=options.deadline_s,
        language=options.language,
        total=len(chosen.steps),
    )
    guide.welcome(chosen)
    taken: list[StepTaken] = []
    try:
        for number, step in steps:
            own = step.for_engine(scene.target.engine)
            taken.append(StepTaken(number=number, step=own))
            await guide.take(taken[-1])
            if taken[-1].became is Ending.QUIT:
                break
    finally:
        write_report(chosen, taken, options, folder, begun)
        guide.tell_what_is_off(taken)
    return status_of(taken)


def status_of(taken: Sequence[StepTaken]) -> int:
    """0 where everything that was tried is measured."""
    late = any(each.became is Ending.LATE for each in taken)
    blind = any(each.verdict().outage_s is None for each in taken if each.is_measured)
    return UNKNOWN if late or blind else PASS


def write_report(
    chosen: Exercise,
    taken: Sequence[StepTaken],
    options: Options,
    folder: Path,
    begun: datetime.datetime,
) -> None:
    """The report of all that was done, unless that is nothing."""
    if not any(each.is_measured for each in taken):
        note(say("nothing-measured", options.language))
        return
    report = Report(
        exercise=chosen,
        taken=taken,
        titles=titles(),
        language=options.language,
        student=options.student,
        begun=begun.strftime("%Y-%m-%d %H:%M"),
        deadline_s=options.deadline_s,
    )
    note(say("writing", options.language))
    note(say("wrote", options.language, path=report.write(folder)))


def new_folder(stack: str, begun: datetime.datetime) -> Path:
    """Where histories and the report of this exercise go."""
    return STATE / "exercises" / stack / begun.strftime("%Y-%m-%dT%H-%M-%S")
