"""The tables of a report: the same for the terminal, Markdown and HTML."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from lab.drill.availability import LEVELS, availability, failures_per_year
from lab.drill.events import Judgement
from lab.drill.judge.language import NO_BREAK
from lab.drill.judge.model import Client, Verdict
from lab.drill.judge.summary import Summary
from lab.drill.judge.timeline import NO_FAULT
from lab.drill.report.voice import ARROW, DASH, Voice

MONTHLY, WEEKLY = 12, 52
"""Failures a year."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell; with a judgement it is coloured."""

    text: str
    judgement: Judgement | None = None
    is_number: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """A table with a caption, which says what its numbers mean."""

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


def summary_table(summaries: Sequence[Summary], voice: Voice, *, is_narrow: bool = False) -> Table:
    """One row for each fault; a narrow one has the times and the verdict alone."""
    outage = "outage-runs" if any(summary.runs > 1 for summary in summaries) else "outage"
    timers = {"timers": lambda s: _words(s.timers)} if _have_several_timers(summaries) else {}
    columns: dict[str, Callable[[Summary], Cell]] = {
        "fault": lambda s: _words(voice.title(s.fault)),
        **timers,
        "victims": lambda s: _words(", ".join(s.victims) or DASH),
        outage: lambda s: _number(outage_text(s, voice)),
        "predicted": lambda s: _number(_or_dash(_predicted_s(s), voice)),
        "ratio": lambda s: _number(voice.ratio(s.ratio)),
        "requests": lambda s: _number(_requests(s, voice)),
        "verdict": lambda s: Cell(outcome_text(s, voice), outcome_of(s)),
    }
    if is_narrow:
        del columns["victims"], columns["requests"]
    rows = tuple(tuple(cell(summary) for cell in columns.values()) for summary in summaries)
    return Table(voice.say("summary-caption"), _heads(voice, columns), rows)


def label(summary: Summary, summaries: Sequence[Summary], voice: Voice) -> str:
    """Its fault, and its timers where not all of them have the same."""
    title = voice.title(summary.fault)
    return f"{title} ({summary.timers})" if _have_several_timers(summaries) else title


def _have_several_timers(summaries: Sequence[Summary]) -> bool:
    return len({summary.timers for summary in summaries}) > 1


def outage_text(summary: Summary, voice: Voice) -> str:
    """`0.210 ± 0.010 s`, of several runs `0.200 / 0.310 / 0.310 ± 0.010 s`."""
    spread = summary.outage
    if spread is None:
        return voice.say("no-data")
    several = (spread.median, spread.p95, spread.max) if summary.runs > 1 else (spread.max,)
    text = " / ".join(voice.figures(value) for value in several)
    if summary.resolution_s is not None:
        text += f" ± {voice.figures(summary.resolution_s)}"
    return f"{text}{NO_BREAK}s"


def _predicted_s(summary: Summary) -> float | None:
    return summary.predicted.seconds if summary.predicted else None


def outcome_of(summary: Summary) -> Judgement:
    """The worst of its runs."""
    if summary.failed:
        return "fail"
    return "unknown" if summary.unknown else "pass"


def outcome_text(summary: Summary, voice: Voice) -> str:
    """`✔ pass`, of several runs `✘ fail 1/10`."""
    worst = outcome_of(summary)
    counts = {"fail": summary.failed, "unknown": summary.unknown, "pass": summary.passed}
    word = voice.outcome(worst)
    return word if summary.runs == 1 else f"{word} {counts[worst]}/{summary.runs}"


def _requests(summary: Summary, voice: Voice) -> str:
    ranges = (summary.failed_requests, summary.slow_requests, summary.total_requests)
    return " / ".join(_range(voice, *each) for each in ranges)


def _range(voice: Voice, least: int, most: int) -> str:
    if least == most:
        return voice.count(least)
    return f"{voice.count(least)}{DASH}{voice.count(most)}"


def spread_table(summaries: Sequence[Summary], voice: Voice) -> Table:
    """The distribution over the runs in numbers."""
    keys = ("fault", "count-runs", "fastest", "median", "p95", "longest", "predicted", "limit")
    rows = []
    for summary in summaries:
        spread = summary.outage
        found = (spread.min, spread.median, spread.p95, spread.max) if spread else (None,) * 4
        bounds = (_predicted_s(summary), summary.limit_s)
        rows.append(
            (
                _words(label(summary, summaries, voice)),
                _number(voice.count(summary.runs)),
                *(_number(voice.seconds(value)) for value in found),
                *(_number(_or_dash(value, voice)) for value in bounds),
            )
        )
    return Table(voice.say("distribution-caption"), _heads(voice, keys), tuple(rows))


def runs_table(runs: Sequence[Verdict], voice: Voice) -> Table:
    """Every run of one fault."""
    keys = ("run", "victims", "outage", "session", "detection", "takeover", "requests", "verdict")
    rows = tuple(
        (
            _number(voice.count(run.run)),
            _words(voice.machines(run.victims)),
            _number(voice.seconds(run.outage_s)),
            _number(_or_dash(run.session_outage_s, voice)),
            _number(_or_dash(run.vip.detection_s, voice)),
            _number(_or_dash(run.vip.takeover_s, voice)),
            _number(" / ".join(voice.count(n) for n in (run.failed, run.slow, run.total))),
            Cell(voice.outcome(run.outcome), run.outcome),
        )
        for run in runs
    )
    caption = voice.say("runs-caption", fault=voice.title(runs[0].fault))
    return Table(caption, _heads(voice, keys), rows)


