"""The lab that is drilled, as its stack outputs describe it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from components.outputs import OUTPUTS_VERSION
from components.timers import Engine, Timers, timers_named
from lab.errors import LabError


class _Output(BaseModel):
    model_config = ConfigDict(
        alias_generator=to_camel, validate_by_name=True, extra="ignore", frozen=True
    )


class TargetMachine(_Output):
    """How to reach one machine, and what it does."""

    address: str
    roles: tuple[str, ...]
    user: str
    port: int


class FaultLimits(_Output):
    """What the stack's settings say of one fault; unset: computed from its prediction."""

    outage_ms: int | None = None
    failed_requests: int | None = None


class DrillOutputs(_Output):
    """`drill` of the stack's outputs: what may be done to it and what it is judged by."""

    allowed: bool
    interval_ms: int = 10
    slow_ms: int = 250
    request_timeout_s: float = 10.0
    tolerance_percent: int = 150
    tolerance_ms: int = 500
    limits: Mapping[str, FaultLimits] = {}


class TargetTimers(_Output):
    name: str


class BalancerOutputs(_Output):
    engine: Engine = "haproxy"
    """The program that balances; outputs of an older release do not say it."""


class DatabaseLogin(_Output):
    """With what applications log in to the databases."""

    user: str
    password: str = Field(repr=False)


class Credentials(_Output):
    ssh_private_key: str = Field(repr=False)
    host_keys: Mapping[str, str] = Field(repr=False)
    database: DatabaseLogin | None = Field(default=None, repr=False)


class Target(_Output):
    """Everything that a drill knows of a lab."""

    stack: str
    version: int
    provider: str
    prefix: str
    libvirt_uri: str = "qemu:///system"
    vip: str
    urls: Mapping[str, str]
    machines: Mapping[str, TargetMachine]
    timers: TargetTimers
    drill: DrillOutputs
    load_balancer: BalancerOutputs = BalancerOutputs()
    credentials: Credentials = Field(repr=False)
    cluster: Mapping[str, Any] = {}
    database: Mapping[str, Any] = {}
    storage: Mapping[str, Any] = {}

    def with_role(self, role: str) -> tuple[str, ...]:
        """Names of the machines that have a role, in the order of their names."""
        return tuple(sorted(n for n, machine in self.machines.items() if role in machine.roles))

    @property
    def engine(self) -> Engine:
        """The program that balances: `haproxy` or `nginx`."""
        return self.load_balancer.engine

    @property
    def timer_set(self) -> Timers:
        return timers_named(self.timers.name)


def target_from(outputs: Mapping[str, Any], *, stack: str) -> Target:
    """The target of a stack's outputs. Raises LabError where the stack is not up or is too old."""
    if "machines" not in outputs:
        msg = f"stack {stack} is not up; bring it up with `make up STACK={stack}`"
        raise LabError(msg)
    if outputs.get("version") != OUTPUTS_VERSION:
        msg = (
            f"stack {stack} has outputs of version {outputs.get('version')!r}, this `lab` knows "
            f"{OUTPUTS_VERSION}; run `make up STACK={stack}` once"
        )
        raise LabError(msg)
    try:
        return Target.model_validate(outputs)
    except ValidationError as error:
        # Of the errors the place alone: an input may be a key.
        places = ", ".join(".".join(map(str, problem["loc"])) for problem in error.errors())
        msg = f"stack {stack}: these outputs are not as expected: {places}; run `make up` once"
        raise LabError(msg) from None


def must_be_drillable(target: Target) -> None:
    """Raises LabError unless the stack's settings allow to break it."""
    if not target.drill.allowed:
        msg = (
            f"stack {target.stack} is not marked for drills: they break machines on purpose. To "
            "allow that, set `ha-lab:drill: {allowed: true}` in "
            f"stacks/Pulumi.{target.stack}.yaml and run `make up STACK={target.stack}`"
        )
        raise LabError(msg)
