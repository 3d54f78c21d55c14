"""Taking stock of a libvirt host on which others work at the same time."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from lab.errors import LabError
from lab.libvirt_host.inventory import take_inventory
from lab.libvirt_host.virsh import Virsh


@dataclass(frozen=True, slots=True, kw_only=True)
class Host(Virsh):
    """A host with one domain, whose description cannot be had; `gone`: for it was just removed."""

    gone: bool
    asked: list[str] = field(default_factory=list)

    def __call__(self, *words: str) -> str:
        self.asked.append(words[0])
        if words[0] == "dumpxml":
            msg = "failed to get domain 'a'"
            raise LabError(msg)
        listed = words[0] == "list" and not (self.gone and "dumpxml" in self.asked)
        return "a\n" if listed else ""


def test_a_domain_that_goes_away_meanwhile_is_left_out() -> None:
    assert take_inventory(Host(uri="test:///", gone=True)).domains == ()


def test_a_domain_that_is_there_and_cannot_be_read_is_an_error() -> None:
    with pytest.raises(LabError, match="failed to get domain"):
        take_inventory(Host(uri="test:///", gone=False))
