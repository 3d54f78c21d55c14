"""Ready: a machine answers over SSH, has ended cloud-init, has a sane clock and the applier."""

from __future__ import annotations

from pathlib import Path

import pulumi
from pulumi_command import remote

from components.remote.host import SSH_DIAL_ATTEMPTS, Host, connection

GUEST = Path(__file__).parent / "guest"
APPLIER = "/usr/local/lib/ha-lab/apply.py"
INSTALL = (
    "sh -c 'install -d -m 755 /usr/local/lib/ha-lab"
    " && cat > {path}.new && chmod 755 {path}.new && mv -f {path}.new {path}"
    " && exec {path} --ready {timeout_s}'"
)


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
            create=become(host) + INSTALL.format(path=APPLIER, timeout_s=host.ready_timeout_s),
            stdin=(GUEST / "apply.py").read_text(encoding="utf-8"),
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
