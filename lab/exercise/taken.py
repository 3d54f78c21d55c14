"""What became of one step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from lab.drill.events import AnyEvent
from lab.drill.verdict import Verdict, judge
from lab.exercise.model import ExerciseStep
from lab.exercise.progress import Ending

Became = Ending | Literal["impossible", "interrupted"]


@dataclass(slots=True, kw_only=True)
class StepTaken:
    """One step, as far as it went."""

    number: int
    step: ExerciseStep
    victim: str = ""
    became: Became = "interrupted"
    """Until it has another end it can only be cut off."""
    why: str = ""
    """Of one that is impossible here."""
    note: str = ""
    """What the person wrote about it."""
    events: Sequence[AnyEvent] = field(default=())
    """Its history; empty where the effect was not seen."""
    _judged: tuple[int, Verdict] | None = None
    """A verdict, and of how many events it is: judging takes a second."""

    @property
    def is_measured(self) -> bool:
        return bool(self.events)

    def verdict(self) -> Verdict:
        """The judgement of its history as it is now. Raises ValueError where there is none."""
        if self._judged is None or self._judged[0] != len(self.events):
            self._judged = len(self.events), judge(self.events)
        return self._judged[1]
