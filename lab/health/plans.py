"""What Pulumi has applied where: read from the stack's state. Pure, but for `read_plans`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from lab.health.drift import READY
from lab.machines import Login
from lab.pulumi_cli import PulumiCli

SECRET = "4dabf18193072939515e22adb298388d"  # noqa: S105 - the mark of a secret value in a state
APPLY = "halab:remote:Apply$command:remote:Command"
GATE = "halab:remote:Ready$command:remote:Command"


@dataclass(frozen=True, slots=True, kw_only=True)
class AppliedPlan:
    """One plan on one machine, and the resource that applies it."""

    urn: str
    machine: str
    service: str
    """As the applier records it; `ready` for the resource that brings the applier."""

    @property
    def resource(self) -> str:
        """Its name in Pulumi: `lb-lb1`."""
        return self.urn.rpartition("::")[2]


def read_plans(cli: PulumiCli, machines: Mapping[str, Login]) -> list[AppliedPlan]:
    """All plans of a stack, in an order in which they may be applied.

    The state comes with its secrets in clear (addresses are among them): it is not kept.
    """
    return plans_of(json.loads(cli.read("stack", "export", "--show-secrets")), machines)


def plans_of(state: Mapping[str, Any], machines: Mapping[str, Login]) -> list[AppliedPlan]:
    """The plans in an exported state. A state lists resources after what they depend on."""
    names = {(login.address, login.port): name for name, login in machines.items()}
    found = []
    for resource in state["deployment"].get("resources", ()):
        kind = resource["urn"].split("::")[2]
        if resource.get("delete") or not kind.endswith((APPLY, GATE)):
            continue
        inputs = resource["inputs"]
        connection = in_clear(inputs["connection"])
        machine = names.get((in_clear(connection["host"]), int(connection.get("port", 22))))
        if machine is None:
            continue
        service = READY if kind.endswith(GATE) else service_of(in_clear(inputs["stdin"]))
        found.append(AppliedPlan(urn=resource["urn"], machine=machine, service=service))
    return found


def service_of(specification: str) -> str:
    """The service that a specification is for."""
    return str(json.loads(specification)["service"])


def in_clear(value: Any) -> Any:
    """A value of a state that was exported with its secrets."""
    if isinstance(value, Mapping) and SECRET in value:
        return json.loads(value["plaintext"])
    return value


def services_by_machine(plans: Iterable[AppliedPlan]) -> dict[str, list[str]]:
    """By machine, the services of which it must have a record."""
    services: dict[str, list[str]] = {}
    for plan in plans:
        of_machine = services.setdefault(plan.machine, [])
        if plan.service != READY:
            of_machine.append(plan.service)
    return services
