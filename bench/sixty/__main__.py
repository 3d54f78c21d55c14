"""Six trivial remote commands on each of the machines that BENCH_HOSTS (a JSON file) names."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pulumi
from pulumi_command import remote

hosts = json.loads(Path(os.environ["BENCH_HOSTS"]).read_text(encoding="utf-8"))
key = pulumi.Output.secret(Path(os.environ["BENCH_KEY"]).read_text(encoding="utf-8"))
for name, host in hosts.items():
    connection = remote.ConnectionArgs(
        host=host["address"], user=host["user"], private_key=key, host_key=host["hostKey"]
    )
    for number in range(1, 7):
        file = f"/tmp/bench-pulumi-{number}"  # noqa: S108 - a machine that is removed afterwards
        remote.Command(
            f"{name}-{number}",
            connection=connection,
            create=f"printf %s 'task {number} of {name}' > {file}",
            delete=f"rm -f {file}",
        )
