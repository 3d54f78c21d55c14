"""Apply: one service's plan on one machine, as one Pulumi resource."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi
from pulumi_command import remote

from components.files import ServicePlan
from components.remote.host import Host, connection
from components.remote.ready import APPLIER, become
from components.remote.spec import specification

APPLY_TIMEOUT = "30m"
"""A whole service on a slow, emulated machine with packages to install; a hang ends here."""


class Apply(pulumi.ComponentResource):
    """A service plan carried out on a host.

    Produces one remote command whose stdin is the plan as JSON. A changed plan is an update in
    place; a machine that was made anew (`Host.identity`) runs it again. There is nothing
    to delete: a machine's services go with the machine.
    """

    facts: pulumi.Output[str]
    """What the applier did last, for people; depend on the component, never on this text."""

    def __init__(
        self,
        name: str,
        *,
        host: Host,
        plan: ServicePlan | pulumi.Output[ServicePlan],
        after: Sequence[pulumi.Resource] = (),
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """`after`: what must have been applied before, on this machine or another."""
        super().__init__("halab:remote:Apply", name, None, opts)
        stdin = specification(plan) if isinstance(plan, ServicePlan) else plan.apply(specification)
        command = remote.Command(
            name,
            connection=connection(host),
            create=f"{become(host)}{APPLIER}",
            stdin=stdin,
            triggers=[host.identity],
            logging=remote.Logging.STDERR,
            add_previous_output_in_env=False,
            opts=pulumi.ResourceOptions(
                parent=self,
                depends_on=list(after),
                custom_timeouts=pulumi.CustomTimeouts(create=APPLY_TIMEOUT, update=APPLY_TIMEOUT),
                additional_secret_outputs=["stdout", "stderr"],
            ),
        )
        self.facts = command.stdout
        self.register_outputs({})
