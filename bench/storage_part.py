"""The storage part: three fresh servers become a volume, lose a server ten times, with the timers
`fast` and with Gluster's own ping timeout (that of `course`) in one run; and what a mount costs."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Mapping
from pathlib import Path

from bench.drills import Verdicts, add_outages, lost_writes, run_drills
from bench.first_up import first_up
from bench.report import Report
from lab.rig_stack import rig_up
from tests.support.own_rig import own_rig
from tests.support.rig_lab import RigLab

STACK = "test-bench-sto"
SETTINGS: dict[str, object] = {
    "topology": "full",
    "timers": "fast",
    "machines": {"counts": {"loadBalancer": 1, "app": 2, "database": 0, "storage": 3}},
    "storage": {"enabled": True, "allowRootFileSystem": True},
}
FAULT = "storage-server-power-off"
PROBE = "file"
RUNS = {"fast": 10, "course": 3}
"""With 42 s of waiting a run of `course` takes two minutes, and they hardly differ."""
WANTED_S = {"fast": 10.0}
"""The longest stall of ten that is good enough, 95th percentile."""
UP_WITHIN_S = 20.0
OF_STORAGE = ("storage-",)
"""Begin of the names of the storage's resources."""
CLIENT = "app1"
PLACES = {"mount": "/mnt/gluster", "local": "/srv"}
FILES, MIB = 200, 64
WORK = """
import json, os, shutil, sys, tempfile, time
files, mib = int(sys.argv[2]), int(sys.argv[3])
folder = tempfile.mkdtemp(dir=sys.argv[1])
took = {}
def measure(what, work):
    begin = time.monotonic()
    work()
    took[what] = time.monotonic() - begin
def small():
    for number in range(files):
        with open(f"{folder}/{number}", "wb") as file:
            file.write(b"x" * 4096)
def read_small():
    for number in range(files):
        with open(f"{folder}/{number}", "rb") as file:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
            file.read()
def stream():
    with open(f"{folder}/stream", "wb") as file:
        for _ in range(mib):
            file.write(b"x" * 2**20)
        os.fsync(file.fileno())
def read_stream():
    with open(f"{folder}/stream", "rb") as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        while file.read(2**20):
            pass
measure(f"{files} files of 4 KiB written", small)
measure(f"{files} files of 4 KiB read", read_small)
measure(f"{mib} MiB written to one file, fsync", stream)
measure(f"{mib} MiB read of one file", read_stream)
shutil.rmtree(folder)
print(json.dumps(took))
"""
"""The same work in any directory; seconds as JSON."""


def measure(home: Path, say: Callable[[str], None]) -> Report:
    """The volume's set-up, its speed, and its stalls. The rig is removed at the end."""
    report = Report(part="storage: three servers, two clients on one rig")
    with own_rig(STACK, home):
        rig_up(STACK, SETTINGS)
        lab = RigLab(STACK, home)
        say("the first up")
        first_up(
            report,
            lab,
            whole="all services of six machines",
            tier="the volume and its mounts",
            names=OF_STORAGE,
            target_s=UP_WITHIN_S,
        )
        say(f"the mount beside the local disk of {CLIENT}")
        _throughput(report, {name: _work(lab, place) for name, place in PLACES.items()})
        for timers, runs in RUNS.items():
            say(f"{timers} timers: {runs} runs of {FAULT}")
            lab.change("timers", timers)
            lab.up().ok()
            found = run_drills(lab, [FAULT], runs=runs, folder=home / timers)
            _figures(report, timers, found)
    return report


def _work(lab: RigLab, place: str) -> Mapping[str, float]:
    script = f"python3 -c {shlex.quote(WORK)} {place} {FILES} {MIB}"
    lab.shell(CLIENT, script)  # once before: what is loaded and cached is so for both
    took: dict[str, float] = json.loads(lab.shell(CLIENT, script))
    return took


def _throughput(report: Report, took: Mapping[str, Mapping[str, float]]) -> None:
    """How many times as long the mount takes, where every copy is on the same disk. Pure."""
    for what, seconds in took["mount"].items():
        ratio = seconds / max(took["local"][what], 1e-6)
        report.measure(what, ratio, "times as long as on the local disk")
    for place, seconds_of in took.items():
        report.details[f"throughput: {place}"] = seconds_of


def _figures(report: Report, timers: str, verdicts: Verdicts) -> None:
    name = f"{timers}: a server loses power, writes stall"
    target_s = WANTED_S.get(timers)
    if not add_outages(report, name, verdicts, PROBE, runs=RUNS[timers], target_s=target_s):
        return
    predicted = verdicts[0]["predicted"]
    report.notes.append(
        f"{timers}: predicted at most {predicted['seconds']:g} s ({predicted['formula']}); "
        f"{lost_writes(verdicts, PROBE)}"
    )
