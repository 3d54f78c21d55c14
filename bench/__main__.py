"""`python -m bench PART`: measure one part of the product, or all of them."""

from __future__ import annotations

import signal
import sys
import tempfile
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from bench import (
    cluster_part,
    database_part,
    drill_part,
    libvirt_part,
    probes_part,
    rig_part,
    storage_part,
)
from bench.ansible import REQUIREMENTS
from bench.errors import BenchError
from bench.report import Report, machine, show, to_json
from lab.errors import LabError
from rig.model import RigError
from toolchain import versions

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
_out, _err = Console(), Console(stderr=True)


class Part(StrEnum):
    """What to measure."""

    RIG = "rig"
    LIBVIRT = "libvirt"
    DRILL = "drill"
    CLUSTER = "cluster"
    DATABASE = "database"
    STORAGE = "storage"
    PROBES = "probes"
    ALL = "all"


PARTS = {
    Part.RIG: rig_part.measure,
    Part.LIBVIRT: libvirt_part.measure,
    Part.DRILL: drill_part.measure,
    Part.CLUSTER: cluster_part.measure,
    Part.DATABASE: database_part.measure,
    Part.STORAGE: storage_part.measure,
    Part.PROBES: probes_part.measure,
}


@app.command()
def bench(
    part: Annotated[Part, typer.Argument(help="What to measure.")] = Part.ALL,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write every number here too.")
    ] = None,
) -> None:
    """Measure on this machine, as root; needs a package registry for ansible-core.

    Everything is made under names of its own and removed at the end. Example:
    `python -m bench rig --json /tmp/rig.json`.
    """
    facts = machine()
    _err.print("  ".join(f"{key} {value}" for key, value in facts.items()))
    wanted = list(PARTS) if part is Part.ALL else [part]
    reports = [_measure(one) for one in wanted]
    for report in reports:
        show(report, _out)
    if json_file is not None:
        json_file.write_text(to_json(reports, tool_versions()) + "\n", encoding="utf-8")


def _measure(part: Part) -> Report:
    with tempfile.TemporaryDirectory(prefix="ha-lab-bench-") as folder:
        return PARTS[part](Path(folder), lambda text: _err.print(f"[dim]{part}: {text}"))


def tool_versions() -> dict[str, str]:
    """What was measured."""
    lines = REQUIREMENTS.read_text(encoding="utf-8").splitlines()
    pinned = dict(line.split("==") for line in lines if "==" in line)
    return {
        "pulumi": versions.PULUMI,
        "pulumi-command": versions.COMMAND.version,
        "pulumi-libvirt": versions.LIBVIRT.version,
        "ansible-core": pinned["ansible-core"],
    }


def main() -> None:
    """Entry point: errors for people end here, without a traceback."""
    # A shell starts its background jobs with interrupts ignored, and what they start inherits it:
    # Pulumi ends its plugins by an interrupt, and then waits five seconds for each run's.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        app()
    except (BenchError, LabError, RigError) as error:
        _err.print(str(error), markup=False, style="red")
        sys.exit(1)


if __name__ == "__main__":
    main()
