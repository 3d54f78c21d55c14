"""What a health check found, and what that means. Pure."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, computed_field
from pydantic.alias_generators import to_camel

from lab.drill.events import Judgement

STATUSES: dict[Judgement, int] = {"pass": 0, "fail": 1, "unknown": 3}
"""Exit statuses of a check; 2 is for what could not be done at all."""


class _Part(BaseModel):
    model_config = ConfigDict(
        alias_generator=to_camel, validate_by_name=True, extra="forbid", frozen=True
    )


class AuditResult(_Part):
    """One sentence that must be true of the lab, and whether it is."""

    audit: str
    title: str
    outcome: Judgement
    detail: str
    took_s: float


class Drift(_Part):
    """One thing on a machine that is not as Pulumi left it."""

    machine: str
    plan: str
    """The service whose plan says how it should be; `ready` for the applier itself."""
    kind: str
    """`file`, `unit`, `package`, `record` or `applier`."""
    subject: str
    """Path of the file, or name of the unit, package or plan."""
    found: str
    expected: str


class MachineLook(_Part):
    """Whether one machine could be looked at."""

    machine: str
    outcome: Judgement
    """`fail`: it is off; `unknown`: it could not be looked at, or not completely."""
    detail: str
    answers: bool = True
    """False: it is off, or does not answer over SSH."""
    unrecorded: tuple[str, ...] = ()
    """Plans of which it cannot tell everything, for their records are of an older release."""


class Report(_Part):
    """The health of one lab at one moment."""

    stack: str
    audits: tuple[AuditResult, ...]
    machines: tuple[MachineLook, ...]
    """Empty where drift was not asked for."""
    drift: tuple[Drift, ...]
    took_s: float

    @computed_field  # type: ignore[prop-decorator]
    @property
    def outcome(self) -> Judgement:
        """`fail`: an audit fails, a machine is off or something drifted; `unknown`: nothing of
        that, but not everything could be looked at; `pass`: everything was, and is right."""
        outcomes = [audit.outcome for audit in self.audits]
        outcomes += [machine.outcome for machine in self.machines]
        if self.drift or "fail" in outcomes:
            return "fail"
        return "unknown" if "unknown" in outcomes or not outcomes else "pass"

    @property
    def exit_status(self) -> int:
        return STATUSES[self.outcome]
