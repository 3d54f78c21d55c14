"""What an exercise consists of: steps that a person takes by hand. Data; nothing is done here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from components.timers import Engine
from lab.drill.judge.language import Phrase
from lab.drill.model import Fault, Text
from lab.exercise.hands import Hands


class Effect(StrEnum):
    """What must be seen before a step is believed to have been taken."""

    VIP_MOVED = "vip-moved"
    """Another machine than the victim has the VIP."""
    SERVER_DOWN = "server-down"
    """The load balancers send the victim no requests any more."""
    LAB_WHOLE = "lab-whole"
    """The victim is back, and every audit of the lab passes."""


@dataclass(frozen=True, slots=True)
class Action:
    """Something that a person does."""

    text: Phrase
    """Its only place is `{victim}`."""
    command: Callable[[Hands, str], str]
    """For one machine of one stack; empty where no command can do it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExerciseStep:
    """One step of an exercise."""

    fault: Fault
    """Whom it concerns and what it should cost; it is never injected by an exercise."""
    tier: str
    """Of the fault; its probes watch, beside those of clients."""
    action: Action
    expect: Phrase
    """What should happen, and why; its only place is `{victim}`."""
    effect: Effect
    repair: Action | None
    """How the lab is made whole again afterwards; None: that is a step of its own."""
    begins_whole: bool = True
    """Whether the lab must be whole before it."""
    with_nginx: ExerciseStep | None = None
    """What is done in its place where nginx balances the load."""

    def for_engine(self, engine: Engine) -> ExerciseStep:
        """This step, as it is done in a lab with this load balancer."""
        return self.with_nginx or self if engine == "nginx" else self

    @property
    def name(self) -> str:
        return self.fault.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Exercise:
    """A guided exercise."""

    name: str
    title: Text
    text: Text
    """What is learnt, in a sentence or two."""
    steps: tuple[ExerciseStep, ...]
    questions: tuple[Phrase, ...]
    """What the student answers in the report."""
