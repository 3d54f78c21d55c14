"""Does KVM really work here? Boot an image and see.

There are hosts with a /dev/kvm on which kernels hang, although libvirt's capabilities advertise
KVM: only a guest that reached its user space is a proof. It is valid until the host's next boot.
"""

from __future__ import annotations

import os
import re
import selectors
import subprocess
import time
from pathlib import Path

from components.machines.host_facts import Acceleration

KVM = Path("/dev/kvm")
PROBE_DEADLINE_S = 20
"""KVM brings an image to its user space in 3 to 8 s."""
PROBE_MEMORY_MIB = 512
USER_SPACE = re.compile(rb"systemd\[1\]|cloud-init|Welcome to|login:")
"""What a started system writes to its serial console; no boot loader or hanging kernel does."""


def prove_acceleration(image: Path) -> Acceleration:
    """`kvm` when this image booted under KVM within the deadline, else `qemu`."""
    if not os.access(KVM, os.R_OK | os.W_OK):
        return "qemu"
    return "kvm" if boots(probe_command(image)) else "qemu"


def is_nested() -> bool:
    """Whether this host is a virtual machine itself: there KVM is seldom of use."""
    return " hypervisor" in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")


def probe_command(image: Path, *, accelerator: str = "kvm") -> list[str]:
    """A throw-away guest: writes to the image are dropped, the serial console is our input."""
    return [
        *("qemu-system-x86_64", "-accel", accelerator, "-cpu", "host"),
        *("-m", str(PROBE_MEMORY_MIB), "-nodefaults", "-no-user-config", "-display", "none"),
        *("-no-reboot", "-nic", "none", "-serial", "stdio"),
        *("-drive", f"file={image},format=qcow2,if=virtio,snapshot=on"),
    ]


def boots(command: list[str], *, deadline_s: float = PROBE_DEADLINE_S) -> bool:
    """Whether the guest's console shows a user space in time. The guest is ended in any case."""
    try:
        guest = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
    except FileNotFoundError:
        return False
    try:
        return _sees_user_space(guest, deadline_s)
    finally:
        guest.kill()
        guest.wait()


def _sees_user_space(guest: subprocess.Popen[bytes], deadline_s: float) -> bool:
    assert guest.stdout is not None  # noqa: S101 - it was opened as a pipe
    seen = b""
    deadline = time.monotonic() + deadline_s
    with selectors.DefaultSelector() as selector:
        selector.register(guest.stdout, selectors.EVENT_READ)
        while (left := deadline - time.monotonic()) > 0 and selector.select(left):
            chunk = os.read(guest.stdout.fileno(), 65536)
            if not chunk:
                return False
            seen += chunk
            if USER_SPACE.search(seen):
                return True
    return False
