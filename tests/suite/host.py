"""The machine that a run was made on, in a few words, and how busy it was."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

TICKS_PER_S = os.sysconf("SC_CLK_TCK")
STOLEN = 8
"""Place of `steal` in the first line of /proc/stat (proc_stat(5))."""


def describe_host() -> str:
    """Processors, memory, and whether there is a KVM device (which does not mean that it works)."""
    pages, size = os.sysconf("SC_PHYS_PAGES"), os.sysconf("SC_PAGE_SIZE")
    kvm = "/dev/kvm" if Path("/dev/kvm").exists() else "no /dev/kvm"
    return f"{len(os.sched_getaffinity(0))} cores, {pages * size / 2**30:.0f} GiB, {kvm}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """How busy the machine is."""

    average: float
    """Over the last minute."""
    stolen_s: float
    """Seconds of processor time that its own host took since it booted."""


def load() -> Load:
    """At this moment."""
    words = Path("/proc/stat").read_text(encoding="ascii").splitlines()[0].split()
    stolen = int(words[STOLEN]) if len(words) > STOLEN else 0
    return Load(average=os.getloadavg()[0], stolen_s=stolen / TICKS_PER_S)
