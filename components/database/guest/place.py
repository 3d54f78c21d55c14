"""What every engine's data has on a machine: a unit, a role on disk, and a claim about it."""

from __future__ import annotations

import abc
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from .model import PACEMAKER, Config, Engine, managed_file
from .shell import DatabaseError, must, run, write


@dataclass(frozen=True)
class Claim:
    """What the data on this disk is, for the other machines to read while no server runs."""

    was: str
    term: int
    why: str
    """What keeps it from starting, or from being what it was; empty: nothing."""


@dataclass(frozen=True)
class Place(abc.ABC):
    """One engine's data on this machine."""

    config: Config
    engine: Engine
    root: Path = Path("/")
    """Another one in tests."""

    @property
    @abc.abstractmethod
    def owner(self) -> str:
        """User of the server and of its data."""

    @property
    @abc.abstractmethod
    def unit(self) -> str:
        """The server's unit."""

    @property
    @abc.abstractmethod
    def was(self) -> str:
        """The role of the data on this disk."""

    @property
    def claim_file(self) -> Path:
        return self.root / f"run/ha-lab-{self.engine.name}/claim.json"

    @property
    def go_file(self) -> Path:
        """Beside the claim: a person decided that this machine is the primary."""
        return self.claim_file.with_name("start-as-primary")

    @property
    def cluster_file(self) -> Path:
        """Likewise: the cluster starts the server, which is a replica's then."""
        return self.claim_file.with_name("start-by-cluster")

    @property
    def is_in_cluster(self) -> bool:
        """Whether the cluster, and nobody else, starts this server."""
        marker = managed_file(self.engine.name, self.root / "var/lib/ha-lab")
        return self.engine.failover == PACEMAKER and marker.exists()

    @property
    def prepared_file(self) -> Path:
        """There once this machine has data of the lab."""
        return self.root / f"var/lib/ha-lab/{self.engine.name}-prepared"

    @property
    def is_prepared(self) -> bool:
        return self.prepared_file.exists()

    def must_be_prepared(self) -> None:
        if not self.is_prepared:
            msg = (
                f"{self.config.machine} has no {self.engine.title} of the lab; `lab up` sets it up"
            )
            raise DatabaseError(msg)

    def claim(self) -> Claim | None:
        try:
            return Claim(**json.loads(self.claim_file.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None

    def write_claim(self, claim: Claim) -> None:
        self.claim_file.parent.mkdir(exist_ok=True, mode=0o755)
        owner = self.owner if os.geteuid() == 0 else ""
        write(self.claim_file, json.dumps(asdict(claim)), owner=owner)

    def systemctl(self, verb: str, *options: str) -> None:
        """Start, stop... the server's unit."""
        words = ["systemctl", verb, *options, self.unit]
        must(words, f"{verb} of {self.unit}", timeout_s=600)

    @property
    def is_active(self) -> bool:
        """Whether the server runs, or is about to."""
        _, said = run(["systemctl", "is-active", self.unit])
        return said in ("active", "activating", "reloading")
