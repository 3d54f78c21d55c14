"""Which role MariaDB has on this machine, asked of the server itself."""

from __future__ import annotations

import json
import socket
from typing import Any

from .decide import gtid_sequence
from .mariadb_site import OWN_DATABASE, Site
from .model import (
    ABSENT,
    ALONE,
    DOWN,
    OFF,
    ON,
    PRIMARY,
    REPLICA,
    UNKNOWN,
    WAITING,
    Follower,
    State,
)
from .peers import Answers
from .session import DONE, Session, SilentError
from .shell import as_user

ANSWER_WITHIN_S = 0.4
CLOSE_BEHIND = 100
"""Transactions: a replica this close is waited for again; the next write brings it the rest."""
QUERY = f"""SELECT JSON_OBJECT(
'read_only', @@GLOBAL.read_only + 0,
'term', (SELECT MAX(term) FROM {OWN_DATABASE}.terms),
'written', @@GLOBAL.gtid_binlog_pos,
'applied', @@GLOBAL.gtid_slave_pos,
'waits', @@GLOBAL.rpl_semi_sync_master_enabled + 0
) AS j; SHOW SLAVE STATUS;""".replace("\n", " ")  # noqa: S608 - constants
Answer = dict[str, Any]


def open_session(user: str, site: Site) -> Session:
    """A session of this machine's user of that name."""
    argv = ["mariadb", "--no-defaults", "--batch", "--unbuffered", f"--socket={site.socket}"]
    # A line of its own with the column's name comes before the end of the answer.
    return Session([*as_user(user), *argv, f"--user={user}"], f"SELECT '{DONE}' AS e;")


def look(
    site: Site, session: Session, peers: Answers, *, within_s: float = ANSWER_WITHIN_S
) -> State:
    """The role, now. Never raises: what cannot be said is `unknown`."""
    if not site.is_prepared:
        return State(site.config.machine, ABSENT)
    if not session.is_open and not is_listening(site):
        return not_running(site)
    try:
        return state_of(site, answer_of(session.ask(QUERY, within_s=within_s)), peers)
    except SilentError as error:
        if not is_listening(site):
            return not_running(site)
        return State(site.config.machine, UNKNOWN, detail=str(error))
    except (ValueError, KeyError, TypeError) as error:
        return State(site.config.machine, UNKNOWN, detail=f"it answers something else ({error!r})")


def answer_of(text: str) -> Answer:
    """What the server said, as values: the object, and `slave`, the row of its replication. Pure.

    Raises ValueError or KeyError.
    """
    lines = text.splitlines()
    if lines[-1:] == ["e"]:
        lines.pop()
    answer: Answer = json.loads(lines[1])
    names, values = (line.split("\t") for line in lines[2:4]) if len(lines) >= 4 else ((), ())
    answer["slave"] = dict(zip(names, values))
    return answer


def is_listening(site: Site) -> bool:
    """Whether a server has its socket: without a login, and without a process."""
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(ANSWER_WITHIN_S)
        try:
            probe.connect(str(site.socket))
        except OSError:
            return False
    return True


def not_running(site: Site) -> State:
    """What may be said of data whose server does not run."""
    claim = site.claim()
    machine = site.config.machine
    if claim is None:
        return State(machine, DOWN)
    role = WAITING if claim.why else DOWN
    return State(machine, role, term=claim.term, was=claim.was, detail=claim.why)


def state_of(site: Site, answer: Answer, peers: Answers) -> State:
    """The state in what the server answered."""
    machine, term = site.config.machine, int(answer["term"] or 0)
    if not int(answer["read_only"]):
        return State(
            machine,
            PRIMARY,
            term=term,
            position=answer["written"],
            synchronous=synchronous_of(site, answer),
            followers=followers_of(site, answer, peers),
        )
    claim, position = site.claim(), received(answer)
    if claim is not None and claim.why:
        return State(
            machine, WAITING, term=term, position=position, was=claim.was, detail=claim.why
        )
    if claim is None or claim.was != REPLICA:
        why = "it runs read-only, though its data is not a replica's"
        return State(machine, UNKNOWN, term=term, position=position, detail=why)
    return replica_of(machine, term, position, answer["slave"])


def replica_of(machine: str, term: int, position: str, slave: dict[str, str]) -> State:
    """A replica, of its row of SHOW SLAVE STATUS. Pure."""
    runs = slave.get("Slave_IO_Running") == slave.get("Slave_SQL_Running") == "Yes"
    behind = slave.get("Seconds_Behind_Master", "")
    return State(
        machine,
        REPLICA,
        term=term,
        position=position,
        follows=slave["Master_Host"] if runs else "",
        lag_s=float(behind) if behind.isdigit() else 0.0,
        detail=slave.get("Last_SQL_Error") or slave.get("Last_IO_Error") or "",
    )


def received(answer: Answer) -> str:
    """The last transaction that is in the server's logs, be it applied or not. Pure."""
    known: tuple[str, ...] = (
        answer["slave"].get("Gtid_IO_Pos", ""),
        answer["applied"],
        answer["written"],
    )
    return max(known, key=gtid_sequence)


def synchronous_of(site: Site, answer: Answer) -> str:
    """What semi-synchronous replication is doing. Pure."""
    if int(answer["waits"]):
        return ON
    return ALONE if site.engine.synchronous and site.config.peers else OFF


def followers_of(site: Site, answer: Answer, peers: Answers) -> tuple[Follower, ...]:
    """The replicas: the machines that say that they receive from this one. Pure.

    The server is not asked. It does not notice for a quarter of an hour that a replica to which it
    sends has lost its power, and its list of threads costs more than all other questions.
    """
    found = []
    for machine in sorted(site.config.peers):
        peer = peers.get(machine)
        if peer is not None and peer.follows == site.config.address:
            behind = gtid_sequence(answer["written"]) - gtid_sequence(peer.position)
            lag = 0 if behind <= CLOSE_BEHIND else None
            found.append(Follower(machine, True, bool(answer["waits"]), lag))
    return tuple(found)
