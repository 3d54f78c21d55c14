"""The drill on the deployed lab: every fault once, no fault, forced failures, interrupts."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from lab.drill.events import PhaseEvent
from lab.drill.history import read_history
from lab.drill.journal import Journal
from lab.drill.tiers import app_server, load_balancer
from lab.stack_file import ROOT
from tests.support.rig_lab import RigLab
from tests.support.waiting import DRILL_S, WHOLE_S, deadline_s, wait_until

FAULTS = [
    fault.name
    for tier in (load_balancer, app_server)
    for fault in tier.TIER.faults
    # The other engine's, which test_lb_nginx kills and stops.
    if not fault.name.startswith("nginx-")
]
WITHOUT_FAILURES = ("vip-owner-stop", "config-reload", "app-server-killed", "app-server-unhealthy")
"""Faults that cost no idempotent request."""
Verdicts = dict[str, Any]


@pytest.fixture(scope="module")
def drilled(lab: RigLab, tmp_path_factory: pytest.TempPathFactory) -> tuple[Verdicts, Path]:
    """Verdicts of `--all` by fault, and the folder that was written."""
    lab.await_whole()
    folder = tmp_path_factory.mktemp("drill") / "all"
    done = lab.lab("drill", lab.stack, "--all", "--seed", "7", "--report", str(folder))
    verdicts = json.loads((folder / "report.json").read_text())["verdicts"]
    assert "Traceback" not in done.text
    lab.await_whole()
    return {verdict["fault"]: verdict for verdict in verdicts}, folder


@pytest.mark.parametrize("fault", FAULTS)
def test_every_fault_is_survived_within_its_prediction(
    drilled: tuple[Verdicts, Path], fault: str
) -> None:
    verdict = drilled[0][fault]
    assert verdict["outcome"] == "pass", json.dumps(verdict["sentences"], indent=1)
    assert verdict["total"] > 100
    assert verdict["outage_s"] is not None
    if fault in WITHOUT_FAILURES:
        assert verdict["clients"]["http"]["failed_after"] == 0


def test_the_vip_moves_when_its_owner_is_lost(drilled: tuple[Verdicts, Path]) -> None:
    for fault in ("vip-owner-power-off", "vip-owner-cut", "vip-owner-freeze", "vip-owner-stop"):
        verdict = drilled[0][fault]
        assert verdict["victims"] == verdict["vip"]["owner_before"], fault
        # A machine that stalled may take it back afterwards, so what it is at the end says nothing.
        assert verdict["vip"]["new_owner"] not in (None, *verdict["victims"]), fault


def test_histories_and_reports_are_left_behind(drilled: tuple[Verdicts, Path]) -> None:
    verdicts, folder = drilled
    assert len(list(folder.glob("*.jsonl"))) == len(verdicts)
    html = (folder / "report.html").read_text()
    assert html.startswith(("<!doctype html>", "<!DOCTYPE html>"))
    assert "http://" not in html.replace("http://www.w3.org", ""), "the page needs no network"
    assert "vip-owner-power-off" in (folder / "report.md").read_text()


def test_a_replayed_history_gives_the_same_verdict(
    lab: RigLab, drilled: tuple[Verdicts, Path], tmp_path: Path
) -> None:
    verdicts, folder = drilled
    history = next(folder.glob("*vip-owner-power-off*.jsonl"))
    lab.lab("drill", "--replay", str(history), "--report", str(tmp_path)).ok()
    (again,) = json.loads((tmp_path / "report.json").read_text())["verdicts"]
    assert again == verdicts["vip-owner-power-off"]


def report_of(folder: Path) -> dict[str, Any]:
    (verdict,) = json.loads((folder / "report.json").read_text())["verdicts"]
    loaded: dict[str, Any] = verdict
    return loaded


def test_without_a_fault_nothing_fails(whole: RigLab, tmp_path: Path) -> None:
    whole.lab("drill", whole.stack, "--fault", "none", "--report", str(tmp_path)).ok()
    verdict = report_of(tmp_path)
    assert (verdict["outcome"], verdict["failed"], verdict["outage_s"]) == ("pass", 0, 0.0)


@contextmanager
def running(lab: RigLab, folder: Path, *words: str) -> Iterator[subprocess.Popen[str]]:
    """A drill in the background; it is ended with the block, whatever happened."""
    argv = lab.argv("drill", lab.stack, "--report", str(folder), *words)
    process = subprocess.Popen(
        argv, cwd=ROOT, env=lab.env, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        ended(process)


def ended(process: subprocess.Popen[str]) -> str:
    """What it has said; waits until it has ended."""
    text, _ = process.communicate(timeout=deadline_s(DRILL_S))
    return text


def await_step(folder: Path, step: str) -> None:
    """Wait until the history of the one drill in this folder has the step."""

    def steps() -> list[str]:
        histories = list(folder.glob("*.jsonl"))
        events = read_history(histories[0]) if histories else []
        return [event.step for event in events if isinstance(event, PhaseEvent)]

    wait_until(f"the step {step}", lambda: step in steps(), usual_s=WHOLE_S)


def test_two_owners_are_found(whole: RigLab, tmp_path: Path) -> None:
    """The negative control: the VIP is given by hand to the machine that does not own it."""
    other = whole.other(whole.owner())
    address = f"{whole.topology.vip}/32"
    with running(whole, tmp_path, "--fault", "none") as process:
        await_step(tmp_path, "steady")
        whole.run(other, "ip", "addr", "add", address, "dev", "eth0")
        try:
            ended(process)
        finally:
            whole.try_run(other, "ip", "addr", "del", address, "dev", "eth0")
    verdict = report_of(tmp_path)
    assert verdict["outcome"] == "fail"
    assert "two-owners" in {sentence["code"] for sentence in verdict["sentences"]}
    assert process.returncode == 1


def children(pid: int) -> list[int]:
    """The processes that this one has started."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_text()
            except OSError:
                continue
            if int(stat.rpartition(")")[2].split()[1]) == pid:
                found.append(int(entry.name))
    return found


