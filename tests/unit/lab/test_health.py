"""`lab check`: what machines and audits answer, what that means, and that nothing makes it hang."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from components.remote.ready import APPLIER as INSTALLED
from lab.drill.control import Control
from lab.drill.model import Audit, Finding, Text
from lab.drill.scene import Scene
from lab.errors import LabError
from lab.health import check as check_module
from lab.health import drift as drift_module
from lab.health.check import check_lab
from lab.health.drift import APPLIER, READY, answer_of, look_at
from lab.health.report import Drift, MachineLook, Report
from lab.machines import Machines, Result
from tests.unit.drill.world import target

Patch = pytest.MonkeyPatch
FINDING = {
    "plan": "load_balancer",
    "kind": "file",
    "subject": "/etc/haproxy/haproxy.cfg",
    "found": "content differs",
    "expected": "as applied",
}


def answer(*findings: dict[str, str], plans: tuple[str, ...] = ("baseline",), **more: Any) -> str:
    return json.dumps({"version": 1, "plans": plans, "findings": findings, "unknown": [], **more})


@dataclass
class FakeMachines:
    """Machines that answer with given words."""

    answers: dict[str, Result | LabError | None] = field(default_factory=dict)
    """None: no answer, ever."""
    waited_for: list[str] = field(default_factory=list)
    """Machines without an answer that were given all the time that they had."""
    asked: dict[str, str] = field(default_factory=dict)

    async def run(self, machine: str, script: str, *, timeout_s: float) -> Result:
        self.asked[machine] = script
        given = self.answers.get(machine, Result(machine, 0, answer(), ""))
        if isinstance(given, LabError):
            raise given
        if given is None:
            await asyncio.sleep(timeout_s)
            self.waited_for.append(machine)
            msg = f"{machine} did not answer over SSH within {timeout_s:g} s"
            raise LabError(msg)
        return given


@dataclass
class FakeControl:
    """Power switches that know which machines are on."""

    name: str = "rig"
    off: tuple[str, ...] = ()
    hangs: bool = False

    async def is_on(self, machine: str) -> bool:
        if self.hangs:
            await asyncio.sleep(60)
        return machine not in self.off


def scene_of(machines: FakeMachines, control: FakeControl | None = None) -> Scene:
    return Scene(
        target=target(),
        machines=cast(Machines, machines),
        control=cast(Control, control or FakeControl()),
        namespace=None,
    )


def audit(name: str, look: Callable[[], Awaitable[Finding]]) -> Audit:
    async def check(_scene: Scene) -> Finding:
        return await look()

    return Audit(name=name, title=Text(f"the {name} title", "titre"), check=check)


async def right() -> Finding:
    return Finding("pass", "all of them")


async def wrong() -> Finding:
    return Finding("fail", "lb1 and lb2 both own it")


async def blind() -> Finding:
    msg = "lb1 did not answer"
    raise LabError(msg)


async def hanging() -> Finding:
    await asyncio.sleep(60)
    return Finding("pass", "too late")


def checked(scene: Scene, *audits: Audit, **options: Any) -> Report:
    return asyncio.run(check_lab(scene, audits=audits, **options))


def test_the_applier_is_asked_where_the_ready_step_puts_it() -> None:
    assert APPLIER == INSTALLED


class TestAnswers:
    """What the applier of one machine says."""

    def test_a_machine_as_it_was_applied(self) -> None:
        looked = answer_of(Result("lb1", 0, answer(plans=("baseline", "app_server")), ""))

        assert looked.look == MachineLook(
            machine="lb1", outcome="pass", detail="2 plans, as applied"
        )
        assert looked.drift == ()

    def test_drift_has_its_machine(self) -> None:
        looked = answer_of(Result("lb1", 0, answer(FINDING), ""))

        assert looked.drift == (Drift(machine="lb1", **FINDING),)
        assert looked.look.outcome == "pass", "it was looked at; the drift speaks for itself"

    def test_a_record_of_an_older_release_is_not_known_completely(self) -> None:
        unknown = [{"plan": "app_server", "why": "applied by an older release"}]
        looked = answer_of(Result("app1", 0, answer(unknown=unknown), ""))

        assert looked.look.outcome == "unknown"
        assert looked.look.unrecorded == ("app_server",)
        assert "app_server: applied by an older release" in looked.look.detail

    @pytest.mark.parametrize("status", [126, 127])
    def test_a_missing_applier_is_drift_of_the_ready_plan(self, status: int) -> None:
        looked = answer_of(Result("app1", status, "", "bash: ...: No such file or directory"))

        (drift,) = looked.drift
        assert (drift.plan, drift.kind, drift.subject) == (READY, "applier", APPLIER)
        assert drift.found == "missing"
        assert looked.look.outcome == "unknown"

    @pytest.mark.parametrize(
        "last",
        [
            "json.decoder.JSONDecodeError: Expecting value: line 1 column 1 (char 0)",
            "ModuleNotFoundError: No module named 'applier_0123'",
        ],
    )
    def test_an_old_or_damaged_applier_too(self, last: str) -> None:
        looked = answer_of(Result("app1", 1, "", f"Traceback (most recent call last):\n{last}\n"))

        assert looked.drift[0].plan == READY
        assert last in looked.drift[0].found

    @pytest.mark.parametrize(
        ("result", "said"),
        [
            (Result("app1", 1, "", "cannot look: something is being applied"), "being applied"),
            (Result("app1", -1, "", ""), "status -1"),
            (Result("app1", 0, "hello", ""), "something else"),
            (Result("app1", 0, json.dumps({"version": 2}), ""), "something else"),
            (Result("app1", 0, answer(plans=()), ""), "nothing was applied"),
        ],
    )
    def test_everything_else_is_unknown_with_a_reason(self, result: Result, said: str) -> None:
        looked = answer_of(result)

        assert looked.look.outcome == "unknown"
        assert said in looked.look.detail
        assert looked.drift == ()


class TestLooking:
    """All machines at once, each with an end."""

    def test_the_expected_services_are_asked_for(self) -> None:
        machines = FakeMachines()
        asyncio.run(look_at(scene_of(machines), {"lb1": ["baseline", "it's"]}))

        assert machines.asked == {"lb1": f"{APPLIER} --verify baseline 'it'\"'\"'s'"}

    def test_without_any_every_machine_of_the_lab_is_asked_for_all_it_knows(self) -> None:
        machines = FakeMachines()
        asyncio.run(look_at(scene_of(machines), {}))

        assert machines.asked == dict.fromkeys(("app1", "lb1", "lb2"), f"{APPLIER} --verify")

    def test_a_machine_that_is_off_is_not_waited_for(self, monkeypatch: Patch) -> None:
        monkeypatch.setattr(drift_module, "PATIENCE_S", 0.05)
        monkeypatch.setattr(drift_module, "LOOK_TIMEOUT_S", 60)
        machines = FakeMachines({"lb1": None})
        looked = asyncio.run(look_at(scene_of(machines, FakeControl(off=("lb1",))), {"lb1": ()}))

        assert machines.waited_for == []
        assert looked[0].look == MachineLook(
            machine="lb1", outcome="fail", detail="is off", answers=False
        )

    def test_power_that_is_only_guessed_over_ssh_is_not_asked(self) -> None:
        machines = FakeMachines({"lb1": LabError("lb1 did not answer")})
        control = FakeControl("existing", off=("lb1",))
        looked = asyncio.run(look_at(scene_of(machines, control), {"lb1": ()}))

        assert looked[0].look.outcome == "unknown"

    def test_a_machine_that_does_not_answer_is_unknown_and_named_once(self) -> None:
        error = LabError("lb1 did not answer over SSH within 10 s (TimeoutError)")
        (looked,) = asyncio.run(look_at(scene_of(FakeMachines({"lb1": error})), {"lb1": ()}))

        assert looked.look.outcome == "unknown"
        assert not looked.look.answers
        assert looked.look.detail == "did not answer over SSH within 10 s (TimeoutError)"

    def test_one_that_refuses_because_it_is_off_is_off(self) -> None:
        machines = FakeMachines({"lb1": LabError("lb1 did not answer: no route to host")})
        looked = asyncio.run(look_at(scene_of(machines, FakeControl(off=("lb1",))), {"lb1": ()}))

        assert looked[0].look.detail == "is off"

    def test_one_that_answers_is_not_asked_for_its_power(self) -> None:
        control = FakeControl(hangs=True)
        looked = asyncio.run(look_at(scene_of(FakeMachines(), control), {}))

        assert {one.look.outcome for one in looked} == {"pass"}

    def test_a_power_switch_that_hangs_ends_too(self, monkeypatch: Patch) -> None:
        monkeypatch.setattr(drift_module, "POWER_TIMEOUT_S", 0.05)
        monkeypatch.setattr(drift_module, "PATIENCE_S", 0.01)
        monkeypatch.setattr(drift_module, "LOOK_TIMEOUT_S", 0.1)
        machines = FakeMachines({"lb1": None})
        (looked,) = asyncio.run(look_at(scene_of(machines, FakeControl(hangs=True)), {"lb1": ()}))

        assert looked.look.outcome == "unknown"
        assert looked.look.detail == "did not answer over SSH within 0.1 s"


class TestCheck:
    """The whole."""

    def test_a_healthy_lab_passes(self) -> None:
        report = checked(scene_of(FakeMachines()), audit("owner", right))

        assert (report.outcome, report.exit_status) == ("pass", 0)
        assert [(a.audit, a.title, a.outcome, a.detail) for a in report.audits] == [
            ("owner", "the owner title", "pass", "all of them")
        ]
        assert [look.machine for look in report.machines] == ["app1", "lb1", "lb2"]

    def test_an_audit_that_fails_fails_the_lab_whatever_is_unknown(self) -> None:
        report = checked(scene_of(FakeMachines()), audit("a", wrong), audit("b", blind))

        assert (report.outcome, report.exit_status) == ("fail", 1)
        assert report.audits[1].outcome == "unknown"
        assert report.audits[1].detail == "lb1 did not answer"

    def test_drift_fails_the_lab(self) -> None:
        machines = FakeMachines({"lb2": Result("lb2", 0, answer(FINDING), "")})
        report = checked(scene_of(machines), audit("owner", right))

        assert (report.outcome, report.exit_status) == ("fail", 1)
        assert [(d.machine, d.subject) for d in report.drift] == [("lb2", FINDING["subject"])]

    def test_what_could_not_be_looked_at_is_unknown(self) -> None:
        machines = FakeMachines({"app1": LabError("app1 did not answer")})
        report = checked(scene_of(machines), audit("owner", right))

        assert (report.outcome, report.exit_status) == ("unknown", 3)

    def test_an_audit_that_hangs_is_unknown_and_the_others_are_seen(
        self, monkeypatch: Patch
    ) -> None:
        monkeypatch.setattr(check_module, "AUDIT_TIMEOUT_S", 0.05)
        report = checked(scene_of(FakeMachines()), audit("slow", hanging), audit("quick", right))

        assert [a.outcome for a in report.audits] == ["unknown", "pass"]
        assert report.audits[0].detail == "no answer within 0.05 s"

    def test_the_longest_check_is_shorter_than_fifteen_seconds(self) -> None:
        assert drift_module.POWER_TIMEOUT_S + drift_module.LOOK_TIMEOUT_S < 15
        assert check_module.AUDIT_TIMEOUT_S < 15

    def test_drift_can_be_left_out(self) -> None:
        machines = FakeMachines({"lb2": Result("lb2", 0, answer(FINDING), "")})
        report = checked(scene_of(machines), audit("owner", right), with_drift=False)

        assert (report.outcome, report.machines, machines.asked) == ("pass", (), {})

    def test_a_check_of_nothing_is_unknown(self) -> None:
        assert checked(scene_of(FakeMachines()), with_drift=False).outcome == "unknown"
