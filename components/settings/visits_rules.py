"""The visits page: which engine keeps the visits, and what its settings must not contradict."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

from components.settings.database_rules import enabled
from components.settings.models import Settings
from components.settings.rules import Broken, Rule
from components.visits.args import PORT, VisitsEngine


def engine_of(settings: Settings) -> VisitsEngine | None:
    """The engine that keeps the visits; None: there is no visits page.

    An application of the user's own has its own pages.
    """
    visits = settings.app_server.visits
    on = enabled(settings)
    if not visits.enabled or settings.app_server.application is not None or not on:
        return None
    first = "postgresql" if "postgresql" in on else on[0]
    return visits.engine or cast(VisitsEngine, first)


def engine_is_on(settings: Settings, stack: str) -> Iterator[Broken]:
    """The engine that was chosen runs."""
    del stack
    chosen, on = settings.app_server.visits.engine, enabled(settings)
    if settings.app_server.visits.enabled and chosen is not None and chosen not in on:
        fix = f"choose {' or '.join(on)}" if on else "leave it out"
        why = f"{chosen} is off: switch it on with database.{chosen}.enabled, or {fix}"
        yield "appServer.visits.engine", why


def port_is_free(settings: Settings, stack: str) -> Iterator[Broken]:
    """The web server leaves the page's service its port."""
    del stack
    if engine_of(settings) is not None and settings.app_server.port == PORT:
        yield "appServer.port", f"{PORT} is the visits page's own behind it; choose another"


VISITS_RULES: tuple[Rule, ...] = (
    Rule(engine_is_on, ("appServer.*", "database.*")),
    Rule(port_is_free, ("appServer.*", "database.*")),
)
