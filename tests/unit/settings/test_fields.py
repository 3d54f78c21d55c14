"""What one field alone accepts and refuses, with the words of every refusal."""

from __future__ import annotations

from typing import Any

import pytest

from components.settings.load import load_settings
from tests.unit.settings.samples import EXISTING, FULL, HOST_KEY, STACK, problems, with_value

KEY_WORDS = "expected a public SSH host key, `ssh-ed25519 AAAA...`, as `ssh-keyscan` prints it"
NAME_WORDS = "expected a machine name: lower-case letters, digits, hyphens, at most 20, e.g. app1"
CONFIG_WORDS = (
    "expected lower-case letters, digits, underscores, at most 32, no word of HAProxy's conditions,"
    " e.g. api_back"
)
UNIT_WORDS = "expected a systemd unit such as myapp or myapp.service"
ALGORITHMS = "expected roundrobin, leastconn, source or uri"
CODES = "expected 400, 403, 408, 500, 502, 503 or 504"
OBJECT = "expected an object"
PORT_PATHS = (
    "loadBalancer.httpPort",
    "loadBalancer.httpsPort",
    "loadBalancer.stats.port",
    "appServer.port",
)

ACCEPTED: list[tuple[dict[str, Any], str, object]] = [
    (FULL, "number", 0),
    (FULL, "number", 250),
    (FULL, "number", "7"),  # as `pulumi config set` writes it
    (FULL, "topology", "compact"),
    (FULL, "timers", "course"),
    (FULL, "network.cidr", "192.168.1.0/24"),
    (FULL, "network.vip", "10.16.1.200"),
    (FULL, "network.interface", "enp1s0.100"),
    (FULL, "network.domain", "class-7.school.example"),
    (FULL, "network.dns", ["9.9.9.9"]),
    (FULL, "network.management", ["10.0.0.0/8", "192.168.1.7/32"]),
    (FULL, "machines.counts", {"loadBalancer": 2, "app": 20, "database": 0, "storage": 9}),
    (FULL, "machines.sizes", {"default": {"vcpus": 64}, "db1": {"memoryMib": 4096}}),
    (FULL, "machines.sizes", {"db1": {"diskGib": 4}}),
    (FULL, "machines.user", "_lab-admin2"),
    (FULL, "machines.readyTimeoutS", 7200),
    (FULL, "machines.firewall", False),
    (EXISTING, "machines.networkNamespace", "ha-lab-rig-main"),
    (EXISTING, "machines.privateKeyFile", "~/.ssh/id_ed25519"),
    (EXISTING, "machines.hosts.node1.port", 2222),
    (EXISTING, "machines.hosts.node1.user", "root"),
    (EXISTING, "machines.hosts.node1.identity", "installed on Monday"),
    (EXISTING, "machines.hosts.node1.hostKey", f"{HOST_KEY} root@node1"),
    (FULL, "libvirt.uri", "qemu+ssh://trainer@server/system"),
    (FULL, "libvirt.acceleration", "kvm"),
    (FULL, "libvirt.firmware", "uefi"),
    (FULL, "libvirt.poolDir", "/srv/labs"),
    (FULL, "libvirt.image", {"path": "~/images/debian.qcow2"}),
    (FULL, "libvirt.image", {"url": "https://cloud.debian.org/d.qcow2", "sha512": "aB" * 64}),
    (FULL, "loadBalancer.engine", "haproxy"),
    (FULL, "loadBalancer.vrid", 255),
    (FULL, "loadBalancer.algorithm", "uri"),
    (FULL, "loadBalancer.weights", {"app1": 0, "app2": 256}),
    (FULL, "loadBalancer.backup", []),
    (FULL, "loadBalancer.stickiness", "cookie"),
    (FULL, "loadBalancer.check", {"kind": "tcp"}),
    (FULL, "loadBalancer.check", {"path": "/status/ready", "status": 204}),
    (FULL, "loadBalancer.maxConnections", 16),
    (FULL, "loadBalancer.stats", {"port": 9000, "refreshS": 3600}),
    (FULL, "loadBalancer.tls.redirect", False),
    (FULL, "loadBalancer.errorFiles", {}),
    (FULL, "appServer.port", 80),
    (FULL, "drill.allowed", True),
    (FULL, "drill.intervalMs", 10000),
    (FULL, "drill.slowMs", 1),
    (FULL, "drill.requestTimeoutS", 60),
    (FULL, "drill.tolerancePercent", 100),
    (FULL, "drill.toleranceMs", 0),
    (FULL, "drill.limits", {"vip-owner-power-off": {"outageMs": 900, "failedRequests": 0}}),
]

