"""The database part: both engines on two fresh machines, failed over by the cluster ten times in
each way, with the timers `fast` and with the ordinary defaults (`course`) in one run; and what it
costs that writes wait for a replica."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from bench.drills import Verdicts, add_outages, lost_writes, run_drills
from bench.errors import BenchError
from bench.first_up import first_up
from bench.report import Report
from lab.rig_stack import rig_up
from tests.support.own_rig import own_rig
from tests.support.rig_failover import RigFailover

STACK = "test-bench-db"
ENGINES = ("postgresql", "mariadb")
WANTED_S = {"primary-killed": 6.0, "primary-power-off": 10.0, "switchover": 3.0}
"""By fault: the longest outage of ten with `fast` that is good enough, 95th percentile."""
RUNS = {"fast": 10, "course": 3}
"""With a monitor every 30 s a run of `course` takes a minute."""
UP_WITHIN_S = 40.0
OF_DATABASES = tuple(f"{engine}-" for engine in ENGINES)
"""Begin of the names of the databases' resources."""
CLIENTS, SECONDS, STATEMENTS = 8, 10, 4000


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """Clients that write on the primary as fast as they can, with the engine's own tool."""

    script: str
    answer: str
    """Finds the number in what it prints."""
    is_seconds: bool
    """The number is seconds for all statements, not transactions per second."""

    def rate(self, text: str) -> float:
        """Transactions per second. Raises BenchError. Pure."""
        found = re.search(self.answer, text)
        if found is None or not float(found[1]):
            msg = f"expected {self.answer!r} in what the load printed, found:\n{text[-1000:]}"
            raise BenchError(msg)
        number = float(found[1])
        return STATEMENTS / number if self.is_seconds else number


LOADS = {
    "postgresql": Load(
        script=f"""cd / && runuser -u postgres -- bash -c '
            createdb bench && trap "dropdb bench" EXIT
            pgbench --initialize --quiet --scale 5 bench &&
            pgbench --client {CLIENTS} --jobs 2 --time {SECONDS} --no-vacuum bench' 2>&1""",
        answer=r"tps = ([0-9.]+)",
        is_seconds=False,
    ),
    "mariadb": Load(
        script=f"""mariadb-slap --concurrency={CLIENTS} --number-of-queries={STATEMENTS} \
            --auto-generate-sql --auto-generate-sql-load-type=write \
            --auto-generate-sql-add-autoincrement --engine=innodb 2>&1""",
        answer=r"Average number of seconds to run all queries: ([0-9.]+)",
        is_seconds=True,
    ),
}


def measure(home: Path, say: Callable[[str], None]) -> Report:
    """The databases' set-up, write throughput and failover. The rig is removed at the end."""
    report = Report(part="databases: two machines and a third vote on one rig")
    with own_rig(STACK, home):
        rig_up(STACK, _settings())
        lab = RigFailover(STACK, home)
        say("the first up")
        first_up(
            report,
            lab,
            whole="all services of six machines",
            tier="both engines and their replication",
            names=OF_DATABASES,
            target_s=UP_WITHIN_S,
        )
        _throughput(report, lab, say)
        for timers, runs in RUNS.items():
            lab.change("timers", timers)
            lab.up().ok()
            for engine in ENGINES:
                faults = [f"{engine}-{way}" for way in WANTED_S]
                say(f"{timers} timers: {runs} runs each of {', '.join(faults)}")
                lab.await_certified(engine)
                found = run_drills(lab, faults, runs=runs, folder=home / timers / engine)
                _figures(report, timers, engine, found)
    return report


def _settings() -> dict[str, object]:
    return {
        "topology": "full",
        "timers": "fast",
        "machines": {"counts": {"loadBalancer": 2, "app": 1, "database": 2, "storage": 1}},
        "cluster": {"enabled": True},
        "database": _databases(synchronous=True),
    }


def _databases(*, synchronous: bool) -> Mapping[str, object]:
    return {engine: {"enabled": True, "synchronous": synchronous} for engine in ENGINES}


def _throughput(report: Report, lab: RigFailover, say: Callable[[str], None]) -> None:
    """Transactions per second where writes wait for the replica, beside those where they do not."""
    rates: dict[bool, dict[str, float]] = {}
    for synchronous in (False, True):
        say(f"{CLIENTS} clients write, synchronous: {'on' if synchronous else 'off'}")
        lab.change("database", _databases(synchronous=synchronous))
        lab.up().ok()
        for engine in ENGINES:
            lab.await_certified(engine) if synchronous else lab.await_whole_databases(engine)
        rates[synchronous] = {engine: _rate(lab, engine) for engine in ENGINES}
    for engine in ENGINES:
        alone, waiting = rates[False][engine], rates[True][engine]
        name = f"{engine}: throughput of writes that wait for the replica"
        report.measure(name, waiting / alone, "of that where they do not")
        report.notes.append(f"{engine}: {alone:.0f} and {waiting:.0f} transactions per second")


def _rate(lab: RigFailover, engine: str) -> float:
    load = LOADS[engine]
    return load.rate(lab.run(lab.primary(engine), "bash", "-c", load.script, timeout_s=120))


def _figures(report: Report, timers: str, engine: str, verdicts: Verdicts) -> None:
    for way, target_s in WANTED_S.items():
        of_way = [verdict for verdict in verdicts if verdict["fault"] == f"{engine}-{way}"]
        name = f"{timers}: {engine}, {way.replace('-', ' ')}, to the first write"
        wanted_s = target_s if timers == "fast" else None
        if add_outages(report, name, of_way, _probe(engine), runs=RUNS[timers], target_s=wanted_s):
            predicted = of_way[0]["predicted"]
            report.notes.append(f"{name}: predicted at most {predicted['seconds']:g} s")
    report.notes.append(f"{timers}: {engine}: {lost_writes(verdicts, _probe(engine))}")


def _probe(engine: str) -> str:
    return f"{engine}-write"
