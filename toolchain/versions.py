"""What is pinned. README.md says how to bump it."""

from __future__ import annotations

from dataclasses import dataclass

PULUMI = "3.259.0"
PULUMI_AT_LEAST = (3, 150, 0)
"""The oldest installed CLI that is used as it is."""

PYTHON_HOST = "3.79.0"
"""The last language host inside the SDK's module, and so in the Go module registry."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plugin:
    """A resource plugin, of the version that the Python SDK of the same name asks for."""

    name: str
    version: str

    @property
    def directory(self) -> str:
        """The directory in PULUMI_HOME/plugins in which Pulumi looks for it."""
        return f"resource-{self.name}-v{self.version}"

    @property
    def executable(self) -> str:
        """The file name of its executable."""
        return f"pulumi-resource-{self.name}"


LIBVIRT = Plugin(name="libvirt", version="0.5.4")
COMMAND = Plugin(name="command", version="1.2.1")
PLUGINS = (LIBVIRT, COMMAND)
