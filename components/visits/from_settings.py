"""The visits page's args from settings. Pure."""

from __future__ import annotations

from components.database.postgresql import APPLICATION_USER, DATABASE
from components.settings.models import Settings
from components.settings.visits_rules import engine_of
from components.topology import Machine, Role, Topology
from components.visits.args import VisitsArgs


def visits_args(settings: Settings, topology: Topology, machine: Machine) -> VisitsArgs | None:
    """What this app server's page is to be; None where it has none."""
    engine = engine_of(settings)
    if engine is None or not topology.with_role(Role.DATABASE):
        return None
    return VisitsArgs(
        name=machine.name,
        engine=engine,
        host=topology.vip,
        port=getattr(settings.database, engine).write_port,
        database=DATABASE,
        user=APPLICATION_USER,
    )
