"""A user's own application in the place of the course's web server."""

from __future__ import annotations

from tests.support.requests import get
from tests.support.rig_lab import RigLab
from tests.support.waiting import TAKEOVER_S, wait_until

APACHE = {"package": "apache2", "unit": "apache2", "port": 80, "healthPath": "/"}


def test_a_package_of_the_users_own_is_served_and_checked(whole: RigLab) -> None:
    """Apache stands for it: a package, a unit, a port and a health path are all that is said."""
    whole.change("appServer", {"application": APACHE})
    whole.change("loadBalancer", {"acls": {}, "backends": {}, "routes": []})
    try:
        whole.up().ok()
        wait_until(
            "Apache answers through the VIP",
            lambda: "Apache" in get(whole.url("/"), namespace=whole.namespace).headers["server"],
            usual_s=TAKEOVER_S,
        )
        assert set(whole.servers(whole.owner())) == {f"http_back/app{i}" for i in (1, 2, 3)}
        whole.preview_clean().ok()
    finally:
        whole.change("appServer", None)
        whole.change("loadBalancer", None)
        whole.up().ok()
