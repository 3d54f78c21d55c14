"""The visits page as a Pulumi component."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pulumi

from components.database.from_settings import APPLICATION
from components.remote import Apply, Host
from components.secrets import Secrets
from components.settings.models import Settings
from components.topology import Topology
from components.visits.from_settings import visits_args
from components.visits.render import visits_password_plan, visits_plan


class Visits(pulumi.ComponentResource):
    """The service behind `/visits` on every app server; nothing where there is no such page.

    Ends when the service answers, whatever it answers: it does not wait for the database. Does
    not: route to it (that is the app server's nginx, see `app_server`).
    """

    def __init__(
        self,
        name: str,
        settings: Settings,
        topology: Topology,
        *,
        hosts: Sequence[Host],
        prerequisites: Mapping[str, pulumi.Resource],
        secrets: Secrets,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """`prerequisites`: by machine name, what must be there first (its app server)."""
        super().__init__("halab:visits:Visits", name, None, opts)
        own = pulumi.ResourceOptions(parent=self)
        for host in hosts:
            args = visits_args(settings, topology, host.machine)
            if args is None:
                continue
            password = Apply(
                f"{name}-{host.name}-password",
                host=host,
                plan=secrets.get(*APPLICATION).apply(visits_password_plan),
                after=[prerequisites[host.name]],
                opts=own,
            )
            plan = visits_plan(args)
            Apply(f"{name}-{host.name}", host=host, plan=plan, after=[password], opts=own)
        self.register_outputs({})
