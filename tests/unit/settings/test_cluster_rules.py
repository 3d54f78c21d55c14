"""What the cluster's settings must not contradict, with the words of every refusal."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.settings.samples import EXISTING, FULL, problems, with_value

ON = with_value(
    with_value(FULL, "cluster.enabled", value=True), "cluster.fencing.kind", value="none"
)
COMPACT = {key: value for key, value in ON.items() if key != "topology"}
IP = {"agent": "ocf:heartbeat:IPaddr2", "parameters": {"ip": "{vip}"}}
DUMMY = {"agent": "ocf:pacemaker:Dummy"}
THREE = {"a": DUMMY, "b": DUMMY, "c": DUMMY}
NONE: dict[str, Any] = {"colocations": [], "orders": []}
TWO_VOTES = (
    "cluster.members: has two members, and neither has a majority without the other: add a third,"
    " or give another machine's vote with cluster.quorumDevice, or accept the risk with"
    " cluster.twoNode: true"
)


def changed(base: dict[str, Any], **values: object) -> list[str]:
    """What is wrong once these keys of `cluster` are changed; `a__b` is `a.b`."""
    data = base
    for key, value in values.items():
        data = with_value(data, f"cluster.{key.replace('__', '.')}", value)
    return problems(data)


class TestMembers:
    """Who votes."""

    @pytest.mark.parametrize(
        ("values", "expected"),
        [
            (
                {"members": ["db1", "db2", "glustr1"]},
                ["members.2: 'glustr1' is no machine of the topology; did you mean 'gluster1'?"],
            ),
            (
                {"members": ["db1", "db2", "gluster1", "db1"]},
                ["members.3: 'db1' is named twice; remove one"],
            ),
            (
                {"members": ["db1"]},
                ["members: has one member only; name three (two need a rule for quorum)"],
            ),
            (
                {"twoNode": True},
                [("twoNode: is only for two members without a quorum device; set it to false")],
            ),
            (
                {"quorumDevice": "app1"},
                [
                    (
                        "quorumDevice: is only for an even number of members; 3 have a majority"
                        " without it"
                    )
                ],
            ),
            (
                {"members": ["db1", "db2"], "quorumDevice": "db2"},
                [
                    (
                        "quorumDevice: 'db2' is a member; its third vote must come from another"
                        " machine"
                    )
                ],
            ),
            (
                {"members": ["db1", "db2"], "quorumDevice": "ap1"},
                ["quorumDevice: 'ap1' is no machine of the topology; did you mean 'app1'?"],
            ),
        ],
    )
    def test_they_are_machines_and_enough(
        self, values: dict[str, object], expected: list[str]
    ) -> None:
        assert changed(ON, **values) == [f"cluster.{line}" for line in expected]

    def test_two_members_need_a_rule_for_quorum(self) -> None:
        assert changed(ON, members=["db1", "db2"]) == [TWO_VOTES]
        assert changed(ON, members=["db1", "db2"], twoNode=True) == []

    def test_or_the_third_vote_of_a_quorum_device(self) -> None:
        assert changed(ON, members=["db1", "db2"], quorumDevice="app1") == []
        assert changed(ON, members=["db1", "db2"], quorumDevice="app1", twoNode=True) == [
            "cluster.twoNode: is only for two members without a quorum device; set it to false"
        ]

    def test_a_cluster_that_is_asked_for_needs_members(self) -> None:
        data = with_value(ON, "machines.counts.database", 0)

        assert problems(data) == [
            (
                "cluster.members: is unset, and there are no databases to choose from; name three"
                " machines"
            )
        ]
        assert changed(data, members=["app1", "app2", "app3"]) == []

    def test_nothing_is_said_of_a_cluster_that_is_switched_off(self) -> None:
        off = changed(ON, enabled=False, members=["nobody"], quorumDevice="nobody", twoNode=True)

        assert off == []


class TestVip:
    """The cluster's own address."""

    @pytest.mark.parametrize(
        ("address", "said"),
        [
            ("10.16.1.21", "10.16.1.21 is the address of machine app1; choose a free one"),
            ("10.16.1.1", "10.16.1.1 is the gateway; choose an address of no machine"),
            ("10.16.1.255", "10.16.1.255 is the broadcast address of 10.16.1.0/24; choose another"),
            (
                "10.16.2.101",
                "10.16.2.101 is outside of the lab's network 10.16.1.0/24; choose one inside",
            ),
            (
                "10.16.1.100",
                "10.16.1.100 is the load balancers' VIP; choose another address",
            ),
        ],
    )
    def test_it_is_free(self, address: str, said: str) -> None:
        assert changed(ON, vip=address) == [f"cluster.vip: {said}"]

    def test_the_chosen_one_is_looked_at_too(self) -> None:
        data = with_value(EXISTING, "machines.hosts.node2.address", "10.16.9.101")

        assert changed(data, enabled=True, fencing__kind="none") == [
            (
                "cluster.vip: unset, so 10.16.9.101; it is the address of machine node2; choose a"
                " free one"
            )
        ]
        assert problems(data) == [], "without a cluster the address is free"

    def test_it_needs_room_in_the_network(self) -> None:
        data = with_value(ON, "network.cidr", "10.0.0.0/28")
        counted = with_value(data, "machines.counts.app", 5)

        assert problems(with_value(data, "machines.counts.app", 4)) == []
        assert problems(counted) == [
            "network.cidr: 10.0.0.0/28 is too small for 12 machines, gateway and VIP; use a /27"
        ]
        assert changed(counted, enabled=False) == []