def test_a_killed_prober_gives_no_data_and_never_zero(whole: RigLab, tmp_path: Path) -> None:
    with running(whole, tmp_path, "--fault", "vip-owner-stop") as process:
        await_step(tmp_path, "injected")
        probers = [
            pid
            for pid in children(process.pid)
            if b"lab.drill.probes" in Path(f"/proc/{pid}/cmdline").read_bytes()
        ]
        assert probers
        for pid in probers:
            os.kill(pid, signal.SIGKILL)
        ended(process)
    verdict = report_of(tmp_path)
    assert verdict["outcome"] == "unknown"
    assert "http" in verdict["no_data"]
    assert verdict["clients"]["http"]["outage_s"] != 0.0
    assert process.returncode == 3


@pytest.mark.parametrize("step", ["steady", "inject", "injected", "undo"])
def test_an_interrupt_at_any_step_leaves_the_lab_whole(
    whole: RigLab, tmp_path: Path, step: str
) -> None:
    with running(whole, tmp_path, "--fault", "vip-owner-power-off") as process:
        await_step(tmp_path, step)
        process.send_signal(signal.SIGINT)
        text = ended(process)
    assert process.returncode == 130, text
    assert "Traceback" not in text
    assert Journal(whole.stack).in_place() is None
    assert {whole.power(machine) for machine in ("lb1", "lb2")} == {"on"}
    whole.await_whole()


def test_a_drill_that_was_killed_is_undone_by_the_next_command(
    whole: RigLab, tmp_path: Path
) -> None:
    with running(whole, tmp_path, "--fault", "vip-owner-power-off") as process:
        await_step(tmp_path, "injected")
        process.kill()
        ended(process)
    refused = whole.lab("drill", whole.stack, "--fault", "none")
    assert refused.status == 2
    assert "--undo" in refused.text
    whole.lab("drill", whole.stack, "--undo").ok()
    assert {whole.power(machine) for machine in ("lb1", "lb2")} == {"on"}
    assert Journal(whole.stack).in_place() is None


def test_a_dry_run_names_the_machine_and_touches_nothing(whole: RigLab) -> None:
    owner = whole.owner()
    text = whole.lab("drill", whole.stack, "--fault", "vip-owner-power-off", "--dry-run").ok().text
    assert owner in text
    assert whole.power(owner) == "on"


def test_a_stack_that_is_not_marked_is_refused(whole: RigLab) -> None:
    whole.change("drill", {"allowed": False})
    try:
        whole.up().ok()
        done = whole.lab("drill", whole.stack, "--all")
        assert done.status == 2
        assert "allowed: true" in done.text
    finally:
        whole.change("drill", {"allowed": True})
        whole.up().ok()


def test_an_unknown_fault_is_answered_with_the_nearest(whole: RigLab) -> None:
    done = whole.lab("drill", whole.stack, "--fault", "vip-owner-poweroff")
    assert done.status == 2
    assert "vip-owner-power-off" in done.text
