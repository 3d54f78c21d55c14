"""Give this machine its data, once: an empty server's, or a copy of the primary's."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .mariadb_primary import begin_term
from .mariadb_seed import copy_of
from .mariadb_site import OWN_DATABASE, OWNER, REPLICATION_USER, WATCHER, Site
from .model import PRIMARY
from .shell import DatabaseError, as_user, must, run, say
from .source import await_source

APPLICATION_USER, APPLICATION_DATABASE = "application", "myapp"
HOSTS_FILE = "etc/ha-lab/mariadb-hosts.json"
"""By account, the addresses from which it may log in."""
FIRST_START_WITHIN_S = 60.0
PACKAGED = {"mysql", "performance_schema", "sys", "test"}
"""Databases that the package makes by itself."""
_FIRST = f"""
CREATE DATABASE {OWN_DATABASE};
CREATE TABLE {OWN_DATABASE}.terms (
  term BIGINT PRIMARY KEY, machine VARCHAR(64) NOT NULL, begins_after VARCHAR(64) NOT NULL
) ENGINE = InnoDB;
CREATE DATABASE {APPLICATION_DATABASE};
"""
_WATCHERS = "REPLICA MONITOR, BINLOG MONITOR, REPLICATION MASTER ADMIN"


def prepare(site: Site) -> None:
    """The data of this machine; nothing where it has some. Raises DatabaseError."""
    if site.is_prepared:
        return
    begun = site.prepared_file.with_name("mariadb-preparing")
    if not begun.exists():
        must_be_nobodys(site)
    begun.parent.mkdir(parents=True, exist_ok=True)
    begun.touch()
    source = await_source(site)
    # A package that was installed a moment ago may have started its server.
    must(["systemctl", "stop", site.unit], f"stopping {site.unit}", timeout_s=600)
    if source is None:
        make_first(site)
    else:
        say(f"copying the data of {source.machine}")
        fresh = site.data.with_name("mysql.fresh")
        copy_of(site, source, fresh)
        replace(site, fresh)
    site.prepared_file.touch()
    begun.unlink()


def must_be_nobodys(site: Site) -> None:
    """Only what the package made may be replaced. Raises DatabaseError."""
    found = (
        {entry.name for entry in site.data.iterdir() if entry.is_dir()}
        if site.data.exists()
        else set()
    )
    own = sorted(name for name in found - PACKAGED if not name.startswith(("#", ".")))
    if own:
        msg = (
            f"{site.config.machine} has MariaDB databases that the lab did not make "
            f"({', '.join(own)} in {site.data}); they are left alone. Move them away first"
        )
        raise DatabaseError(msg)


def replace(site: Site, fresh: Path) -> None:
    """Make a complete directory the data of this machine; its server does not run.

    The data that was there is kept to the end where that is possible: what an image brought along
    cannot be renamed on an overlay file system.
    """
    old = site.data.with_name("mysql.old")
    shutil.rmtree(old, ignore_errors=True)
    if site.data.exists():
        try:
            site.data.rename(old)
        except OSError:
            shutil.rmtree(site.data)
    fresh.rename(site.data)
    shutil.rmtree(old, ignore_errors=True)


def make_first(site: Site) -> None:
    """Users and databases of the first primary, before anybody can reach it."""
    say(f"the first primary of MariaDB is {site.config.machine}")
    shutil.rmtree(site.data, ignore_errors=True)
    site.data.mkdir(mode=0o755)
    shutil.chown(site.data, OWNER, OWNER)
    argv = ["mariadb-install-db", f"--user={OWNER}", f"--datadir={site.data}"]
    must([*argv, "--skip-test-db"], "making the data", timeout_s=600)
    with first_server(site) as socket:
        site.sql(f"{_FIRST}{begin_term(1, site.config.machine, '')}", socket=socket)
        set_accounts(site, socket=socket)
    site.write_role(PRIMARY, 1)


@contextmanager
def first_server(site: Site) -> Iterator[Path]:
    """A server that only this program can reach; its socket."""
    with tempfile.TemporaryDirectory(prefix="ha-lab-") as folder:
        shutil.chown(folder, OWNER)
        socket = Path(folder, "socket")
        argv = ["mariadbd", "--skip-networking", f"--socket={socket}", "--read-only=OFF"]
        argv += [f"--pid-file={folder}/pid", f"--log-error={folder}/log"]
        process = subprocess.Popen([*as_user(OWNER), *argv], cwd="/")
        try:
            await_server(socket, process, Path(folder, "log"))
            yield socket
            site.sql("SHUTDOWN;", socket=socket)
            process.wait(FIRST_START_WITHIN_S)
        finally:
            process.kill()
            process.wait()


def await_server(socket: Path, process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until the first server answers. Raises DatabaseError."""
    deadline = time.monotonic() + FIRST_START_WITHIN_S
    words = ["mariadb", "--no-defaults", f"--socket={socket}", "-e", "SELECT 1"]
    while run(words)[0] != 0:
        if process.poll() is not None or time.monotonic() >= deadline:
            said = log.read_text(encoding="utf-8").splitlines()[-8:] if log.exists() else []
            msg = "the first start of MariaDB failed:\n" + "\n".join(said)
            raise DatabaseError(msg)
        time.sleep(0.1)


