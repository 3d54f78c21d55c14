"""What the data of a stopped PostgreSQL is: its term, its end, what it has that a primary lacks."""

from __future__ import annotations

import os
import re
import time

from .decide import Rejoin, fork_from, history_of, lsn_text, rejoin
from .model import State
from .postgresql_site import OWNER, TIMELINE, Site
from .shell import DatabaseError, must, run, sync_directory, write

_RECORD = re.compile(r"^rmgr: (\S+) ", re.MULTILINE)
_COMMIT = re.compile(r"^rmgr: Transaction .* desc: COMMIT", re.MULTILINE)
_TERM = re.compile(
    r"^(?:Latest checkpoint's TimeLineID|Min recovery ending loc's timeline):\s+(\d+)", re.MULTILINE
)
_LOG_FILE = re.compile(r"([0-9A-F]{8})[0-9A-F]{16}")
_ALONE = re.compile(r"^synchronous_standby_names\s*=\s*''", re.MULTILINE)
AUTO_CONF = "# Nothing is set by ALTER SYSTEM.\n"
WALDUMP_TIMEOUT_S = 300.0
CHECKPOINT_WITHIN_S = 30.0
NOTED = f"SELECT timeline_id = {TIMELINE} FROM pg_control_checkpoint()"  # noqa: S608 - constants
"""Whether a primary's timeline is in its control file."""
SEGMENT = 16 * 1024 * 1024
"""Bytes of one file of the log, as pg_createcluster makes it."""


def term_of(site: Site) -> int:
    """The timeline of this data. Raises DatabaseError.

    What the server noted down of it may be late; the files of its log are named after it. (Its
    histories are not asked: a replica may have fetched that of a timeline it can never follow.)
    """
    said = must([site.program("pg_controldata"), str(site.data)], "reading the data", user=OWNER)
    found = [int(term) for term in _TERM.findall(said)]
    if not found:
        msg = f"pg_controldata of {site.data} names no timeline"
        raise DatabaseError(msg)
    names = (_LOG_FILE.fullmatch(entry.name) for entry in (site.data / "pg_wal").iterdir())
    return max([*found, *(int(name[1], 16) for name in names if name)])


def was_alone(site: Site) -> bool:
    """Whether this data's server had been told to go on without a replica."""
    auto = site.data / "postgresql.auto.conf"
    try:
        return _ALONE.search(auto.read_text(encoding="utf-8")) is not None
    except OSError:
        return False


def how_to_rejoin(site: Site, primary: State, address: str, *, may_discard: bool = False) -> Rejoin:
    """What is to be done with this stopped data to follow that primary. Raises DatabaseError."""
    term = term_of(site)
    if term > primary.term:
        msg = (
            f"the data here is of term {term}, later than the primary's ({primary.term} on "
            f"{primary.machine}): it is not discarded; find out which one is right"
        )
        raise DatabaseError(msg)
    if term == primary.term:
        return rejoin(records=0, commits=0, synchronous=True)
    fork = fork_of(site, primary, address, term)
    records, commits = written_after(site, term, fork)
    synchronous = site.engine.synchronous and not was_alone(site)
    return rejoin(
        records=records, commits=commits, synchronous=synchronous, may_discard=may_discard
    )


def fork_of(site: Site, primary: State, address: str, term: int) -> int:
    """Where the primary's history left this machine's term."""
    name = f"pg_wal/{primary.term:08X}.history"
    query = f"SELECT convert_from(pg_read_binary_file('{name}'), 'UTF8')"
    fork = fork_from(term, history_of(site.ask_other(address, query)))
    if fork is None:
        msg = (
            f"the data here (term {term}) has no common history with {primary.machine} (term "
            f"{primary.term}); seed it anew: `lab db rejoin --reseed`"
        )
        raise DatabaseError(msg)
    return fork


def written_after(site: Site, term: int, position: int) -> tuple[int, int]:
    """Records and commits of this data's own log from a position on."""
    argv = [site.program("pg_waldump"), "-p", str(site.data / "pg_wal"), "-t", str(term)]
    # It ends with an error where the log ends; a position beyond that is one at once.
    _, said = run([*argv, "-s", lsn_text(position)], user=OWNER, timeout_s=WALDUMP_TIMEOUT_S)
    records = len(_RECORD.findall(said))
    if records == 0 and is_forgotten(site, term, position):
        msg = (
            f"the log here does not reach back to {lsn_text(position)}, where the primary went "
            "its own way; seed this machine anew: `lab db rejoin --reseed`"
        )
        raise DatabaseError(msg)
    return records, len(_COMMIT.findall(said))


def is_forgotten(site: Site, term: int, position: int) -> bool:
    """Whether the log's file with this position was removed, and later ones are there."""
    wanted = f"{term:08X}{position >> 32:08X}{(position & 0xFFFFFFFF) // SEGMENT:08X}"
    names = {entry.name for entry in (site.data / "pg_wal").iterdir()}
    same = (name for name in names if len(name) == len(wanted) and name[:8] == wanted[:8])
    return wanted not in names and any(name > wanted for name in same)


def rewind(site: Site, address: str) -> None:
    """Make this stopped data the primary's own, up to where both were one. Raises DatabaseError."""
    await_checkpoint(site, address)
    try:
        must(
            [
                site.program("pg_rewind"),
                f"--target-pgdata={site.data}",
                f"--source-server={site.conninfo(address, database='postgres')}",
                f"--config-file={site.settings}/postgresql.conf",
            ],
            "pg_rewind",
            user=OWNER,
            timeout_s=3600,
        )
    except DatabaseError as error:
        msg = f"{error}; seed this machine anew: `lab db rejoin --reseed`"
        raise DatabaseError(msg) from None


def await_checkpoint(site: Site, address: str) -> None:
    """Wait until a primary has noted down its own timeline. Raises DatabaseError.

    Before that, pg_rewind takes it for one of the old timeline, says that nothing is to be done,
    and leaves data that can never follow (PostgreSQL 15's manual, pg_rewind, notes).
    """
    deadline = time.monotonic() + CHECKPOINT_WITHIN_S
    while site.ask_other(address, NOTED) != "t":
        if time.monotonic() >= deadline:
            msg = (
                f"the primary on {address} has made no checkpoint since its promotion; "
                "CHECKPOINT there lets this machine be rewound"
            )
            raise DatabaseError(msg)
        time.sleep(0.2)


def become_replica(site: Site) -> None:
    """From its next start on this data is a replica's."""
    # What ALTER SYSTEM has set came with the data, and would win over the files that `up` renders.
    write(site.data / "postgresql.auto.conf", AUTO_CONF, mode=0o600, owner=_owner())
    write(site.standby_signal, "", mode=0o600, owner=_owner())


def stay_replica(site: Site) -> None:
    """From its next start on this data is a replica's, and keeps what it was told as a primary."""
    if not site.standby_signal.exists():
        write(site.standby_signal, "", mode=0o600, owner=_owner())


def set_alone(site: Site) -> None:
    """From its next start on this stopped data's writes wait for no replica."""
    if not site.engine.synchronous or was_alone(site):
        return
    auto = site.data / "postgresql.auto.conf"
    text = f"{auto.read_text(encoding='utf-8')}synchronous_standby_names = ''\n"
    write(auto, text, mode=0o600, owner=_owner())


def become_primary(site: Site) -> None:
    """From its next start on this data is a primary's."""
    site.standby_signal.unlink(missing_ok=True)
    sync_directory(site.data)


def _owner() -> str:
    return OWNER if os.geteuid() == 0 else ""
