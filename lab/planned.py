"""How to log in to a machine of a lab whose `up` has not ended: as its stack plans it."""

from __future__ import annotations

from typing import Any

from components.machines.private_key import read_private_key
from components.outputs import machine_output
from components.settings.models import Settings
from components.topology import Topology
from lab.errors import LabError
from lab.secrets import SecretSet


def planned(
    settings: Settings, topology: Topology, secrets: SecretSet, *, stack: str
) -> dict[str, Any]:
    """What the outputs will say of machines and keys. Raises LabError where that is not known."""
    given = settings.machines.hosts
    own = secrets.get("hostKeys", {})
    keys = {
        m.name: given[m.name].host_key if m.name in given else own.get(f"{m.name}.pub", "")
        for m in topology.machines
    }
    file = settings.machines.private_key_file
    try:
        private = read_private_key(file) if file else secrets.get("ssh", {}).get("private")
    except ValueError as error:
        raise LabError(str(error)) from None
    if not private or not all(keys.values()):
        msg = f"stack {stack} is not up; bring it up with `make up STACK={stack}`"
        raise LabError(msg)
    return {
        "machines": {m.name: machine_output(m, settings) for m in topology.machines},
        "credentials": {"sshPrivateKey": private, "hostKeys": keys},
    }