class TestPort:
    """The web server's port on machines with several roles."""

    @pytest.mark.parametrize(
        ("path", "said"),
        [("appServer.port", "appServer.port"), ("loadBalancer.stats.port",) * 2],
    )
    def test_no_other_program_holds_it(self, path: str, said: str) -> None:
        found = problems(with_value(COMPACT, path, 80))

        expected = f"{said}: 80 is the cluster's web server's on the same machine; change it"
        assert expected in found

    def test_on_other_machines_it_is_free(self) -> None:
        assert problems(with_value(ON, "appServer.port", 80)) == []

    def test_the_way_to_it_through_the_load_balancers_has_names_of_its_own(self) -> None:
        acl = with_value(ON, "loadBalancer.acls.is_cluster", {"pathBeg": ["/x"]})

        assert (
            "loadBalancer.acls.is_cluster: 'is_cluster' is the way to the cluster; rename yours"
            in problems(acl)
        )


class TestResources:
    """What the cluster runs."""

    @pytest.mark.parametrize(
        ("values", "expected"),
        [
            (
                {"groups": {"web": {"resources": ["vip", "webservr"]}}},
                [("groups.web.resources.1: 'webservr' is no resource; did you mean 'webserver'?")],
            ),
            (
                {
                    "groups": {
                        "one": {"resources": ["vip"]},
                        "two": {"resources": ["vip", "webserver"]},
                    }
                },
                [
                    (
                        "groups.two.resources.0: 'vip' is in a group already; a resource can be in"
                        " one only"
                    )
                ],
            ),
            (
                {"groups": {"vip": {"resources": ["webserver"]}}},
                ["groups.vip: 'vip' is a resource too; rename one of them"],
            ),
            (
                {"clones": {"c": {"resource": "nothing"}}},
                ["clones.c.resource: 'nothing' is no resource or group; there are: vip, webserver"],
            ),
            (
                {
                    "groups": {"web": {"resources": ["vip", "webserver"]}},
                    "clones": {"c": {"resource": "vip"}},
                    "constraints": NONE,
                },
                [
                    (
                        "clones.c.resource: 'vip' is in a group or clone already; clone the group"
                        " instead"
                    )
                ],
            ),
            (
                {
                    "resources__webserver": IP,
                    "resources__vip": {**IP, "parameters": {"ip": "{vpi}"}},
                },
                ["resources.vip.parameters.ip: {vpi} stands for nothing; did you mean '{vip}'?"],
            ),
            (
                {"properties": {"stonith-enabled": "false"}},
                ["properties.stonith-enabled: is decided by cluster.fencing; set that"],
            ),
            (
                {"properties": {"cluster-name": "mine"}},
                ["properties.cluster-name: is Pacemaker's own; remove it"],
            ),
            (
                {"properties": {"maintenance-mode": True}},
                [
                    (
                        "properties.maintenance-mode: is for operating the cluster, see `lab"
                        " cluster`; remove it"
                    )
                ],
            ),
            (
                {
                    "resources": {"vip": {**IP, "meta": {"target-role": "Stopped"}}},
                    "constraints": NONE,
                },
                [
                    (
                        "resources.vip.meta.target-role: is for operating the cluster (`pcs"
                        " resource disable`); remove it"
                    )
                ],
            ),
        ],
    )
    def test_a_contradiction_is_refused(
        self, values: dict[str, object], expected: list[str]
    ) -> None:
        assert changed(ON, **values) == [f"cluster.{line}" for line in expected]

    @pytest.mark.parametrize(
        ("operations", "said"),
        [
            (
                [{"name": "monitor", "intervalS": 5}, {"name": "monitor", "intervalS": 5}],
                (
                    "operations.1: is a second monitor with the interval 5 s; change one (a second"
                    " more will do)"
                ),
            ),
            (
                [{"name": "monitor"}],
                "operations.0.intervalS: is 0, so nothing is monitored; give seconds",
            ),
            (
                [{"name": "monitor", "intervalS": 5, "role": "Promoted"}],
                ("operations.0.role: is only for the resource of a promotable clone; remove it"),
            ),
        ],
    )
    def test_operations_are_told_apart(
        self, operations: list[dict[str, object]], said: str
    ) -> None:
        resources = {"vip": {**IP, "operations": operations}}

        assert changed(ON, resources=resources, constraints=NONE) == [
            f"cluster.resources.vip.{said}"
        ]

    def test_roles_are_for_promotable_clones_in_groups_too(self) -> None:
        roles = [
            {"name": "monitor", "intervalS": 5, "role": "Promoted"},
            {"name": "monitor", "intervalS": 6, "role": "Unpromoted"},
        ]
        values = {
            "resources": {"db": {**DUMMY, "operations": roles}},
            "groups": {"dbs": {"resources": ["db"]}},
            "clones": {"db-clone": {"resource": "dbs", "promotable": True}},
            "constraints": NONE,
        }

        assert changed(ON, **values) == []

    @pytest.mark.parametrize(
        "agent", ["IPaddr2", "ocf:heartbeat", "ocf:heartbeat:a b", "systemd:a:b", "stonith:fence_x"]
    )
    def test_an_agent_has_a_standard_and_a_type(self, agent: str) -> None:
        (problem,) = changed(ON, resources={"vip": {"agent": agent}}, constraints=NONE)

        assert problem.startswith("cluster.resources.vip.agent: expected an agent")

    @pytest.mark.parametrize("name", ["cli-ban", "1st", "with space", "a-meta_attributes"])
    def test_a_name_is_none_that_pacemaker_makes(self, name: str) -> None:
        (problem,) = changed(ON, resources={name: DUMMY}, constraints=NONE)

        assert "expected a name of letters" in problem


