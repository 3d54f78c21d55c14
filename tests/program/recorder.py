"""Run the whole program under Pulumi's mocks; every registration becomes plain data."""

from __future__ import annotations

import asyncio
import json
import logging
import runpy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pulumi
from pulumi.runtime import mocks, rpc
from pulumi.runtime.settings import SETTINGS, set_root_resource
from pulumi.runtime.stack import run_in_stack

ROOT = Path(__file__).resolve().parents[2]
PROJECT = "ha-lab"
COMMAND = "command:remote:Command"
STACK_TYPE = "pulumi:pulumi:Stack"
UNKNOWN_OUTPUT = "an output that only the provider knows"
"""What the mocks say for a command's standard output."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """One resource as the program registered it."""

    urn: str
    type: str
    name: str
    custom: bool
    parent: str
    """Its parent's URN."""
    inputs: Mapping[str, Any]
    """Plain values; secrets are opened."""
    secret: frozenset[str]
    """Inputs that are secret as a whole or in a part."""
    plain: str
    """All that is not secret of the inputs, as text."""
    depends_on: frozenset[str]
    """URNs, of `depends_on` and of inputs that are outputs of others."""
    additional_secret_outputs: frozenset[str]
    timeouts: Mapping[str, str]


@dataclass(slots=True)
class Recording:
    """All that one run of the program said to the engine."""

    registered: list[Registered] = field(default_factory=list)
    outputs: dict[str, Any] = field(default_factory=dict)
    """The stack outputs, opened."""
    plain_outputs: str = ""
    """All that is not secret of them, as text."""
    secret_outputs: frozenset[str] = frozenset()
    errors: list[str] = field(default_factory=list)
    exit_status: object = 0

    def of_type(self, token: str) -> list[Registered]:
        return [found for found in self.registered if found.type == token]

    @property
    def commands(self) -> list[Registered]:
        return self.of_type(COMMAND)

    def by_name(self, name: str, token: str = COMMAND) -> Registered:
        return next(f for f in self.registered if f.name == name and f.type == token)

    def waits_for(self, resource: Registered) -> set[str]:
        """URNs of everything that is there before this resource, near and far."""
        by_urn = {found.urn: found for found in self.registered}
        seen: set[str] = set()
        queue = list(resource.depends_on)
        while queue:
            urn = queue.pop()
            if urn in seen:
                continue
            seen.add(urn)
            queue += by_urn[urn].depends_on if urn in by_urn else ()
        return seen


class _Echo(mocks.Mocks):
    """Outputs are the inputs and what only a provider knows."""

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str | None, dict[Any, Any]]:
        known = {"stdout": UNKNOWN_OUTPUT, "stderr": ""} if args.typ == COMMAND else {}
        return f"{args.name}-id", {**args.inputs, **known}

    def call(self, args: mocks.MockCallArgs) -> tuple[dict[Any, Any], None]:
        del args
        return {}, None


class _Monitor(mocks.MockMonitor):
    def __init__(self, recording: Recording) -> None:
        super().__init__(_Echo())
        self._recording = recording

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802 - the SDK's name
        answer = super().RegisterResource(request)  # type: ignore[no-untyped-call]
        if request.type != STACK_TYPE:
            self._recording.registered.append(_registered(request, answer.urn))
        return answer

    def RegisterResourceOutputs(self, request: Any) -> Any:  # noqa: N802 - the SDK's name
        if f"::{STACK_TYPE}::" in request.urn:
            values = dict(opened(request.outputs))
            self._recording.outputs = {key: value for key, (value, _) in values.items()}
            self._recording.secret_outputs = frozenset(k for k, (_, s) in values.items() if s)
            self._recording.plain_outputs = json.dumps(closed(request.outputs))
        return super().RegisterResourceOutputs(request)  # type: ignore[no-untyped-call]


