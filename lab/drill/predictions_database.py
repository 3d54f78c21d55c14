"""What the faults of a replicated database should cost, from the stack's timers and mode. Pure."""

from __future__ import annotations

from components.timers import Predicted, Timers
from components.timers.predict_database import explain_database
from lab.drill.events import Prediction
from lab.drill.predictions import Predict, explained
from lab.drill.target import Target

MANUAL = "manual"


def failover_of(target: Target, engine: str) -> str:
    """Who promotes a replica: `manual` or `pacemaker`."""
    return str(target.database[engine]["failover"])


def is_synchronous(target: Target, engine: str) -> bool:
    """Whether writes wait for a replica, by settings."""
    return bool(target.database[engine]["synchronous"])


def of_database(engine: str, name: str) -> Predict:
    """The prediction of this name, for the mode that the stack has."""

    def predict(timers: Timers, target: Target) -> Prediction:
        found = explain_database(
            timers,
            mode=failover_of(target, engine),
            synchronous=is_synchronous(target, engine),
            members=max(2, len(target.with_role("cluster"))),
            engine=engine,
        )[name]
        return _with_the_vip(found, name, timers, target)

    return predict


def _with_the_vip(found: Predicted, name: str, timers: Timers, target: Target) -> Prediction:
    """Where a database machine is a load balancer too, losing it may take the VIP along."""
    shared = set(target.with_role("database")) & set(target.with_role("load_balancer"))
    if name not in ("power_off", "lost") or not shared:
        return Prediction(seconds=found.seconds, formula=found.formula)
    crash = explained(timers, target, "vip_owner_crash")
    seconds = round(found.seconds + crash.seconds, 3)
    return Prediction(seconds=seconds, formula=f"{found.formula} + {crash.formula} of the VIP")
