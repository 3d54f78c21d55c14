"""The rig part: ten namespaced machines, the lab on them, and the same by ansible-core."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from bench import playbook
from bench.ansible import Ansible
from bench.clock import Timed, timed
from bench.events import EventLog, commands, spans
from bench.report import Report
from components.app_server.from_settings import app_server_args
from components.app_server.render import app_server_plan
from components.baseline.plan import baseline_plan
from components.files import ServicePlan
from components.firewall_rules import machine_rules, sources
from components.load_balancer.component import certificate_plan
from components.load_balancer.engine import ENGINES, load_balancer_plan
from components.load_balancer.from_settings import load_balancer_args
from components.proof import proof_plan
from components.topology import Role
from images.spec import tree_spec
from images.tree import build_tree
from lab.secrets import self_signed_certificate
from lab.stack_file import ROOT, load_stack
from rig import lifecycle
from rig.model import RELEASE
from tests.support.lab import LabUnderTest
from tests.support.own_rig import own_rig
from tests.support.rig_lab import RigLab

STACK = "test-bench-rig"
SIXTY = Path(__file__).parent / "sixty"
AGAIN = 3
"""Samples of what changes nothing."""
FLOOR = 3 / 1.4
"""The target of a no-change `up`, by what Pulumi itself took for sixty trivial commands on the
machine where that target was set: on a slower machine the ratio tells what the seconds cannot."""

Plans = dict[str, list[ServicePlan]]
"""By machine: the plans of all its services."""


def measure(home: Path, say: Callable[[str], None]) -> Report:
    """All figures of the rig. `home` is an empty directory; the rig is removed at the end."""
    report = Report(part="rig: ten machines, LB pair and three app servers")
    say("root tree (built once, cached)")
    build_tree(tree_spec(RELEASE, "golden"))
    with own_rig(STACK, home):
        _make_machines(report, home, say)
    return report


def _make_machines(report: Report, home: Path, say: Callable[[str], None]) -> None:
    """Twice from nothing: ansible and the program each begin on machines without configuration."""
    say("ten machines")
    first = _rig_up(home).seconds
    lab = RigLab(STACK, home)
    ansible = Ansible(home=home / "ansible", prefix=("ip", "netns", "exec", str(lab.namespace)))
    ansible.home.mkdir(mode=0o700)
    say("ansible-core: installing it (not measured)")
    ansible.install()
    ansible.meet(lab.hosts(), lab.rig_home / "administrator")
    _ansible_lab(report, ansible, say)
    lifecycle.down(STACK)
    say("ten machines, again from nothing")
    report.add("ten machines answer SSH", first, _rig_up(home).seconds, target_s=10)
    ansible.meet(lab.hosts(), lab.rig_home / "administrator")
    _program(report, lab, say)
    _sixty(report, lab, ansible, say)
    ansible.hang_up()
    _compare(report)


def _rig_up(home: Path) -> Timed:
    lab = LabUnderTest(STACK, home)
    argv = [sys.executable, "-m", "lab", "rig", "up", "--name", STACK]
    return timed(argv, cwd=ROOT, environment=lab.environment)


def _program(report: Report, lab: RigLab, say: Callable[[str], None]) -> None:
    def run(*words: str, log: EventLog | None = None) -> Timed:
        extra = log.environment if log else {}
        return timed(lab.argv(*words), cwd=ROOT, environment={**lab.environment, **extra})

    say("the program: set-up, first up, no-change up, preview")
    report.add("secrets of a new stack (once)", run("setup", STACK).seconds)
    with EventLog(lab.state / "events") as log:
        first = run("up", STACK, log=log)
    report.add("first up", first.seconds, target_s=20)
    done = spans(log.lines)
    report.details["first up, remote commands (they overlap)"] = commands(done)
    report.details["first up, phases"] = {
        "before the first resource (Python, engine, plugins)": done[0].begin_s - first.begin_s,
        "first to last resource": max(s.end_s for s in done) - done[0].begin_s,
        "after the last resource (engine, outputs)": first.end_s - max(s.end_s for s in done),
    }
    again = [run("up", STACK).seconds for _ in range(AGAIN)]
    report.add("no-change up", *again, target_s=3)
    clean = ("preview", STACK, "--expect-no-changes")
    report.add("preview", *(run(*clean).seconds for _ in range(AGAIN)), target_s=3)


def _ansible_lab(report: Report, ansible: Ansible, say: Callable[[str], None]) -> None:
    plays, plans = lab_playbook()
    ansible.write_files(plans)
    say("ansible-core: the same configuration, first run")
    report.add("ansible: same configuration, first run", ansible.play(plays).seconds)
    say("ansible-core: the same configuration, nothing to change")
    again = [ansible.play(plays).seconds for _ in range(2)]
    report.add("ansible: same configuration, no change", *again)
    ansible.hang_up()


def lab_playbook() -> tuple[list[playbook.Play], Plans]:
    """The stack's service plans as plays, and by machine all its plans."""
    settings, topology = load_stack(STACK)
    args = load_balancer_args(settings, topology)
    unit = ENGINES[args.engine].unit_name
    pem = certificate_plan(str(args.tls and args.tls.certificate_path), _pem(), unit)
    baseline = {
        m.name: baseline_plan(
            m,
            topology,
            user=settings.machines.user,
            rules=machine_rules(m, settings, topology),
            sources=sources(topology),
            firewall=settings.machines.firewall,
        )
        for m in topology.machines
    }
    apps = {
        m.name: app_server_plan(app_server_args(settings, m)) for m in topology.with_role(Role.APP)
    }
    pair = {
        m.name: load_balancer_plan(args, args.peer(m.name))
        for m in topology.with_role(Role.LOAD_BALANCER)
    }
    certificates = dict.fromkeys(pair, pem)
    proof = {next(iter(pair)): proof_plan(settings, topology)}
    plays = [
        playbook.play("baseline", [baseline]),
        playbook.play("app servers", [apps]),
        playbook.play("load balancers", [certificates, pair], serial=1),
        playbook.play("proof", [proof]),
    ]
    every: Plans = {}
    for plans in (baseline, apps, certificates, pair):
        for name, plan in plans.items():
            every.setdefault(name, []).append(plan)
    return plays, every


