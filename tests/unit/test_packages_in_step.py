"""Two lists say what a libvirt host needs: the set-up's, and that of `lab` without it."""

from __future__ import annotations

from lab.libvirt_host.packages import DEBIAN, DEBIAN_FENCING, DEBIAN_IMAGE, UNWANTED
from toolchain.system import PACKAGES, SERVICES

ALWAYS_THERE = {"mount"}
"""Essential on Debian: never missing, so not worth a line in the set-up."""


def test_the_setup_brings_what_a_libvirt_host_needs() -> None:
    needed = {*DEBIAN.values(), *DEBIAN_FENCING.values()}
    assert needed <= set(PACKAGES["system-libvirt"])


def test_the_setup_brings_what_baking_the_image_needs() -> None:
    assert set(DEBIAN_IMAGE.values()) - ALWAYS_THERE <= set(PACKAGES["system-image"])


def test_both_keep_the_distributions_own_daemons_from_running() -> None:
    for package, unit in UNWANTED.items():
        assert unit == f"{SERVICES[package]}.service"
