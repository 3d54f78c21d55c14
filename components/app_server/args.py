"""What an app server is to be: the course's web server, or an application of the user's own."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import get_args

from components.checks import (
    URL_PATH,
    must_be_name,
    must_be_port,
    must_be_unique,
    must_match,
)
from components.files import Family

_PACKAGE = re.compile(r"[A-Za-z0-9][A-Za-z0-9+._-]*")
_UNIT = re.compile(r"[A-Za-z0-9@._:-]+\.[a-z]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoApplication:
    """nginx with the pages of the course: identity, `/api`, static files, an admin area."""

    port: int = 8080
    """Identity page at `/` and `/whoami`."""
    api_port: int = 3000
    static_port: int = 8081
    admin_port: int = 8082
    visits_port: int | None = None
    """Where the service behind `/visits` listens on this machine; None: there is no such page."""

    def __post_init__(self) -> None:
        for port in self.ports:
            must_be_port("the app server", port)
        must_be_unique("port of the app server", self.ports)

    @property
    def ports(self) -> tuple[int, ...]:
        """Every port it listens on; `/health` answers on each."""
        return (self.port, self.api_port, self.static_port, self.admin_port)

    @property
    def health_path(self) -> str:
        return "/health"


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnApplication:
    """An application that a package brings: installed, started and checked, not configured."""

    packages: Mapping[Family, tuple[str, ...]]
    """By distribution family; a family that is left out has nothing to install."""
    unit: str
    """systemd unit with its suffix, for example `myapp.service`."""
    port: int
    health_path: str = "/health"

    def __post_init__(self) -> None:
        for family, names in self.packages.items():
            if family not in get_args(Family):
                raise ValueError(
                    f"packages of the application for family {family!r}: "
                    f"expected {', '.join(get_args(Family))}"
                )
            for name in names:
                must_match(_PACKAGE, "package of the application", name, "a package name")
        must_match(_UNIT, "unit of the application", self.unit, "a unit such as myapp.service")
        must_be_port("the application", self.port)
        must_match(URL_PATH, "health path", self.health_path, "a URL path such as /health")

    @property
    def ports(self) -> tuple[int, ...]:
        return (self.port,)


@dataclass(frozen=True, slots=True, kw_only=True)
class AppServerArgs:
    """One app server."""

    name: str
    """Name of the machine, as its pages say it."""
    application: DemoApplication | OwnApplication = DemoApplication()
    source: str = "load_balancer"
    """Who may reach it: a source of the firewall."""
    uploads_socket: str | None = None
    """UNIX socket of what answers for /uploads/; None: there is no such folder."""

    def __post_init__(self) -> None:
        must_be_name("app server", self.name)
