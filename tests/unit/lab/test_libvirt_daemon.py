"""Which libvirt daemon is used, and when one is started (again)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lab.libvirt_host import daemon
from lab.libvirt_host.daemon import NAMESPACE, ensure_libvirtd
from lab.libvirt_host.virsh import Virsh

Install = Callable[["World"], "World"]


class World:
    """A machine without a service manager: what was done to its daemons, in turn."""

    def __init__(self, *, ours: bool, reachable: bool) -> None:
        self.ours, self.reachable = ours, reachable
        self.done: list[str] = []

    def start(self) -> None:
        self.done.append("start")
        self.ours = self.reachable = True

    def stop(self, name: str, *_: object) -> None:
        self.done.append(f"stop {name}")
        self.ours = False

    def answers(self, virsh: Virsh) -> bool:
        """Only in the namespace: outside of it nothing listens."""
        return bool(virsh.prefix) and self.reachable


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Install:
    """Puts a world in the place of this machine."""

    def put(world: World) -> World:
        monkeypatch.setattr(daemon, "is_ours", lambda: world.ours)
        monkeypatch.setattr(daemon, "_start", world.start)
        monkeypatch.setattr(daemon, "_stop", world.stop)
        monkeypatch.setattr(daemon, "RUNTIME", tmp_path)
        monkeypatch.setattr(daemon, "SERVICE_MANAGER", tmp_path / "none")
        monkeypatch.setattr(Virsh, "answers", lambda self: world.answers(self))
        return world

    return put


@pytest.mark.parametrize(
    ("ours", "reachable", "done"),
    [
        (True, True, []),
        (False, False, ["start"]),
        (True, False, ["stop libvirtd", "stop virtlogd", "start"]),
    ],
    ids=["it answers", "there is none", "it is out of reach"],
)
def test_a_daemon_of_our_own_answers_in_the_end(
    install: Install, ours: bool, reachable: bool, done: list[str]
) -> None:
    world = install(World(ours=ours, reachable=reachable))
    host = ensure_libvirtd()
    assert host.prefix[-1] == NAMESPACE
    assert world.done == done
