"""A setting of every tier is changed at once, and then the lab is destroyed."""

from __future__ import annotations

import re
from collections import Counter

from tests.support.requests import Loop
from tests.support.rig_whole import ENGINES, WholeLab
from tests.support.waiting import MOMENT_S, wait_until

STICKINESS = "200"
CACHE_SIZE = "64MB"
TOUCHED = {
    *("lb-lb1", "lb-lb2", "proof-lb1"),
    *("visits-app1", "visits-app2", "visits-app3"),
    *("cluster-db1-check", "cluster-db1-resources"),
    *("postgresql-db1", "postgresql-db2", "mariadb-db1", "mariadb-db2"),
    "storage-gluster1-volumes",
}
"""By name, what a change of these settings is carried out by."""


def change_a_setting_of_every_tier(lab: WholeLab) -> None:
    lab.balance({"weights": {"app1": 3}})
    lab.change(
        "cluster", {"enabled": True, "resourceDefaults": {"resource-stickiness": STICKINESS}}
    )
    lab.change(
        "database",
        {
            "postgresql": {"enabled": True, "maxSlotWalMib": 2048},
            "mariadb": {"enabled": True, "binlogDays": 8},
        },
    )
    lab.change("appServer", {"visits": {"engine": "mariadb"}})
    options = {"performance.cache-size": CACHE_SIZE}
    lab.change(
        "storage",
        {"enabled": True, "allowRootFileSystem": True, "volumes": {"gv0": {"options": options}}},
    )


def servers_of(lab: WholeLab) -> dict[str, str]:
    """Main processes of what must not be started again."""
    units = {engine: lab.access(engine).engine.unit for engine in ENGINES}
    asked = [(m, unit) for m in ("db1", "db2") for unit in (*units.values(), "pacemaker")]
    asked += [(m, "glusterd") for m in ("gluster1", "gluster2", "gluster3")]
    asked += [(m, "keepalived") for m in ("lb1", "lb2")]
    show = ("systemctl", "show", "-P", "MainPID")
    return {f"{unit} of {m}": lab.run(m, *show, unit).strip() for m, unit in asked}


def test_a_changed_setting_of_each_tier_touches_only_what_it_must_and_drops_no_request(
    healed: WholeLab,
) -> None:
    healed.await_all_tiers()
    roles = {engine: healed.roles(engine) for engine in ENGINES}
    servers, owner, member = servers_of(healed), healed.owner(), healed.cluster_owner()
    change_a_setting_of_every_tier(healed)
    with Loop(healed.url(), healed.namespace) as loop:
        wait_until("requests flow", lambda: len(loop.answers) > 20, usual_s=MOMENT_S)
        text = healed.up().ok().text
    assert loop.failed == []
    touched = set(re.findall(r"Command (\S+) (?:updated|created|replaced)", text))
    assert touched == TOUCHED, text
    assert "its settings are taken up at the next start; `pcs resource restart mariadb" in text
    assert servers_of(healed) == servers
    assert (healed.owner(), healed.cluster_owner()) == (owner, member)
    assert {engine: healed.roles(engine) for engine in ENGINES} == roles


def test_what_was_changed_is_in_effect_and_there_is_nothing_left_to_do(lab: WholeLab) -> None:
    assert Counter(lab.ask().machine for _ in range(8)) == {"app1": 6, "app2": 2}
    defaults = lab.run("gluster1", "pcs", "resource", "defaults")
    assert f"resource-stickiness={STICKINESS}" in defaults
    assert lab.access("postgresql").ask("SHOW max_slot_wal_keep_size") == [("2GB",)]
    visits = lab.request("POST", lab.outputs()["urls"]["visits"]).json()
    assert visits["visits"] == 1, "counted anew in the other database"
    option = lab.run("gluster1", "gluster", "volume", "get", "gv0", "performance.cache-size")
    assert CACHE_SIZE in option
    lab.preview_clean().ok()


def test_destroy_leaves_no_resource_in_the_stack(lab: WholeLab) -> None:
    lab.down().ok()
    assert "has no outputs" in lab.lab("outputs", lab.stack).text
