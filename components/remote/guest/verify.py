"""Drift: where this machine is not as its records say. Reads only, and prints no file contents.

What is found here is what the next run of the applier would change, no more: a finding that it
leaves alone could never be put right.
"""

from __future__ import annotations

import grp
import hashlib
import os
import pwd
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from .effect import why_not_in_effect
from .packages import installed
from .record import is_unfinished, recorded_of, services
from .system import Json, distribution_family
from .units import (
    State,
    enabled_on_disk,
    is_active,
    is_enabled,
    is_off,
    is_there,
    unit_states,
    with_disk,
)

VERSION = 1
OLD_RECORD = "applied by an older release, which did not record modes, owners, packages"


class Finding(NamedTuple):
    """One thing that is not as it was applied."""

    plan: str
    kind: str
    """`file`, `unit`, `package` or `record`."""
    subject: str
    """Path, or name of the unit, package or plan."""
    found: str
    expected: str


def verify(names: Sequence[str]) -> Json:
    """The drift of these services, or of all that were ever applied here."""
    plans = list(names) or services()
    records = {plan: recorded_of(plan) for plan in plans}
    known = {plan: record for plan, record in records.items() if record is not None}
    findings = [
        *(finding for plan in plans for finding in of_record(plan, records[plan])),
        *(finding for plan, record in known.items() for finding in of_files(plan, record)),
        *of_packages(known),
        *of_units(known),
    ]
    old = [plan for plan, record in known.items() if "access" not in record]
    return {
        "version": VERSION,
        "plans": plans,
        "findings": [finding._asdict() for finding in findings],
        "unknown": [{"plan": plan, "why": OLD_RECORD} for plan in old],
    }


def of_record(plan: str, record: Json | None) -> Iterator[Finding]:
    """Plans that were never applied, or not to their end."""
    if is_unfinished(plan):
        yield Finding(plan, "record", plan, "a run that failed or was cut off", "a finished run")
    elif record is None:
        yield Finding(plan, "record", plan, "no record that it was applied", "applied")


def of_files(plan: str, record: Json) -> Iterator[Finding]:
    """Files that were changed, removed or made by hand."""
    for name, digest in sorted(record["files"].items()):
        try:
            differences = list(differing(Path(name), digest, record.get("access", {}).get(name)))
        except OSError as error:
            differences = [(f"cannot be read: {error.strerror}", "as applied")]
        for found, expected in differences:
            yield Finding(plan, "file", name, found, expected)
    for name in record.get("absent", ()):
        if os.path.lexists(name):
            yield Finding(plan, "file", name, "there", "absent")


def differing(path: Path, digest: str, access: Json | None) -> Iterator[tuple[str, str]]:
    """What was found of a file and what was expected; nothing where it is as applied."""
    if not path.is_file():
        yield "no file" if os.path.lexists(path) else "missing", "as applied"
        return
    if hashlib.sha256(path.read_bytes()).hexdigest() != digest:
        yield "content differs", "as applied"
    if access is None:
        return
    status = path.stat()
    mode = f"{status.st_mode & 0o7777:04o}"
    if mode != access["mode"]:
        yield f"mode {mode}", f"mode {access['mode']}"
    owner = f"{user_name(status.st_uid)}:{group_name(status.st_gid)}"
    if owner != f"{access['owner']}:{access['group']}":
        yield f"owner {owner}", f"owner {access['owner']}:{access['group']}"


def of_packages(records: dict[str, Json]) -> Iterator[Finding]:
    """Packages that are not there any more."""
    wanted = sorted({name for record in records.values() for name in record.get("packages", ())})
    there = installed(distribution_family(), wanted)
    for plan, record in records.items():
        for name in record.get("packages", ()):
            if name not in there:
                yield Finding(plan, "package", name, "not installed", "installed")


def of_units(records: dict[str, Json]) -> Iterator[Finding]:
    """Units that somebody stopped, disabled, or started."""
    names = sorted({name for record in records.values() for name in record["units"]})
    states, enabled = unit_states(names), enabled_on_disk(names)
    for plan, record in records.items():
        for name, running in record["units"].items():
            state = with_disk(states[name], enabled.get(name))
            for found, expected in wrong_with(state, running=running):
                yield Finding(plan, "unit", name, found, expected)
            command = record.get("in_effect", {}).get(name)
            if is_active(state) and (problem := why_not_in_effect(command)):
                yield Finding(plan, "unit", name, problem, "runs with the files that were applied")


def wrong_with(state: State, *, running: bool) -> Iterator[tuple[str, str]]:
    """What systemd says of a unit and what was expected; nothing where it is as applied."""
    active, enabled = state.get("ActiveState", "unknown"), state.get("UnitFileState", "unknown")
    if not running:
        if not is_off(state):
            yield f"{active}, {enabled}", "stopped, disabled"
    elif not is_there(state):
        yield "no such unit", "active, enabled"
    else:
        if not is_active(state):
            yield active, "active"
        if not is_enabled(state):
            yield enabled, "enabled"


def user_name(number: int) -> str:
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)


def group_name(number: int) -> str:
    try:
        return grp.getgrgid(number).gr_name
    except KeyError:
        return str(number)