class TestConstraints:
    """What holds between resources."""

    def test_a_colocation_with_a_missing_resource_is_refused(self) -> None:
        wrong = {"colocations": [{"resource": "webserver", "with": "vpi"}]}

        assert changed(ON, constraints=wrong) == [
            (
                "cluster.constraints.colocations.0.with: 'vpi' is no resource, group or clone; did"
                " you mean 'vip'?"
            )
        ]

    def test_the_courses_constraints_without_its_resources_are_explained(self) -> None:
        found = changed(ON, resources={"vip": IP})

        assert len(found) == 2
        assert all("(it is the course's constraint: give cluster.constraints" in f for f in found)

    def test_a_location_is_on_a_member(self) -> None:
        wrong = {"locations": [{"resource": "vip", "machine": "app1"}]}

        assert changed(ON, constraints=wrong) == [
            (
                "cluster.constraints.locations.0.machine: 'app1' is no member of the cluster;"
                " there are: db1, db2, gluster1"
            )
        ]

    def test_what_is_cloned_is_named_by_its_clone(self) -> None:
        values = {
            "resources": THREE,
            "clones": {"a-clone": {"resource": "a"}},
            "constraints": {**NONE, "orders": [{"first": "a", "then": "b"}]},
        }

        assert changed(ON, **values) == [
            ("cluster.constraints.orders.0.first: 'a' is inside of the clone 'a-clone'; name that")
        ]

    def test_nothing_waits_for_itself(self) -> None:
        orders = [
            {"first": "a", "then": "b"},
            {"first": "b", "then": "c"},
            {"first": "c", "then": "a"},
        ]
        (problem,) = changed(ON, resources=THREE, constraints={**NONE, "orders": orders})

        assert problem.startswith("cluster.constraints.orders: ")
        assert "each waits for the other" in problem

    def test_a_group_is_an_order_too(self) -> None:
        values = {
            "resources": THREE,
            "groups": {"g": {"resources": ["a", "b"]}},
            "constraints": {**NONE, "orders": [{"first": "b", "then": "a"}]},
        }

        assert "each waits for the other" in changed(ON, **values)[0]

    def test_an_order_that_is_only_a_wish_may_go_in_a_circle(self) -> None:
        orders = [
            {"first": "a", "then": "b"},
            {"first": "b", "then": "a", "kind": "Optional"},
        ]

        assert changed(ON, resources=THREE, constraints={**NONE, "orders": orders}) == []

    def test_nothing_follows_itself_but_two_may_keep_apart(self) -> None:
        def both(score: object) -> list[str]:
            pair = [("a", "b"), ("b", "a")]
            found = [{"resource": r, "with": w, "score": score} for r, w in pair]
            return changed(ON, resources=THREE, constraints={**NONE, "colocations": found})

        assert "each would follow the other" in both("INFINITY")[0]
        assert both("-INFINITY") == []

    def test_a_constraint_stands_there_once(self) -> None:
        twice = [{"first": "a", "then": "b"}] * 2

        assert changed(ON, resources=THREE, constraints={**NONE, "orders": twice}) == [
            "cluster.constraints.orders.1: stands there twice; remove one"
        ]

    @pytest.mark.parametrize("score", [1000000, "INF", "+INFINITY", "1.5", True])
    def test_a_score_is_a_number_or_infinity(self, score: object) -> None:
        colocation = {"resource": "webserver", "with": "vip", "score": score}

        (problem,) = changed(ON, constraints={**NONE, "colocations": [colocation]})
        assert problem.startswith("cluster.constraints.colocations.0.score: expected")


def test_everything_wrong_is_said_at_once() -> None:
    found = changed(
        ON,
        members=["db1", "db2"],
        vip="10.16.1.21",
        resources={"vip": {"agent": "nonsense"}, "x": DUMMY},
        groups={"g": {"resources": ["y"]}},
        properties={"stonith-timeout": "1s"},
    )

    assert {line.split(":")[0] for line in found} >= {
        "cluster.members",
        "cluster.vip",
        "cluster.resources.vip.agent",
    }


def test_numbers_and_booleans_are_pacemakers_text() -> None:
    meta = {"migration-threshold": 1, "allow-migrate": False}

    assert changed(ON, resources={"vip": {**IP, "meta": meta}}, constraints=NONE) == []
