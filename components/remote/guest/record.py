"""What was applied, as this machine remembers it: one record for each service.

A record is written once all of its service is as specified. While a run changes the machine, a mark
stands beside it; one that is found later belongs to a run that was cut off, or that failed with its
changes in place.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from .files import stage
from .system import Json, distribution_family
from .units import unit_name

RECORD_DIR = Path("/var/lib/ha-lab/applied")
RECORD, MARK = ".json", ".unfinished"


def place(service: str, suffix: str) -> Path:
    return RECORD_DIR / f"{service}{suffix}"


def begin(service: str) -> bool:
    """Mark a run as not finished; whether there was no such mark before."""
    RECORD_DIR.mkdir(parents=True, exist_ok=True, mode=0o700)
    mark = place(service, MARK)
    is_new = not mark.exists()
    mark.touch()
    return is_new


def forget_mark(service: str) -> None:
    """Nothing of the run is left to finish."""
    mark = place(service, MARK)
    if mark.exists():
        mark.unlink()


def record(spec: Json) -> None:
    """Remember what was applied, for `lab check` and for runs after an interrupted one."""
    applied = {
        "files": {file["path"]: digest(file) for file in spec["files"]},
        "access": {
            file["path"]: {key: file[key] for key in ("mode", "owner", "group")}
            for file in spec["files"]
        },
        "absent": spec["absent"],
        "units": {unit_name(unit): unit["running"] for unit in spec["units"]},
        "in_effect": {
            unit_name(unit): unit["in_effect"] for unit in spec["units"] if "in_effect" in unit
        },
        "packages": spec["packages"][distribution_family()],
    }
    content = (json.dumps(applied, indent=1, sort_keys=True) + "\n").encode()
    path = place(spec["service"], RECORD)
    stage(path, content, 0o600, 0, 0).replace(path)
    forget_mark(spec["service"])


def digest(file: Json) -> str:
    return hashlib.sha256("\n".join(file["lines"]).encode()).hexdigest()


def pending(spec: Json) -> list[str]:
    """Files that an earlier, interrupted run wrote without reaching the units.

    The record is written last. A file that stands as specified but is not in the record with this
    digest was written by a run that was cut off: its units have not taken it over yet. Without a
    record, that may be any file.
    """
    recorded = (recorded_of(spec["service"]) or {}).get("files", {})
    return [f["path"] for f in spec["files"] if recorded.get(f["path"]) != digest(f)]


def services() -> list[str]:
    """Every service of which anything was applied here, also by a run that did not finish."""
    if not RECORD_DIR.exists():
        return []
    return sorted({path.stem for path in RECORD_DIR.iterdir() if path.suffix in (RECORD, MARK)})


def recorded_of(service: str) -> Json | None:
    """A service's record; None where there is none that can be read."""
    try:
        loaded = json.loads(place(service, RECORD).read_text())
    except (FileNotFoundError, ValueError):
        return None
    return loaded if isinstance(loaded, dict) else None


def is_unfinished(service: str) -> bool:
    return place(service, MARK).exists()
