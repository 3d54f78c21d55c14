"""The report in a terminal: one table, what did not pass, where the predictions come from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich import box
from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text as Line

from lab.drill.events import Judgement
from lab.drill.judge.model import Verdict
from lab.drill.judge.summary import summarise
from lab.drill.report.content import formulas, overall, worst
from lab.drill.report.tables import Table, failures_table, summary_table
from lab.drill.report.voice import Bilingual, Voice

STYLES: Mapping[Judgement, str] = {"pass": "green", "fail": "bold red", "unknown": "yellow"}

WIDE = 110
"""Columns that a terminal must have for all figures."""
LEAST_FIRST = 14
"""Columns for the names of the faults, whatever else there is to show."""


def show(
    verdicts: Sequence[Verdict],
    *,
    titles: Mapping[str, Bilingual],
    language: str,
    console: Console,
) -> None:
    """Print the report of these drills."""
    voice = Voice(language, titles)
    if not verdicts:
        console.print(voice.say("no-verdicts"))
        return
    summaries = summarise(verdicts)
    is_narrow = console.width < WIDE
    summary = summary_table(summaries, voice, is_narrow=is_narrow)
    _show_table(summary, console, voice.say("summary"))
    for verdict in verdicts:
        _show_problems(verdict, voice, console)
    allowed = failures_table(summaries, voice, with_availability=not is_narrow)
    _show_table(allowed, console, voice.say("sla"))
    _show_lines(voice.say("formulas"), formulas(summaries, voice), console)
    judgement = worst(verdict.outcome for verdict in verdicts)
    console.print(Line(overall(verdicts, voice), style=STYLES[judgement]))


def _show_table(table: Table, console: Console, title: str) -> None:
    if not table.rows:
        return
    # Texts, not markup: a detail from a machine may hold brackets.
    shown = RichTable(
        title=Line(title), caption=Line(table.caption), caption_justify="left", box=box.SIMPLE_HEAD
    )
    for place, column in enumerate(table.columns):
        is_number = any(row[place].is_number for row in table.rows)
        # Folded, never cut: half a number is a wrong one.
        shown.add_column(
            Line(column),
            justify="right" if is_number else "left",
            overflow="fold",
            min_width=0 if place else LEAST_FIRST,
        )
    for row in table.rows:
        cells = (Line(c.text, style=STYLES[c.judgement] if c.judgement else "") for c in row)
        shown.add_row(*cells)
    console.print(shown)


def _show_problems(verdict: Verdict, voice: Voice, console: Console) -> None:
    """What did not pass, of one run."""
    problems = [sentence for sentence in verdict.sentences if sentence.outcome != "pass"]
    if not problems:
        return
    name = voice.say("run-of", fault=voice.title(verdict.fault), run=verdict.run)
    console.print(Line(name, style="bold"))
    for sentence in problems:
        console.print(
            Line.assemble(
                "  ",
                (voice.outcome(sentence.outcome), STYLES[sentence.outcome]),
                f"  {sentence.in_language(voice.language)}",
            )
        )


def _show_lines(title: str, lines: Sequence[str], console: Console) -> None:
    if lines:
        console.print(Line(title, style="bold"))
    for line in lines:
        console.print(Line(f"  {line}"))
