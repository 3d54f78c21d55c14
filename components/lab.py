"""The lab: machines, then what runs on them, in the order of the course's diagram."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pulumi

from components.app_server.component import AppServers
from components.baseline.component import Baseline
from components.database.component import Databases
from components.database.from_settings import database_args, database_credentials
from components.fencing.component import Fencing
from components.load_balancer.component import LoadBalancer
from components.load_balancer.from_settings import load_balancer_args
from components.machines import make_machines
from components.outputs import public_outputs
from components.pacemaker.component import Cluster, QuorumDevice
from components.pacemaker.from_settings import cluster_args, cluster_warnings
from components.proof import Proof
from components.remote import Host
from components.secrets import Secrets
from components.settings.models import Settings
from components.settings.service_rules import read_local_file
from components.storage.component import Storage
from components.storage.from_settings import has_uploads, storage_args
from components.storage.uploads import SOCKET as UPLOADS_SOCKET
from components.timers import timers_named
from components.topology import Role, Topology, quorum_device_name
from components.visits.component import Visits


class Lab(pulumi.ComponentResource):
    """Everything that one stack makes.

    Produces the machines, their baseline, the app servers, the load balancer pair, the databases,
    the cluster, and the proof that the VIP answers; `outputs` is what the stack exports.
    """

    outputs: dict[str, pulumi.Input[object]]

    def __init__(
        self,
        name: str,
        *,
        settings: Settings,
        topology: Topology,
        secrets: Secrets,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("halab:index:Lab", name, None, opts)
        own = pulumi.ResourceOptions(parent=self)
        hosts = make_machines(settings, topology, secrets, parent=self)
        baseline = self._baseline(settings, topology, hosts)

        apps = AppServers(
            "app",
            settings,
            hosts=with_role(hosts, topology, Role.APP),
            prerequisites=baseline,
            uploads_socket=UPLOADS_SOCKET if has_uploads(settings, topology) else None,
            opts=own,
        )
        balancers = LoadBalancer(
            "lb",
            load_balancer_args(settings, topology),
            hosts=with_role(hosts, topology, Role.LOAD_BALANCER),
            # Where a machine is both, its app server comes first: the distribution's default site
            # of nginx would hold the load balancer's port.
            prerequisites={**baseline, **apps.applied},
            certificate=certificate(settings, secrets),
            opts=own,
        )
        Visits(
            "visits",
            settings,
            topology,
            hosts=with_role(hosts, topology, Role.APP),
            prerequisites=apps.applied,
            secrets=secrets,
            opts=own,
        )
        databases = self._databases(settings, topology, hosts, secrets, baseline)
        self._cluster(
            settings,
            topology,
            hosts,
            secrets,
            before=[baseline, apps.applied],
            # Also those that the cluster has no more: they must know that before it lets them go.
            seeded=[resource for each in databases for resource in each.applied.values()],
        )
        self._storage(settings, topology, hosts, before=[baseline, apps.applied])
        served = [apps, balancers, *databases]
        Proof("proof", settings, topology, hosts=hosts, after=served, opts=own)

        credentials = {
            "sshPrivateKey": hosts[topology.machines[0].name].private_key,
            "hostKeys": {name: host.host_key for name, host in sorted(hosts.items())},
            **(database_credentials(secrets) if databases else {}),
        }
        public = public_outputs(settings, topology, timers_named(settings.timers))
        self.outputs = {**public, "credentials": pulumi.Output.secret(credentials)}
        self.register_outputs({})

    def _baseline(
        self, settings: Settings, topology: Topology, hosts: Mapping[str, Host]
    ) -> dict[str, pulumi.Resource]:
        """Every machine ready and prepared; by name, what its services wait for."""
        own = pulumi.ResourceOptions(parent=self)
        return {
            name: Baseline(name, settings, topology, host=host, opts=own)
            for name, host in sorted(hosts.items())
        }

    def _databases(
        self,
        settings: Settings,
        topology: Topology,
        hosts: Mapping[str, Host],
        secrets: Secrets,
        prerequisites: Mapping[str, pulumi.Resource],
    ) -> list[Databases]:
        """PostgreSQL and MariaDB, where the lab has any."""
        args = database_args(settings, topology)
        if args is None:
            return []
        own = pulumi.ResourceOptions(parent=self)
        machines = with_role(hosts, topology, Role.DATABASE)
        return [
            Databases(
                "database",
                args,
                hosts=machines,
                prerequisites=prerequisites,
                secrets=secrets,
                opts=own,
            )
        ]

    def _storage(
        self,
        settings: Settings,
        topology: Topology,
        hosts: Mapping[str, Host],
        *,
        before: Sequence[Mapping[str, pulumi.Resource]],
    ) -> None:
        """The shared storage, where the lab has any; `before`: by machine, what comes first."""
        args = storage_args(settings, topology)
        if args is None:
            return
        Storage(
            "storage",
            args,
            hosts=hosts,
            prerequisites={
                name: [applied[name] for applied in before if name in applied] for name in hosts
            },
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _cluster(
        self,
        settings: Settings,
        topology: Topology,
        hosts: Mapping[str, Host],
        secrets: Secrets,
        *,
        before: Sequence[Mapping[str, pulumi.Resource]],
        seeded: Sequence[pulumi.Resource],
    ) -> None:
        """The Pacemaker cluster, where the lab has one; `before`: by machine, what comes first.

        `seeded`: the databases, which the cluster may take over once they run.
        """
        for warning in cluster_warnings(settings, topology):
            pulumi.log.warn(warning)
        members = with_role(hosts, topology, Role.CLUSTER)
        if not members:
            return
        own = pulumi.ResourceOptions(parent=self)
        fencing = Fencing(
            "fencing",
            settings,
            topology,
            hosts=members,
            secrets=secrets,
            prerequisites=before[0],
            opts=own,
        )
        before = [*before, fencing.applied]
        Cluster(
            "cluster",
            cluster_args(settings, topology),
            hosts=members,
            prerequisites={
                name: [applied[name] for applied in before if name in applied] for name in hosts
            },
            authkey=secrets.get("cluster", "authkey"),
            password=secrets.get("passwords", "hacluster"),
            device=quorum_device(settings, hosts, secrets),
            seeded=seeded,
            opts=own,
        )


def with_role(hosts: Mapping[str, Host], topology: Topology, role: Role) -> list[Host]:
    """The hosts with a role, in the topology's order."""
    return [hosts[machine.name] for machine in topology.with_role(role)]


def quorum_device(
    settings: Settings, hosts: Mapping[str, Host], secrets: Secrets
) -> QuorumDevice | None:
    """The machine with the third vote of a cluster of two, where there is one."""
    name = quorum_device_name(settings)
    if name is None:
        return None
    return QuorumDevice(
        host=hosts[name],
        ca=secrets.get("quorum", "ca"),
        device_pair=secrets.get("quorum", "device"),
        members_pair=secrets.get("quorum", "members"),
    )


def certificate(settings: Settings, secrets: Secrets) -> pulumi.Output[str]:
    """PEM of the https front end: the user's file, or the stack's own."""
    file = settings.load_balancer.tls.certificate_file
    if file is None:
        return secrets.get("tls", "pem")
    return pulumi.Output.secret(read_local_file(file))