def set_accounts(site: Site, *, socket: Path | None = None) -> None:
    """The accounts of this machine's server, with the passwords of its files.

    Each machine makes its own: nothing of it is replicated, so it waits for no replica, and a
    replica can do it too.
    """
    wanted = accounts(site)
    listed = f"('{APPLICATION_USER}', '{REPLICATION_USER}')"
    query = f"SELECT User, Host FROM mysql.user WHERE User IN {listed};"  # noqa: S608 - constants
    there = [tuple(line.split("\t")) for line in site.sql(query, socket=socket).splitlines()]
    gone = [f"DROP USER '{user}'@'{host}';" for user, host in there if (user, host) not in wanted]
    statements = ["SET SESSION sql_log_bin = OFF;", *gone]
    for (user, host), (identified, grants) in wanted.items():
        name = f"'{user}'@'{host}'"
        statements.append(f"CREATE USER IF NOT EXISTS {name} IDENTIFIED {identified};")
        statements.append(f"ALTER USER {name} IDENTIFIED {identified};")
        statements += [f"GRANT {grant} TO {name};" for grant in grants]
    site.sql("\n".join(statements), socket=socket)


Accounts = dict[tuple[str, str], tuple[str, tuple[str, ...]]]
"""By user and host: how it is identified, and what it may do."""


def accounts(site: Site) -> Accounts:
    """Every account, limited to the machines that need it."""
    application = site.root / "etc/ha-lab/mariadb-application.password"
    words = application.read_text(encoding="utf-8").strip()
    reads = f"SELECT ON {OWN_DATABASE}.*"
    found: Accounts = {(WATCHER, "localhost"): ("VIA unix_socket", (f"{_WATCHERS} ON *.*", reads))}
    hosts = json.loads((site.root / HOSTS_FILE).read_text(encoding="utf-8"))
    for address in hosts["replication"]:
        grants = ("REPLICATION SLAVE, BINLOG MONITOR ON *.*", reads)
        found[REPLICATION_USER, address] = (hashed(site.password()), grants)
    for address in hosts["application"]:
        grant = f"ALL PRIVILEGES ON {APPLICATION_DATABASE}.*"
        found[APPLICATION_USER, address] = (hashed(words), (grant,))
    return found


def hashed(password: str) -> str:
    """How a user logs in with this password, without the password itself: it is in no log."""
    once = hashlib.sha1(password.encode()).digest()  # noqa: S324 - mysql_native_password is that
    twice = hashlib.sha1(once).hexdigest().upper()  # noqa: S324
    return f"VIA mysql_native_password USING '*{twice}'"
