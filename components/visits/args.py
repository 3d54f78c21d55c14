"""What the visits page of an app server is to be."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import Literal

from components.checks import must_be_name, must_be_port

VisitsEngine = Literal["postgresql", "mariadb"]
PORT = 8090
"""On the machine itself alone: nginx is in front of it."""
PATH = "/visits"


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitsArgs:
    """The visits page of one app server."""

    name: str
    """Of the machine, as its visits say it."""
    engine: VisitsEngine
    host: IPv4Address
    """The VIP: whoever is primary is behind it."""
    port: int
    """Of the write endpoint."""
    database: str
    user: str
    listen_port: int = PORT
    timeout_s: float = 3.0
    """A visitor waits no longer for the database; less than the load balancers wait for a page."""

    def __post_init__(self) -> None:
        must_be_name("app server", self.name)
        must_be_port("the write endpoint", self.port)
        must_be_port("the visits page", self.listen_port)
