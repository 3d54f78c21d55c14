"""Model of `ha-lab:appServer.visits`; what needs two fields is in `visits_rules`."""

from __future__ import annotations

from components.settings.section import Section
from components.visits.args import VisitsEngine


class VisitsSettings(Section):
    """The page `/visits` of the course's web server, which stores visits in a database."""

    enabled: bool = True
    """The page is there, where a database is on."""
    engine: VisitsEngine | None = None
    """The database that keeps them; unset: the one that is on, PostgreSQL of two."""
