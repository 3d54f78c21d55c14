"""`lab reapply`: which plans run again, why, in which order, and what is said at the end."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from lab.drill.target import TargetMachine
from lab.health.drift import Looked
from lab.health.plans import SECRET, AppliedPlan, plans_of, services_by_machine
from lab.health.report import Drift, MachineLook
from lab.pulumi_cli import PulumiCli
from lab.reapply import Chosen, choose, ending, run_again

MACHINES = {
    "lb1": TargetMachine(address="10.16.1.11", roles=(), user="lab", port=22),
    "app1": TargetMachine(address="10.16.1.21", roles=(), user="lab", port=2222),
}


def urn(kind: str, name: str) -> str:
    kinds = f"halab:index:Lab$halab:remote:{kind}$command:remote:Command"
    return f"urn:pulumi:demo::ha-lab::{kinds}::{name}"


def resource(
    name: str, address: str, service: str, *, kind: str = "Apply", port: int | None = None
) -> dict[str, Any]:
    """A remote command as an exported state has it; its connection is a secret."""
    connection = {"host": address, "privateKey": "KEY", **({"port": port} if port else {})}
    return {
        "urn": urn(kind, name),
        "type": "command:remote:Command",
        "inputs": {
            "connection": {SECRET: "1b47061264138c4ac30d75fd1eb44270",
                           "plaintext": json.dumps(connection)},
            "stdin": json.dumps({"service": service}) if service else "#!/usr/bin/env python3",
        },
    }  # fmt: skip


def state(*resources: dict[str, Any]) -> dict[str, Any]:
    return {"version": 3, "deployment": {"resources": list(resources)}}


BASELINE = AppliedPlan(urn=urn("Apply", "lb1-baseline"), machine="lb1", service="baseline")
BALANCER = AppliedPlan(urn=urn("Apply", "lb-lb1"), machine="lb1", service="load_balancer")
APP = AppliedPlan(urn=urn("Apply", "app-app1"), machine="app1", service="app_server")
GATE = AppliedPlan(urn=urn("Ready", "app1-ready"), machine="app1", service="ready")
PLANS = [GATE, BASELINE, APP, BALANCER]


def drift(machine: str, plan: str, subject: str) -> Drift:
    return Drift(
        machine=machine,
        plan=plan,
        kind="file",
        subject=subject,
        found="missing",
        expected="as applied",
    )


def looked(machine: str, *drifts: Drift, answers: bool = True, **more: Any) -> Looked:
    outcome: Any = "pass" if answers else "fail"
    look = MachineLook(
        machine=machine, **{"outcome": outcome, "detail": "is off", "answers": answers, **more}
    )
    return Looked(look, drifts)


class TestPlans:
    """What Pulumi's state says of machines."""

    def test_plans_and_gates_with_their_machine_in_the_order_of_the_state(self) -> None:
        found = plans_of(
            state(
                {"urn": "urn:pulumi:demo::ha-lab::pulumi:pulumi:Stack::ha-lab-demo"},
                resource("app1-ready", "10.16.1.21", "", kind="Ready", port=2222),
                resource("lb1-baseline", "10.16.1.11", "baseline"),
                resource("app-app1", "10.16.1.21", "app_server", port=2222),
                resource("lb-lb1", "10.16.1.11", "load_balancer"),
            ),
            MACHINES,
        )

        assert found == PLANS
        assert [plan.resource for plan in found] == [
            "app1-ready",
            "lb1-baseline",
            "app-app1",
            "lb-lb1",
        ]

    def test_a_secret_plan_is_read_too(self) -> None:
        tls = resource("lb-lb1-tls", "10.16.1.11", "load_balancer_tls")
        tls["inputs"]["stdin"] = {SECRET: "x", "plaintext": json.dumps(tls["inputs"]["stdin"])}

        assert [plan.service for plan in plans_of(state(tls), MACHINES)] == ["load_balancer_tls"]

    def test_commands_of_others_and_what_waits_for_its_deletion_are_none(self) -> None:
        other = resource("lb-lb1", "10.16.1.11", "x")
        other["urn"] = other["urn"].replace("halab:remote:Apply", "somebody:else:Thing")
        old = {**resource("lb-lb1", "10.16.1.11", "x"), "delete": True}
        foreign = resource("far", "192.0.2.1", "x")

        assert plans_of(state(other, old, foreign), MACHINES) == []
        assert plans_of({"deployment": {}}, MACHINES) == []

    def test_a_machine_must_have_a_record_of_every_plan_but_the_gate(self) -> None:
        assert services_by_machine(PLANS) == {
            "app1": ["app_server"],
            "lb1": ["baseline", "load_balancer"],
        }


