"""Drives a `pulumi-resource-command` executable over gRPC, as the Pulumi engine does."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

import grpc  # type: ignore[import-untyped]
from google.protobuf import empty_pb2, struct_pb2  # type: ignore[import-untyped]
from google.protobuf.json_format import MessageToDict  # type: ignore[import-untyped]
from pulumi.runtime.proto import (
    engine_pb2,
    engine_pb2_grpc,
    plugin_pb2,
    provider_pb2,
    provider_pb2_grpc,
)

from tests.support.waiting import MOMENT_S, deadline_s

Properties = dict[str, Any]

_SIGNATURE = "4dabf18193072939515e22adb298388d"
_SECRET = "1b47061264138c4ac30d75fd1eb44270"
_ASSET = "c44067f5952c0a294b673a41bacd8c17"
_ARCHIVE = "0def7320c3a5731c473e5ecbe6d01bc7"

REMOTE_COMMAND = "command:remote:Command"
LOCAL_COMMAND = "command:local:Command"
COPY_TO_REMOTE = "command:remote:CopyToRemote"
CALL_S = 600
"""The engine waits for ever; longer than any command here takes that nobody ends."""


def secret(value: object) -> Properties:
    """A secret, as it travels between engine and plugin."""
    return {_SIGNATURE: _SECRET, "value": value}


def text_asset(text: str, digest: str) -> Properties:
    """A StringAsset; `digest` is what the engine would have made from its content."""
    return {_SIGNATURE: _ASSET, "hash": digest, "text": text, "path": "", "uri": ""}


def file_asset(path: Path | str, digest: str) -> Properties:
    """A FileAsset."""
    return {_SIGNATURE: _ASSET, "hash": digest, "text": "", "path": str(path), "uri": ""}


def file_archive(path: Path | str, digest: str) -> Properties:
    """A FileArchive; a trailing slash of `path` means something, so give a str then."""
    return {_SIGNATURE: _ARCHIVE, "hash": digest, "path": str(path), "uri": ""}


def plain(value: Any) -> Any:
    """The value without the wrapping of secrets, at any depth."""
    if isinstance(value, Mapping):
        if value.get(_SIGNATURE) == _SECRET:
            return plain(value["value"])
        return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list) else value


def is_secret(value: Any) -> bool:
    """Whether the value is wrapped as a secret."""
    return isinstance(value, Mapping) and value.get(_SIGNATURE) == _SECRET


class PluginError(Exception):
    """What the plugin answered instead of a result; the user would see this text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Diff:
    """The answer to a Diff."""

    changed: bool
    inputs: frozenset[str]
    """The inputs that differ."""
    replaces: frozenset[str]
    """Those because of which the plugin asks for a replacement; the SDK asks for some too."""


