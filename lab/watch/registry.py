"""Which rows the view has. A tier adds its own here."""

from __future__ import annotations

from lab.drill.probes.arp import ArpProbe
from lab.drill.target import Target
from lab.watch.databases import Databases
from lab.watch.model import Rows
from lab.watch.owners import Owners
from lab.watch.requests import Requests
from lab.watch.servers import Servers
from lab.watch.sights import Sights

ARP_INTERVAL_S = 0.1


def rows_for(target: Target) -> list[Rows]:
    """The rows of the services that this lab has, in the order in which they are shown."""
    sights = Sights()
    every: list[Rows] = [
        Owners(sights, (ArpProbe(interval_s=ARP_INTERVAL_S),)),
        Requests(),
        Servers(sights),
        Databases(),
        sights,
    ]
    # Every one is asked: the sights' machines are needed by the others.
    return [rows for rows in every if rows.is_present(target)]
