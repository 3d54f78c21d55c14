"""App servers behind the load balancer. Pure: values in, files out."""

from components.app_server.args import AppServerArgs, DemoApplication, OwnApplication
from components.app_server.render import (
    app_server_files,
    app_server_firewall,
    app_server_plan,
)

__all__ = [
    "AppServerArgs",
    "DemoApplication",
    "OwnApplication",
    "app_server_files",
    "app_server_firewall",
    "app_server_plan",
]
