"""Before Pulumi runs: the stack exists, its secrets are made, its host is reachable.

`prepare` is what `lab setup` does and what `lab up` does first; on a stack that is ready it costs
a fraction of a second and changes nothing.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from components.topology import Topology
from lab import secrets
from lab.errors import LabError
from lab.fencing import ensure_host_fencing, ensure_rig_fencing
from lab.locks import current_backend
from lab.pulumi_cli import STATE, PulumiCli, alone, ensure_state
from lab.stack_file import PROJECT, load_stack, path_of
from lab.terminal import note

if TYPE_CHECKING:
    from lab.libvirt_host.prepare import State


def prepare(stack: str, *, to_change: bool = False) -> PulumiCli:
    """A ready stack and the way to run Pulumi on it. Raises LabError or SettingsError.

    `to_change`: for a run that may change the lab. Then what a failed run left is removed first,
    and who fences is brought up to date; without it all that runs stays as it is, whose it may be.
    """
    settings, topology = load_stack(stack)
    need_pulumi()
    with alone():
        ensure_state()
        ensure_secrets(stack, topology)
    if settings.machines.provider == "existing":
        prefix = namespace_prefix(settings.machines.network_namespace)
        if to_change:
            ensure_rig_fencing(stack, settings, lambda: fence_key(stack))
        return PulumiCli(stack=stack, prefix=prefix)
    from lab.libvirt_host.prepare import prepare_host

    state = exported_state(stack)
    host = prepare_host(settings, topology, state=state, say=note, to_change=to_change)
    if to_change:
        ensure_host_fencing(stack, settings, topology, host.host, lambda: fence_key(stack))
    return PulumiCli(stack=stack, prefix=tuple(host.prefix), environment=host.environment)


def open_stack(stack: str) -> PulumiCli:
    """The way to run Pulumi on a stack that was made before; makes nothing but the daemon run."""
    settings, _ = load_stack(stack)
    need_pulumi()
    if settings.machines.provider == "existing":
        return PulumiCli(stack=stack, prefix=namespace_prefix(settings.machines.network_namespace))
    from lab.libvirt_host.daemon import ensure_libvirtd

    return PulumiCli(stack=stack, prefix=tuple(ensure_libvirtd(settings.libvirt.uri).prefix))


def prepare_removal(stack: str) -> PulumiCli:
    """The way to destroy a stack: what a failed `up` left beside its state is removed first."""
    settings, topology = load_stack(stack)
    need_pulumi()
    if settings.machines.provider == "existing":
        # Nothing is undone on existing machines, so they (and their namespace) may be gone.
        return PulumiCli(stack=stack)
    from lab.libvirt_host.prepare import prepare_destroy

    host = prepare_destroy(settings, topology, state=exported_state(stack), say=note)
    return PulumiCli(stack=stack, prefix=tuple(host.prefix))


def exported_state(stack: str) -> State:
    """What Pulumi knows of the stack's resources."""
    from lab.libvirt_host.prepare import State

    cli = PulumiCli(stack=stack)
    export: dict[str, object] = json.loads(cli.read("stack", "export"))
    return State(backend=current_backend(cli.environ()), export=export)


def need_pulumi() -> None:
    """Raises LabError where there is no Pulumi to run."""
    if shutil.which("pulumi") is None:
        msg = "`pulumi` is not on PATH; `make setup` brings it (or run through `toolchain/run`)"
        raise LabError(msg)


def namespace_prefix(namespace: str | None) -> tuple[str, ...]:
    """Words that run a command in a network namespace of this host."""
    if namespace is None:
        return ()
    if not Path("/run/netns", namespace).exists():
        hint = "`make rig` makes it" if namespace.startswith("ha-lab-rig") else "make it first"
        msg = f"the network namespace {namespace!r} of this stack does not exist; {hint}"
        raise LabError(msg)
    return ("ip", "netns", "exec", namespace)


def ensure_secrets(stack: str, topology: Topology) -> None:
    """Make the stack and what it lacks of secrets; remembers what it has made them for."""
    stamp = STATE / f"{stack}.setup"
    wanted = fingerprint(stack, topology)
    cli = PulumiCli(stack=stack)
    is_known = stamp.exists() and stamp.read_text(encoding="utf-8") == wanted
    if is_known and is_in(current_backend(cli.environ()), stack):
        return
    cli.read("stack", "select", "--create")
    known = secrets.parse(read_secrets(cli))
    complete = secrets.complete(known, topology)
    if complete != known:
        note(f"making the secrets of stack {stack}: keys, certificate, passwords")
        # On standard input: an argument could be read by every process of this machine.
        cli.read("config", "set", "--secret", f"{PROJECT}:secrets", stdin=json.dumps(complete))
    stamp.write_text(fingerprint(stack, topology), encoding="utf-8")


def is_in(backend_url: str, stack: str) -> bool:
    """Whether a backend of files still has the stack: `pulumi stack rm` removes it. Of others that
    is not asked here, as it takes a connection."""
    if not backend_url.startswith("file://"):
        return True
    root = Path(backend_url.removeprefix("file://")).expanduser()
    stacks = root / ".pulumi" / "stacks" / PROJECT
    return any((stacks / f"{stack}{suffix}").exists() for suffix in (".json", ".json.gz"))


def read_secrets(cli: PulumiCli) -> str:
    """The secrets' text; empty where there are none yet."""
    config: dict[str, dict[str, str]] = json.loads(cli.read("config", "--json", "--show-secrets"))
    return config.get(f"{PROJECT}:secrets", {}).get("value", "")


def fence_key(stack: str) -> str:
    """The key with which the members of a stack's cluster prove that they may fence."""
    return secrets.parse(read_secrets(PulumiCli(stack=stack)))["fencing"]["key"]


def fingerprint(stack: str, topology: Topology) -> str:
    """What the secrets depend on: their kinds, machines, VIP, and the file that holds them."""
    names = [machine.name for machine in topology.machines]
    subject = secrets.certificate_subject(topology)
    content = path_of(stack).read_text(encoding="utf-8")
    held = [line for line in content.splitlines() if "secure:" in line or "salt" in line]
    wanted = [secrets.KINDS, names, subject, held]
    return hashlib.sha256(json.dumps(wanted).encode()).hexdigest()
