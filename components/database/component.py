"""The databases as a Pulumi component."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pulumi

from components.database.args import DatabaseArgs
from components.database.engines import Engine, engines_of
from components.database.roles import role_plan
from components.remote import Apply, Host
from components.secrets import Secrets


class Databases(pulumi.ComponentResource):
    """The engines that are on, on every database machine.

    Produces the role service on all machines side by side, then each engine one machine after the
    other: the first makes the first primary, the next copies it. Each ends when its server runs as
    a primary or receives from one.
    Does not: decide who is primary once there is one, open the firewall (see `database_firewall`).
    """

    applied: Mapping[str, pulumi.Resource]
    """By machine name, its finished databases."""

    def __init__(
        self,
        name: str,
        args: DatabaseArgs,
        *,
        hosts: Sequence[Host],
        prerequisites: Mapping[str, pulumi.Resource],
        secrets: Secrets,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """`prerequisites`: by machine name, what must be there first (its baseline)."""
        super().__init__("halab:database:Databases", name, None, opts)
        self._own = pulumi.ResourceOptions(parent=self)
        self._hosts = hosts
        roles = [
            Apply(
                f"{name}-{host.name}",
                host=host,
                plan=role_plan(args, args.node(host.name)),
                after=[prerequisites[host.name]],
                opts=self._own,
            )
            for host in hosts
        ]
        self.applied = {host.name: role for host, role in zip(hosts, roles, strict=True)}
        for engine in engines_of(args):
            self.applied = self._engine(engine, args, secrets, list(self.applied.values()))
        self.register_outputs({})

    def _engine(
        self,
        engine: Engine,
        args: DatabaseArgs,
        secrets: Secrets,
        after: Sequence[pulumi.Resource],
    ) -> Mapping[str, pulumi.Resource]:
        """One engine on all machines, the first before the next."""
        passwords = pulumi.Output.all(
            replication=secrets.get("passwords", f"{engine.name}Replication"),
            application=secrets.get("passwords", "application"),
        ).apply(lambda words: engine.passwords(**words))
        before: list[pulumi.Resource] = list(after)
        applied: dict[str, pulumi.Resource] = {}
        for host in self._hosts:
            # Its own resource: it alone is secret, so a preview still shows what changes.
            secret = Apply(
                f"{engine.name}-{host.name}-passwords",
                host=host,
                plan=passwords,
                after=after,
                opts=self._own,
            )
            applied[host.name] = Apply(
                f"{engine.name}-{host.name}",
                host=host,
                plan=engine.plan(args.node(host.name)),
                after=[secret, *before],
                opts=self._own,
            )
            before = [applied[host.name]]
        return applied
