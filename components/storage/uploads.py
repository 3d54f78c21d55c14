"""What the app servers serve from a volume: a web server of its own, behind theirs. Pure.

A web server that reads files waits for them, and while a volume stalls (a server is lost, and its
clients have not noticed yet) it serves nobody else. So /uploads/ has processes of its own: the
app server goes on answering `/health` and its pages.
"""

from __future__ import annotations

from pathlib import Path

from components.files import RenderedFile, ServiceUnit
from components.rendering import HEADER, Templates
from components.storage.args import StorageArgs, Volume

UNIT = "ha-lab-uploads.service"
CONFIG_PATH = "/etc/nginx/ha-lab-uploads.conf"
SOCKET = "/run/ha-lab-uploads.sock"
FOLDER = "uploads"
"""Directory in the volume, and beginning of the URL path."""
USER, USER_ID = "lab-uploads", 847
"""The same number on every machine: it is what a file on the volume belongs to."""
LARGEST_MIB = 64

_UNIT_PATH = f"/etc/systemd/system/{UNIT}"
_SYSUSERS_PATH = "/etc/sysusers.d/ha-lab-uploads.conf"
_TEMPLATES = Templates(Path(__file__).parent / "templates")


def uploads_files(args: StorageArgs, volume: Volume, tool: str) -> tuple[RenderedFile, ...]:
    """User, configuration and unit of that web server."""
    values = {
        "user": USER,
        "socket": SOCKET,
        "folder": FOLDER,
        "volume": volume,
        "lab": args.lab,
        "largest_mib": LARGEST_MIB,
        "config": CONFIG_PATH,
        "tool": tool,
    }
    is_ours = f'test "$(id -u {USER})" = {USER_ID}'
    return (
        RenderedFile(
            path=_SYSUSERS_PATH,
            content=f'# {HEADER}\nu {USER} {USER_ID} "ha-lab uploads"\n',
            then=f"systemd-sysusers {_SYSUSERS_PATH} && {is_ours}",
        ),
        RenderedFile(
            path=CONFIG_PATH,
            content=_TEMPLATES.render("uploads.conf.j2", values),
            validate="nginx -t -q -c {staged}",
        ),
        RenderedFile(path=_UNIT_PATH, content=_TEMPLATES.render("uploads.service.j2", values)),
    )


def uploads_units() -> tuple[ServiceUnit, ...]:
    return (ServiceUnit(name=UNIT, reload_on=(CONFIG_PATH,), restart_on=(_UNIT_PATH,)),)