class Engine(engine_pb2_grpc.EngineServicer):
    """The engine's side: collects what the plugin logs."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.arrived = threading.Condition()

    def Log(  # noqa: N802 (the protocol's name)
        self, request: engine_pb2.LogRequest, context: grpc.ServicerContext
    ) -> empty_pb2.Empty:
        """Record a message of the plugin."""
        del context
        with self.arrived:
            self.lines.extend(request.message.split("\n"))
            self.arrived.notify_all()
        return empty_pb2.Empty()

    def wait_for_line(self, text: str, seconds: float) -> bool:
        """Whether a line containing `text` is logged within that time."""
        with self.arrived:
            return self.arrived.wait_for(lambda: any(text in line for line in self.lines), seconds)


@dataclass(slots=True)
class Plugin:
    """A running plugin. Use it as a context manager."""

    executable: Path
    environ: Mapping[str, str]
    engine: Engine = field(default_factory=Engine)
    _server: grpc.Server = field(init=False)
    _process: subprocess.Popen[str] = field(init=False)
    _channel: grpc.Channel = field(init=False)
    _stub: provider_pb2_grpc.ResourceProviderStub = field(init=False)

    def __enter__(self) -> Plugin:
        self._server = grpc.server(ThreadPoolExecutor(4))
        engine_pb2_grpc.add_EngineServicer_to_server(self.engine, self._server)
        port = self._server.add_insecure_port("127.0.0.1:0")
        self._server.start()
        self._process = subprocess.Popen(
            [str(self.executable), f"127.0.0.1:{port}"],
            env=dict(self.environ),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self._process.stdout is not None
        own = self._process.stdout.readline().strip()
        limit = 64 << 20
        # Errors travel as metadata; the engine has no such limit as gRPC for Python has.
        options = [
            ("grpc.max_receive_message_length", limit),
            ("grpc.max_metadata_size", limit),
            ("grpc.absolute_max_metadata_size", limit),
        ]
        self._channel = grpc.insecure_channel(f"127.0.0.1:{own}", options=options)
        self._stub = provider_pb2_grpc.ResourceProviderStub(self._channel)
        self._call(
            self._stub.Configure,
            provider_pb2.ConfigureRequest(
                acceptSecrets=True,
                acceptResources=True,
                sends_old_inputs=True,
                sends_old_inputs_to_delete=True,
            ),
        )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._channel.close()
        self._process.terminate()
        self._process.wait(deadline_s(MOMENT_S))
        self._server.stop(None)

    def version(self) -> str:
        """The version that the plugin says it has."""
        info: plugin_pb2.PluginInfo = self._call(self._stub.GetPluginInfo, empty_pb2.Empty())
        return info.version

    def check(self, token: str, inputs: Properties) -> tuple[Properties, list[str]]:
        """The checked inputs, and what is wrong with them."""
        request = provider_pb2.CheckRequest(
            urn=_urn(token), news=_pack(inputs), randomSeed=b"0" * 32
        )
        response = self._call(self._stub.Check, request)
        failures = [f"{failure.property}: {failure.reason}" for failure in response.failures]
        return _unpack(response.inputs), failures

    def create(self, token: str, inputs: Properties, **options: Any) -> tuple[str, Properties]:
        """Check, then create; the id and the state. Options: preview, timeout (seconds)."""
        checked, failures = self.check(token, inputs)
        assert not failures
        request = provider_pb2.CreateRequest(urn=_urn(token), properties=_pack(checked), **options)
        response = self._call(self._stub.Create, request)
        return response.id, _unpack(response.properties)

    def diff(self, token: str, state: Properties, old: Properties, new: Properties) -> Diff:
        """The difference between a created resource and new inputs."""
        request = provider_pb2.DiffRequest(
            id="id",
            urn=_urn(token),
            olds=_pack(state),
            old_inputs=_pack(self.check(token, old)[0]),
            news=_pack(self.check(token, new)[0]),
        )
        response = self._call(self._stub.Diff, request)
        detailed = {
            _top(path)
            for path, change in response.detailedDiff.items()
            if provider_pb2.PropertyDiff.Kind.Name(change.kind).endswith("_REPLACE")
        }
        return Diff(
            changed=response.changes == provider_pb2.DiffResponse.DIFF_SOME,
            inputs=frozenset(_top(path) for path in response.detailedDiff),
            replaces=frozenset(detailed | {_top(path) for path in response.replaces}),
        )

    def update(
        self, token: str, state: Properties, old: Properties, new: Properties, **options: Any
    ) -> Properties:
        """Check, then update; the new state."""
        request = provider_pb2.UpdateRequest(
            id="id",
            urn=_urn(token),
            olds=_pack(state),
            old_inputs=_pack(self.check(token, old)[0]),
            news=_pack(self.check(token, new)[0]),
            **options,
        )
        return _unpack(self._call(self._stub.Update, request).properties)

    def delete(self, token: str, state: Properties, inputs: Properties) -> None:
        """Delete a resource."""
        request = provider_pb2.DeleteRequest(
            id="id",
            urn=_urn(token),
            properties=_pack(state),
            old_inputs=_pack(self.check(token, inputs)[0]),
        )
        self._call(self._stub.Delete, request)

    def cancel(self) -> None:
        """What the engine sends when the user interrupts it."""
        self._call(self._stub.Cancel, empty_pb2.Empty())

    def _call(self, method: Any, request: Any) -> Any:
        try:
            return method(request, timeout=CALL_S)
        except grpc.RpcError as error:
            raise PluginError(error.details()) from None


def _urn(token: str) -> str:
    return f"urn:pulumi:stack::project::{token}::name"


def _pack(properties: Properties) -> struct_pb2.Struct:
    packed = struct_pb2.Struct()
    packed.update(properties)
    return packed


def _unpack(packed: struct_pb2.Struct) -> Properties:
    unpacked: Properties = MessageToDict(packed)
    return unpacked


def _top(path: str) -> str:
    """The input that a path like "triggers[0]" belongs to."""
    return path.split("[", 1)[0].split(".", 1)[0]
