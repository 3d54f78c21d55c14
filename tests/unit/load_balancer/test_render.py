"""The lines that matter in the load balancer's files, and why."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import get_args

import pytest
from jinja2 import UndefinedError

from components.load_balancer import (
    Acl,
    LoadBalancerArgs,
    Stats,
    StatsLogin,
    Tls,
    load_balancer_files,
    load_balancer_firewall,
    load_balancer_plan,
)
from components.load_balancer.engine import ENGINES
from components.load_balancer.haproxy import acl_lines, haproxy_cfg, server_line
from components.load_balancer.keepalived import keepalived_conf
from components.rendering import Templates
from components.timers import TIMERS, Engine
from tests.golden.cases import (
    LAB,
    LB1,
    LB2,
    PASSWORD_HASH,
    VIP,
    a_backend,
    a_pair,
    some_servers,
    the_course_routes,
    weighted,
)


def lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines()]


def test_every_engine_that_can_be_asked_for_exists() -> None:
    assert set(ENGINES) == set(get_args(Engine))


@pytest.mark.parametrize("timers", TIMERS)
def test_both_machines_start_as_backup_and_nothing_has_a_weight(timers: str) -> None:
    pair = a_pair(timers=TIMERS[timers])
    for node in pair.peers:
        conf = lines(keepalived_conf(pair, node))
        assert "state BACKUP" in conf, "MASTER would switch nopreempt off"
        assert "nopreempt" in conf
        assert "weight 0" in conf, "with a weight, nopreempt prevents every failover"
        assert not [line for line in conf if line.startswith(("auth", "vrrp_strict"))]


def test_each_machine_speaks_to_the_other_from_its_own_address() -> None:
    conf = lines(keepalived_conf(a_pair(), LB2))
    start = conf.index("unicast_peer {")
    assert conf[start - 1] == "unicast_src_ip 10.16.1.12"
    assert conf[start + 1 : start + 3] == ["10.16.1.11", "}"]
    assert "priority 240" in conf


@pytest.mark.parametrize(
    ("timers", "advert"), [("course", "1"), ("standard", "0.1"), ("fast", "0.05")]
)
def test_the_advert_interval_is_written_in_seconds(timers: str, advert: str) -> None:
    assert f"advert_int {advert}" in lines(keepalived_conf(a_pair(timers=TIMERS[timers]), LB1))


def test_process_events_are_used_only_where_they_work() -> None:
    assert "track_process" not in keepalived_conf(a_pair(), LB1)
    tracked = lines(keepalived_conf(a_pair(track_process=True), LB1))
    assert tracked.count("track_process {") == 1
    assert tracked.count("weight 0") == 2, "its default weight is 1 in 2.2.7"


def test_one_machine_alone_has_no_peer() -> None:
    pair = a_pair(peers=(LB1,))
    assert "unicast" not in keepalived_conf(pair, LB1).replace("vrrp_check_unicast_src", "")
    assert not [rule for rule in load_balancer_firewall(pair, LB1) if rule.protocol == "vrrp"]


def test_notify_is_called_without_arguments_of_our_own() -> None:
    """keepalived appends TYPE NAME STATE PRIORITY; the course passed one argument and read $3."""
    assert 'notify "/etc/keepalived/notify.sh"' in lines(keepalived_conf(a_pair(), LB1))
    assert "notify_master" not in keepalived_conf(a_pair(), LB1)


def test_http_back_ends_keep_sessions_when_a_server_goes_down() -> None:
    assert "shutdown-sessions" not in haproxy_cfg(a_pair(), LB1), "redispatch would save them"


def test_only_idempotent_requests_are_repeated() -> None:
    cfg = lines(haproxy_cfg(a_pair(), LB1))
    assert "http-request disable-l7-retry if !METH_GET" in cfg
    assert "retry-on conn-failure empty-response 0rtt-rejected 503" in cfg
    assert "retry-on" not in haproxy_cfg(a_pair(timers=TIMERS["course"]), LB1)


def test_routes_come_in_their_order_before_the_default() -> None:
    cfg = lines(haproxy_cfg(a_pair(**the_course_routes()), LB1))
    uses = [line for line in cfg if line.startswith(("use_backend", "default_backend"))]
    assert uses == [
        "use_backend api_back if is_api",
        "use_backend static_back if is_static",
        "use_backend admin_back if is_admin is_internal",
        "default_backend http_back",
    ]


def test_an_acl_with_two_fields_needs_both() -> None:
    acl = Acl(name="mine", path_beg=("/a", "/b"), src=(LAB,))
    assert acl_lines(acl) == (
        "acl mine.path_beg path_beg /a /b",
        "acl mine.src src 10.16.1.0/24",
    )


def test_weights_are_written_for_all_servers_or_for_none() -> None:
    backend = weighted()
    assert [server_line(backend, server) for server in backend.servers] == [
        "server app1 10.16.1.21:8080 weight 3 check",
        "server app2 10.16.1.22:8080 weight 2 check",
        "server app3 10.16.1.23:8080 weight 1 check",
    ]
    plain = a_backend()
    assert "weight" not in server_line(plain, plain.servers[0])


def test_a_servers_own_check_parameters_are_the_courses() -> None:
    servers = some_servers(1, inter_ms=3000, fall=3, rise=2)
    backend = a_backend(servers=servers)
    expected = "server app1 10.16.1.21:8080 check inter 3000ms fall 3 rise 2"
    assert server_line(backend, servers[0]) == expected


def test_the_peers_share_a_table_only_when_there_is_one() -> None:
    assert "peers load_balancers" not in haproxy_cfg(a_pair(), LB1)
    pair = a_pair(backends=(a_backend(stickiness="source"),))
    cfg = lines(haproxy_cfg(pair, LB2))
    assert "localpeer lb2" in cfg
    assert "peer lb1 10.16.1.11:1024" in cfg
    ports = {rule.port: rule.source for rule in load_balancer_firewall(pair, LB2)}
    assert ports[1024] == (LB1.address,)


def test_without_tls_nothing_is_redirected() -> None:
    plain = haproxy_cfg(a_pair(tls=None), LB1)
    assert "ssl crt" not in plain
    assert "redirect scheme" not in plain
    kept = haproxy_cfg(a_pair(tls=Tls(redirect=False)), LB1)
    assert "ssl crt" in kept
    assert "redirect scheme" not in kept


def test_a_configuration_with_a_password_hash_is_not_for_everyone() -> None:
    stats = Stats(login=StatsLogin(user="trainer", password_hash=PASSWORD_HASH))
    modes = {file.path: file.mode for file in load_balancer_files(a_pair(stats=stats), LB1)}
    assert modes["/etc/haproxy/haproxy.cfg"] == 0o600


def test_the_statistics_port_opens_only_to_whom_it_is_allowed() -> None:
    closed = load_balancer_firewall(a_pair(stats=Stats()), LB1)
    assert 8404 not in {rule.port for rule in closed}
    network = IPv4Network("10.0.0.0/8")
    opened = load_balancer_firewall(a_pair(stats=Stats(allowed=(network,))), LB1)
    assert (8404, (network,)) in {(rule.port, rule.source) for rule in opened}


def test_vrrp_is_let_in_from_the_other_machine_alone() -> None:
    vrrp = [r.source for r in load_balancer_firewall(a_pair(), LB1) if r.protocol == "vrrp"]
    assert vrrp == [(IPv4Address("10.16.1.12"),)]


def test_a_planned_stop_lets_open_connections_end_where_somebody_takes_the_others() -> None:
    def drop_in(args: LoadBalancerArgs) -> str:
        path = "/etc/systemd/system/keepalived.service.d/ha-lab.conf"
        return next(f.content for f in load_balancer_files(args, LB1) if f.path == path)

    drain = "/usr/local/lib/ha-lab/drain-vip"
    assert f"ExecStop=-{drain} {VIP}\nExecStopPost=-{drain}\n" in drop_in(a_pair())
    assert drain not in drop_in(a_pair(peers=(LB1,)))


def test_what_a_file_names_is_written_before_it() -> None:
    paths = [file.path for file in load_balancer_files(a_pair(), LB1)]
    order = [
        "/etc/sysctl.d/60-ha-lab-load-balancer.conf",
        "/etc/haproxy/errors/ha-lab-503.http",
        "/etc/haproxy/haproxy.cfg",
        "/etc/sysusers.d/ha-lab-keepalived.conf",
        "/usr/local/lib/ha-lab/check-keepalived",
        "/usr/local/lib/ha-lab/drain-vip",
        "/etc/systemd/system/keepalived.service.d/ha-lab.conf",
        "/etc/keepalived/keepalived.conf",
    ]
    assert sorted(order, key=paths.index) == order


def test_every_configuration_that_a_daemon_reads_is_validated_and_only_reloads() -> None:
    plan = load_balancer_plan(a_pair(), LB1)
    validated = {file.path for file in plan.files if file.validate}
    for unit in plan.units:
        if not unit.running:
            continue
        assert unit.reload_on
        assert not unit.restart_on
        assert unit.reload_on[0] in validated


def test_a_changed_weight_changes_haproxy_cfg_alone() -> None:
    before, after = a_pair(), a_pair(backends=(weighted(),))
    changed = [
        old.path
        for old, new in zip(
            load_balancer_files(before, LB1), load_balancer_files(after, LB1), strict=True
        )
        if old != new
    ]
    assert changed == ["/etc/haproxy/haproxy.cfg"]


def test_rendering_is_deterministic_and_ends_with_a_line_break() -> None:
    for file in load_balancer_files(a_pair(), LB1):
        assert file.content.endswith("\n"), file.path
    assert load_balancer_files(a_pair(), LB1) == load_balancer_files(a_pair(), LB1)


def test_a_forgotten_template_value_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "t.j2").write_text("{{ missing }}")
    with pytest.raises(UndefinedError, match="missing"):
        Templates(tmp_path).render("t.j2", {})