def _pem() -> str:
    return self_signed_certificate(load_stack(STACK)[1])


def _sixty(report: Report, lab: RigLab, ansible: Ansible, say: Callable[[str], None]) -> None:
    """Six trivial things on each of ten machines: what the way to the machines costs."""
    say("sixty trivial tasks: Pulumi, then ansible-core")
    # A copy: making a stack writes a file beside its program.
    program = shutil.copytree(SIXTY, lab.state / "sixty")
    hosts = lab.state / "hosts.json"
    hosts.write_text(json.dumps(lab.hosts()))
    environment = {
        **lab.environment,
        "BENCH_HOSTS": str(hosts),
        "BENCH_KEY": str(lab.rig_home / "administrator"),
    }

    def pulumi(*words: str) -> float:
        argv = [*ansible.prefix, "pulumi", *words, "--non-interactive", "--stack", "test-sixty"]
        return timed(argv, cwd=program, environment=environment).seconds

    pulumi("stack", "init")
    up = ("up", "--yes", "--skip-preview")
    report.add("sixty trivial tasks, first", pulumi(*up))
    report.add("sixty trivial tasks, no change", *(pulumi(*up) for _ in range(AGAIN)))
    pulumi("destroy", "--yes", "--skip-preview")
    plays = playbook.trivial(6)
    report.add("ansible: sixty trivial tasks, first", ansible.play(plays).seconds)
    report.add(
        "ansible: sixty trivial tasks, no change", *(ansible.play(plays).seconds for _ in range(2))
    )


def _compare(report: Report) -> None:
    first, again = 0.5, 0.25
    report.compare(
        "the lab, first run", "first up", "ansible: same configuration, first run", target=first
    )
    report.compare(
        "the lab, no change",
        "no-change up",
        "ansible: same configuration, no change",
        target=again,
    )
    for ours in ("no-change up", "preview"):
        floor = "sixty trivial tasks, no change"
        report.compare(f"{ours}, beside Pulumi's floor", ours, floor, target=FLOOR)
    for what, target in (("first", first), ("no change", again)):
        name = f"sixty trivial tasks, {what}"
        report.compare(name, name, f"ansible: {name}", target=target)
    report.notes.append(
        "A no-change `up` compares with the state and asks no machine; ansible asks every machine "
        "every time. What changed on a machine behind Pulumi's back is not seen by it."
    )
