"""The libvirt part: the compact lab on three virtual machines, and where its time goes."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from bench.clock import Timed, timed
from bench.events import EventLog, Span, commands, spans
from bench.report import Report
from components.settings.load import load_settings
from components.topology import plan
from lab.libvirt_host.daemon import ensure_libvirtd
from lab.libvirt_host.prepare import image_and_acceleration
from lab.stack_file import ROOT
from tests.support.lab import LabUnderTest

STACK = "test-bench-vm"
SETTINGS: Mapping[str, object] = {"topology": "compact", "timers": "relaxed"}
AGAIN = 3
BLAME_LINES = 12


def measure(home: Path, say: Callable[[str], None]) -> Report:
    """All figures of the virtual machines. `home` is an empty directory."""
    report = Report(part="libvirt: three virtual machines, compact")
    say("golden image (built once, cached)")
    image_and_acceleration(load_settings(SETTINGS, stack=STACK), say)
    lab = LabUnderTest(STACK, home)
    lab.forget()
    lab.write(dict(SETTINGS))
    try:
        _measure(report, lab, say)
    finally:
        # Also after a failure in the middle: nothing may stay on the host.
        subprocess.run(_make("down"), cwd=ROOT, env=lab.env, check=False, capture_output=True)
        lab.forget()
    return report


def _make(target: str) -> list[str]:
    return ["make", "--no-print-directory", target, f"STACK={STACK}"]


def _measure(report: Report, lab: LabUnderTest, say: Callable[[str], None]) -> None:
    say("make up")
    up, found = _logged(lab, "up")
    report.add("make up", up.seconds, target_s=300)
    phases = phases_of(up, found)
    report.add("... of which configuration beyond boot", phases[CONFIGURATION], target_s=60)
    report.details["make up, phases one after the other"] = phases
    report.details["make up, remote commands (they overlap)"] = commands(found)
    report.details["make up, libvirt resources"] = libvirt_seconds(found)
    say("no-change make up, make preview")
    for target in ("up", "preview"):
        again = [timed(_make(target), cwd=ROOT, environment=lab.environment) for _ in range(AGAIN)]
        report.add(f"no-change make {target}", *(run.seconds for run in again))
    say("what the machines say of their boot")
    for machine in ("node1", "node3"):
        report.details[f"{machine}: systemd-analyze blame"] = blame(lab, machine)
        report.details[f"{machine}: cloud-init analyze blame"] = cloud_init_blame(lab, machine)
    say("make down")
    down, found = _logged(lab, "down")
    report.add("make down", down.seconds, target_s=15)
    report.details["make down, libvirt resources"] = libvirt_seconds(found)


def _logged(lab: LabUnderTest, target: str) -> tuple[Timed, list[Span]]:
    with EventLog(lab.state / f"events-{target}") as log:
        environment = {**lab.environment, **log.environment}
        run = timed(_make(target), cwd=ROOT, environment=environment)
    return run, spans(log.lines)


CONFIGURATION = "configuration: after the last machine was ready, until the proof"


def phases_of(run: Timed, found: Sequence[Span]) -> dict[str, float]:
    """The wall time of `make up`, cut at the moments that matter. Pure."""
    begin = found[0].begin_s
    made = max(span.end_s for span in found if span.type.startswith("libvirt:index/domain"))
    ready = max(span.end_s for span in found if span.name.endswith("-ready"))
    end = max(span.end_s for span in found)
    return {
        "toolchain, host preparation, secrets, engine start": begin - run.begin_s,
        "machines are made": made - begin,
        "boot and cloud-init, until the last machine is ready": ready - made,
        CONFIGURATION: end - ready,
        "engine's end, outputs": run.end_s - end,
    }


def libvirt_seconds(found: Sequence[Span]) -> dict[str, float]:
    """Seconds of each libvirt resource."""
    return {
        f"{span.name} ({span.type.rpartition(':')[2]})": span.seconds
        for span in found
        if span.type.startswith("libvirt:")
    }


def blame(lab: LabUnderTest, machine: str) -> dict[str, float]:
    """What took longest in the machine's boot, in seconds, as its systemd says."""
    text = _ssh(lab, machine, f"systemd-analyze blame | head -{BLAME_LINES}; systemd-analyze time")
    found = {}
    for line in text.splitlines():
        if match := re.fullmatch(r"\s*((?:\d+min )?[\d.]+m?s) (\S+)", line):
            found[match[2]] = seconds_of(match[1])
        elif match := re.search(r"= (.*s)\s*$", line):
            found["whole boot (kernel and userspace)"] = seconds_of(match[1])
    return found


def cloud_init_blame(lab: LabUnderTest, machine: str) -> dict[str, float]:
    """What took longest within cloud-init, in seconds."""
    text = _ssh(lab, machine, f"cloud-init analyze blame | head -{BLAME_LINES}")
    return {name: float(seconds) for seconds, name in re.findall(r"([\d.]+)s \((.+)\)", text)}


def seconds_of(text: str) -> float:
    """Seconds of systemd's words, for example `1min 2.5s` or `340ms`."""
    units = {"min": 60.0, "ms": 0.001, "s": 1.0}
    parts = re.findall(r"([\d.]+)(min|ms|s)", text)
    return sum(float(number) * units[unit] for number, unit in parts)


def _ssh(lab: LabUnderTest, machine: str, command: str) -> str:
    """Run a command on a machine, with the stack's own key and the pinned host key."""
    host = ensure_libvirtd()
    topology = plan(load_settings(SETTINGS, stack=STACK), stack=STACK)
    outputs = ["pulumi", "stack", "output", "--json", "--show-secrets", "--stack", STACK]
    text = timed(outputs, cwd=ROOT, environment=lab.environment).text
    key = lab.state / "key"
    key.touch(mode=0o600)
    key.write_text(_private_key(text))
    options = ["-i", str(key), "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=no"]
    quiet = ["-o", f"UserKnownHostsFile={lab.state}/known_hosts", "-o", "LogLevel=ERROR"]
    address = str(topology.machine(machine).address)
    argv = [*host.prefix, "ssh", *options, *quiet, f"lab@{address}", command]
    return timed(argv, cwd=ROOT).text


def _private_key(outputs: str) -> str:
    values = json.loads(outputs[outputs.index("{") :])
    return str(values["credentials"]["sshPrivateKey"])