def _registered(request: Any, urn: str) -> Registered:
    inputs = dict(opened(request.object))
    wrapped = frozenset(key for key, (_, secret) in inputs.items() if secret)
    timeouts = request.customTimeouts
    return Registered(
        urn=urn,
        type=request.type,
        name=request.name,
        custom=request.custom,
        parent=request.parent,
        inputs={key: value for key, (value, _) in inputs.items()},
        secret=wrapped,
        plain=json.dumps(closed(request.object)),
        depends_on=frozenset(request.dependencies),
        additional_secret_outputs=frozenset(request.additionalSecretOutputs),
        timeouts={"create": timeouts.create, "update": timeouts.update},
    )


def opened(struct: Any) -> Iterator[tuple[str, tuple[Any, bool]]]:
    """Each property's plain value, and whether a secret is in it."""
    for key, value in rpc.deserialize_properties(struct, keep_unknowns=True).items():
        found = _has_secret(value)
        yield key, (_open(value), found)


def closed(struct: Any) -> object:
    """The properties with `[secret]` in place of every secret."""
    return _close(rpc.deserialize_properties(struct, keep_unknowns=True))


def _has_secret(value: Any) -> bool:
    if rpc.is_rpc_secret(value):
        return True
    if isinstance(value, Mapping):
        return any(_has_secret(inner) for inner in value.values())
    return isinstance(value, list) and any(_has_secret(inner) for inner in value)


def _open(value: Any) -> Any:
    value = rpc.unwrap_rpc_secret(value)
    if isinstance(value, Mapping):
        return {key: _open(inner) for key, inner in value.items()}
    return [_open(inner) for inner in value] if isinstance(value, list) else value


def _close(value: Any) -> Any:
    if rpc.is_rpc_secret(value):
        return "[secret]"
    if isinstance(value, Mapping):
        return {key: _close(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_close(inner) for inner in value]
    return value if isinstance(value, str | int | float | bool | None) else repr(value)


class _Errors(logging.Handler):
    def __init__(self, errors: list[str]) -> None:
        super().__init__(logging.ERROR)
        self._errors = errors

    def emit(self, record: logging.LogRecord) -> None:
        self._errors.append(record.getMessage())


_loops: list[asyncio.AbstractEventLoop] = []


def fresh_event_loop() -> None:
    """One of the program's own: a test before it may have left none (`asyncio.run`)."""
    while _loops:
        _loops.pop().close()
    _loops.append(asyncio.new_event_loop())
    asyncio.set_event_loop(_loops[0])


def run_program(
    settings: Mapping[str, object],
    *,
    secrets: str | None,
    stack: str = "demo",
    preview: bool = False,
) -> Recording:
    """Run `__main__.py` with this configuration. A program that ends early has an exit status."""
    recording = Recording()
    logger = logging.Logger("engine")
    logger.addHandler(_Errors(recording.errors))
    fresh_event_loop()
    mocks.set_mocks(
        _Echo(),
        project=PROJECT,
        stack=stack,
        preview=preview,
        logger=logger,
        monitor=_Monitor(recording),
    )
    # Outputs of earlier tests belong to loops that are gone: waiting for them would never end.
    SETTINGS.rpc_manager.clear()
    SETTINGS.outputs.clear()
    set_root_resource(None)  # type: ignore[arg-type] # the program's own stack takes its place
    config = {f"{PROJECT}:{key}": _as_pulumi_does(value) for key, value in settings.items()}
    secret_key = f"{PROJECT}:secrets"
    if secrets is not None:
        config[secret_key] = secrets
    pulumi.runtime.set_all_config(config, [secret_key])
    loop = asyncio.get_event_loop()
    try:
        loop.run_until_complete(run_in_stack(_program))
    except SystemExit as end:
        recording.exit_status = end.code
    finally:
        pulumi.runtime.set_all_config({})
    return recording


def _program() -> None:
    runpy.run_path(str(ROOT / "__main__.py"), run_name="__main__")


def _as_pulumi_does(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)
