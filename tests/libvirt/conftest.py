"""A libvirt host for tests: prepared once, and as empty after a test as it was before."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from components.settings.load import load_settings
from lab.libvirt_host.daemon import LibvirtHost, ensure_libvirtd
from lab.libvirt_host.packages import ensure_packages
from lab.libvirt_host.prepare import image_and_acceleration
from tests.libvirt.machine_lab import Data, MachineLab

MakeLab = Callable[..., MachineLab]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this directory needs a libvirt host."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.libvirt)


@pytest.fixture(scope="session")
def libvirt_host() -> LibvirtHost:
    """A daemon that answers, the system's own or one that the project started."""
    ensure_packages(print, golden=True)
    return ensure_libvirtd()


@pytest.fixture(scope="session")
def golden(libvirt_host: LibvirtHost) -> Data:
    """Settings for machines that boot: the golden image, and KVM where it was proven."""
    del libvirt_host
    image, acceleration = image_and_acceleration(load_settings({}, stack="test-golden"), print)
    return {"libvirt": {"acceleration": acceleration, "image": {"path": str(image)}}}


@pytest.fixture(scope="session")
def hollow(tmp_path_factory: pytest.TempPathFactory) -> Data:
    """Settings for machines with nothing to boot: they start and stop in no time."""
    image = tmp_path_factory.mktemp("image") / "hollow.qcow2"
    make = ["qemu-img", "create", "-q", "-f", "qcow2", str(image), "1G"]
    subprocess.run(make, check=True)
    sizes = {"default": {"memoryMib": 2048}}
    return {
        "libvirt": {"acceleration": "qemu", "image": {"path": str(image)}},
        "machines": {"sizes": sizes},
    }


@pytest.fixture(scope="module")
def make_lab(
    libvirt_host: LibvirtHost, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[MakeLab]:
    """Makes stacks; after the tests of the module they are gone, whatever happened."""
    made: list[MachineLab] = []

    def make(stack: str, data: Data, *, machines: int = 1) -> MachineLab:
        folder = tmp_path_factory.mktemp(stack)
        lab = MachineLab(stack, folder, libvirt_host, data, machines=machines)
        # What a killed run of these tests left; its Pulumi state is gone already.
        lab.clean(refuse_foreign=False)
        made.append(lab)
        return lab

    yield make
    with ThreadPoolExecutor() as pool:
        removals = [pool.submit(_remove, lab) for lab in made]
    for removal in removals:
        removal.result()


def _remove(lab: MachineLab) -> None:
    lab.clean(refuse_foreign=False)
    lab.destroy().ok()
    left = lab.own_lines()
    assert not left, f"{lab.stack} left behind: {', '.join(sorted(left))}"
