"""The remote layer: the only part of the program that uses pulumi_command."""

from components.remote.apply import Apply
from components.remote.host import Host, connection
from components.remote.ready import Ready

__all__ = ["Apply", "Host", "Ready", "connection"]
