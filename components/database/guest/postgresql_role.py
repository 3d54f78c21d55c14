"""Which role PostgreSQL has on this machine, asked of the server itself."""

from __future__ import annotations

import json
import socket
from typing import Any

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
from .postgresql_site import Site
from .session import DONE, Session, SilentError
from .shell import as_user

ANSWER_WITHIN_S = 0.4
QUERY = """SELECT json_build_object(
'recovery', pg_is_in_recovery(),
'term', CASE WHEN pg_is_in_recovery() THEN (
  SELECT greatest(c.timeline_id, r.min_recovery_end_timeline,
    (SELECT ('x' || max(substr(name, 1, 8)))::bit(32)::int FROM pg_ls_waldir()
     WHERE name ~ '^[0-9A-F]{24}$'))
  FROM pg_control_checkpoint() AS c, pg_control_recovery() AS r)
  ELSE ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int END,
'position', CASE WHEN pg_is_in_recovery()
  THEN greatest(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn())
  ELSE pg_current_wal_flush_lsn() END,
'follows', (SELECT sender_host FROM pg_stat_wal_receiver WHERE status = 'streaming'),
'lag_s', CASE WHEN pg_is_in_recovery() AND pg_last_wal_replay_lsn() < pg_last_wal_receive_lsn()
  THEN extract(epoch FROM now() -
    coalesce(pg_last_xact_replay_timestamp(), pg_postmaster_start_time())) END,
'names', current_setting('synchronous_standby_names'),
'followers', (SELECT json_agg(json_build_object('name', application_name,
  'streaming', state = 'streaming', 'synchronous', sync_state IN ('sync', 'quorum'),
  'lag_bytes', pg_wal_lsn_diff(pg_current_wal_lsn(), flush_lsn)::bigint))
  FROM pg_stat_replication WHERE NOT pg_is_in_recovery() AND state IN ('catchup', 'streaming'))
);""".replace("\n", " ")


def open_session(user: str, port: int) -> Session:
    """A session of this machine's user of that name."""
    argv = ["psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-p", str(port), "-d", "postgres"]
    return Session([*as_user(user), *argv], f"\\echo '{DONE}'")


def look(site: Site, session: Session, *, within_s: float = ANSWER_WITHIN_S) -> State:
    """The role, now. Never raises: what cannot be said is `unknown`."""
    if not site.is_prepared:
        return State(site.config.machine, ABSENT)
    if not session.is_open and not is_listening(site):
        return not_running(site)
    try:
        return state_of(site, json.loads(session.ask(QUERY, within_s=within_s)))
    except SilentError as error:
        if not is_listening(site):
            return not_running(site)
        return State(site.config.machine, UNKNOWN, detail=str(error))
    except (ValueError, KeyError, TypeError):
        return State(site.config.machine, UNKNOWN, detail="it answers something else")


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
    if claim.why:
        return State(machine, WAITING, term=claim.term, was=claim.was, detail=claim.why)
    return State(machine, DOWN, term=claim.term, was=claim.was)


def state_of(site: Site, answer: dict[str, Any]) -> State:
    """The state in what the server answered. Pure."""
    machine = site.config.machine
    if answer["recovery"]:
        return State(
            machine,
            REPLICA,
            term=answer["term"],
            position=answer["position"] or "",
            follows=answer["follows"] or "",
            lag_s=round(float(answer["lag_s"] or 0.0), 3),
        )
    followers = [Follower(**found) for found in answer["followers"] or ()]
    return State(
        machine,
        PRIMARY,
        term=answer["term"],
        position=answer["position"],
        synchronous=synchronous_of(site, answer["names"]),
        followers=tuple(f for f in followers if f.name in site.config.peers),
    )


def synchronous_of(site: Site, names: str) -> str:
    """What `synchronous_standby_names` means here."""
    if names:
        return ON
    return ALONE if site.engine.synchronous and site.config.peers else OFF


def slot_name(machine: str) -> str:
    """A machine's name as PostgreSQL accepts it; no machine has an underscore in its name."""
    return machine.replace("-", "_")
