"""The `lab drill` command: which drills, in which order, and what is left behind of them."""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lab.drill.choose import (
    NO_FAULT,
    audits_of,
    chosen_faults,
    faults_of,
    probes_for,
    tier_of,
    vip_of,
    why_not,
)
from lab.drill.events import AnyEvent
from lab.drill.history import HistoryWriter, read_history
from lab.drill.interrupt import InterruptedDrillError, interruptible
from lab.drill.journal import Journal, drills_of
from lab.drill.listing import show_faults, show_plan
from lab.drill.model import Audit, Fault, Finding, Text, Tier
from lab.drill.opening import open_scene
from lab.drill.run import Drill, run_drill
from lab.drill.scene import Scene
from lab.drill.target import must_be_drillable
from lab.drill.tiers.registry import TIERS, fault_named
from lab.drill.verdict import Verdict, judge
from lab.errors import LabError
from lab.prepare import open_stack
from lab.terminal import note, out, warn

INTERRUPTED = 130
PASS, FAIL, UNKNOWN = 0, 1, 3
"""Exit statuses; 2 is for what could not be done at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the user asked for."""

    faults: tuple[str, ...] = ()
    every: bool = False
    runs: int = 1
    seed: int = 0
    dry_run: bool = False
    keep: bool = False
    language: str = "en"
    as_json: bool = False
    folder: Path | None = None
    """Where histories and reports go; None: below `.state/drills/`."""


@dataclass(slots=True)
class Done:
    """Histories and verdicts so far, in the order of the drills."""

    histories: list[Sequence[AnyEvent]] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)

    def add(self, events: Sequence[AnyEvent]) -> Verdict:
        verdict = judge(events)
        self.histories.append(events)
        self.verdicts.append(verdict)
        return verdict

    @property
    def status(self) -> int:
        """The worst outcome as an exit status."""
        outcomes = {verdict.outcome for verdict in self.verdicts}
        if "fail" in outcomes:
            return FAIL
        return UNKNOWN if "unknown" in outcomes or not outcomes else PASS


def drill(stack: str, options: Options) -> int:
    """Run the drills that were asked for and show what they gave; the exit status."""
    try:
        return asyncio.run(interruptible(_drill(stack, options)))
    except InterruptedDrillError:
        warn("interrupted; what had been seen is in the history")
        return INTERRUPTED


async def _drill(stack: str, options: Options) -> int:
    async with open_scene(stack) as scene:
        must_be_drillable(scene.target)
        chosen = chosen_faults(scene, options.faults, every=options.every)
        if options.every:
            tell_left_out(scene)
        if options.dry_run:
            language, as_json = options.language, options.as_json
            await show_plan(scene, chosen, runs=options.runs, language=language, as_json=as_json)
            return PASS
        journal = Journal(stack)
        with journal.alone():
            refuse_unfinished(journal, stack)
            return await run_all(scene, chosen, options, journal)


async def run_all(
    scene: Scene, chosen: Sequence[Fault | None], options: Options, journal: Journal
) -> int:
    """Every drill, one after the other; the reports also when it is interrupted."""
    folder = options.folder or new_folder(scene.target.stack)
    done = Done()
    total = len(chosen) * options.runs
    try:
        for number, (fault, run) in enumerate(
            ((fault, run) for fault in chosen for run in range(1, options.runs + 1)), 1
        ):
            name = fault.name if fault else NO_FAULT
            note(f"drill {number} of {total}: {name}" + (f", run {run}" if run > 1 else ""))
            writer = HistoryWriter(folder / f"{number:03d}-{name}.jsonl")
            asked = Drill(
                fault=fault,
                tier=tier_of(fault),
                vip=vip_of(fault),
                probes=probes_for(scene.target, fault),
                audits=(*audits_of(scene.target), unchanged(scene.target.stack)),
                run=run,
                seed=options.seed,
                keep=options.keep,
            )
            try:
                await run_drill(scene, asked, writer, journal, note)
            finally:
                writer.close()
                if writer.events:
                    done.add(writer.events)
            tell(done.verdicts[-1], options.language)
    finally:
        if done.verdicts:
            write_reports(folder, done, options)
    show(done, options)
    return done.status


def tell_left_out(scene: Scene) -> None:
    """Which faults `--all` does not mean here, and why."""
    for fault in faults_of(scene.target):
        if (reason := why_not(scene, fault)) is not None:
            warn(f"left out: {fault.name}: {reason}")


