"""The pure parts of the bench: what is read from event logs, and the playbook it compares with."""

from __future__ import annotations

from types import ModuleType

import pytest

from bench import cluster_part, database_part, drill_part, probes_part, rig_part, storage_part
from bench.clock import Timed
from bench.database_part import LOADS
from bench.drills import Verdicts, add_outages, lost_writes
from bench.errors import BenchError
from bench.events import Line, commands, spans
from bench.libvirt_part import CONFIGURATION, phases_of, seconds_of
from bench.playbook import play
from bench.report import Report
from components.files import RenderedFile, ServicePlan, ServiceUnit
from rig.model import RELEASE
from rig.model import plan as rig_plan

COMMAND = "command:remote:Command"
DOMAIN = "libvirt:index/domain:Domain"


def event(at_s: float, key: str, name: str, *, op: str = "create", kind: str = COMMAND) -> Line:
    metadata = {"urn": f"urn:pulumi:s::ha-lab::{kind}::{name}", "type": kind, "op": op}
    return Line(at_s, {key: {"metadata": metadata}})


def began(at_s: float, name: str, **more: str) -> Line:
    return event(at_s, "resourcePreEvent", name, **more)


def ended(at_s: float, name: str, **more: str) -> Line:
    return event(at_s, "resOutputsEvent", name, **more)


def test_a_resource_takes_from_its_first_event_to_its_outputs() -> None:
    lines = [began(1, "lb-lb1"), Line(2, {"diagnosticEvent": {}}), ended(4.5, "lb-lb1")]
    assert commands(spans(lines)) == {"lb-lb1": 3.5}


def test_unchanged_resources_and_those_that_never_ended_do_not_count() -> None:
    lines = [began(1, "same", op="same"), ended(2, "same", op="same"), began(3, "killed")]
    assert spans(lines) == []


def test_the_wall_time_is_cut_at_machines_ready_and_proof() -> None:
    lines = [
        began(10, "vm", kind=DOMAIN),
        ended(13, "vm", kind=DOMAIN),
        began(13, "node1-ready"),
        ended(60, "node1-ready"),
        began(60, "proof-node1"),
        ended(80, "proof-node1"),
    ]
    phases = phases_of(Timed(75, "", 8, 83), spans(lines))
    assert list(phases.values()) == [2, 3, 47, 20, 3]
    assert phases[CONFIGURATION] == 20
    assert sum(phases.values()) == 75


@pytest.mark.parametrize(
    ("text", "seconds"), [("340ms", 0.34), ("7.5s", 7.5), ("3min 9.012s", 189.012)]
)
def test_times_of_systemd_are_read(text: str, seconds: float) -> None:
    assert seconds_of(text) == pytest.approx(seconds)


def test_the_playbook_does_what_the_plan_says() -> None:
    config = RenderedFile(path="/etc/x.conf", content="a\n", validate="x -c {staged}", then="true")
    plan = ServicePlan(
        name="x",
        packages={"debian": ("x",)},
        files=(config,),
        units=(ServiceUnit(name="x.service", reload_on=("/etc/x.conf",)),),
        checks=("curl x",),
    )
    made = play("x", [{"lb1": plan, "lb2": plan}], serial=1)
    assert made["hosts"] == "lb1,lb2"
    assert made["serial"] == 1
    tasks = made["tasks"]
    assert isinstance(tasks, list)
    copy = next(task for task in tasks if "ansible.builtin.copy" in task)
    assert copy["ansible.builtin.copy"]["validate"] == "sh -c 'x -c %s'"
    assert copy["notify"] == ["x.service reloaded"]
    names = [str(task["name"]) for task in tasks]
    assert names == [
        "x: packages are there",
        "x: directories",
        "/etc/x.conf",
        "take over /etc/x.conf",
        "x.service runs",
        "check: curl x",
    ]


def test_ratios_compare_medians_of_what_was_noted() -> None:
    report = Report(part="p")
    report.add("ours", 1.0, 9.0, 2.0)
    report.add("theirs", 8.0)
    report.compare("work", "ours", "theirs", target=0.5)
    assert report.ratios[0].value == 0.25


def test_outages_are_noted_and_what_has_no_data_is_said() -> None:
    report = Report(part="p")
    verdicts: Verdicts = [{"clients": {"http": {"outage_s": s}}} for s in (0.1, 0.3, None)]
    verdicts.append({"clients": {}})
    assert add_outages(report, "power off", verdicts, "http", runs=4, target_s=0.2)
    assert [(f.name, f.samples, f.target_s) for f in report.figures] == [
        ("power off", (0.1, 0.3), None),
        ("power off, p95", (0.3,), 0.2),
    ]
    assert report.notes == ["power off: only 2 of 4 runs have data"]
    assert not add_outages(report, "none", verdicts[2:], "http", runs=2, target_s=None)


def test_lost_writes_are_not_none_where_nobody_looked() -> None:
    verdicts: Verdicts = [{"writes": {"file": {"lost": lost}}} for lost in (0, 2, None)]
    verdicts.append({"writes": {}})
    assert lost_writes(verdicts, "file").endswith("2 in 2 runs, not looked for in 2 runs")


@pytest.mark.parametrize(
    ("engine", "text", "rate"),
    [
        (
            "postgresql",
            "latency average = 8.9 ms\ntps = 895.5 (without initial connection time)",
            895.5,
        ),
        ("mariadb", "Average number of seconds to run all queries: 2.000 seconds", 2000.0),
    ],
)
def test_the_rate_of_writes_is_read_from_what_the_tool_prints(
    engine: str, text: str, rate: float
) -> None:
    assert LOADS[engine].rate(text) == rate


@pytest.mark.parametrize("text", ["", "connection refused", "tps = 0.0"])
def test_a_load_that_did_not_run_has_no_rate(text: str) -> None:
    with pytest.raises(BenchError, match="expected"):
        LOADS["postgresql"].rate(text)


PARTS = [cluster_part, database_part, drill_part, probes_part, rig_part, storage_part]


@pytest.mark.parametrize("part", PARTS)
def test_a_rig_of_the_bench_has_a_name_that_a_rig_can_have(part: ModuleType) -> None:
    hosts = {"lb1": "10.16.1.11"}
    planned = rig_plan(
        name=part.STACK, cidr="10.16.1.0/24", release=RELEASE, machines=list(hosts), addresses=hosts
    )
    assert planned.name == part.STACK
