"""The report as one HTML page that needs nothing else: no network, no scripts, plots inside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from lab.drill.events import AnyEvent
from lab.drill.judge.model import Verdict
from lab.drill.judge.summary import summarise
from lab.drill.judge.timeline import Timeline, timeline
from lab.drill.report.content import FaultSection, Preface, content
from lab.drill.report.plots.runs import runs_svg
from lab.drill.report.plots.timeline import View, timeline_svg, whole, zoom
from lab.drill.report.voice import MARKS, Bilingual, Voice

TEMPLATES = Path(__file__).parent / "templates"


def to_html(
    verdicts: Sequence[Verdict],
    histories: Sequence[Sequence[AnyEvent]],
    *,
    titles: Mapping[str, Bilingual],
    language: str,
    preface: Preface | None = None,
) -> str:
    """The whole page. `histories` are those of the verdicts, in the same order; of a verdict
    without one (a shorter list, an empty one) there is no plot."""
    voice = Voice(language, titles)
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        undefined=StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    report = content(verdicts, voice, preface) if verdicts else None
    sections = report.sections if report else ()
    values = {
        "language": language,
        "say": voice.say,
        "marks": MARKS,
        "report": report,
        "plots": [
            [Markup(svg) for svg in _plots(section, number, verdicts, histories, voice)]  # noqa: S704
            for number, section in enumerate(sections)
        ],
        "runs_plot": Markup(runs_svg(summarise(verdicts), voice, prefix="runs")),  # noqa: S704
    }
    return environment.get_template("report.html.j2").render(values)


def _plots(
    section: FaultSection,
    number: int,
    verdicts: Sequence[Verdict],
    histories: Sequence[Sequence[AnyEvent]],
    voice: Voice,
) -> list[str]:
    """Around the failover, and the whole drill; our own SVG, in which all text is escaped."""
    place = next(n for n, verdict in enumerate(verdicts) if verdict is section.shown)
    history = histories[place] if place < len(histories) else ()
    if not history:
        return []
    time = timeline(history)
    svgs = [
        timeline_svg(section.shown, time, view, voice, prefix=f"f{number}v{part}")
        for part, view in enumerate(_views(section.shown, time))
    ]
    return [svg for svg in svgs if svg]


def _views(run: Verdict, time: Timeline) -> list[View]:
    near = zoom(run, time)
    return [whole(time)] if near is None else [near, whole(time)]
