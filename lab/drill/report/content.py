"""What a report says, in order, before it is set as Markdown or HTML."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lab.drill.events import BY_HAND, Judgement
from lab.drill.judge.model import Sentence, Verdict
from lab.drill.judge.owners import WIRE
from lab.drill.judge.summary import Summary, group_of, summarise
from lab.drill.report.tables import (
    Table,
    audits_table,
    clients_table,
    failures_table,
    label,
    levels_table,
    outages_table,
    outcome_of,
    outcome_text,
    runs_table,
    spread_table,
    summary_table,
    writes_table,
)
from lab.drill.report.voice import Voice


@dataclass(frozen=True, slots=True)
class Finding:
    """One sentence of a verdict; the same one of several runs is said once."""

    text: str
    judgement: Judgement


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultSection:
    """All about one fault."""

    title: str
    name: str
    outcome: str
    judgement: Judgement
    paragraphs: tuple[str, ...]
    findings: tuple[Finding, ...]
    tables: tuple[Table, ...]
    runs: int
    shown: Verdict
    """The run with the longest outage, which the plot and the tables show."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preface:
    """What stands in front of a report that somebody hands in."""

    title: str
    lines: tuple[str, ...]
    """Whose it is, and of what."""
    table: Table
    """What was done."""
    heading: str
    questions: tuple[str, ...]
    """Under this heading, each with room for an answer."""
    following: str
    """Heading of what comes behind: the report itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """A whole report."""

    preface: Preface | None

    title: str
    context: tuple[str, ...]
    overall: str
    judgement: Judgement
    summary: Table
    formulas: tuple[str, ...]
    sections: tuple[FaultSection, ...]
    distribution: Table
    levels: Table
    failures: Table
    glossary: tuple[tuple[str, str], ...]


def content(verdicts: Sequence[Verdict], voice: Voice, preface: Preface | None = None) -> Content:
    """The report of these drills. Raises ValueError where there is none."""
    if not verdicts:
        msg = "a report needs at least one verdict"
        raise ValueError(msg)
    summaries = summarise(verdicts)
    return Content(
        preface=preface,
        title=preface.title if preface else voice.say("title", stack=_stacks(verdicts)),
        # The preface says itself when it was.
        context=(*preface.lines, _what(verdicts, voice)) if preface else _context(verdicts, voice),
        overall=overall(verdicts, voice),
        judgement=worst(verdict.outcome for verdict in verdicts),
        summary=summary_table(summaries, voice),
        formulas=formulas(summaries, voice),
        sections=tuple(_section(summary, verdicts, voice) for summary in summaries),
        distribution=spread_table(summaries, voice),
        levels=levels_table(voice),
        failures=failures_table(summaries, voice),
        glossary=_glossary(verdicts, voice),
    )


def worst(judgements: Iterable[Judgement]) -> Judgement:
    """Of several: a failure, then what is not known."""
    found = set(judgements)
    return "fail" if "fail" in found else "unknown" if "unknown" in found else "pass"


def overall(verdicts: Sequence[Verdict], voice: Voice) -> str:
    """How many drills passed, in one sentence."""
    outcomes = [verdict.outcome for verdict in verdicts]
    failed, unknown = outcomes.count("fail"), outcomes.count("unknown")
    key = "overall-other" if failed or unknown else "overall-pass"
    return voice.say(key, runs=len(verdicts), failed=failed, unknown=unknown)


def formulas(summaries: Sequence[Summary], voice: Voice) -> tuple[str, ...]:
    """Each prediction with its arithmetic."""
    return tuple(
        voice.say(
            "formula",
            fault=label(summary, summaries, voice),
            found=voice.seconds(summary.predicted.seconds),
            formula=summary.predicted.formula,
        )
        for summary in summaries
        if summary.predicted is not None
    )


def _each(names: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(names))


def _stacks(verdicts: Sequence[Verdict]) -> str:
    return _each(verdict.stack for verdict in verdicts)


def _context(verdicts: Sequence[Verdict], voice: Voice) -> tuple[str, ...]:
    taken = voice.say("taken", wall=min(verdict.wall for verdict in verdicts))
    return _what(verdicts, voice), taken


def _what(verdicts: Sequence[Verdict], voice: Voice) -> str:
    by_hand = all(verdict.provider == BY_HAND for verdict in verdicts)
    return voice.say(
        "context-by-hand" if by_hand else "context",
        stack=_stacks(verdicts),
        timers=_each(verdict.timers for verdict in verdicts),
        provider=_each(verdict.provider for verdict in verdicts),
        runs=len(verdicts),
    )


def _section(summary: Summary, verdicts: Sequence[Verdict], voice: Voice) -> FaultSection:
    runs = [verdict for verdict in verdicts if group_of(verdict) == group_of(summary)]
    shown = longest_of(runs)
    several = [runs_table(runs, voice)] if len(runs) > 1 else []
    of_shown = (
        clients_table(shown, voice),
        outages_table(shown, voice),
        writes_table(shown, voice),
        audits_table(shown, voice),
    )
    return FaultSection(
        title=voice.title(summary.fault),
        name=summary.fault,
        outcome=outcome_text(summary, voice),
        judgement=outcome_of(summary),
        paragraphs=tuple(_paragraphs(summary, shown, voice)),
        findings=findings(runs, voice),
        tables=(*several, *(table for table in of_shown if table.rows)),
        runs=len(runs),
        shown=shown,
    )


def longest_of(runs: Sequence[Verdict]) -> Verdict:
    """The run with the longest outage; without any data, the first."""
    return max(runs, key=lambda run: -1.0 if run.outage_s is None else run.outage_s)


def findings(runs: Sequence[Verdict], voice: Voice) -> tuple[Finding, ...]:
    """The sentences of one run; of several, those of the run that is shown and what others have
    to say that did not pass."""
    shown = longest_of(runs)
    found: dict[tuple[Judgement, str], Finding] = {}
    for run in sorted(runs, key=lambda each: each is not shown):
        for sentence in run.sentences:
            if run is shown or sentence.outcome != "pass":
                finding = _finding(sentence, run, voice, is_alone=len(runs) == 1)
                found.setdefault((finding.judgement, finding.text), finding)
    order: tuple[Judgement, ...] = ("fail", "unknown", "pass")
    return tuple(sorted(found.values(), key=lambda finding: order.index(finding.judgement)))


def _finding(sentence: Sentence, run: Verdict, voice: Voice, *, is_alone: bool) -> Finding:
    text = sentence.in_language(voice.language)
    said = text if is_alone else voice.say("of-run", run=run.run, text=text)
    return Finding(said, sentence.outcome)


def _paragraphs(summary: Summary, shown: Verdict, voice: Voice) -> Iterable[str]:
    victims = f" ({', '.join(summary.victims)})" if summary.victims else ""
    values = {"fault": f"{voice.title(summary.fault)}{victims}", "timers": summary.timers}
    yield voice.say("done" if summary.runs > 1 else "done-once", runs=summary.runs, **values)
    of_run = voice.say("shown-run", run=shown.run) if summary.runs > 1 else ""
    if shown.injection_s is not None:
        undo = shown.steps.get("undo")
        key = "steps-kept" if undo is None else "steps-taken"
        if shown.provider == BY_HAND:
            key = "steps-by-hand"
        injection = voice.seconds(shown.injection_s)
        yield of_run + voice.say(key, injection=injection, undo=voice.seconds(undo))
    vip = shown.vip
    if vip.detection_s is not None:
        yield voice.say(
            "detected",
            old=", ".join(vip.owner_before),
            new=vip.new_owner,
            source=_seen(vip.seen_by or "", voice),
            detection=voice.seconds(vip.detection_s),
            within=voice.seconds(vip.seen_within_s),
        )
    if vip.takeover_s is not None:
        yield voice.say("taken-over", takeover=voice.seconds(vip.takeover_s))


def _seen(source: str, voice: Voice) -> str:
    is_wire = source == WIRE
    return voice.say("seen-wire") if is_wire else voice.say("seen-machine", machine=source)


def _glossary(verdicts: Sequence[Verdict], voice: Voice) -> tuple[tuple[str, str], ...]:
    limits = verdicts[0].limits
    values = {"k": limits.good_in_row, "slow": voice.seconds(limits.slow_s)}
    return tuple(
        (voice.say(f"term-{term}"), voice.say(f"term-{term}-text", **values))
        for term in ("outage", "slow", "detection", "takeover", "unknown")
    )
