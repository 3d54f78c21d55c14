"""Give this machine its data, once: an empty cluster, or a copy of the primary's."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import shutil
import tempfile
import time
from pathlib import Path

from .model import State
from .postgresql_data import become_replica
from .postgresql_role import slot_name
from .postgresql_site import OWNER, REPLICATION_USER, WATCHER, Site
from .shell import DatabaseError, must, say
from .source import await_source

APPLICATION_USER, APPLICATION_DATABASE = "application", "myapp"
SLOT_WITHIN_S = 20.0
SEED_TIMEOUT_S = 6 * 3600.0
ITERATIONS = 4096
_ROLES = f"""
CREATE ROLE {REPLICATION_USER} LOGIN REPLICATION;
CREATE ROLE {APPLICATION_USER} LOGIN;
CREATE ROLE "{WATCHER}" LOGIN REPLICATION IN ROLE pg_monitor;
-- The watcher ends `alone` once a replica is there again.
GRANT ALTER SYSTEM ON PARAMETER synchronous_standby_names TO "{WATCHER}";
GRANT EXECUTE ON FUNCTION pg_reload_conf() TO "{WATCHER}";
-- What pg_rewind asks of the primary.
GRANT EXECUTE ON FUNCTION pg_ls_dir(text, boolean, boolean) TO {REPLICATION_USER};
GRANT EXECUTE ON FUNCTION pg_stat_file(text, boolean) TO {REPLICATION_USER};
GRANT EXECUTE ON FUNCTION pg_read_binary_file(text) TO {REPLICATION_USER};
GRANT EXECUTE ON FUNCTION pg_read_binary_file(text, bigint, bigint, boolean) TO {REPLICATION_USER};
CREATE DATABASE {APPLICATION_DATABASE} OWNER {APPLICATION_USER};
"""


def prepare(site: Site) -> None:
    """The data of this machine; nothing where it has some. Raises DatabaseError."""
    if site.is_prepared:
        return
    begun = site.prepared_file.with_name("postgresql-preparing")
    if site.settings.joinpath("postgresql.conf").exists():
        if not begun.exists():
            msg = (
                f"{site.config.machine} has a PostgreSQL cluster {site.cluster} that the lab did "
                "not make; it is left alone. Move it away (pg_renamecluster), or drop it yourself"
            )
            raise DatabaseError(msg)
        say("an earlier run was cut off; beginning anew")
        drop(site)
    begun.parent.mkdir(parents=True, exist_ok=True)
    begun.touch()
    source = await_source(site)
    create(site)
    if source is None:
        make_first(site)
    else:
        fill_from(site, source)
    site.prepared_file.touch()
    begun.unlink()


def create(site: Site) -> None:
    """An empty cluster with checksums, started by nobody."""
    version = str(site.engine.version)
    argv = ["pg_createcluster", version, "main", "--start-conf=manual", "-p", str(site.engine.port)]
    argv += ["--locale=C.UTF-8", "--encoding=UTF8"]
    must([*argv, "--", "--data-checksums"], "making the cluster")


def drop(site: Site) -> None:
    """Remove what an earlier run of ours left half-made."""
    must(["pg_dropcluster", "--stop", str(site.engine.version), "main"], "removing the cluster")


def make_first(site: Site) -> None:
    """Users and database of the first primary, before anybody can reach it."""
    say(f"the first primary of PostgreSQL is {site.config.machine}")
    with tempfile.TemporaryDirectory(prefix="ha-lab-") as folder:
        shutil.chown(folder, OWNER)
        options = (
            f"-c config_file={site.settings}/postgresql.conf -c listen_addresses="
            f" -c unix_socket_directories={folder}"
        )
        control = [site.program("pg_ctl"), "-D", str(site.data), "-w"]
        log = str(Path(folder, "log"))
        must([*control, "-l", log, "-o", options, "start"], "the first start", user=OWNER)
        try:
            site.sql(_ROLES, socket=folder)
            set_passwords(site, socket=folder)
        finally:
            must([*control, "-m", "fast", "stop"], "ending the first start", user=OWNER)


def fill_from(site: Site, source: State) -> None:
    """Copy the primary's data; this machine is a replica then."""
    say(f"copying the data of {source.machine}")
    must(["rm", "-rf", str(site.data)], "removing the empty data")
    copy_of(site, source, site.data)
    become_replica(site)


def copy_of(site: Site, source: State, target: Path) -> None:
    """A copy of the primary's data in a new directory. Raises DatabaseError."""
    address = site.config.peers[source.machine]
    await_slot(site, address)
    argv = [site.program("pg_basebackup"), "-d", site.conninfo(address), "-D", str(target)]
    slot = slot_name(site.config.machine)
    must(
        [*argv, "--wal-method=stream", "--checkpoint=fast", f"--slot={slot}"],
        f"copying the data of {source.machine}",
        user=OWNER,
        timeout_s=SEED_TIMEOUT_S,
    )


def await_slot(site: Site, address: str) -> None:
    """The keeper of a primary makes the slots; a new primary's may not be there yet."""
    name = slot_name(site.config.machine)
    query = f"SELECT count(*) FROM pg_replication_slots WHERE slot_name = '{name}'"  # noqa: S608
    deadline = time.monotonic() + SLOT_WITHIN_S
    while site.ask_other(address, query) != "1":
        if time.monotonic() >= deadline:
            msg = f"{address} has no replication slot {name}; is its ha-lab-database.service up?"
            raise DatabaseError(msg)
        time.sleep(0.2)


def set_passwords(site: Site, *, socket: str = "") -> None:
    """Give the users the passwords of this machine's files."""
    statements = []
    for user, password in passwords(site).items():
        statements.append(f"ALTER ROLE {user} PASSWORD '{verifier(password)}';")
    site.sql("\n".join(statements), socket=socket)


def passwords(site: Site) -> dict[str, str]:
    """By user, of the files that root and the server alone can read."""
    application = site.root / "etc/ha-lab/postgresql-application.password"
    return {
        REPLICATION_USER: site.pgpass.read_text(encoding="utf-8").strip().rpartition(":")[2],
        APPLICATION_USER: application.read_text(encoding="utf-8").strip(),
    }


def verifier(password: str) -> str:
    """The SCRAM verifier that PostgreSQL stores: so the password is in no statement and no log."""
    salt = os.urandom(16)
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, ITERATIONS)
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server = hmac.digest(salted, b"Server Key", "sha256")
    texts = [base64.b64encode(part).decode() for part in (salt, stored, server)]
    return f"SCRAM-SHA-256${ITERATIONS}:{texts[0]}${texts[1]}:{texts[2]}"
