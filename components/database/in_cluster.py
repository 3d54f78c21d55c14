"""The unit of a server that the cluster starts and stops. Pure."""

from __future__ import annotations

from pathlib import Path

from components.files import RenderedFile
from components.rendering import Templates

_TEMPLATES = Templates(Path(__file__).parent / "templates")


def in_cluster_path(unit: str) -> str:
    # After ha-lab.conf in the order of names, and so instead of what that says.
    return f"/etc/systemd/system/{unit}.d/in-cluster.conf"


def in_cluster_file(unit: str) -> RenderedFile:
    """Takes the unit out of systemd's hands."""
    return RenderedFile(
        path=in_cluster_path(unit),
        content=_TEMPLATES.render("in-cluster.conf.j2", {}),
        then="systemctl daemon-reload",
    )
