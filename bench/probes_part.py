"""The probes part: what looking costs, and how good its times are.

Costs are taken while all probes of the load balancers watch a lab of the rig, as in a drill: CPU
time of each prober and of the drill itself, which forwards and writes what they see. Times are held
against a server on loopback that notes when each connection came.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import IO, cast

from bench.report import Report
from lab.drill.events import AnyEvent, Request
from lab.drill.history import HistoryWriter
from lab.drill.judge.numbers import rank
from lab.drill.model import Probe
from lab.drill.opening import open_scene
from lab.drill.probes.address import AddressProbe
from lab.drill.probes.arp import ArpProbe
from lab.drill.probes.http import HttpProbe, SessionProbe
from lab.drill.scene import Scene
from lab.rig_stack import rig_up
from lab.stack_file import ROOT
from tests.support.own_rig import own_rig
from tests.support.rig_lab import RigLab

STACK = "test-bench-look"
COUNTS = {"loadBalancer": 2, "app": 3, "database": 0, "storage": 0}
WARM_S, LOOK_S = 3.0, 20.0
CORE = "% of a core"
MOST_PERCENT = 10.0
MOST_WRONG_MS = 1.0
TICKS = os.sysconf("SC_CLK_TCK")


def measure(home: Path, say: Callable[[str], None]) -> Report:
    """Costs and accuracy of the probes. The rig is removed at the end."""
    report = Report(part="probes: cost and accuracy")
    with own_rig(STACK, home):
        rig_up(STACK, {"topology": "full", "timers": "fast", "machines": {"counts": COUNTS}})
        lab = RigLab(STACK, home)
        say("a lab to look at")
        lab.up().ok()
        lab.await_whole()
        # What the command line reads from its environment; this process ends with the bench.
        os.environ.update(lab.environment)
        asyncio.run(_watch(report, home, say))
    return report


async def _watch(report: Report, home: Path, say: Callable[[str], None]) -> None:
    async with open_scene(STACK) as scene:
        say(f"all probes of the load balancers at once, for {LOOK_S:g} s")
        await _costs(report, scene, HistoryWriter(home / "history.jsonl"))
        say(f"times against a server's own, for {LOOK_S:g} s")
        await _accuracy(report, replace(scene, namespace=None))


async def _costs(report: Report, scene: Scene, writer: HistoryWriter) -> None:
    probes = (HttpProbe(), SessionProbe(), ArpProbe(), AddressProbe())
    stop = asyncio.Event()
    watching = [asyncio.create_task(p.run(scene, writer.append, stop)) for p in probes]
    await asyncio.sleep(WARM_S)
    begin, before, own = time.monotonic(), _probers(), time.process_time()
    seen = len(writer.events)
    await asyncio.sleep(LOOK_S)
    seconds = time.monotonic() - begin
    for kind, used in _probers().items():
        name = f"{kind}: its prober, a look each 10 ms"
        report.measure(name, 100 * (used - before[kind]) / seconds, CORE, target=MOST_PERCENT)
    percent = 100 * (time.process_time() - own) / seconds
    rate = (len(writer.events) - seen) / seconds
    report.measure(f"the drill: forwarding and writing {rate:.0f} events/s", percent, CORE)
    stop.set()
    await asyncio.gather(*watching)
    _lateness(report, [e for e in writer.events if isinstance(e, Request)])


def _probers() -> dict[str, float]:
    """CPU seconds that each prober of this process has used, by its kind."""
    used = {}
    for children in Path("/proc/self/task").glob("*/children"):
        for pid in children.read_text().split():
            argv = Path("/proc", pid, "cmdline").read_text().split("\0")
            if "lab.drill.probes.client" in argv:
                fields = Path("/proc", pid, "stat").read_text().rpartition(")")[2].split()
                kind = argv[argv.index("lab.drill.probes.client") + 1]
                used[kind] = (int(fields[11]) + int(fields[12])) / TICKS
    return used


def _lateness(report: Report, requests: Sequence[Request]) -> None:
    times = sorted(request.t for request in requests if request.probe == "http")
    pauses = [1000 * (later - earlier) for earlier, later in pairwise(times)]
    report.measure("fresh: pause between two requests, median", statistics.median(pauses), "ms")
    report.measure("fresh: the same, p99", rank(pauses, 0.99), "ms")
    report.measure("fresh: the same, longest", max(pauses), "ms")
    failed = sum(request.outcome != "ok" for request in requests)
    report.notes.append(f"{len(requests)} requests in all, {failed} of them failed")


async def _accuracy(report: Report, scene: Scene) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "bench.arrivals"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as server:
        try:
            port = await asyncio.to_thread(cast(IO[str], server.stdout).readline)
            requests = await _requests(scene, f"http://127.0.0.1:{port.strip()}/")
        except BaseException:
            server.kill()
            raise
        arrivals = json.loads(server.communicate("")[0])
    begun = sorted(request.t for request in requests)
    wrong = [1000 * (came - t) for t, came in zip(begun, sorted(arrivals), strict=True)]
    times = "time of a request until the server had it"
    report.measure(f"{times}, median", statistics.median(wrong), "ms", target=MOST_WRONG_MS)
    report.measure(f"{times}, p99", rank(wrong, 0.99), "ms", target=MOST_WRONG_MS)
    report.measure(f"{times}, longest", max(wrong), "ms")


async def _requests(scene: Scene, url: str) -> list[Request]:
    events: list[AnyEvent] = []
    probe: Probe = HttpProbe(url=lambda _: url)
    stop = asyncio.Event()
    watching = asyncio.create_task(probe.run(scene, events.append, stop))
    await asyncio.sleep(LOOK_S)
    stop.set()
    await watching
    return [event for event in events if isinstance(event, Request)]
