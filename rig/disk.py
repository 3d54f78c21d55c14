"""A machine's disk: an overlay over the golden tree, with its name, keys and access written in."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from images.sources import carried_apt_options
from rig.model import USER, Machine
from rig.uplink import NAMESERVER

_USER_ID = 1000
#: The host's trusted authorities, which may hold a proxy's own.
_CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
JOURNAL = "[Journal]\nStorage=persistent\nSystemMaxUse=16M\nSyncIntervalSec=1h\n"
#: Units that have nothing to do here: the rig sets the address, and there is no seed to read.
_MASKED = (
    "systemd-networkd.service",
    "systemd-networkd.socket",
    "systemd-network-generator.service",
)


def make_host_key(folder: Path) -> str:
    """The machine's SSH host key, made once in `folder` (0600); returns its public line.

    It outlives a reinstallation, as a pinned key must.
    """
    private, public = folder / "ssh_host_ed25519_key", folder / "ssh_host_ed25519_key.pub"
    if not (private.exists() and public.exists()):
        key = Ed25519PrivateKey.generate()
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())
        _write(private, pem.decode(), mode=0o600)
        line = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
        _write(public, line.decode() + "\n")
    return public.read_text(encoding="ascii").strip()


def make_disk(machine: Machine, home: Path, tree: Path, authorized_keys: str) -> None:
    """An empty overlay for `machine` in `home`, replacing what was there."""
    remove_disk(home)
    upper = home / "upper"
    for folder in ("upper", "work", "root"):
        (home / folder).mkdir(parents=True)
    upper.chmod(0o755)
    _write(upper / "etc/hostname", f"{machine.name}\n")
    _write(upper / "etc/hosts", f"127.0.0.1 localhost\n127.0.1.1 {machine.name}\n::1 localhost\n")
    for suffix in ("", ".pub"):
        key = home / f"ssh_host_ed25519_key{suffix}"
        _write(upper / "etc/ssh" / key.name, key.read_text(), mode=0o644 if suffix else 0o600)
    _add_user(upper, tree, authorized_keys)
    _quieten(upper)
    if machine.bare:
        _let_out(upper)
    else:
        _free_running_clock(upper)


def remove_disk(home: Path) -> None:
    """Remove a machine's disk; its host key stays."""
    for folder in ("upper", "work", "root"):
        shutil.rmtree(home / folder, ignore_errors=True)


def _add_user(upper: Path, tree: Path, authorized_keys: str) -> None:
    """The administrator: keys only, sudo without password."""
    for name, line in (
        ("passwd", f"{USER}:x:{_USER_ID}:{_USER_ID}:administrator:/home/{USER}:/bin/bash"),
        ("group", f"{USER}:x:{_USER_ID}:"),
        ("shadow", f"{USER}:*:19700:0:99999:7:::"),
        ("gshadow", f"{USER}:!::"),
    ):
        source = tree / "etc" / name
        target = upper / "etc" / name
        _write(target, source.read_text() + line + "\n")
        shutil.copystat(source, target)
        os.chown(target, source.stat().st_uid, source.stat().st_gid)
    _write(upper / "etc/sudoers.d/90-lab", f"{USER} ALL=(ALL) NOPASSWD:ALL\n", mode=0o440)
    home = upper / "home" / USER
    _write(home / ".ssh/authorized_keys", authorized_keys.strip() + "\n", mode=0o600)
    (home / ".ssh").chmod(0o700)
    for path in (home, home / ".ssh", home / ".ssh/authorized_keys"):
        os.chown(path, _USER_ID, _USER_ID)


def _quieten(upper: Path) -> None:
    system = upper / "etc/systemd/system"
    system.mkdir(parents=True, exist_ok=True)
    for unit in _MASKED:
        (system / unit).symlink_to("/dev/null")
    (upper / "etc/cloud").mkdir(parents=True)
    (upper / "etc/cloud/cloud-init.disabled").touch()
    # Kept over a power loss, as a real machine's. It shares the host's disk cache: waiting for the
    # disk protects nothing.
    _write(upper / "etc/systemd/journald.conf.d/rig.conf", JOURNAL)


def _free_running_clock(upper: Path) -> None:
    """chronyd runs and answers, but does not touch the host's clock, which all machines share."""
    _write(upper / "etc/default/chrony", 'DAEMON_OPTS="-F 0 -x"\n')
    _write(
        upper / "etc/systemd/system/chrony.service.d/rig.conf",
        "[Unit]\nConditionCapability=\n",
    )


def _let_out(upper: Path) -> None:
    """What a bare machine needs to install packages as this host does."""
    _write(upper / "etc/resolv.conf", f"nameserver {NAMESERVER}\n")
    options = carried_apt_options()
    options += [
        f'Acquire::{scheme}::Proxy "{proxy}";'
        for scheme in ("http", "https")
        if (proxy := os.environ.get(f"{scheme}_proxy"))
    ]
    _write(upper / "etc/apt/apt.conf.d/90rig", "".join(f"{line}\n" for line in options))
    if _CERTIFICATES.exists():
        _write(upper / _CERTIFICATES.relative_to("/"), _CERTIFICATES.read_text(encoding="utf-8"))


def _write(path: Path, text: str, *, mode: int = 0o644) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "w", encoding="utf-8") as handle:
        handle.write(text)
    path.chmod(mode)
