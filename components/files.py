"""What a service asks of one machine, as plain data.

A service describes itself completely with the types of this module: packages, files, units, what a
changed file means for a unit, and what must answer at the end. The remote layer applies such a
description; nothing here touches a machine, and nothing here knows Pulumi.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Literal

Family = Literal["debian", "redhat"]
"""Distribution family of a machine: Debian and Ubuntu, or RHEL, Rocky and Alma."""

LIB_DIR = "/usr/local/lib/ha-lab"
"""Where the lab's own helper scripts live on a machine."""

STATE_DIR = "/var/lib/ha-lab"
"""Where the lab keeps what must survive a reboot of a machine (switches for exercises)."""

STAGED = "{staged}"


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderedFile:
    """One text file on a machine.

    Files are applied in the order given: each is written beside its destination, `validate` runs
    on the staged copy, then the copy is renamed into place and `then` runs. When one fails, all
    the files of the same description go back to what they were.
    """

    path: str
    """Absolute destination; missing parent directories are made with mode 0755."""
    content: str
    """The whole text, ending with a newline. Line ends are written as they are."""
    mode: int = 0o644
    owner: str = "root"
    group: str = "root"
    validate: str | None = None
    """Shell command that must exit 0; `{staged}` stands for the path of the staged copy."""
    then: str | None = None
    """Idempotent shell command to run once this file is in place and was changed, before the
    next file is looked at (for example: create the user that a later file names). Lines of its
    output that begin with `note: ` are shown to the user."""

    def __post_init__(self) -> None:
        if not PurePosixPath(self.path).is_absolute():
            raise ValueError(f"file path {self.path!r} is not absolute; give it as /directory/name")
        if not 0 <= self.mode <= 0o7777:
            raise ValueError(f"mode {self.mode:o} of {self.path} is not between 0 and 7777 (octal)")
        if self.validate is not None and STAGED not in self.validate:
            raise ValueError(
                f"the validator of {self.path} does not mention {STAGED}, so it would check "
                f"something else than the new file: {self.validate!r}"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceUnit:
    """A systemd unit that is enabled and running, and how it takes up a changed file."""

    name: str
    """Unit name with its suffix, for example `haproxy.service`."""
    reload_on: tuple[str, ...] = ()
    """Paths whose change is taken up by a reload, which clients do not notice."""
    restart_on: tuple[str, ...] = ()
    """Paths whose change needs a restart. A restart wins over a reload."""
    redhat: str | None = None
    """Its name in the Red Hat family, where that is another."""
    running: bool = True
    """False: stopped and disabled, where the machine has the unit at all."""
    in_effect: str | None = None
    """Shell command that exits 0 where the running unit has taken up the files that are there, and
    otherwise prints what it runs with instead. Asked, until the plan's deadline, after every start,
    reload and restart (a reload that did not happen may end with status 0), and by `lab check`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServicePlan:
    """Everything one service needs on one machine."""

    name: str
    packages: Mapping[Family, tuple[str, ...]] = field(default_factory=dict)
    files: tuple[RenderedFile, ...] = ()
    absent: tuple[str, ...] = ()
    """Paths of files that must not be there, for example a distribution's default site."""
    units: tuple[ServiceUnit, ...] = ()
    """In starting order."""
    checks: tuple[str, ...] = ()
    """Shell commands that exit 0 when the service works; retried until a deadline."""
    check_within_s: int = 60
    """That deadline, in seconds for each check, and for each unit to be in effect."""

    def __post_init__(self) -> None:
        paths = [file.path for file in self.files]
        twice = sorted({path for path in paths if paths.count(path) > 1})
        if twice:
            raise ValueError(
                f"the {self.name} service describes {', '.join(twice)} more than once; "
                "give each file one content"
            )
        for unit in self.units:
            unknown = sorted({*unit.reload_on, *unit.restart_on} - set(paths))
            if unknown:
                raise ValueError(
                    f"unit {unit.name} of the {self.name} service depends on "
                    f"{', '.join(unknown)}, which the service does not write"
                )
