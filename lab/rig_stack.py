"""The rig as a stack: machines without virtualisation, and the stack file that uses them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from components.settings.load import load_settings
from components.topology import plan
from lab.pulumi_cli import write_private
from lab.secrets import key_pair
from lab.stack_file import PROJECT, ROOT, path_of, read_config
from lab.terminal import note
from rig import lifecycle, state
from rig import model as rig_model

PLANNED = ("topology", "number", "network")
"""Settings that decide which machines there are, and where."""
ALL_TIERS: Mapping[str, Any] = {
    "cluster": {"enabled": True},
    "database": {"postgresql": {"enabled": True}, "mariadb": {"enabled": True}},
    # Machines of the rig have one file system.
    "storage": {"enabled": True, "allowRootFileSystem": True},
}
"""What the course has beyond its load balancers and app servers, as settings of a rig's stack."""
HEADER = "# Written by `lab rig up` for the machines of this rig; settings: example.yaml.\n"


def rig_up(name: str, settings: Mapping[str, Any], *, bare: tuple[str, ...] = ()) -> Path:
    """Make (or complete) the rig `name` and its stack of the same name; returns the stack file.

    `settings` are those of the stack (topology, counts, timers) but for the machines' addresses,
    which follow from them; settings that the stack file has already stay as they are there.
    """
    settings = {**settings, **planned_settings(name)}
    lab = plan(load_settings(settings, stack=name), stack=name)
    addresses = {machine.name: str(machine.address) for machine in lab.machines}
    wanted = rig_model.plan(
        name=name,
        cidr=str(lab.network),
        release="bookworm",
        machines=list(addresses),
        bare=bare,
        addresses=addresses,
    )
    private, public = administrator_key(name)
    note(f"rig {name}: {len(addresses)} machines on {lab.network}")
    rig = lifecycle.up(wanted, authorized_keys=public)
    return write_stack(rig, settings, private_key=private)


def planned_settings(name: str) -> dict[str, Any]:
    """What the stack file says already of which machines there are, for example their counts."""
    if not path_of(name).exists():
        return {}
    config = read_config(name)
    machines = config.pop("machines", {})
    chosen = {key: machines[key] for key in ("counts", "sizes", "user") if key in machines}
    planned: dict[str, Any] = {key: config[key] for key in PLANNED if key in config}
    return {**planned, **({"machines": chosen} if chosen else {})}


def administrator_key(name: str) -> tuple[Path, str]:
    """The rig's own SSH key pair, made once: private key file (0600) and public line."""
    home = state.home(name)
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    private, public = home / "administrator", home / "administrator.pub"
    if not private.exists():
        secret, line = key_pair()
        public.write_text(line + "\n", encoding="utf-8")
        write_private(private, secret)
    return private, public.read_text(encoding="utf-8")


def write_stack(rig: rig_model.Rig, settings: Mapping[str, Any], *, private_key: Path) -> Path:
    """Write the machines into the stack file; other settings and the secrets in it stay."""
    path = path_of(rig.name)
    content: dict[str, Any] = {}
    if path.exists():
        content = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    config = content.setdefault("config", {})
    for key, value in {**settings, "drill": {"allowed": True}}.items():
        config.setdefault(f"{PROJECT}:{key}", value)
    machines = config.setdefault(f"{PROJECT}:machines", {})
    machines.update(
        provider="existing",
        networkNamespace=rig.namespace,
        privateKeyFile=str(private_key),
        hosts={machine.name: host_settings(machine) for machine in rig.machines},
    )
    path.write_text(HEADER + yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    note(f"wrote {path.relative_to(ROOT)}; bring the lab up with `make up STACK={rig.name}`")
    return path


def host_settings(machine: rig_model.Machine) -> dict[str, str]:
    """A rig machine as `machines.hosts.<name>` of the settings."""
    return {
        "address": machine.address,
        "user": machine.user,
        "hostKey": machine.host_key,
        "identity": machine.identity,
    }
