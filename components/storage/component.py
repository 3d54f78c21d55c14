"""The shared storage as a Pulumi component."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pulumi

from components.files import ServicePlan
from components.remote import Apply, Host
from components.storage.args import StorageArgs
from components.storage.plans import client_plan, server_plan, volumes_plan


class Storage(pulumi.ComponentResource):
    """GlusterFS on the servers, mounted on the clients.

    Produces disk and daemon of each server, side by side; on the first one then the pool and the
    volumes; the mounts on the clients, side by side. Does not: open the firewall (see
    `storage_firewall`), make disks, give a server that was made anew its place back (that is
    `lab storage replace`: nobody should do it without knowing).
    """

    applied: Mapping[str, pulumi.Resource]
    """By name of a client, its finished mounts."""

    def __init__(
        self,
        name: str,
        args: StorageArgs,
        *,
        hosts: Mapping[str, Host],
        prerequisites: Mapping[str, Sequence[pulumi.Resource]],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """`hosts` and `prerequisites`: by machine name; the latter is what must be there first."""
        super().__init__("halab:storage:Storage", name, None, opts)
        self._name, self._prerequisites = name, prerequisites
        servers = [hosts[server.name] for server in args.servers]
        running = [
            self._apply("server", hosts[server.name], server_plan(args, server), [])
            for server in args.servers
        ]
        plan = pulumi.Output.all(*(host.identity for host in servers)).apply(
            lambda identities: volumes_plan(args, identities)
        )
        # The firewall of a client does not matter, that of every server does.
        volumes = self._apply("volumes", servers[0], plan, running)
        self.applied = {
            client.name: self._apply(
                "client", hosts[client.name], client_plan(args, client), [volumes]
            )
            for client in args.clients
        }
        self.register_outputs({})

    def _apply(
        self,
        step: str,
        host: Host,
        plan: ServicePlan | pulumi.Output[ServicePlan],
        after: Sequence[pulumi.Resource],
    ) -> pulumi.Resource:
        before = [*self._prerequisites[host.name], *after]
        own = pulumi.ResourceOptions(parent=self)
        name = f"{self._name}-{host.name}-{step}"
        return Apply(name, host=host, plan=plan, after=before, opts=own)
