"""The engines that are on, each as what a machine is given for it. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from components.database import mariadb, postgresql
from components.database.args import DatabaseArgs, EngineName, Node
from components.files import ServicePlan


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """One engine of this lab."""

    name: EngineName
    passwords: Callable[..., ServicePlan]
    """The plan that alone is secret; takes `replication` and `application`."""
    plan: Callable[[Node], ServicePlan]


def engines_of(args: DatabaseArgs) -> tuple[Engine, ...]:
    """In the order in which they are set up."""
    found = []
    if args.postgresql is not None:
        found.append(
            Engine(
                name="postgresql",
                passwords=partial(postgresql.passwords_plan, args.postgresql),
                plan=partial(postgresql.postgresql_plan, args, args.postgresql),
            )
        )
    if args.mariadb is not None:
        found.append(
            Engine(
                name="mariadb",
                passwords=mariadb.passwords_plan,
                plan=partial(mariadb.mariadb_plan, args, args.mariadb),
            )
        )
    return tuple(found)
