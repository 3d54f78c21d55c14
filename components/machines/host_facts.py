"""What was decided about the libvirt host before the program runs: acceleration and golden image.

Proving that KVM boots a kernel, or building an image, is no work for a Pulumi program. `lab setup`
does it, writes the results to a file in the cache, and this module reads them. The environment
variables win over the file, for a host that one knows better.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from components.whole_file import write_whole

ACCELERATION_VARIABLE = "HALAB_ACCELERATION"
"""`kvm` or `qemu`: what `libvirt.acceleration: auto` stands for."""
IMAGE_VARIABLE = "HALAB_IMAGE"
"""Path of the disk image that is used where the stack names none."""
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")

Acceleration = Literal["kvm", "qemu"]
ACCELERATIONS: tuple[Acceleration, ...] = ("kvm", "qemu")


@dataclass(frozen=True, slots=True, kw_only=True)
class HostFacts:
    """Results of the host's preparation; None: not known."""

    acceleration: Acceleration | None = None
    golden_image: str | None = None


def cache_dir() -> Path:
    """Where the project keeps what it built or downloaded."""
    root = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(root) / "ha-lab"


def facts_file() -> Path:
    return cache_dir() / "libvirt" / "host.json"


def boot_id() -> str:
    """Identifies the running boot of this host: a proof of KVM is valid for one boot."""
    return BOOT_ID.read_text(encoding="ascii").strip() if BOOT_ID.exists() else ""


def read_facts() -> HostFacts:
    """The facts of the environment and of the file; a proof from an earlier boot is dropped."""
    stored = _stored()
    proven = stored.get("acceleration") if stored.get("boot_id") == boot_id() else None
    chosen = os.environ.get(ACCELERATION_VARIABLE) or proven
    return HostFacts(
        acceleration=next((known for known in ACCELERATIONS if known == chosen), None),
        golden_image=os.environ.get(IMAGE_VARIABLE) or stored.get("golden_image"),
    )


def write_facts(facts: HostFacts) -> None:
    """Keep the facts for later runs of the program, of this boot."""
    content = json.dumps({"boot_id": boot_id(), **asdict(facts)}, indent=1) + "\n"
    write_whole(facts_file(), content)


def _stored() -> dict[str, str]:
    try:
        content = json.loads(facts_file().read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError):
        return {}
    return {k: v for k, v in content.items() if isinstance(v, str)}
