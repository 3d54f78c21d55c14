"""A service plan as the applier reads it: JSON, laid out for people who read previews.

Files are lists of lines under their paths and keys have a fixed order, so that Pulumi shows a
changed setting as the changed line of the changed file. The order of the files is that in which
they are written.
"""

from __future__ import annotations

import json

from components.files import RenderedFile, ServicePlan, ServiceUnit

VERSION = 1


def specification(plan: ServicePlan) -> str:
    """The JSON text of a plan: the stdin of the applier."""
    data = {
        "version": VERSION,
        "service": plan.name,
        "packages": {family: plan.packages.get(family, ()) for family in ("debian", "redhat")},
        "files": {file.path: _file(file) for file in plan.files},
        "absent": plan.absent,
        "units": [_unit(unit) for unit in plan.units],
        "checks": plan.checks,
        "check_within_s": plan.check_within_s,
    }
    return json.dumps(data, indent=1)


def _file(file: RenderedFile) -> dict[str, object]:
    return {
        "mode": f"{file.mode:04o}",
        "owner": file.owner,
        "group": file.group,
        "validate": file.validate,
        "then": file.then,
        "lines": file.content.split("\n"),
    }


def _unit(unit: ServiceUnit) -> dict[str, object]:
    return {
        "name": {"debian": unit.name, "redhat": unit.redhat or unit.name},
        "running": unit.running,
        "reload_on": unit.reload_on,
        "restart_on": unit.restart_on,
        # Left out where there is none: another text is an update of every resource of every lab.
        **({"in_effect": unit.in_effect} if unit.in_effect else {}),
    }