def list_faults(stack: str, options: Options) -> int:
    """Show what this stack can be drilled with; the exit status."""

    async def listed() -> None:
        async with open_scene(stack) as scene:
            show_faults(scene, language=options.language, as_json=options.as_json)

    asyncio.run(listed())
    return PASS


def tell(verdict: Verdict, language: str) -> None:
    """A line as soon as a drill is over, and why it did not pass."""
    measured = "no data" if verdict.outage_s is None else f"{verdict.outage_s:.3f} s"
    predicted = f", predicted {verdict.predicted.seconds:g} s" if verdict.predicted else ""
    note(f"{verdict.fault}: {verdict.outcome}: outage {measured}{predicted}")
    for sentence in verdict.sentences:
        if sentence.outcome != "pass":
            note(f"  {sentence.in_language(language)}")


def unchanged(stack: str) -> Audit:
    """The audit that Pulumi would change nothing: the fault left no trace in the configuration."""

    async def check(_scene: Scene) -> Finding:
        cli = await asyncio.to_thread(open_stack, stack)
        try:
            await asyncio.to_thread(cli.read, "preview", "--expect-no-changes")
        except LabError as error:
            return Finding("fail", f"`pulumi preview` would change something: {error}")
        return Finding("pass", "`pulumi preview` finds no changes")

    title = Text(en="no change is left to make", fr="aucun changement à faire")
    return Audit(name="no-changes", title=title, check=check, within_s=0.0)


# -- faults that are still in place -----------------------------------------------------------


def refuse_unfinished(journal: Journal, stack: str) -> None:
    """Raises LabError where an earlier fault was not undone."""
    left = journal.in_place()
    if left is not None:
        msg = (
            f"{left.fault} ({', '.join(left.victims) or 'no machine'}) of an earlier drill is "
            f"still in place; undo it first: `lab drill {stack} --undo`"
        )
        raise LabError(msg)


def undo(stack: str) -> int:
    """End the fault that an earlier drill left in place; the exit status."""
    return asyncio.run(interruptible(_undo(stack)))


async def _undo(stack: str) -> int:
    journal = Journal(stack)
    with journal.alone():
        left = journal.in_place()
        if left is None:
            note(f"no fault is in place in stack {stack}")
            return PASS
        async with open_scene(stack) as scene:
            note(f"undoing {left.fault} ({', '.join(left.victims)})")
            await fault_named(left.fault).undo(scene, left.victims)
        journal.done()
        note(f"{left.fault} is undone; `lab check {stack}` says whether the lab is whole")
    return PASS


# -- what is shown and left behind ------------------------------------------------------------


def new_folder(stack: str) -> Path:
    """Where the histories of this session go."""
    now = datetime.datetime.now().astimezone().strftime("%Y-%m-%dT%H-%M-%S")
    return drills_of(stack) / now


def titles(tiers: Sequence[Tier] = TIERS) -> dict[str, Text]:
    """Every fault's and audit's title by its name."""
    faults = {fault.name: fault.title for tier in tiers for fault in tier.faults}
    return {**faults, **{audit.name: audit.title for tier in tiers for audit in tier.audits}}


def show(done: Done, options: Options) -> None:
    """The verdicts on the terminal, or as JSON."""
    from lab.drill.report.as_json import to_json
    from lab.drill.report.terminal import show as show_table

    if options.as_json:
        out.print_json(to_json(done.verdicts))
    else:
        show_table(done.verdicts, titles=titles(), language=options.language, console=out)


def write_reports(folder: Path, done: Done, options: Options) -> None:
    """report.html, report.md and report.json beside the histories."""
    from lab.drill.report.as_json import to_json
    from lab.drill.report.html import to_html
    from lab.drill.report.markdown import to_markdown

    language = options.language
    files = {
        "report.json": to_json(done.verdicts),
        "report.md": to_markdown(done.verdicts, titles=titles(), language=language),
        "report.html": to_html(done.verdicts, done.histories, titles=titles(), language=language),
    }
    try:
        # Somebody may have tidied up meanwhile.
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (folder / name).write_text(text, encoding="utf-8")
    except OSError as error:
        msg = f"cannot write the reports to {folder}: {error.strerror}"
        raise LabError(msg) from None
    note(f"wrote {folder / 'report.html'} (and .md, .json, the histories)")


def replay(files: Sequence[Path], options: Options) -> int:
    """Judge old histories again; the exit status."""
    done = Done()
    for file in files:
        done.add(read_history(file))
    if options.folder is not None:
        options.folder.mkdir(parents=True, exist_ok=True)
        write_reports(options.folder, done, options)
    show(done, options)
    return done.status