REFUSED: list[tuple[dict[str, Any], str, object, str]] = [
    (FULL, "number", -2, "expected 0 or more, got -2"),
    (FULL, "number", 251, "expected 250 or less, got 251"),
    (FULL, "number", "nine", "expected a whole number, got 'nine'"),
    (FULL, "number", True, "expected a whole number (got true)"),
    (FULL, "topology", "ful", "expected full or compact, got 'ful'; did you mean 'full'?"),
    (
        FULL,
        "timers",
        "quick",
        "expected course, relaxed, standard or fast, got 'quick'",
    ),
    (FULL, "network", None, f"{OBJECT} with keys such as 'cidr', got nothing"),
    (FULL, "network", ["10.0.0.0/24"], f"{OBJECT} with keys such as 'cidr', got ['10.0.0.0/24']"),
    (FULL, "network.cidr", "10.0.0.5/24", "has host bits set; did you mean 10.0.0.0/24?"),
    (FULL, "network.cidr", "10.0.0", "expected an IPv4 network such as 10.16.1.0/24"),
    (FULL, "network.cidr", 10, "expected an IPv4 network such as 10.16.1.0/24"),
    (FULL, "network.cidr", "fd00::/64", "expected an IPv4 network such as 10.16.1.0/24"),
    (
        FULL,
        "network.vip",
        "10.16.1.300",
        "expected an IPv4 address such as 10.16.1.100, got '10.16.1.300'",
    ),
    (FULL, "network.vip", 100, "expected an IPv4 address such as 10.16.1.100 (got 100)"),
    (
        FULL,
        "network.interface",
        "a-much-too-long-name",
        "expected a Linux interface name such as eth0",
    ),
    (FULL, "network.interface", "eth0\n", "expected a Linux interface name such as eth0"),
    (
        FULL,
        "network.domain",
        "lab..internal",
        "expected a domain name in lower case such as lab.internal",
    ),
    (FULL, "network.domain", "Lab", "expected a domain name in lower case such as lab.internal"),
    (FULL, "network.dns", "9.9.9.9", "expected a list, got '9.9.9.9'"),
    (FULL, "network.management", "10.0.0.0/8", "expected a list, got '10.0.0.0/8'"),
    (FULL, "machines.provider", "vmware", "expected libvirt or existing, got 'vmware'"),
    (FULL, "machines.counts.loadBalancer", 3, "expected 2 or less, got 3"),
    (FULL, "machines.counts.loadBalancer", 0, "expected 1 or more, got 0"),
    (FULL, "machines.counts.app", 0, "expected 1 or more, got 0"),
    (FULL, "machines.counts.app", 21, "expected 20 or less, got 21"),
    (FULL, "machines.counts.database", 3, "expected 2 or less, got 3"),
    (FULL, "machines.counts.storage", -1, "expected 0 or more, got -1"),
    (FULL, "machines.sizes.db1.memoryMib", "lots", "expected a whole number, got 'lots'"),
    (FULL, "machines.sizes.db1.memoryMib", 255, "expected 256 or more, got 255"),
    (FULL, "machines.sizes.db1.vcpus", 0.5, "expected a whole number, got 0.5"),
    (FULL, "machines.sizes.db1.vcpus", 65, "expected 64 or less, got 65"),
    (FULL, "machines.sizes.db1.diskGib", 3, "expected 4 or more, got 3"),
    (FULL, "machines.sizes.DB1", {}, NAME_WORDS),
    (FULL, "machines.sizes.db1\n", {}, NAME_WORDS),
    (FULL, "machines.user", "Lab User", "expected a Linux user name such as lab"),
    (FULL, "machines.readyTimeoutS", 9, "expected 10 or more, got 9"),
    (FULL, "machines.firewall", "maybe", "expected true or false, got 'maybe'"),
    (EXISTING, "machines.networkNamespace", "..", "expected a network namespace such as ha-lab"),
    (
        EXISTING,
        "machines.privateKeyFile",
        "~trainer/key",
        "expected the name of a file, such as ~/site.pem",
    ),
    (EXISTING, "machines.hosts.node1.address", "node1", "expected an IPv4 address such as"),
    (EXISTING, "machines.hosts.node1.hostKey", "SHA256:abc", KEY_WORDS),
    (EXISTING, "machines.hosts.node1.hostKey", "", KEY_WORDS),
    (EXISTING, "machines.hosts.node1.hostKey", HOST_KEY.replace("ssh-", "xxx-"), KEY_WORDS),
    (EXISTING, "machines.hosts.node1.port", 0, "expected 1 or more, got 0"),
    (EXISTING, "machines.hosts.node1.user", "", "expected a Linux user name such as lab"),
    (FULL, "libvirt.uri", "", "expected a libvirt URI such as qemu:///system"),
    (
        FULL,
        "libvirt.acceleration",
        "kmv",
        "expected auto, kvm or qemu, got 'kmv'; did you mean 'kvm'?",
    ),
    (FULL, "libvirt.firmware", "efi", "expected bios or uefi, got 'efi'; did you mean 'uefi'?"),
    (FULL, "libvirt.image.sha512", "abc", "a SHA-512 of 128 hexadecimal digits, not of 3"),
    (FULL, "libvirt.image.url", "ftp://x", "expected a URL that begins with https:// or http://"),
    (FULL, "libvirt.image.path", "", "expected the name of a file, such as ~/site.pem"),
    (FULL, "loadBalancer.engine", "apache", "expected haproxy or nginx, got 'apache'"),
    (FULL, "loadBalancer.vrid", 0, "expected 1 or more, got 0"),
    (FULL, "loadBalancer.vrid", 256, "expected 255 or less, got 256"),
    (
        FULL,
        "loadBalancer.algorithm",
        "leastcon",
        f"{ALGORITHMS}, got 'leastcon'; did you mean 'leastconn'?",
    ),
    (FULL, "loadBalancer.weights.app1", 257, "expected 256 or less, got 257"),
    (FULL, "loadBalancer.weights.app1", -1, "expected 0 or more, got -1"),
    (FULL, "loadBalancer.weights.app1", "heavy", "expected a whole number, got 'heavy'"),
    (
        FULL,
        "loadBalancer.stickiness",
        "cookies",
        "expected none, cookie or source, got 'cookies'; did you mean 'cookie'?",
    ),
    (FULL, "loadBalancer.check.kind", "https", "expected http or tcp, got 'https'; did you mean"),
    (FULL, "loadBalancer.check.path", "health", "expected a URL path such as /health"),
    (FULL, "loadBalancer.check.path", "/a b", "expected a URL path such as /health"),
    (FULL, "loadBalancer.check.status", 600, "expected 599 or less, got 600"),
    (FULL, "loadBalancer.maxConnections", 15, "expected 16 or more, got 15"),
    (FULL, "loadBalancer.stats.refreshS", 0, "expected 1 or more, got 0"),
    (FULL, "loadBalancer.acls.Bad", {"pathBeg": ["/x"]}, CONFIG_WORDS),
    (FULL, "loadBalancer.acls.or", {"pathBeg": ["/x"]}, CONFIG_WORDS),
    (FULL, "loadBalancer.acls", {"x": {"pathBeg": "/x"}}, "expected a list, got '/x'"),
    (FULL, "loadBalancer.acls", {"x": {"pathEnd": ["-i"]}}, "expected an ending such as .png"),
    (FULL, "loadBalancer.acls", {"x": {"src": ["10.1.1.1/8"]}}, "did you mean 10.0.0.0/8?"),
    (FULL, "loadBalancer.backends", {"9x": {"port": 3000}}, CONFIG_WORDS),
    (FULL, "loadBalancer.backends", {"x_back": {}}, "is missing; it is required here"),
    (FULL, "loadBalancer.routes", {}, "expected a list, got {}"),
    (
        FULL,
        "loadBalancer.routes",
        [{"backend": "api_back", "acls": []}],
        "expected at least 1 item, got []",
    ),
    (FULL, "loadBalancer.errorFiles", {"404": "x.html"}, f"{CODES}, got 404"),
    (FULL, "loadBalancer.errorFiles", {"500": 7}, "expected text (in quotes where it looks like"),
    (
        FULL,
        "appServer.application",
        {"package": "My App", "unit": "myapp", "port": 8080},
        "expected a package name such as myapp",
    ),
    (
        FULL,
        "appServer.application",
        {"package": "myapp", "unit": "--now", "port": 8080},
        UNIT_WORDS,
    ),
    (
        FULL,
        "appServer.application",
        {"package": "myapp", "unit": "my.app", "port": 8080},
        f"{UNIT_WORDS}; write my.app.service if the dot is part of its name",
    ),
    (FULL, "appServer.application", {"package": "myapp"}, "is missing; it is required here"),
    (FULL, "drill.tolerancePercent", 99, "expected 100 or more, got 99"),
    (
        FULL,
        "drill.limits",
        {"VIP gone": {"outageMs": 1}},
        "expected the name of a fault such as vip-owner-power-off",
    ),
    (FULL, "drill.allowed", "always", "expected true or false, got 'always'"),
    *((FULL, path, 0, "expected 1 or more, got 0") for path in PORT_PATHS),
    *((FULL, path, 65536, "expected 65535 or less, got 65536") for path in PORT_PATHS),
]


