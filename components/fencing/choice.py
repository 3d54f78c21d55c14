"""Which way of fencing a lab has, from its settings. Pure."""

from __future__ import annotations

import re
from typing import Literal
from urllib.parse import urlsplit

from components.settings.models import Settings

FencingKind = Literal["xvm", "rig", "devices", "none"]
PORT = 1229
"""TCP port of fence_virtd and of the rig's fence service, on the gateway's address."""
LONGEST_DOMAIN = 63
"""Characters of a domain's name that fit into a request to fence_virtd."""
_RIG_NAMESPACE = re.compile(r"ha-lab-rig-(?P<name>[a-z][a-z0-9-]*)")


def fencing_kind(settings: Settings) -> FencingKind | None:
    """How members are fenced; None where nothing was said and nothing can be assumed."""
    chosen = settings.cluster.fencing.kind
    if chosen != "auto":
        return chosen
    if settings.machines.provider == "libvirt":
        return "xvm" if is_local(settings.libvirt.uri) else None
    return "rig" if rig_name(settings) else None


def rig_name(settings: Settings) -> str | None:
    """The rig that the machines are of; None for other machines."""
    namespace = settings.machines.network_namespace
    found = _RIG_NAMESPACE.fullmatch(namespace or "")
    return found["name"] if found and settings.machines.provider == "existing" else None


def is_local(libvirt_uri: str) -> bool:
    """Whether libvirt runs on this host, so that a daemon here can listen on the labs' bridges."""
    return not urlsplit(libvirt_uri).netloc
