"""What a fault of a replicated database costs its clients at most, by failover mode. Pure.

Terms as in `predict`. What the machines themselves take (a start, a promotion) are constants here:
estimates, with margin; timers are those of the load balancers, who must notice too.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from components.timers.kinds import Timers
from components.timers.predict import CHECK_SPREAD, explain
from components.timers.terms import Predicted, Term, add, duration

RESTART_S = 0.1
"""`RestartSec` of the database's unit."""
START_S = 2.0
"""A server starts, asks the other machine first, and recovers what a crash left."""
ASK_S = 1.5
"""`lab db` looks at every machine and at the ledger of promotions."""
SILENCE_S = 6.0
"""So long it waits for a machine that does not answer: it asks twice (`lab/database/read.py`)."""
POWER_S = 1.5
"""It takes the power of a machine that may still be primary, and sees that it is gone."""
PROMOTE_S = 1.5
"""The promotion is written down on most machines and carried out."""
STOP_S = 1.0
"""A primary stops in good order, and its replica has the end of its log."""
FENCE_S = 3.0
"""A cluster's fencing device has taken a machine's power."""
REPLICA_AWAY_S = 3.0
"""How long a drill leaves a replica stopped."""
CATCH_UP_S = 1.0
"""A replica that is back has connected and received what it missed."""
FAREWELL_S = {"mariadb": 1.0}
"""By engine: a replica that stops receiving tries so long to say so to a primary that is gone
(`rpl_semi_sync_slave_kill_conn_timeout`, in `mariadb/templates/server.cnf.j2`)."""
MODES = ("manual", "pacemaker")


def explain_database(
    timers: Timers, *, mode: str, synchronous: bool, members: int = 3, engine: str = "postgresql"
) -> Mapping[str, Predicted]:
    """Upper bound of the time in which clients cannot write, with its formula, by fault.

    `manual`: a person promotes, and is taken to act at once; thinking is not predicted.

    - `killed`: the server's processes are killed and its machine stays.
    - `power_off`: the primary's machine is gone, and known to be without power.
    - `lost`: it is cut off or frozen: nobody knows whether it still writes.
    - `switchover`: both are there and change places on request.
    - `replica_stopped`: while writes wait for the replica, as long as it is away.
    """
    if mode not in MODES:
        msg = f"failover mode {mode!r}: expected one of {', '.join(MODES)}"
        raise ValueError(msg)
    up = _seen_up(timers)
    promoted = _without_primary(engine)
    if mode == "manual":
        by_mode = _manual(timers, up, promoted)
    else:
        by_mode = _pacemaker(timers, up, promoted, members)
    stop = Term(STOP_S, f"{duration(STOP_S)} orderly stop")
    ask = Term(ASK_S, f"{duration(ASK_S)} `lab db`")
    switched = add(ask, stop, _promotion(), up)
    return MappingProxyType(
        {**by_mode, "switchover": switched, "replica_stopped": _replica(timers, synchronous)}
    )


def _manual(timers: Timers, up: Term, promoted: tuple[Term, ...]) -> dict[str, Predicted]:
    ask = Term(ASK_S, f"{duration(ASK_S)} `lab db promote`, begun at once")
    silence = Term(SILENCE_S, f"{duration(SILENCE_S)} without its answer")
    power = Term(POWER_S, f"{duration(POWER_S)} to take its power")
    restart = Term(RESTART_S, f"{duration(RESTART_S)} until systemd restarts it")
    start = Term(START_S, f"{duration(START_S)} start and recovery")
    return {
        "killed": add(restart, start, up),
        "power_off": _at_least(add(ask, *promoted, up), timers),
        "lost": _at_least(add(ask, silence, power, *promoted, up), timers),
    }


def _pacemaker(
    timers: Timers, up: Term, promoted: tuple[Term, ...], members: int
) -> dict[str, Predicted]:
    monitor = float(timers.monitor.promoted_s)
    notice = Term(monitor, f"{duration(monitor)} monitor interval")
    start = Term(START_S, f"{duration(START_S)} start and recovery")
    token = timers.corosync.token_s(members)
    consensus = timers.corosync.membership_s(members) - token
    lost = add(
        Term(token, f"{duration(token)} token"),
        Term(consensus, f"{duration(consensus)} consensus"),
        Term(FENCE_S, f"{duration(FENCE_S)} fencing"),
        *promoted,
        up,
    )
    return {
        "killed": add(notice, start, _promotion(), up),
        "power_off": _at_least(lost, timers),
        "lost": _at_least(lost, timers),
    }


def _replica(timers: Timers, synchronous: bool) -> Predicted:
    if not synchronous:
        # Writes go on; readers wait until the load balancers have noticed.
        noticed = explain(timers)["app_server_killed"]
        return Predicted(noticed.seconds, f"{noticed.formula}; writes do not wait for a replica")
    return add(
        Term(REPLICA_AWAY_S, f"{duration(REPLICA_AWAY_S)} that writes wait for the replica"),
        Term(START_S, f"{duration(START_S)} start and recovery"),
        Term(CATCH_UP_S, f"{duration(CATCH_UP_S)} to catch up"),
    )


def _promotion() -> Term:
    return Term(PROMOTE_S, f"{duration(PROMOTE_S)} promotion")


def _without_primary(engine: str) -> tuple[Term, ...]:
    """A promotion while the old primary answers nothing."""
    bye = FAREWELL_S.get(engine)
    if bye is None:
        return (_promotion(),)
    return (Term(bye, f"{duration(bye)} farewell to a primary that is gone"), _promotion())


def _seen_up(timers: Timers) -> Term:
    """The load balancers see the new primary at their next check: they ask for the role, and one
    good answer is enough."""
    haproxy = timers.haproxy
    interval = (haproxy.downinter_ms or haproxy.inter_ms) / 1000 * (1 + CHECK_SPREAD)
    return Term(interval, f"{duration(interval)} check interval of a server that is down")


def _at_least(predicted: Predicted, timers: Timers) -> Predicted:
    """The load balancers must have let go of the old primary as well: whichever takes longer."""
    gone = explain(timers)["app_server_lost"]
    return max(predicted, gone, key=lambda found: found.seconds)
