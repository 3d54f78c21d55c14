"""Machines without services: settings and secrets come from the file that HALAB_TEST_LAB names."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pulumi

from components.machines import make_machines
from components.secrets import Secrets
from components.settings.load import load_settings
from components.topology import plan

stack = pulumi.get_stack()
lab = json.loads(Path(os.environ["HALAB_TEST_LAB"]).read_text(encoding="utf-8"))
settings = load_settings(lab["settings"], stack=stack)
topology = plan(settings, stack=stack)
topology = replace(topology, machines=topology.machines[: lab["machines"]])
secrets = Secrets(json.dumps(lab["secrets"]), stack=stack)
hosts = make_machines(settings, topology, secrets, parent=None)
pulumi.export("identities", {name: host.identity for name, host in hosts.items()})
