"""A rig that a module of tests has for itself: nothing of it is there before, nothing after."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

import pytest

from lab.rig_stack import rig_up
from tests.support.lab import LabUnderTest
from tests.support.own_rig import own_rig
from tests.support.rig_lab import RigLab

L = TypeVar("L", bound=RigLab)


@contextmanager
def clean_rig(stack: str, folders: pytest.TempPathFactory) -> Iterator[LabUnderTest]:
    """Neither rig nor stack of this name before the block and after it; the stack, not yet made."""
    if os.geteuid() != 0:
        pytest.fail("the rig makes network namespaces: run as root (sudo make test-rig)")
    with own_rig(stack, folders.mktemp("before")) as stack_alone:
        yield stack_alone


@contextmanager
def deployed_rig(
    kind: type[L], stack: str, settings: Mapping[str, Any], folders: pytest.TempPathFactory
) -> Iterator[L]:
    """A rig with the lab of these settings on it."""
    with clean_rig(stack, folders) as before:
        # First, so that these settings stand where `lab rig up` has its own.
        before.write(dict(settings))
        rig_up(stack, settings)
        lab = kind(stack, folders.mktemp("state"))
        lab.up().ok()
        yield lab