def clients_table(run: Verdict, voice: Voice) -> Table:
    """What each client of one run saw."""
    keys = ("client", "outage", "undo-outage", "requests", "latency", "balancers")
    rows = tuple(_client_row(probe, client, voice) for probe, client in run.clients.items())
    return Table(voice.say("clients-caption", run=run.run), _heads(voice, keys), rows)


def _client_row(probe: str, client: Client, voice: Voice) -> tuple[Cell, ...]:
    latency = client.latency
    took = (latency.p50, latency.p99, latency.max) if latency else ()
    milliseconds = " / ".join(voice.milliseconds(value) for value in took)
    through = [", ".join(names) for names in (client.balancers_before, client.balancers_after)]
    return (
        _words(voice.title(probe)),
        _number(voice.seconds(client.outage_s)),
        _number(_or_dash(client.undo_outage_s, voice)),
        _number(" / ".join(voice.count(n) for n in (client.failed, client.slow, client.total))),
        _number(f"{milliseconds} ms" if took else DASH),
        _words(ARROW.join(name for name in through if name) or DASH),
    )


def outages_table(run: Verdict, voice: Voice) -> Table:
    """Every outage of one run: what the plot shows, in numbers."""
    rows = tuple(
        (
            _words(voice.title(probe)),
            _number(voice.seconds(outage.begin)),
            _number(voice.seconds(outage.end)),
            _number(voice.seconds(outage.duration_s)),
            _words(voice.say(f"phase-{outage.phase}")),
        )
        for probe, client in run.clients.items()
        for outage in client.outages
    )
    keys = ("client", "begin", "end", "outage", "phase")
    return Table(voice.say("outages-caption", run=run.run), _heads(voice, keys), rows)


def writes_table(run: Verdict, voice: Voice) -> Table:
    """What became of the writes of one run."""
    keys = ("client", "acknowledged", "lost", "duplicates", "unattempted", "doubtful")
    rows = []
    for probe, writes in run.writes.items():
        found = (writes.lost, writes.duplicates, writes.unattempted)
        counts = [voice.say("no-data") if n is None else voice.count(n) for n in found]
        numbers = (voice.count(writes.acknowledged), *counts, voice.count(writes.unknown))
        rows.append((_words(voice.title(probe)), *map(_number, numbers)))
    return Table(voice.say("writes-caption", run=run.run), _heads(voice, keys), tuple(rows))


def audits_table(run: Verdict, voice: Voice) -> Table:
    """The audits of one run."""
    rows = tuple(
        (
            _words(voice.title(audit.audit)),
            Cell(voice.outcome(audit.outcome), audit.outcome),
            _words(audit.detail),
        )
        for audit in run.audits
    )
    keys = ("audit", "verdict", "detail")
    return Table(voice.say("audits-caption", run=run.run), _heads(voice, keys), rows)


def levels_table(voice: Voice) -> Table:
    """The course's own table."""
    rows = tuple(
        (
            _number(voice.percent(level.percent)),
            _number(voice.span(level.downtime_year_s)),
            _number(voice.span(level.downtime_month_s)),
        )
        for level in LEVELS
    )
    keys = ("level", "downtime-year", "downtime-month")
    return Table(voice.say("levels-caption"), _heads(voice, keys), rows)


def failures_table(
    summaries: Sequence[Summary], voice: Voice, *, with_availability: bool = True
) -> Table:
    """What the measured outages mean in it; drills without a fault or data are left out."""
    rates = (MONTHLY, WEEKLY) if with_availability else ()
    rows = []
    for summary in summaries:
        if summary.outage is None or summary.fault == NO_FAULT:
            continue
        outage_s = max(summary.outage.max, summary.resolution_s or 0.0)
        allowed = (voice.count(failures_per_year(level, outage_s)) for level in LEVELS)
        shares = (voice.share(availability(rate, outage_s)) for rate in rates)
        rows.append(
            (
                _words(label(summary, summaries, voice)),
                _number(voice.seconds(outage_s)),
                *(_number(text) for text in (*allowed, *shares)),
            )
        )
    columns = (
        *_heads(voice, ("fault", "outage")),
        *(voice.percent(level.percent) for level in LEVELS),
        *_heads(voice, ("at-monthly", "at-weekly") if with_availability else ()),
    )
    caption = "failures-caption" if with_availability else "allowed-caption"
    return Table(voice.say(caption), columns, tuple(rows))


def _heads(voice: Voice, keys: Iterable[str]) -> tuple[str, ...]:
    return tuple(voice.say(key) for key in keys)


def _words(text: str) -> Cell:
    return Cell(text)


def _number(text: str) -> Cell:
    return Cell(text, is_number=True)


def _or_dash(value: float | None, voice: Voice) -> str:
    return DASH if value is None else voice.seconds(value)
