"""Before Pulumi runs: whoever holds the members' power is there, and knows the lab's fence key.

On libvirt that is a fence_virtd, in a rig the rig's own service; elsewhere the devices are the
user's. Where nothing has changed it costs a tenth of a second: the key is then where it belongs
already, and is not asked of Pulumi again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from components.fencing.choice import fencing_kind, rig_name
from components.settings.models import Settings
from components.topology import Topology
from lab.errors import LabError
from lab.pulumi_cli import STATE
from rig import state
from rig.fencing import service

if TYPE_CHECKING:
    from lab.libvirt_host.daemon import LibvirtHost

Key = Callable[[], str]


def ensure_rig_fencing(stack: str, settings: Settings, key: Key) -> None:
    """The fence service of the rig runs, where the lab's cluster is fenced by it.

    `key` is asked for the lab's fence key. Raises RigError or LabError.
    """
    name = rig_name(settings)
    if name is None or not settings.cluster.enabled or fencing_kind(settings) != "rig":
        return
    rig = state.find(name)
    if rig is None:
        msg = (
            f"the cluster of {stack} is fenced by rig {name}, which is not there; `make rig` first"
        )
        raise LabError(msg)
    mark = Mark(stack, service.key_file(name))
    with state.locked(name):
        service.ensure(rig, None if mark.holds() else key())
        mark.set()


def ensure_host_fencing(
    stack: str, settings: Settings, topology: Topology, host: LibvirtHost, key: Key
) -> None:
    """The lab's fence_virtd runs, where its cluster is fenced by it; else none does.

    Raises LabError.
    """
    from lab.libvirt_host.fencing import FenceDaemon

    daemon = FenceDaemon(host=host, topology=topology)
    if not settings.cluster.enabled or fencing_kind(settings) != "xvm":
        daemon.stop()
        return
    mark = Mark(stack, daemon.key_file)
    daemon.ensure(None if mark.holds() else key)
    mark.set()


class Mark:
    """Remembers of which secrets of a stack the key came that whoever fences has."""

    def __init__(self, stack: str, key_file: Path) -> None:
        self._mark = STATE / f"{stack}.fencing"
        self._secrets = STATE / f"{stack}.setup"
        self._key_file = key_file

    def holds(self) -> bool:
        """Whether neither the stack's secrets nor the key file has changed since."""
        return self._mark.exists() and self._mark.read_text() == self._subject()

    def set(self) -> None:
        self._mark.write_text(self._subject())

    def _subject(self) -> str:
        parts = [file.read_bytes() for file in (self._secrets, self._key_file) if file.exists()]
        return hashlib.sha256(b"\0".join(parts)).hexdigest()
