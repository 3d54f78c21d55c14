"""What each step of the cluster asks of a machine."""

from __future__ import annotations

import json
import shlex

import pytest

from components.files import ServicePlan
from components.firewall import ANY
from components.pacemaker.firewall import member_firewall, quorum_device_firewall
from components.pacemaker.leave import NO_MEMBER_PATH, no_member_file
from components.pacemaker.plans import (
    RESOURCES_PATH,
    check_plan,
    join_plan,
    keys_plan,
    member_plan,
    push_plan,
)
from components.pacemaker.web import CONFIG_PATH, web_files
from tests.unit.pacemaker.samples import COURSE, DUMMY, an_args, settings_with

WITHOUT_WEB = settings_with(resources={"d": DUMMY}, constraints={"colocations": [], "orders": []})


def content(plan: ServicePlan, path: str) -> str:
    return next(file.content for file in plan.files if file.path == path)


def units(plan: ServicePlan) -> dict[str, bool]:
    return {unit.name: unit.running for unit in plan.units}


def test_the_agents_are_asked_before_the_resources_are_written() -> None:
    plan = check_plan(an_args())
    file = plan.files[-1]

    assert file.path == RESOURCES_PATH
    assert file.validate is not None
    assert file.validate.split()[1] == "check"
    assert plan.units == (), "nothing is started"


def test_keys_and_login_are_roots_alone() -> None:
    plan = keys_plan(authkey="k" * 200, password="p:w")
    modes = {file.path: file.mode for file in plan.files}

    assert modes == {"/etc/corosync/authkey": 0o400, "/var/lib/ha-lab/cluster/login": 0o600}
    assert content(plan, "/var/lib/ha-lab/cluster/login") == "hacluster:p:w\n"
    assert not any("p:w" in (file.then or "") for file in plan.files), "no secret in an argument"


def test_the_key_is_long_enough_for_corosync() -> None:
    (file, _) = keys_plan(authkey="k" * 344, password="x").files

    assert 128 <= len(file.content) <= 4096


def test_a_member_runs_its_daemons_and_not_the_distributions_web_server() -> None:
    args = an_args()
    plan = member_plan(args, args.members[0])

    assert units(plan) == {
        "apache2.service": False,
        "corosync.service": True,
        "pacemaker.service": True,
        "pcsd.service": True,
        "corosync-qdevice.service": False,
    }
    assert NO_MEMBER_PATH in plan.absent


def test_only_the_first_member_leads_at_once() -> None:
    args = an_args()
    thens = [member_plan(args, member).files[-1].then for member in args.members]

    assert [str(then).endswith("adopt --first") for then in thens] == [True, False, False]


def test_nobody_restarts_for_a_changed_membership() -> None:
    args = an_args()
    for member in args.members:
        assert all(not unit.restart_on for unit in member_plan(args, member).units)


def test_pages_name_their_member_and_differ_in_nothing_else() -> None:
    args = an_args()
    one, other = ([file.content for file in web_files(args, member)] for member in args.members[:2])

    assert one != other
    assert [text.replace("db1", "db2") for text in one] == other


def test_apache_listens_on_the_vip_and_for_the_monitor_only() -> None:
    args = an_args()
    text = content(member_plan(args, args.members[0]), CONFIG_PATH)
    listens = [line.split()[1] for line in text.splitlines() if line.startswith("Listen ")]

    assert listens == ["10.16.1.101:80", "127.0.0.1:80"]


def test_without_the_labs_web_server_nothing_of_it_is_written() -> None:
    args = an_args(WITHOUT_WEB)
    plan = member_plan(args, args.members[0])

    assert not any("apache" in file.path or "/var/www" in file.path for file in plan.files)
    assert "apache2.service" not in units(plan)
    assert "apache2" not in plan.packages["debian"]
    assert push_plan(args).checks == ()


def test_an_apache_of_the_users_own_is_not_the_labs() -> None:
    other = {**COURSE["webserver"]["parameters"], "configfile": "/etc/apache2/apache2.conf"}
    own = {**COURSE, "webserver": {"agent": "ocf:heartbeat:apache", "parameters": other}}
    args = an_args(settings_with(resources=own))

    assert not any("/var/www" in file.path for file in member_plan(args, args.members[0]).files)


class TestJoin:
    """The wait for all members."""

    def wanted(self, *identities: str, **changes: object) -> dict[str, object]:
        plan = join_plan(an_args(settings_with(**changes)), identities)
        data: dict[str, object] = json.loads(plan.files[0].content)
        return data

    def test_it_names_the_members_and_where_the_login_is(self) -> None:
        data = self.wanted("a", "b", "c")

        assert data["members"] == {
            "db1": "10.16.1.51",
            "db2": "10.16.1.52",
            "gluster1": "10.16.1.61",
        }
        assert data["login"] == "/var/lib/ha-lab/cluster/login"

    def test_it_is_done_again_for_new_machines_members_and_timers(self) -> None:
        before = self.wanted("a", "b", "c")

        assert self.wanted("a", "b", "c") == before
        assert self.wanted("a", "new", "c") != before
        assert self.wanted("a", "b", "c", members=["db1", "db2", "gluster2"]) != before
        assert self.wanted("a", "b", "c", resources=COURSE) == before


def test_a_push_is_done_again_when_the_resources_change_and_only_then() -> None:
    before = push_plan(an_args())

    assert push_plan(an_args()) == before
    assert push_plan(an_args(settings_with(resources={**COURSE, "d": DUMMY}))) != before


def test_leaving_concerns_our_own_cluster_alone() -> None:
    then = no_member_file("ha-lab-demo").then or ""

    assert "cluster_name: ha-lab-demo$" in then
    assert shlex.split(then)[0] == "if", "a shell can read it"


@pytest.mark.parametrize("web", [True, False])
def test_members_let_each_other_in_and_clients_to_the_web_server(*, web: bool) -> None:
    args = an_args() if web else an_args(WITHOUT_WEB)
    rules = {rule.port: rule.source for rule in member_firewall(args)}
    members = tuple(member.address for member in args.members)

    assert rules == {5405: members, 2224: members, **({80: ANY} if web else {})}


def test_the_quorum_device_lets_members_in_alone() -> None:
    args = an_args(settings_with(members=["db1", "db2"], twoNode=True))
    members = tuple(member.address for member in args.members)

    assert {rule.source for rule in quorum_device_firewall(args)} == {members}
