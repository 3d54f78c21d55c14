"""The app servers' args from settings. Pure."""

from __future__ import annotations

from components.app_server.args import AppServerArgs, DemoApplication, OwnApplication
from components.settings.models import Settings
from components.settings.visits_rules import engine_of
from components.topology import Machine
from components.visits.args import PORT as VISITS_PORT


def app_server_args(
    settings: Settings, machine: Machine, *, uploads_socket: str | None = None
) -> AppServerArgs:
    """What the app server on this machine is to be."""
    return AppServerArgs(
        name=machine.name, application=application(settings), uploads_socket=uploads_socket
    )


def has_visits(settings: Settings) -> bool:
    """Whether the pages include `/visits`."""
    return engine_of(settings) is not None


def application(settings: Settings) -> DemoApplication | OwnApplication:
    """The user's application, or the course's web server."""
    own = settings.app_server.application
    if own is None:
        visits_port = VISITS_PORT if has_visits(settings) else None
        return DemoApplication(port=settings.app_server.port, visits_port=visits_port)
    return OwnApplication(
        packages={"debian": (own.package,), "redhat": (own.package,)},
        unit=own.unit if "." in own.unit else f"{own.unit}.service",
        port=own.port,
        health_path=own.health_path,
    )
