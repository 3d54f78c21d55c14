"""Ready: a machine answers over SSH, has ended cloud-init, has a sane clock and the applier."""

from __future__ import annotations

import json
from pathlib import Path

import pulumi
from pulumi_command import remote

from components.remote.host import SSH_DIAL_ATTEMPTS, Host, connection

GUEST = Path(__file__).parent / "guest"
APPLIER = "/usr/local/lib/ha-lab/apply.py"
INSTALL = "python3 -I - {timeout_s}"
INSTALLER = "install.py"


def installer() -> str:
    """The program that puts the applier in place: its source, and one call with the modules.

    A module is a list of lines, so that a preview shows the lines that change.
    """
    modules = {
        path.name: path.read_text(encoding="utf-8").split("\n")
        for path in sorted(GUEST.glob("*.py"))
        if path.name != INSTALLER
    }
    source = (GUEST / INSTALLER).read_text(encoding="utf-8")
    return f"{source}\n\ninstall({json.dumps(modules, indent=1)})\n"


def become(host: Host) -> str:
    """The prefix that makes a command run as root."""
    return "" if host.user == "root" else "sudo -n "


class Ready(pulumi.ComponentResource):
    """The gate that every service of a machine waits for.

    Produces one remote command: it dials until the machine answers with its pinned host key, puts
    the applier in place and lets it wait for cloud-init and the clock.
    """

    def __init__(
        self, name: str, *, host: Host, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("halab:remote:Ready", name, None, opts)
        timeout = f"{host.ready_timeout_s}s"
        remote.Command(
            name,
            connection=connection(host, dial_attempts=SSH_DIAL_ATTEMPTS),
            create=become(host) + INSTALL.format(timeout_s=host.ready_timeout_s),
            stdin=installer(),
            triggers=[host.identity],
            logging=remote.Logging.STDERR,
            add_previous_output_in_env=False,
            opts=pulumi.ResourceOptions(
                parent=self,
                depends_on=list(host.made_by),
                custom_timeouts=pulumi.CustomTimeouts(create=timeout, update=timeout),
            ),
        )
        self.register_outputs({})
