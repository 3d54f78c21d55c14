"""The report as Markdown with GitHub's tables, for the report that a student hands in."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from lab.drill.judge.model import Verdict
from lab.drill.report.content import Content, FaultSection, Preface, content
from lab.drill.report.tables import Table
from lab.drill.report.voice import MARKS, Bilingual, Voice


def to_markdown(
    verdicts: Sequence[Verdict],
    *,
    titles: Mapping[str, Bilingual],
    language: str,
    preface: Preface | None = None,
) -> str:
    """The whole report; of no drills one line that says so."""
    voice = Voice(language, titles)
    if not verdicts:
        return voice.say("no-verdicts") + "\n"
    blocks = _blocks(content(verdicts, voice, preface), voice)
    return "\n\n".join(blocks) + "\n"


def _blocks(report: Content, voice: Voice) -> Iterator[str]:
    yield f"# {text(report.title)}"
    yield from (text(line) for line in report.context)
    if report.preface is not None:
        yield from _preface(report.preface)
    yield text(voice.say("intro"))
    yield f"**{MARKS[report.judgement]} {text(report.overall)}**"
    yield f"## {voice.say('summary')}"
    yield from _table(report.summary)
    if report.formulas:
        yield f"### {voice.say('formulas')}"
        yield text(voice.say("formulas-text"))
        yield "\n".join(f"- {text(line)}" for line in report.formulas)
    for section in report.sections:
        yield from _section(section, voice)
    yield f"## {voice.say('distribution')}"
    yield from _table(report.distribution)
    yield f"## {voice.say('sla')}"
    yield text(voice.say("sla-text"))
    yield from _table(report.levels)
    yield from _table(report.failures)
    yield f"## {voice.say('glossary')}"
    yield "\n".join(f"- **{text(term)}**: {text(meaning)}" for term, meaning in report.glossary)


def _preface(preface: Preface) -> Iterator[str]:
    yield from _table(preface.table)
    yield f"## {text(preface.heading)}"
    for question in preface.questions:
        yield f"**{text(question)}**"
        # Here goes the answer.
        yield "…"
    yield f"## {text(preface.following)}"


def _section(section: FaultSection, voice: Voice) -> Iterator[str]:
    yield f"## {text(section.title)}"
    yield f"{text(section.name)}: **{text(section.outcome)}**"
    yield from (text(paragraph) for paragraph in section.paragraphs)
    yield f"### {voice.say('reasons')}"
    yield "\n".join(f"- {MARKS[f.judgement]} {text(f.text)}" for f in section.findings)
    for table in section.tables:
        yield from _table(table)


def _table(table: Table) -> Iterator[str]:
    if not table.rows:
        return
    yield text(table.caption)
    rules = ["---:" if cell.is_number else "---" for cell in table.rows[0]]
    lines = [[text(column) for column in table.columns], rules]
    lines += [[text(cell.text) for cell in row] for row in table.rows]
    yield "\n".join(f"| {' | '.join(line)} |" for line in lines)


def text(words: str) -> str:
    """As it is: what Markdown would take for markup is escaped, and it stays in one line."""
    return re.sub(r"([\\`*_{}\[\]<>#|~])", r"\\\1", re.sub(r"[\r\n]+", " ", words))
