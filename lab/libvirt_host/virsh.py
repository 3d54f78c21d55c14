"""The edge to libvirt: `virsh`, quiet, with errors for people."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass

from lab.errors import LabError

TIMEOUT_S = 120
_MAC = re.compile(r"\b(?:[0-9a-f]{2}:){5}[0-9a-f]{2}\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Virsh:
    """`virsh` at one libvirt URI."""

    uri: str
    prefix: tuple[str, ...] = ()

    def __call__(self, *words: str) -> str:
        """Standard output of a virsh command. Raises LabError with what virsh said."""
        done = self._run(*words)
        if done.returncode != 0:
            msg = f"`virsh {' '.join(words)}` failed at {self.uri}: {_reason(done.stderr)}"
            raise LabError(msg)
        return done.stdout

    def names(self, *words: str) -> list[str]:
        """The lines of a listing, without the empty ones."""
        return [line.strip() for line in self(*words).splitlines() if line.strip()]

    def succeeds(self, *words: str) -> bool:
        return self._run(*words).returncode == 0

    def answers(self) -> bool:
        """Whether a daemon answers at the URI."""
        try:
            return self.succeeds("uri")
        except LabError:
            return False

    def complaint(self) -> str:
        """Why it does not answer, as virsh says it."""
        try:
            return _reason(self._run("uri").stderr) or "no error now"
        except LabError as error:
            return str(error)

    def _run(self, *words: str) -> subprocess.CompletedProcess[str]:
        command = [*self.prefix, "virsh", "--quiet", "--connect", self.uri, *words]
        try:
            return subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=TIMEOUT_S,
                check=False,
            )
        except FileNotFoundError:
            msg = "virsh not found; `apt-get install libvirt-clients` (or your system's package)"
            raise LabError(msg) from None
        except subprocess.TimeoutExpired:
            msg = f"libvirt at {self.uri} did not answer `virsh {words[0]}` within {TIMEOUT_S} s"
            raise LabError(msg) from None


def _reason(stderr: str) -> str:
    lines = [line.removeprefix("error: ").strip() for line in stderr.splitlines()]
    return "; ".join(line for line in lines if line)


def set_links(virsh: Callable[..., str], domain: str, state: str) -> None:
    """All network interfaces of a domain `up` or `down`. Raises LabError."""
    listed = virsh("domiflist", domain)
    macs = _MAC.findall(listed)
    if not macs:
        msg = f"{domain} has no network interface: {listed.strip()!r}"
        raise LabError(msg)
    for mac in macs:
        virsh("domif-setlink", domain, mac, state)
