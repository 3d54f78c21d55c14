"""Take one step with a person: say what to do, watch, show what it cost, see the lab repaired."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rich.text import Text as Line

from lab.drill.report.voice import Voice
from lab.drill.scene import Scene
from lab.errors import LabError
from lab.exercise.hands import Hands
from lab.exercise.keyboard import KEYS, Keyboard
from lab.exercise.looks import audited, is_down, problems
from lab.exercise.model import Action, Effect, Exercise
from lab.exercise.progress import Ending, Problems
from lab.exercise.report import answered, outage_text, session_text
from lab.exercise.taken import StepTaken
from lab.exercise.watching import Watch, beside, probes_of, wait_for
from lab.exercise.words import say
from lab.health.report import AuditResult
from lab.terminal import note, out, warn


@dataclass(slots=True, kw_only=True)
class Guide:
    """Leads a person through the steps of an exercise."""

    scene: Scene
    hands: Hands
    keyboard: Keyboard
    folder: Path
    """Where histories go."""
    deadline_s: float
    """How long a person has for each thing that is waited for."""
    language: str
    total: int
    """Steps of the exercise."""
    results: Sequence[AuditResult] = ()
    """Of the audits, when they were asked last."""
    told: Problems = field(default_factory=Problems)

    def welcome(self, exercise: Exercise) -> None:
        """What is going to happen, and how it is used."""
        target, title = self.scene.target, exercise.title.in_language(self.language)
        begin = {"stack": target.stack, "timers": target.timers.name, "vip": target.vip}
        out.print(Line(self.words("begin", title=title, **begin), style="bold"))
        out.print(Line(exercise.text.in_language(self.language)))
        if self.keyboard.is_there:
            out.print(Line(self.words("terminal")))

    def tell_what_is_off(self, taken: Sequence[StepTaken]) -> None:
        """What the person has to put right who ends in the middle."""
        off = {each.victim: each.step for each in taken if each.is_measured}
        for victim, step in off.items():
            if step.repair is None and step.effect is not Effect.LAB_WHOLE:
                command = self.hands.power_on(victim) or self.words("by-hand")
                warn(self.words("left-off", victim=victim, command=command))

    async def take(self, taken: StepTaken) -> None:
        """One step; `taken` tells how far it went, also where this is cancelled.

        Raises LabError where the lab is not well, so that nothing can be measured.
        """
        step = taken.step
        title = step.fault.title.in_language(self.language)
        out.print()
        out.print(
            Line(self.words("step", number=taken.number, total=self.total, title=title)),
            style="bold",
        )
        if step.begins_whole and not await self._begin_whole(taken):
            return
        try:
            reason = step.fault.why_not(self.scene.target)
            taken.victim = "" if reason else (await step.fault.resolve(self.scene))[0]
        except LabError as error:
            reason = str(error)
        if reason:
            taken.became, taken.why = "impossible", reason
            warn(self.words("impossible", why=reason))
            return
        watch = Watch(
            scene=self.scene,
            step=step,
            victim=taken.victim,
            probes=probes_of(self.scene.target, step),
            path=self.folder / f"{taken.number}-{step.name}.jsonl",
        )
        try:
            await self._measure(taken, watch)
            if taken.became is Ending.DONE:
                taken.events = watch.recorder.events
                self._show(taken)
                if step.repair is not None:
                    await self._see_repaired(taken, step.repair)
                watch.audited(self.results)
            await self._ask(taken)
        finally:
            taken.events = watch.recorder.events
            watch.recorder.close()

    # -- before -----------------------------------------------------------------------------------

    async def _begin_whole(self, taken: StepTaken) -> bool:
        note(self.words("preparing"))
        end = await self._await_whole()
        if end is Ending.LATE:
            what = "; ".join(problems(self.results))
            msg = (
                f"the lab is not whole, so nothing can be measured: {what}. "
                f"`lab check {self.scene.target.stack}` says more"
            )
            raise LabError(msg)
        if end is not Ending.DONE:
            taken.became = end
        return end is Ending.DONE

    async def _await_whole(self) -> Ending:
        """Until every audit passes; what does not yet is told, once."""

        def is_whole() -> bool:
            return bool(self.results) and not problems(self.results)

        self.results, self.told = (), Problems()
        async with beside(self._audit):
            return await wait_for(is_whole, self.keyboard, within_s=self.deadline_s)

    async def _audit(self) -> None:
        self.results = await audited(self.scene)
        for problem in self.told.new(problems(self.results)):
            note(self.words("waits-for", what=problem))

    # -- the step ---------------------------------------------------------------------------------

    async def _measure(self, taken: StepTaken, watch: Watch) -> None:
        async with watch.probing():
            self._announce(taken, watch)
            taken.became = await self._see_effect(taken, watch)
            if taken.became is not Ending.DONE:
                warn(self.words(f"ended-{taken.became}", minutes=self._minutes))
                return
            watch.found()
            note(self.words(f"seen-{taken.step.effect}", victim=taken.victim))
            note(self.words("watching-on"))
            if not await watch.served_again():
                warn(self.words("never-served"))

    def _announce(self, taken: StepTaken, watch: Watch) -> None:
        step, predicted = taken.step, watch.header.predicted
        self._instruct(step.action, taken.victim)
        out.print(Line(step.expect.say(self.language, victim=taken.victim)))
        if predicted is not None:
            seconds = self._voice.seconds(predicted.seconds)
            words = self.words("predicted", seconds=seconds, formula=predicted.formula)
            out.print(Line(words))
        note(self.words("waiting", minutes=self._minutes))

    def _instruct(self, action: Action, victim: str) -> None:
        out.print(Line(action.text.say(self.language, victim=victim), style="bold cyan"))
        command = action.command(self.hands, victim)
        # Whole, so that it can be copied.
        out.print(Line(f"    {command}" if command else self.words("by-hand")), soft_wrap=True)

    async def _see_effect(self, taken: StepTaken, watch: Watch) -> Ending:
        progress, effect = watch.progress, taken.step.effect
        self.results, self.told = (), Problems()

        async def look() -> None:
            begun = time.monotonic()
            if effect is Effect.SERVER_DOWN:
                shows_it = await is_down(self.scene, taken.victim)
                progress.look(begun, time.monotonic(), shows_it=shows_it)
            elif effect is Effect.LAB_WHOLE and await self.scene.control.is_on(taken.victim):
                # From here on it may disturb others.
                watch.recorder.keep_all()
                await self._audit()
                shows_it = not problems(self.results)
                progress.look(begun, time.monotonic(), shows_it=shows_it)

        async with beside(look):
            return await wait_for(
                lambda: progress.seen_at is not None, self.keyboard, within_s=self.deadline_s
            )

    # -- afterwards -------------------------------------------------------------------------------

    def _show(self, taken: StepTaken) -> None:
        verdict, voice = taken.verdict(), self._voice
        predicted = verdict.predicted
        before, after = answered(verdict, voice)
        words = self.words(
            "measured",
            outage=outage_text(verdict, voice),
            predicted=voice.seconds(predicted.seconds if predicted else None),
            session=session_text(verdict, voice),
            failed=voice.count(verdict.failed),
            total=voice.count(verdict.total),
            before=before,
            after=after,
        )
        out.print(Line(words, style="bold green" if verdict.outcome == "pass" else "bold yellow"))
        for sentence in verdict.sentences:
            if sentence.outcome != "pass":
                out.print(Line(f"  {sentence.in_language(self.language)}"))

    async def _see_repaired(self, taken: StepTaken, repair: Action) -> None:
        self._instruct(repair, taken.victim)
        end = await self._await_whole()
        if end is Ending.DONE:
            note(self.words("whole-again"))
            return
        warn(self.words("not-whole"))
        if end is Ending.QUIT:
            taken.became = end

    async def _ask(self, taken: StepTaken) -> None:
        """A line for the report, if there is somebody to write one."""
        notes = self.keyboard.notes()
        if taken.became is Ending.DONE and self.keyboard.is_there:
            out.print(Line(self.words("ask-note"), style="cyan"))
            line = await self.keyboard.line(within_s=self.deadline_s)
            if KEYS.get(line.lower()) is Ending.QUIT:
                taken.became, line = Ending.QUIT, ""
            notes = f"{notes} {line}"
        taken.note = notes.strip()

    # -- words ------------------------------------------------------------------------------------

    def words(self, key: str, **values: object) -> str:
        return say(key, self.language, **values)

    @property
    def _voice(self) -> Voice:
        return Voice(self.language)

    @property
    def _minutes(self) -> str:
        return f"{self.deadline_s / 60:g}"
