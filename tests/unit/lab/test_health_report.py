"""The report of `lab check`: its outcome, and what people and programs get of it."""

from __future__ import annotations

import io
import json

import pytest
from rich.console import Console

from lab.drill.events import Judgement
from lab.health.report import AuditResult, Drift, MachineLook, Report
from lab.health.show import show_report

FINDING = {
    "plan": "load_balancer",
    "kind": "file",
    "subject": "/etc/haproxy/haproxy.cfg",
    "found": "content differs",
    "expected": "as applied",
}


class TestShown:
    """What people and programs get."""

    report = Report(
        stack="demo",
        audits=(
            AuditResult(audit="a", title="one owner", outcome="pass", detail="lb1", took_s=0.1),
            AuditResult(audit="b", title="pages", outcome="fail", detail="[red]503[/]", took_s=0.1),
        ),
        machines=(
            MachineLook(machine="lb1", outcome="pass", detail="5 plans, as applied"),
            MachineLook(machine="app1", outcome="fail", detail="is off", answers=False),
        ),
        drift=(Drift(machine="lb1", **{**FINDING, "subject": "/etc/" + "long/" * 30}),),
        took_s=1.23,
    )

    def shown(self, report: Report) -> str:
        text = io.StringIO()
        show_report(report, Console(file=text, width=80, highlight=False))
        return text.getvalue()

    def test_audits_then_machines_that_say_something_then_drift_then_the_outcome(self) -> None:
        lines = [line.rstrip() for line in self.shown(self.report).splitlines()]

        assert [line.split()[:2] for line in lines] == [
            ["pass", "one"],
            ["fail", "pages"],
            ["fail", "app1"],
            ["machine", "plan"],
            ["lb1", "load_balancer"],
            ["demo", "is"],
        ]
        assert "[red]503[/]" in lines[1], "brackets are no markup"
        assert lines[-1] == (
            "demo is not healthy: 1 of 2 audits pass, 1 of 2 machines looked at, 1 difference; "
            "`lab reapply demo` puts it right (1.2 s)"
        )

    def test_a_long_path_is_in_one_piece_where_a_program_reads(self) -> None:
        assert "/etc/" + "long/" * 30 in self.shown(self.report)

    def test_a_healthy_lab_in_one_line_and_its_audits(self) -> None:
        healthy = self.report.model_copy(
            update={
                "audits": self.report.audits[:1],
                "machines": self.report.machines[:1],
                "drift": (),
            }
        )

        assert self.shown(healthy).splitlines()[-1] == (
            "demo is healthy: 1 of 1 audits pass, 1 of 1 machines looked at, no drift (1.2 s)"
        )

    def test_as_json_it_says_its_outcome(self) -> None:
        data = json.loads(self.report.model_dump_json(by_alias=True))

        assert data["outcome"] == "fail"
        assert data["tookS"] == 1.23
        assert data["drift"][0]["machine"] == "lb1"


@pytest.mark.parametrize(
    ("audits", "machines", "expected"),
    [
        (("pass",), ("pass",), "pass"),
        (("pass",), ("unknown",), "unknown"),
        (("unknown",), ("pass",), "unknown"),
        (("unknown",), ("fail",), "fail"),
        (("fail",), ("unknown",), "fail"),
        ((), (), "unknown"),
    ],
)
def test_the_outcome_is_the_worst_of_all(
    audits: tuple[Judgement, ...], machines: tuple[Judgement, ...], expected: Judgement
) -> None:
    report = Report(
        stack="demo",
        audits=tuple(
            AuditResult(audit="a", title="t", outcome=outcome, detail="", took_s=0)
            for outcome in audits
        ),
        machines=tuple(MachineLook(machine="m", outcome=o, detail="") for o in machines),
        drift=(),
        took_s=0,
    )

    assert report.outcome == expected