class TestChoice:
    """Exactly what is needed."""

    def test_only_plans_that_drifted_each_with_all_its_reasons(self) -> None:
        found = [
            looked("app1"),
            looked(
                "lb1",
                drift("lb1", "load_balancer", "/etc/a"),
                drift("lb1", "load_balancer", "/etc/b"),
            ),
        ]

        assert choose(PLANS, found) == [Chosen(BALANCER, ("/etc/a: missing", "/etc/b: missing"))]

    def test_the_same_plan_of_another_machine_is_left_alone(self) -> None:
        other = AppliedPlan(urn=urn("Apply", "x"), machine="app1", service="baseline")
        found = [looked("lb1", drift("lb1", "baseline", "/etc/hosts")), looked("app1")]

        assert [one.plan for one in choose([BASELINE, other], found)] == [BASELINE]

    def test_in_the_order_of_pulumis_state(self) -> None:
        found = [
            looked("lb1", drift("lb1", "load_balancer", "/a"), drift("lb1", "baseline", "/b")),
            looked("app1", drift("app1", "ready", "apply.py")),
        ]

        assert [one.plan for one in choose(PLANS, found)] == [GATE, BASELINE, BALANCER]

    def test_nothing_where_nothing_drifted(self) -> None:
        assert choose(PLANS, [looked("lb1"), looked("app1")]) == []

    def test_a_record_that_does_not_tell_everything_is_made_anew(self) -> None:
        found = [looked("app1", outcome="unknown", unrecorded=("app_server",))]

        assert [one.plan for one in choose(PLANS, found)] == [APP]

    def test_everything_on_demand(self) -> None:
        found = [looked("lb1", drift("lb1", "baseline", "/b")), looked("app1")]
        chosen = choose(PLANS, found, everything=True)

        assert [one.plan for one in chosen] == PLANS
        assert chosen[0].reasons == ("asked for",)
        assert chosen[1].reasons == ("/b: missing",)

    def test_a_machine_that_does_not_answer_is_left_out(self) -> None:
        found = [looked("lb1", answers=False), looked("app1")]

        assert [one.plan.machine for one in choose(PLANS, found, everything=True)] == [
            "app1",
            "app1",
        ]


@dataclass
class FakePulumi:
    stack: str = "demo"
    status: int = 0
    runs: list[tuple[str, ...]] = field(default_factory=list)

    def run(self, *words: str) -> int:
        self.runs.append(words)
        return self.status


class TestRun:
    """What Pulumi is asked for."""

    def test_the_chosen_resources_alone_are_replaced(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        cli = FakePulumi()
        chosen = [Chosen(BASELINE, ("/etc/hosts: missing",)), Chosen(BALANCER, ("asked for",))]

        assert run_again(cast(PulumiCli, cli), chosen) == 0
        (words,) = cli.runs
        assert words[0] == "up"
        targets = [words[at + 1] for at, word in enumerate(words) if word == "--target-replace"]
        assert targets == [BASELINE.urn, BALANCER.urn]
        assert "--replace" not in words
        said = capsys.readouterr().err
        assert "lb1, plan baseline (lb1-baseline): /etc/hosts: missing" in said

    def test_its_failure_is_the_commands_own(self) -> None:
        cli = FakePulumi(status=255)

        assert run_again(cast(PulumiCli, cli), [Chosen(BASELINE, ())]) == 255


class TestEnding:
    """The exit status, and the words for it."""

    def test_nothing_has_drifted(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert ending([looked("lb1")], [], rounds=0) == 0
        assert "nothing has drifted" in capsys.readouterr().err

    def test_all_is_right_again(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert ending([looked("lb1")], [], rounds=1) == 0
        assert "nothing has drifted" not in capsys.readouterr().err

    def test_what_is_left_is_named(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert ending([looked("lb1")], [Chosen(BASELINE, ("/etc/hosts: missing",))], 2) == 1
        assert "/etc/hosts: missing" in capsys.readouterr().err

    def test_a_machine_that_is_off_is_named_and_no_success(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert ending([looked("lb1", answers=False)], [], rounds=0) == 3
        said = capsys.readouterr().err
        assert "lb1: is off" in said
        assert "nothing has drifted" not in said
