"""The first `up` of a lab, and of that one tier alone."""

from __future__ import annotations

from bench.clock import timed
from bench.events import EventLog, spans
from bench.report import Report
from lab.stack_file import ROOT
from tests.support.rig_lab import RigLab


def first_up(
    report: Report, lab: RigLab, *, whole: str, tier: str, names: tuple[str, ...], target_s: float
) -> None:
    """Note both times; the tier's is from its first command to the end of its last.

    `whole` and `tier`: what to call them. `names`: begin of the names of the tier's resources.
    """
    lab.lab("setup", lab.stack).ok()
    with EventLog(lab.state / "events") as log:
        environment = {**lab.environment, **log.environment}
        up = timed(lab.argv("up", lab.stack), cwd=ROOT, environment=environment)
    own = [span for span in spans(log.lines) if span.name.startswith(names)]
    report.add(f"first up, {whole}", up.seconds)
    seconds = max(span.end_s for span in own) - min(span.begin_s for span in own)
    report.add(f"... of which {tier}", seconds, target_s=target_s)
