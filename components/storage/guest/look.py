"""The storage as one server sees it, as plain data for `lab storage` and the drill."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from . import heal, parse, pool
from .system import GlusterError


def status(machine: str) -> dict[str, Any]:
    """Servers, volumes, bricks; nothing that takes locks for long."""
    return {
        "machine": machine,
        "uuid": pool.own_uuid(),
        "peers": [asdict(peer) for peer in pool.peers()],
        "volumes": [_volume(volume) for volume in pool.volumes().values()],
    }


def _volume(volume: parse.Volume) -> dict[str, Any]:
    try:
        running, why = pool.bricks(volume), ""
    except GlusterError as error:
        running, why = (), str(error)
    return {
        **{key: value for key, value in asdict(volume).items() if key != "options"},
        "running": [asdict(brick) for brick in running],
        "why": why,
    }


def healing() -> list[dict[str, Any]]:
    """What must be healed, by volume and brick."""
    return [
        {"volume": name, **asdict(found)}
        for name, volume in pool.volumes().items()
        if volume.started
        for found in heal.heals(name)
    ]
