"""The Pacemaker cluster as a Pulumi component."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import pulumi

from components.files import ServicePlan
from components.pacemaker.args import ClusterArgs, Member
from components.pacemaker.plans import check_plan, join_plan, keys_plan, member_plan, push_plan
from components.pacemaker.quorum import (
    device_keys_plan,
    device_plan,
    member_keys_plan,
)
from components.pacemaker.quorum import member_plan as quorum_member_plan
from components.remote import Apply, Host


class KeysPlan(Protocol):
    """Makes the plan that puts certificate and pair on a machine."""

    def __call__(self, *, ca: str, pair: str) -> ServicePlan: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class QuorumDevice:
    """The machine of the quorum device, and the certificates by which it and the members know
    each other."""

    host: Host
    ca: pulumi.Output[str]
    device_pair: pulumi.Output[str]
    members_pair: pulumi.Output[str]


class Cluster(pulumi.ComponentResource):
    """Corosync, Pacemaker and pcs on the members, and what they run.

    Produces: a check of the resources by their agents, before anything is touched; keys,
    configuration and daemons of each member, side by side; on the first member then, once, the
    wait for all of them, and the push of the resources. Does not: open the firewall (see
    `member_firewall`), fence (its devices are in the args), make machines.
    """

    ready: pulumi.Resource
    """The cluster runs its resources."""

    def __init__(
        self,
        name: str,
        args: ClusterArgs,
        *,
        hosts: Sequence[Host],
        prerequisites: Mapping[str, Sequence[pulumi.Resource]],
        authkey: pulumi.Output[str],
        password: pulumi.Output[str],
        device: QuorumDevice | None = None,
        seeded: Sequence[pulumi.Resource] = (),
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """`hosts`: in the order of the members. `prerequisites`: by the name of every machine of
        the lab, what must be there first: one that is no member any more leaves the cluster before
        the others go on without it. `seeded`: what runs already when the cluster takes it over, and
        must be there before the resources."""
        super().__init__("halab:pacemaker:Cluster", name, None, opts)
        self._name, self._args, self._prerequisites = name, args, prerequisites
        first = hosts[0]
        checked = self._apply("check", first, check_plan(args), [])
        keys = pulumi.Output.all(authkey, password).apply(
            lambda both: keys_plan(authkey=both[0], password=both[1])
        )
        running = [
            self._member(host, member, keys, checked)
            for host, member in zip(hosts, args.members, strict=True)
        ]
        everywhere = [resource for each in prerequisites.values() for resource in each]
        joining = pulumi.Output.all(*(host.identity for host in hosts)).apply(
            lambda identities: join_plan(args, identities)
        )
        joined = self._apply("join", first, joining, [*running, *everywhere])
        votes = self._with_device(device, hosts, [checked], joined) if device else []
        pushed = [checked, joined, *votes, *seeded]
        self.ready = self._apply("resources", first, push_plan(args), pushed)
        self.register_outputs({})

    def _member(
        self,
        host: Host,
        member: Member,
        keys: pulumi.Output[ServicePlan],
        checked: pulumi.Resource,
    ) -> pulumi.Resource:
        """Keys, then all the rest. A resource of their own: secrets hide the whole of one."""
        secret = self._apply("keys", host, keys, [checked])
        return self._apply("member", host, member_plan(self._args, member), [secret])

    def _with_device(
        self,
        device: QuorumDevice,
        hosts: Sequence[Host],
        checked: Sequence[pulumi.Resource],
        joined: pulumi.Resource,
    ) -> list[pulumi.Resource]:
        """The device runs, then every member asks it, once all of them have read of it."""

        def keys(pair: pulumi.Output[str], plan: KeysPlan) -> pulumi.Output[ServicePlan]:
            both = pulumi.Output.all(device.ca, pair)
            return both.apply(lambda found: plan(ca=found[0], pair=found[1]))

        secret = keys(device.device_pair, device_keys_plan)
        known = self._apply("quorum-device-keys", device.host, secret, checked)
        runs = self._apply("quorum-device", device.host, device_plan(self._args), [known])
        members = []
        for host in hosts:
            secret = keys(device.members_pair, member_keys_plan)
            mine = self._apply("quorum-keys", host, secret, [joined])
            members.append(self._apply("quorum", host, quorum_member_plan(), [runs, mine]))
        return members

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
