"""A server as a replica: what it received is applied before anything else may happen to it.

A replica's acknowledgement means that a transaction is in its relay log, not that it is applied.
With GTIDs the server throws its relay logs away whenever both of its threads start, and fetches
everything again: from a primary that may be gone. So after a restart they are applied first,
without GTIDs, from the first transaction that is not yet in the data.
"""

from __future__ import annotations

import json
import re
import time

from .decide import gtid_sequence
from .mariadb_site import REPLICATION_USER, Site
from .model import REPLICA
from .place import Claim
from .shell import DatabaseError, run, say

APPLIED_WITHIN_S = 3600.0
POLL_S = 0.02
READ_ALL = "Slave has read all relay log"
SCAN_TIMEOUT_S = 300.0
_GTID = re.compile(r"^[^\t]*\t(\d+)\tGtid\t.*GTID (\d+-\d+-\d+)", re.MULTILINE)


def become_replica(site: Site, term: int, *, was_alone: bool = False) -> None:
    """The data of this running server is a replica's from now on. Raises DatabaseError.

    `was_alone`: it may have acknowledged writes that nobody else has, which is not forgotten.
    """
    site.sql(
        "SET GLOBAL read_only = ON;\n"
        "SET GLOBAL rpl_semi_sync_master_enabled = OFF;\n"
        "STOP SLAVE;\n"
        # What it wrote itself counts as received.
        "SET GLOBAL gtid_slave_pos = @@GLOBAL.gtid_binlog_pos;"
    )
    if not was_alone:
        site.set_alone(False)
    site.write_role(REPLICA, term)
    site.write_claim(Claim(REPLICA, term, ""))


def follow(site: Site, address: str) -> None:
    """Receive from this machine, once all that was received before is applied."""
    take_up_seed(site)
    try:
        drain(site)
    except DatabaseError as error:
        # The primary has it all; only a promotion must not do without.
        say(f"what was received before cannot be applied, and is fetched again: {error}")
    site.sql(
        "STOP SLAVE;\n"
        f"CHANGE MASTER TO MASTER_HOST = '{address}', MASTER_PORT = {site.engine.port}, "
        f"MASTER_USER = '{REPLICATION_USER}', MASTER_PASSWORD = '{site.password()}', "
        "MASTER_CONNECT_RETRY = 1, MASTER_USE_GTID = slave_pos;\n"
        "START SLAVE;"
    )


def take_up_seed(site: Site) -> None:
    """Tell a server on a fresh copy where in the history that is. Raises DatabaseError."""
    if not site.seed_file.exists():
        return
    seed = json.loads(site.seed_file.read_text(encoding="utf-8"))
    site.sql(
        "STOP SLAVE;\nRESET SLAVE ALL;\nRESET MASTER;\n"
        f"SET GLOBAL gtid_binlog_state = '{seed['state']}';\n"
        f"SET GLOBAL gtid_slave_pos = '{seed['position']}';"
    )
    site.seed_file.unlink()


def drain(site: Site) -> None:
    """Apply everything that was received, and stop. Raises DatabaseError."""
    slave = site.row("SHOW SLAVE STATUS;")
    if not slave:
        return
    if slave["Slave_SQL_Running"] == "Yes":
        site.sql("STOP SLAVE IO_THREAD;")
    else:
        site.sql("STOP SLAVE;")
        begin = unapplied(site)
        if begin is None:
            return
        file, position = begin
        say(f"applying what was received before, from {file} at {position}")
        site.sql(
            f"CHANGE MASTER TO MASTER_USE_GTID = no, RELAY_LOG_FILE = '{file}', "
            f"RELAY_LOG_POS = {position};\nSTART SLAVE SQL_THREAD;"
        )
    await_applied(site)
    site.sql("STOP SLAVE;")


def unapplied(site: Site) -> tuple[str, int] | None:
    """File and position of the first received transaction that is not in the data."""
    applied = gtid_sequence(site.sql("SELECT @@GLOBAL.gtid_slave_pos;"))
    index = site.data / "mariadb-relay-bin.index"
    names = index.read_text(encoding="utf-8").split() if index.exists() else []
    for name in (name.rpartition("/")[2] for name in names):
        argv = ["mariadb", "--no-defaults", "--batch", "--skip-column-names"]
        query = f"SHOW RELAYLOG EVENTS IN '{name}'"
        words = [*argv, f"--socket={site.socket}", "-e", query]
        # A file that a power loss cut off ends with an error; what was acknowledged is before it.
        _, said = run(words, timeout_s=SCAN_TIMEOUT_S)
        position = first_after(said, applied)
        if position is not None:
            return name, position
    return None


def first_after(events: str, applied: int) -> int | None:
    """Position of the first transaction after a sequence number in a list of events. Pure."""
    return next(
        (int(at) for at, gtid in _GTID.findall(events) if gtid_sequence(gtid) > applied), None
    )


def await_applied(site: Site) -> None:
    """Wait until the running SQL thread has applied all relay logs. Raises DatabaseError."""
    deadline = time.monotonic() + APPLIED_WITHIN_S
    while True:
        slave = site.row("SHOW SLAVE STATUS;")
        if slave["Slave_SQL_Running_State"].startswith(READ_ALL):
            return
        if slave["Slave_SQL_Running"] == "No":
            msg = slave["Last_SQL_Error"] or "the server stopped applying what it received"
            raise DatabaseError(msg)
        if time.monotonic() >= deadline:
            msg = f"what was received is not applied within {APPLIED_WITHIN_S:g} s"
            raise DatabaseError(msg)
        time.sleep(POLL_S)
