"""All of the course on ten machines at once: `lab rig up --tiers all`, `lab up`, and the end."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import httpx
import pytest

from lab.show import tier_endpoints
from tests.support.requests import request
from tests.support.rig_lab import RigLab
from tests.support.rig_module import clean_rig
from tests.support.waiting import wait_until

STACK = "test-whole"
WHOLE_WITHIN_S = 700
"""A cluster keeps a failed action for ten minutes, and a monitor may fail on a busy host."""


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RigLab]:
    """Ten machines with every tier, deployed as a user does it."""
    with clean_rig(STACK, tmp_path_factory) as before:
        before.lab("rig", "up", "--name", STACK, "--tiers", "all").ok()
        lab = RigLab(STACK, tmp_path_factory.mktemp("state"))
        lab.up().ok()
        yield lab


def asked(lab: RigLab, method: str, url: str, content: bytes = b"") -> httpx.Response:
    """One request from the lab's own network."""
    return request(method, url, namespace=lab.namespace, timeout_s=20, content=content)


def test_every_tier_is_whole_and_a_second_up_has_nothing_to_do(lab: RigLab) -> None:
    one_of_each_tier = (
        "one-vip-owner",
        "one-cluster-vip-owner",
        "bricks-up",
        "one-postgresql-primary",
        "one-mariadb-primary",
    )
    whole = partial(lab.all_pass, *one_of_each_tier)
    wait_until("every audit passes", whole, within_s=WHOLE_WITHIN_S, every_s=1)
    lab.preview_clean().ok()


def test_every_endpoint_answers_through_the_vip(lab: RigLab) -> None:
    values = lab.outputs()
    endpoints = dict(tier_endpoints(values))
    assert asked(lab, "GET", values["cluster"]["publicUrl"]).status_code == 200
    assert asked(lab, "POST", values["urls"]["visits"]).json()["visits"] == 1
    upload = values["storage"]["uploads"] + "seen.txt"
    assert asked(lab, "PUT", upload, content=b"whole").status_code == 201
    assert asked(lab, "GET", upload).content == b"whole"
    shown = lab.lab("outputs", STACK).ok().text
    for name in ("cluster", "postgresql write", "mariadb read", "uploads", "volume"):
        assert name in shown
        assert endpoints[name].split()[0] in shown


def test_destroy_leaves_no_resource_in_the_stack(lab: RigLab) -> None:
    lab.down().ok()
    assert "has no outputs" in lab.lab("outputs", STACK).text
