"""Corosync's configuration and key: who the members are and when one of them is lost. Pure."""

from __future__ import annotations

from pathlib import Path

from components.files import RenderedFile
from components.pacemaker.args import ClusterArgs
from components.rendering import Templates

CONFIG_PATH = "/etc/corosync/corosync.conf"
AUTHKEY_PATH = "/etc/corosync/authkey"
_TEMPLATES = Templates(Path(__file__).parent / "templates")


def corosync_conf(args: ClusterArgs) -> str:
    """The text of corosync.conf, the same on every member."""
    timers = args.timers.corosync
    values = {
        "args": args,
        "timers": timers,
        "token_s": timers.token_s(len(args.members)),
        "device_timeout_ms": timers.device_timeout_ms,
    }
    return _TEMPLATES.render("corosync.conf.j2", values)


def authkey_file(key: str) -> RenderedFile:
    """The key that members encrypt their traffic with; whoever has it can speak as a member."""
    return RenderedFile(path=AUTHKEY_PATH, content=f"{key}\n", mode=0o400)
