"""Machines of one test stack: brought up by real Pulumi on real libvirt, with nothing to boot."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from components.machines import names
from components.settings.load import load_settings
from components.settings.models import Settings
from components.topology import Topology, plan
from lab.libvirt_host.daemon import LibvirtHost
from lab.libvirt_host.leftovers import Leftovers, Plan, clean_leftovers, ids_in_state
from lab.secrets import complete
from tests.support.lab import Done
from tests.support.own_lines import MAKER, own_lines

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = Path(__file__).parent / "machines_program"
PULUMI_TIMEOUT_S = 600

Data = Mapping[str, object]


class MachineLab:
    """One stack with machines and nothing on them; `machines` of the compact topology's three."""

    def __init__(
        self, stack: str, folder: Path, host: LibvirtHost, data: Data, *, machines: int = 1
    ) -> None:
        assert stack.startswith("test-"), "only stacks of tests are made and destroyed here"
        self.stack, self.host, self._folder, self._machines = stack, host, folder, machines
        self.data = dict(data)
        (folder / "backend").mkdir(parents=True)
        self._secrets = complete({}, self.topology)
        self._write()
        self.pulumi("stack", "init", stack).ok()

    @property
    def settings(self) -> Settings:
        return load_settings(self.data, stack=self.stack)

    @property
    def topology(self) -> Topology:
        whole = plan(self.settings, stack=self.stack)
        return replace(whole, machines=whole.machines[: self._machines])

    def change(self, **sections: object) -> None:
        """Other settings from now on."""
        self.data = {**self.data, **sections}
        self._write()

    def pulumi(self, *words: str) -> Done:
        done = subprocess.run(
            [*self.host.prefix, "pulumi", *words, "--non-interactive"],
            cwd=PROGRAM,
            env=self._environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=PULUMI_TIMEOUT_S,
        )
        return Done(done.returncode, done.stdout)

    def up(self, *words: str) -> Done:
        return self.pulumi("up", "--yes", "--skip-preview", "--stack", self.stack, *words)

    def preview(self, *words: str) -> Done:
        return self.pulumi("preview", "--stack", self.stack, *words)

    def preview_clean(self) -> Done:
        """A preview that fails when anything would change."""
        return self.preview("--expect-no-changes")

    def destroy(self) -> Done:
        return self.pulumi("destroy", "--yes", "--skip-preview", "--stack", self.stack)

    def state(self) -> dict[str, object]:
        exported: dict[str, object] = json.loads(self.state_text())
        return exported

    def state_text(self) -> str:
        """The state as it is kept: secrets encrypted."""
        return self.pulumi("stack", "export", "--stack", self.stack).ok().text

    def urn(self, resource: str) -> str:
        """The URN of the resource of this name."""
        deployment = self.state()["deployment"]
        assert isinstance(deployment, dict)
        urns = [str(r["urn"]) for r in deployment["resources"]]
        return next(urn for urn in urns if urn.endswith(f"::{resource}"))

    def identity(self, machine: str) -> str:
        text = self.pulumi("stack", "output", "identities", "--json", "--stack", self.stack)
        identities: dict[str, str] = json.loads(text.ok().text)
        return identities[machine]

    def domain(self, machine: str = "node1") -> str:
        """Its name in libvirt."""
        return names.domain_name(self.topology, self.topology.machine(machine))

    def running(self) -> list[str]:
        """The domains that run on the host, other stacks' too."""
        return self.host.virsh.names("list", "--name")

    def clean(self, *, refuse_foreign: bool = True) -> Leftovers:
        """What `lab up` and `lab down` do before Pulumi."""
        known = ids_in_state(self.state())
        whole = Plan(
            settings=self.settings, topology=self.topology, known=known, maker=MAKER, backend=MAKER
        )
        return clean_leftovers(self.host.virsh, whole, refuse_foreign=refuse_foreign)

    def own_lines(self) -> set[str]:
        """What libvirt has of this stack now, a line each."""
        return own_lines(self.host, self.topology)

    def _write(self) -> None:
        lab = {"settings": self.data, "machines": self._machines, "secrets": self._secrets}
        file = self._folder / "lab.json"
        file.touch(mode=0o600)
        file.write_text(json.dumps(lab))

    def _environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "HALAB_TEST_LAB": str(self._folder / "lab.json"),
            "PULUMI_BACKEND_URL": f"file://{self._folder / 'backend'}",
            "PULUMI_CONFIG_PASSPHRASE": "of a test",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
        }
