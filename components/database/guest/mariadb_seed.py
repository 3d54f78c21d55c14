"""A copy of the primary's data by mariadb-backup: how it is sent, and how it becomes data here."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from .decide import gtid_sequence
from .mariadb_site import ENGINE, OWNER, Site
from .model import REPLICA, State
from .seed import receive, send
from .shell import DatabaseError, as_user, must, say, write

CONNECT_TIMEOUT_S = 10.0
SILENCE_TIMEOUT_S = 300.0
"""Without a byte from the other machine for so long, the copy is given up."""
PREPARE_TIMEOUT_S = 6 * 3600.0
PART = 1 << 18
INFO_FILES = ("mariadb_backup_binlog_info", "xtrabackup_binlog_info")
"""Where the copy is in the history; the older name is that of MariaDB before 11.1."""
_WAITING = (
    "SELECT VARIABLE_VALUE FROM information_schema.GLOBAL_STATUS WHERE VARIABLE_NAME IN "
    "('RPL_SEMI_SYNC_MASTER_CLIENTS', 'RPL_SEMI_SYNC_MASTER_WAIT_SESSIONS') ORDER BY VARIABLE_NAME;"
)


def send_seed(site: Site) -> None:
    """Send a copy to whoever is at the other end of standard input and output."""
    machine = send(sys.stdin.buffer, sys.stdout.buffer, site.password(), lambda: backup(site))
    say(f"sent a copy to {machine}")


def backup(site: Site) -> Iterator[bytes]:
    """The parts of a copy of this server's data. Raises DatabaseError."""
    must_not_wait(site)
    with (
        tempfile.TemporaryDirectory(prefix="ha-lab-seed-") as folder,
        tempfile.TemporaryFile() as log,
    ):
        argv = ["mariadb-backup", "--backup", "--stream=xbstream", f"--target-dir={folder}"]
        process = subprocess.Popen(
            [*argv, f"--socket={site.socket}", f"--user={OWNER}", f"--datadir={site.data}"],
            stdout=subprocess.PIPE,
            stderr=log,
            cwd=folder,
        )
        try:
            if process.stdout is not None:
                yield from iter(lambda: process.stdout.read(PART), b"")  # type: ignore[union-attr]
        finally:
            process.kill()
            status = process.wait()
        if status != 0:
            log.seek(0)
            said = log.read().decode("utf-8", "replace").strip().splitlines()[-3:]
            msg = f"mariadb-backup ended with {status}: {' / '.join(said)}"
            raise DatabaseError(msg)


def must_not_wait(site: Site) -> None:
    """A backup waits for the commits that wait for the replica that waits for the backup."""
    clients, waiting = (int(line) for line in site.sql(_WAITING).split())
    if waiting and not clients:
        msg = (
            f"writes on {site.config.machine} wait for a replica, and a copy cannot be taken while "
            f"they do; let it go on alone first: `lab db promote {ENGINE} {site.config.machine}`"
        )
        raise DatabaseError(msg)


def copy_of(site: Site, source: State, target: Path) -> None:
    """A copy of the primary's data in a new directory, ready to be started as a replica's."""
    address = site.config.peers[source.machine]
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(mode=0o750)
    shutil.chown(target, OWNER, OWNER)
    fetch(site, address, target)
    must(
        ["mariadb-backup", "--prepare", f"--target-dir={target}"],
        "making the copy consistent",
        user=OWNER,
        timeout_s=PREPARE_TIMEOUT_S,
    )
    position = position_in(target)
    state = state_at(position, site.ask_other(address, "SELECT @@GLOBAL.gtid_binlog_state"))
    seed = json.dumps({"position": position, "state": state})
    write(target / site.seed_file.name, seed, owner=OWNER)
    site.write_role(REPLICA, source.term, data=target)


def fetch(site: Site, address: str, target: Path) -> None:
    """The files of the copy, from the other machine. Raises DatabaseError."""
    try:
        place = (address, site.engine.seed_port)
        with socket.create_connection(place, timeout=CONNECT_TIMEOUT_S) as connection:
            connection.settimeout(SILENCE_TIMEOUT_S)
            wire_in, wire_out = connection.makefile("rb"), connection.makefile("wb")
            unpack(receive(wire_in, wire_out, site.password(), site.config.machine), target)
    except OSError as error:
        msg = f"{address} sends no copy on port {site.engine.seed_port}: {error}"
        raise DatabaseError(msg) from None


def unpack(parts: Iterator[bytes], target: Path) -> None:
    """Write the files of an archive, as the server's user. Raises DatabaseError."""
    argv = [*as_user(OWNER), "mbstream", "-x", "-C", str(target)]
    process = subprocess.Popen(argv, stdin=subprocess.PIPE, cwd="/")
    try:
        if process.stdin is not None:
            for part in parts:
                process.stdin.write(part)
            process.stdin.close()
    except BaseException:
        process.kill()
        process.wait()
        raise
    if process.wait() != 0:
        msg = f"unpacking the copy into {target} failed ({process.returncode})"
        raise DatabaseError(msg)


def position_in(folder: Path) -> str:
    """The GTID up to which a copy has everything. Raises DatabaseError."""
    for name in INFO_FILES:
        file = folder / name
        if file.exists():
            words = file.read_text(encoding="utf-8").split()
            if len(words) == 3:
                return words[2]
    msg = f"the copy in {folder} does not say where in the history it is"
    raise DatabaseError(msg)


def state_at(position: str, state: str) -> str:
    """The last transaction of each writer up to a position; `state` is of a later moment. Pure.

    Without it a later primary would not know what it has of the machines that wrote before.
    """
    last = gtid_sequence(position)
    writer = position.split("-")[1]
    earlier = [
        gtid
        for gtid in filter(None, state.strip().split(","))
        if gtid.split("-")[1] != writer and gtid_sequence(gtid) < last
    ]
    return ",".join([*earlier, position])
