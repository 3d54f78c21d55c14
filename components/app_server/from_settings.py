"""The app servers' args from settings. Pure."""

from __future__ import annotations

from components.app_server.args import AppServerArgs, DemoApplication, OwnApplication
from components.settings.models import Settings
from components.topology import Machine


def app_server_args(settings: Settings, machine: Machine) -> AppServerArgs:
    """What the app server on this machine is to be."""
    return AppServerArgs(name=machine.name, application=application(settings))


def application(settings: Settings) -> DemoApplication | OwnApplication:
    """The user's application, or the course's web server."""
    own = settings.app_server.application
    if own is None:
        return DemoApplication(port=settings.app_server.port)
    return OwnApplication(
        packages={"debian": (own.package,), "redhat": (own.package,)},
        unit=own.unit if "." in own.unit else f"{own.unit}.service",
        port=own.port,
        health_path=own.health_path,
    )
