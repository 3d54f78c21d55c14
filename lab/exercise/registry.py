"""All exercises, by their names."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from lab.errors import LabError
from lab.exercise.failover import FAILOVER
from lab.exercise.model import Exercise, ExerciseStep

EXERCISES: tuple[Exercise, ...] = (FAILOVER,)


def exercise_named(name: str) -> Exercise:
    """The exercise of this name. Raises LabError with the nearest one, or all."""
    by_name = {exercise.name: exercise for exercise in EXERCISES}
    if name in by_name:
        return by_name[name]
    near = difflib.get_close_matches(name, by_name, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(by_name)}"
    msg = f"there is no exercise {name!r}; {hint}"
    raise LabError(msg)


def chosen_steps(exercise: Exercise, numbers: Sequence[int]) -> list[tuple[int, ExerciseStep]]:
    """The steps of these numbers, from 1 on, in the exercise's order; all of them where none is
    named. Raises LabError for a number that there is not."""
    steps = list(enumerate(exercise.steps, 1))
    wrong = sorted(set(numbers) - {number for number, _ in steps})
    if wrong:
        msg = f"there is no step {wrong[0]} in {exercise.name}; it has the steps 1 to {len(steps)}"
        raise LabError(msg)
    return [(number, step) for number, step in steps if not numbers or number in numbers]
