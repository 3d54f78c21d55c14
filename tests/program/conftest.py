"""The labs that the program is asked to build, and the secrets they have."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from components.settings.load import load_settings
from components.topology import Topology, plan
from lab.secrets import SecretSet, complete
from tests.program.recorder import Recording, run_program

HOST_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDiMvpsV4Sr2j4wzoMlDJzBjiDv5Y1U0XhJ8mJqkzYkD"
ADDRESSES = {
    **{f"lb{i}": f"10.16.4.{10 + i}" for i in (1, 2)},
    **{f"app{i}": f"10.16.4.{20 + i}" for i in (1, 2, 3)},
    **{f"db{i}": f"10.16.4.{50 + i}" for i in (1, 2)},
    **{f"gluster{i}": f"10.16.4.{60 + i}" for i in (1, 2, 3)},
}
LABS: Mapping[str, dict[str, Any]] = {
    "full-existing": {
        "number": 4,
        "topology": "full",
        "database": {"postgresql": {"enabled": True}, "mariadb": {"enabled": True}},
        "machines": {
            "provider": "existing",
            "networkNamespace": "a-rig",
            "hosts": {
                name: {"address": address, "hostKey": HOST_KEY}
                for name, address in ADDRESSES.items()
            },
        },
    },
    "full-libvirt": {"number": 4, "topology": "full", "timers": "fast"},
    "compact-libvirt": {"topology": "compact", "drill": {"allowed": True}},
    "full-cluster": {
        "number": 4,
        "topology": "full",
        "cluster": {"enabled": True, "fencing": {"kind": "none"}},
    },
    "two-members": {
        "number": 4,
        "topology": "full",
        "cluster": {
            "enabled": True,
            "members": ["db1", "db2"],
            "quorumDevice": "app1",
            "fencing": {"kind": "none"},
        },
    },
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """A lab that the program built: what it was asked, and what it registered."""

    settings: Mapping[str, Any]
    topology: Topology
    secrets: SecretSet
    run: Recording

    @property
    def secret_texts(self) -> list[str]:
        """Every secret, and every line of those that have several (keys in PEM)."""
        texts = [
            text
            for group in self.secrets.values()
            for name, text in group.items()
            if not name.endswith((".pub", "public", "subject"))
        ]
        lines = [line for text in texts for line in text.splitlines()]
        return [line for line in lines if len(line) > 12 and not line.startswith("-----")]


@pytest.fixture(scope="session")
def libvirt_host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A host whose preparation is done: an image, and an acceleration that was proven."""
    directory = tmp_path_factory.mktemp("host")
    image = directory / "golden.qcow2"
    image.write_bytes(b"QFI\xfb not really")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(directory / "cache"))
        patch.setenv("HALAB_IMAGE", str(image))
        patch.setenv("HALAB_ACCELERATION", "qemu")
        yield image


def build(settings: Mapping[str, Any], *, stack: str = "demo", preview: bool = False) -> Built:
    """Run the program for a stack that has been set up."""
    topology = plan(load_settings(settings, stack=stack), stack=stack)
    secrets = complete({}, topology)
    run = run_program(settings, secrets=json.dumps(secrets), stack=stack, preview=preview)
    assert run.errors == []
    return Built(settings=settings, topology=topology, secrets=secrets, run=run)


@pytest.fixture(
    scope="session",
    params=[(lab, preview) for lab in LABS for preview in (False, True)],
    ids=lambda param: f"{param[0]}-{'preview' if param[1] else 'up'}",
)
def built(request: pytest.FixtureRequest, libvirt_host: Path) -> Built:
    """Each of the labs, for `up` and for `preview`."""
    del libvirt_host
    lab, preview = request.param
    return build(LABS[lab], preview=preview)
