"""The student's report: who did what, what it cost, what was promised; then the drill's report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lab.drill.judge.model import Client
from lab.drill.model import Text
from lab.drill.report.content import Preface
from lab.drill.report.html import to_html
from lab.drill.report.markdown import to_markdown
from lab.drill.report.tables import Cell, Table
from lab.drill.report.tables import outage_text as of_summary
from lab.drill.report.voice import DASH, Voice
from lab.drill.verdict import Verdict, summarise
from lab.exercise.model import Exercise
from lab.exercise.progress import Ending
from lab.exercise.taken import StepTaken
from lab.exercise.words import say


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Everything that a report is made of."""

    exercise: Exercise
    taken: Sequence[StepTaken]
    titles: Mapping[str, Text]
    language: str
    student: str
    """Empty: there is room for the name."""
    begun: str
    """Date and time of the exercise."""
    deadline_s: float

    def write(self, folder: Path) -> Path:
        """report.md and report.html; the path of the page."""
        (folder / "report.md").write_text(self.markdown(), encoding="utf-8")
        # Second, because its plots take seconds.
        page = folder / "report.html"
        page.write_text(self.html(), encoding="utf-8")
        return page

    def markdown(self) -> str:
        titles = self._titles
        return to_markdown(
            self._verdicts, titles=titles, language=self.language, preface=self.preface()
        )

    def html(self) -> str:
        histories = [taken.events for taken in self._measured]
        return to_html(
            self._verdicts,
            histories,
            titles=self._titles,
            language=self.language,
            preface=self.preface(),
        )

    def preface(self) -> Preface:
        """Whose report it is, every step with what was done and seen, room for conclusions."""
        name = self.student or say("nobody", self.language)
        title = self.exercise.title.in_language(self.language)
        return Preface(
            title=say("title", self.language, title=title),
            lines=(
                say("student", self.language, name=name),
                say("date", self.language, when=self.begun),
            ),
            table=self._table(),
            heading=say("conclusions", self.language),
            questions=tuple(q.say(self.language) for q in self.exercise.questions),
            following=say("in-detail", self.language),
        )

    @property
    def _measured(self) -> list[StepTaken]:
        return [taken for taken in self.taken if taken.is_measured]

    @property
    def _verdicts(self) -> list[Verdict]:
        return [taken.verdict() for taken in self._measured]

    @property
    def _titles(self) -> dict[str, Text]:
        steps = [
            *self.exercise.steps,
            *(step.with_nginx for step in self.exercise.steps if step.with_nginx),
        ]
        own = {step.name: step.fault.title for step in steps}
        return {**self.titles, **own}

    def _table(self) -> Table:
        columns = ("step", "note", "outage", "predicted", "session", "failed", "answered")
        return Table(
            say("caption", self.language),
            tuple(say(f"column-{column}", self.language) for column in columns),
            tuple(self._row(taken) for taken in self.taken),
        )

    def _row(self, taken: StepTaken) -> tuple[Cell, ...]:
        title = taken.step.fault.title.in_language(self.language)
        who = f" ({taken.victim})" if taken.victim else ""
        step, done = Cell(f"{taken.number}. {title}{who}"), Cell(taken.note)
        if not taken.is_measured:
            words = Cell(how_it_ended(taken, self.language, deadline_s=self.deadline_s))
            return (step, done, words, *(Cell(DASH, is_number=True) for _ in range(3)), Cell(DASH))
        voice, verdict = Voice(self.language), taken.verdict()
        predicted = verdict.predicted
        counts = f"{voice.count(verdict.failed)} / {voice.count(verdict.total)}"
        return (
            step,
            done,
            Cell(outage_text(verdict, voice)),
            Cell(voice.seconds(predicted.seconds) if predicted else DASH, is_number=True),
            Cell(session_text(verdict, voice), is_number=True),
            Cell(counts, is_number=True),
            Cell(" → ".join(answered(verdict, voice))),
        )


def how_it_ended(taken: StepTaken, language: str, *, deadline_s: float) -> str:
    """Why a step has no measurement."""
    if taken.became == "impossible":
        return say("impossible", language, why=taken.why)
    became = "interrupted" if taken.became == "interrupted" else Ending(taken.became).value
    return say(f"ended-{became}", language, minutes=f"{deadline_s / 60:g}")


def outage_text(verdict: Verdict, voice: Voice) -> str:
    """`0.210 s ± 0.010 s`."""
    (summary,) = summarise([verdict])
    return of_summary(summary, voice)


def session_text(verdict: Verdict, voice: Voice) -> str:
    """The outage of a client that keeps its connection: TCP's own timers are in it."""
    return DASH if verdict.session_outage_s is None else voice.seconds(verdict.session_outage_s)


def answered(verdict: Verdict, voice: Voice) -> tuple[str, str]:
    """Who served clients before and after: load balancers, and the app servers behind them."""
    clients = [client for client in verdict.clients.values() if client.kind == "request"]
    if not clients:
        return voice.say("no-data"), voice.say("no-data")
    return _answered_by(clients, voice, after=False), _answered_by(clients, voice, after=True)


def _answered_by(clients: Sequence[Client], voice: Voice, *, after: bool) -> str:
    through = {n for c in clients for n in (c.balancers_after if after else c.balancers_before)}
    servers = {n for c in clients for n in (c.servers_after if after else c.servers_before)}
    if not through | servers:
        return say("none", voice.language)
    behind = ", ".join(sorted(servers))
    return f"{', '.join(sorted(through)) or DASH} ({behind})"
