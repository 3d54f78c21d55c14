"""Run a build under Pulumi's mocks and see every registration as plain data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pulumi
from pulumi.runtime import mocks, rpc

from tests.program.recorder import fresh_event_loop

PROJECT, STACK = "ha-lab", "unit"


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """One resource as the program registered it."""

    type: str
    name: str
    custom: bool
    parent: str
    """Name of the parent resource."""
    inputs: Mapping[str, Any]
    secrets: frozenset[str]
    """Inputs that are secret."""
    delete_before_replace: bool
    replace_on_changes: tuple[str, ...]
    additional_secret_outputs: tuple[str, ...]


@dataclass(slots=True)
class Recording:
    """All registrations of one run."""

    registrations: list[Registration] = field(default_factory=list)

    def of_type(self, token: str) -> list[Registration]:
        return [found for found in self.registrations if found.type == token]

    def named(self, name: str) -> Registration:
        return next(found for found in self.registrations if found.name == name)


class _Echo(mocks.Mocks):
    """Outputs are the inputs; ids are made of names."""

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str | None, dict[Any, Any]]:
        return f"{args.name}-id", dict(args.inputs)

    def call(self, args: mocks.MockCallArgs) -> tuple[dict[Any, Any], list[tuple[str, str]] | None]:
        del args
        return {}, None


class _Monitor(mocks.MockMonitor):
    def __init__(self, recording: Recording) -> None:
        super().__init__(_Echo())
        self._recording = recording

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802 - the SDK's name
        if request.type != "pulumi:pulumi:Stack":
            self._recording.registrations.append(_registration(request))
        return super().RegisterResource(request)  # type: ignore[no-untyped-call]


def _registration(request: Any) -> Registration:
    inputs = rpc.deserialize_properties(request.object, keep_unknowns=True)
    wrapped = {key for key, value in inputs.items() if rpc.is_rpc_secret(value)}
    return Registration(
        type=request.type,
        name=request.name,
        custom=request.custom,
        parent=request.parent.rpartition("::")[2],
        inputs={key: rpc.unwrap_rpc_secret(value) for key, value in inputs.items()},
        secrets=frozenset(wrapped),
        delete_before_replace=request.deleteBeforeReplace,
        replace_on_changes=tuple(request.replaceOnChanges),
        additional_secret_outputs=tuple(request.additionalSecretOutputs),
    )


def record(build: Callable[[], object], *, preview: bool = False) -> Recording:
    """Run `build` as a program; what it raises is raised here."""
    recording = Recording()
    fresh_event_loop()
    mocks.set_mocks(
        _Echo(), project=PROJECT, stack=STACK, preview=preview, monitor=_Monitor(recording)
    )

    @pulumi.runtime.test  # type: ignore[untyped-decorator]
    def run() -> None:
        build()

    run()
    return recording