@pytest.mark.parametrize(("base", "path", "value"), ACCEPTED)
def test_a_good_value_is_accepted(base: dict[str, Any], path: str, value: object) -> None:
    assert problems(with_value(base, path, value)) == []


@pytest.mark.parametrize(("base", "path", "value", "words"), REFUSED)
def test_a_wrong_value_is_refused_at_its_path_with_what_is_expected(
    base: dict[str, Any], path: str, value: object, words: str
) -> None:
    found = problems(with_value(base, path, value))

    assert found, f"{path}: {value!r} was accepted"
    assert found[0].startswith(f"{path}"), "the message begins with the path of the wrong value"
    assert words in found[0]


def test_a_wrong_value_makes_no_follow_up_problems() -> None:
    for base, path, value, _ in REFUSED:
        found = problems(with_value(base, path, value))
        elsewhere = [line for line in found if not line.startswith(path)]

        assert elsewhere == [], f"{path}: {value!r} is also complained about elsewhere"


@pytest.mark.parametrize("data", [None, [], "full", 3])
def test_settings_that_are_no_object_are_refused(data: object) -> None:
    assert problems(data) == [f"(configuration): expected an object, got {type(data).__name__}"]


def test_long_values_are_shortened_in_the_message() -> None:
    (found,) = problems({"timers": "x" * 10_000})

    assert len(found) < 200
    assert "xxx..." in found


def test_numbers_that_python_does_not_print_are_refused_without_a_traceback() -> None:
    (found,) = problems({"number": 10**5000})

    assert "a very long number" in found


def test_the_checksum_and_the_host_key_are_kept_in_one_spelling() -> None:
    image = {"url": "https://example.org/d.qcow2", "sha512": "AB" * 64}
    with_image = load_settings(with_value(FULL, "libvirt.image", image), stack=STACK)
    key = f"  {HOST_KEY}   comment"
    with_key = load_settings(with_value(EXISTING, "machines.hosts.node1.hostKey", key), stack=STACK)

    assert with_image.libvirt.image.sha512 == "ab" * 64
    assert with_key.machines.hosts["node1"].host_key == HOST_KEY
