"""A replicated database: its primary is lost, killed or moved, its replica stopped.

One tier for each engine, all alike: what differs is in `lab/drill/probes/sql_drivers.py` and in
the machines' own program. Names begin with the engine's.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from components.timers.predict_database import REPLICA_AWAY_S
from lab.drill.model import Ability, Fault, Text, Tier, Victims
from lab.drill.predictions_database import of_database
from lab.drill.probes.database import ReadProbe, RoleProbe, WriteProbe
from lab.drill.scene import Scene
from lab.drill.target import Target
from lab.drill.tiers import acts, database_acts
from lab.drill.tiers.acts import Act
from lab.drill.tiers.database_audits import audits_of

TITLES = {"postgresql": "PostgreSQL", "mariadb": "MariaDB"}
"""How an engine is written; those that can be drilled."""


def tier_of(engine: str) -> Tier:
    """Everything that is known of one engine."""
    title = TITLES[engine]
    write, read, roles = (
        WriteProbe(engine=engine),
        ReadProbe(engine=engine),
        RoleProbe(engine=engine),
    )
    return Tier(
        name=engine,
        title=Text(title, title),
        is_present=lambda target: engine in target.database,
        faults=(*losses(engine, title), *others(engine, title)),
        probes=(write, read, roles),
        audits=audits_of(engine, title),
        labels={
            write.name: Text(f"writes to {title}", f"écritures {title}"),
            read.name: Text(f"reads from {title}", f"lectures {title}"),
            roles.name: Text(f"roles of {title}", f"rôles {title}"),
        },
    )


def losses(engine: str, title: str) -> tuple[Fault, ...]:
    """The primary's machine is gone in three ways; a replica takes its place."""
    lost = (
        ("power-off", Ability.POWER, acts.power_off, "loses power", "perd le courant"),
        ("cut", Ability.LINK, acts.cut, "loses its link", "perd son lien réseau"),
        ("freeze", Ability.FREEZE, acts.freeze, "is frozen", "se fige"),
    )
    return tuple(
        Fault(
            name=f"{engine}-primary-{how}",
            title=Text(f"{title}'s primary {en}", f"Le primaire {title} {fr}"),
            resolve=resolved(database_acts.primary_to_lose, engine),
            inject=in_order(act, database_acts.promote),
            undo=in_order(database_acts.bring_back, whole(engine), acts.started),
            predict=of_database(engine, "power_off" if how == "power-off" else "lost"),
            # Whoever promotes another one must be able to take its power, and to give it back.
            needs=frozenset({ability, Ability.POWER}),
            why_not=why_no_replica,
        )
        for how, ability, act, en, fr in lost
    )


def others(engine: str, title: str) -> tuple[Fault, ...]:
    """Faults after which every machine is still there."""
    return (
        Fault(
            name=f"{engine}-primary-killed",
            title=Text(f"{title}'s primary is killed", f"Le primaire {title} est tué"),
            resolve=resolved(database_acts.primary, engine),
            inject=on_engine(database_acts.kill, engine),
            undo=in_order(on_engine(database_acts.start, engine), whole(engine)),
            predict=of_database(engine, "killed"),
            why_not=why_no_replica,
        ),
        Fault(
            name=f"{engine}-switchover",
            title=Text(
                f"{title}'s primary and replica change places",
                f"Primaire et réplica {title} échangent leurs rôles",
            ),
            resolve=resolved(database_acts.primary, engine),
            inject=on_engine(database_acts.switch, engine),
            undo=whole(engine),
            predict=of_database(engine, "switchover"),
            why_not=why_no_replica,
        ),
        Fault(
            name=f"{engine}-replica-stopped",
            title=Text(f"{title}'s replica stops", f"Le réplica {title} s'arrête"),
            resolve=resolved(database_acts.replica, engine),
            inject=on_engine(database_acts.stop, engine),
            undo=in_order(on_engine(database_acts.start, engine), whole(engine)),
            predict=of_database(engine, "replica_stopped"),
            why_not=why_no_replica,
            effect_s=REPLICA_AWAY_S,
            until_undone=True,
        ),
    )


def why_no_replica(target: Target) -> str | None:
    """Why there is nobody to take over."""
    count = len(target.with_role("database"))
    return None if count > 1 else f"it has {count} database machine, and no replica"


def resolved(
    who: Callable[[Scene, str], Awaitable[Victims]], engine: str
) -> Callable[[Scene], Awaitable[Victims]]:
    """Who has a role in this engine."""

    async def resolve(scene: Scene) -> Victims:
        return await who(scene, engine)

    return resolve


def on_engine(act: Callable[[Scene, Victims, str], Awaitable[None]], engine: str) -> Act:
    """An act of this engine."""

    async def carry_out(scene: Scene, victims: Victims) -> None:
        await act(scene, victims, engine)

    return carry_out


def whole(engine: str) -> Act:
    """Wait until the engine is whole, and do what the operator must do for that."""

    async def carry_out(scene: Scene, _victims: Victims) -> None:
        await database_acts.make_whole(scene, engine)

    return carry_out


def in_order(*parts: Act) -> Act:
    """One act after the other."""

    async def carry_out(scene: Scene, victims: Victims) -> None:
        for part in parts:
            await part(scene, victims)

    return carry_out


TIERS = tuple(tier_of(engine) for engine in TITLES)
