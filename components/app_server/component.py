"""The app servers as a Pulumi component."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pulumi

from components.app_server.from_settings import app_server_args
from components.app_server.render import app_server_plan
from components.remote import Apply, Host
from components.settings.models import Settings


class AppServers(pulumi.ComponentResource):
    """The web servers behind the load balancers, or the user's own application.

    Produces one applied plan for each machine, all side by side; each ends when its application
    answers. Does not: open the firewall (see `app_server_firewall`), balance anything.
    """

    applied: Mapping[str, pulumi.Resource]
    """By machine name, its finished app server."""

    def __init__(
        self,
        name: str,
        settings: Settings,
        *,
        hosts: Sequence[Host],
        prerequisites: Mapping[str, pulumi.Resource],
        uploads_socket: str | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """`prerequisites`: by machine name, what must be there first (its baseline).
        `uploads_socket`: of what answers for /uploads/, where there is such a folder."""
        super().__init__("halab:app_server:AppServers", name, None, opts)
        self.applied = {
            host.name: Apply(
                f"{name}-{host.name}",
                host=host,
                plan=app_server_plan(
                    app_server_args(settings, host.machine, uploads_socket=uploads_socket)
                ),
                after=[prerequisites[host.name]],
                opts=pulumi.ResourceOptions(parent=self),
            )
            for host in hosts
        }
        self.register_outputs({})
