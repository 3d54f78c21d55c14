"""What is installed beside the daemons: the firewall, the check, the notify script, the switch."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from ipaddress import IPv4Address
from pathlib import Path

import pytest

from components.app_server import AppServerArgs, app_server_files
from components.firewall import FirewallRule, firewall_plan
from components.load_balancer import load_balancer_files
from components.scripts import CHECK_HTTP_PATH
from tests.golden.cases import LB1, SOURCES, a_pair
from tests.support.services.lab import status
from tests.support.services.machines import Machine, segment, wait_for, why_no_machines

LISTENERS = """
import socket, sys, time
kept = []
for port in map(int, sys.argv[1:]):
    listener = socket.create_server(("0.0.0.0", port), backlog=16)
    kept.append(listener)
while True:
    time.sleep(3600)
"""

PING = """
import socket, sys
icmp = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
icmp.settimeout(30)
icmp.sendto(bytes([8, 0, 0xF7, 0xFD, 0, 1, 0, 1]), (sys.argv[1], 0))
assert icmp.recv(100)[20] == 0
"""


@pytest.fixture(scope="module")
def machines() -> Iterator[dict[str, Machine]]:
    if reason := why_no_machines():
        pytest.skip(reason)
    addresses = {
        "app1": "10.16.1.21/24",
        "lb1": "10.16.1.11/24",
        "stranger": "10.16.1.99/24",
        "admin": "10.16.1.1/24",
    }
    with segment(addresses) as machines:
        machines["app1"].start("python3", "-c", LISTENERS, "22", "80", "8080", "9000")
        for file in app_server_files(AppServerArgs(name="app1")):
            if file.path.startswith("/usr/local"):
                machines["app1"].put(file)
        yield machines


def reaches(machine: Machine, port: int) -> bool:
    probe = f"exec 3<>/dev/tcp/10.16.1.21/{port}"
    return machine.succeeds("timeout", "30", "bash", "-c", probe)


def reached(machine: Machine, ports: Sequence[int]) -> set[int]:
    """The ports that let this machine in; asked all at once: the others let it wait for nothing."""
    with ThreadPoolExecutor(len(ports)) as pool:
        answers = pool.map(lambda port: reaches(machine, port), ports)
        return {port for port, answer in zip(ports, answers, strict=True) if answer}


def test_only_what_is_declared_comes_in_and_only_from_whom(machines: dict[str, Machine]) -> None:
    app1 = machines["app1"]
    wait_for("the listeners", lambda: reaches(machines["stranger"], 9000))
    rules = (
        FirewallRule(port=8080, protocol="tcp", source="load_balancer", comment="app"),
        FirewallRule(port=80, protocol="tcp", source="any", comment="open"),
    )
    app1.apply(firewall_plan(rules, SOURCES))
    app1.run("nft", "-f", "/etc/nftables.conf")
    app1.run("nft", "-f", "/etc/nftables.conf")  # a reload replaces the table and adds nothing
    try:
        expected = {"lb1": {80, 8080}, "stranger": {80}, "admin": {22, 80}}
        found = {name: reached(machines[name], (22, 80, 8080, 9000)) for name in expected}
        assert found == expected
        assert machines["stranger"].succeeds("python3", "-c", PING, "10.16.1.21")
        assert app1.run("nft", "list", "ruleset").count("dport 8080") == 1
    finally:
        app1.run("nft", "flush", "ruleset")


def test_vrrp_is_let_in_from_the_peer_alone(machines: dict[str, Machine]) -> None:
    app1 = machines["app1"]
    rule = FirewallRule(protocol="vrrp", source=(IPv4Address("10.16.1.11"),), comment="VRRP")
    app1.apply(firewall_plan((rule,), SOURCES))
    app1.run("nft", "-f", "/etc/nftables.conf")
    send = (
        "import socket; s = socket.socket(socket.AF_INET, socket.SOCK_RAW, 112);"
        "s.sendto(bytes(20), ('10.16.1.21', 0))"
    )
    try:
        counters = []
        for name in ("lb1", "stranger"):
            machines[name].run("python3", "-c", send)
            counters.append(dropped(app1))
        assert counters[1] == counters[0] + 1, "the stranger's packet is dropped"
        assert counters[0] == 0, "the peer's is not"
    finally:
        app1.run("nft", "flush", "ruleset")


def dropped(machine: Machine) -> int:
    rules = machine.run("nft", "list", "table", "inet", "ha_lab")
    line = next(line for line in rules.splitlines() if "dropped" in line)
    return int(line.split()[2])


def test_the_switch_makes_health_fail_and_work_again(machines: dict[str, Machine]) -> None:
    app1 = machines["app1"]
    assert app1.run("lab-health", "off") == "off: /health answers 503\n"
    assert app1.run("lab-health", "status") == "off: /health answers 503\n"
    assert app1.run("lab-health", "on") == "on: /health answers 200\n"
    assert "usage: lab-health on|off|status (got: of)" in app1.run("lab-health", "of", check=False)


def test_the_check_says_what_was_wrong(machines: dict[str, Machine]) -> None:
    app1 = machines["app1"]
    wait_for("the listeners", lambda: reaches(app1, 9000))
    nobody = app1.run(CHECK_HTTP_PATH, "127.0.0.1", "4444", "/", check=False)
    assert nobody == "nothing accepts connections on 127.0.0.1:4444\n"
    silent = app1.run(CHECK_HTTP_PATH, "127.0.0.1", "9000", "/", "200", "0.2", check=False)
    assert silent == "127.0.0.1:9000 accepted the connection but did not answer within 0.2 s\n"
    app1.start("python3", "-m", "http.server", "7000", "--directory", "/usr/local/lib/ha-lab")
    wait_for("the web server", lambda: status(app1.get("http://127.0.0.1:7000/")) == "200")
    assert app1.run(CHECK_HTTP_PATH, "127.0.0.1", "7000", "/") == ""
    wrong = app1.run(CHECK_HTTP_PATH, "127.0.0.1", "7000", "/none", check=False)
    assert wrong == "http://127.0.0.1:7000/none answered 404, expected 200\n"


@pytest.mark.parametrize(
    ("state", "text"),
    [
        ("MASTER", "Becoming MASTER (INSTANCE VI_1, priority 250)"),
        ("BACKUP", "Becoming BACKUP (INSTANCE VI_1, priority 250)"),
        ("FAULT", "Entering FAULT state (INSTANCE VI_1, priority 250)"),
        ("STOP", "Stopping (INSTANCE VI_1, priority 250)"),
    ],
)
def test_the_notify_script_logs_the_state_that_keepalived_appends(
    tmp_path: Path, state: str, text: str
) -> None:
    files = {file.path: file for file in load_balancer_files(a_pair(), LB1)}
    script = tmp_path / "notify.sh"
    script.write_text(files["/etc/keepalived/notify.sh"].content)
    log = tmp_path / "log"
    subprocess.run(
        ["bash", script, "INSTANCE", "VI_1", state, "250"],
        env={"KEEPALIVED_NOTIFY_LOG": str(log), "PATH": "/usr/bin:/bin"},
        check=True,
    )
    assert log.read_text().endswith(f"] {text}\n")
