"""What settings must not contradict between them, with the words of every refusal."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from components.app_server.args import DemoApplication
from components.load_balancer import args, backends, frontends
from components.settings import service_rules
from components.topology import needed_memory_mib, plan
from tests.unit.settings.samples import EXISTING, FULL, HOST_KEY, problems, with_value

COMPACT: dict[str, Any] = {"number": 1}
OWN = {"package": "myapp", "unit": "myapp", "port": 9000, "healthPath": "/up"}
ONLY_EXISTING = "is only for `provider: existing`; remove it or set the provider"
LAB = "10.16.1.0/24"

BROKEN: list[tuple[dict[str, Any], dict[str, object], list[str]]] = [
    (
        EXISTING,
        {"machines.networkNamespace": None},
        [
            (
                "network.management: is empty, so SSH would be open to the gateway alone and shut"
                " you out; name the networks from which you administer these hosts, or set"
                " machines.firewall to false"
            )
        ],
    ),
    (
        FULL,
        {"network.cidr": "10.0.0.0/8"},
        ["network.cidr: 10.0.0.0/8: expected a prefix length from /16 to /28"],
    ),
    (
        FULL,
        {"network.cidr": "10.0.0.0/29"},
        ["network.cidr: 10.0.0.0/29: expected a prefix length from /16 to /28"],
    ),
    (
        FULL,
        {"network.cidr": "10.0.0.0/28", "machines.counts.app": 6},
        [
            "network.cidr: 10.0.0.0/28 is too small for 13 machines, gateway and VIP; use a /27",
        ],
    ),
    (
        FULL,
        {"network.cidr": "8.8.8.0/24"},
        [
            (
                "network.cidr: 8.8.8.0/24 is no private network; choose one inside of 10.0.0.0/8,"
                " 172.16.0.0/12, 192.168.0.0/16"
            ),
        ],
    ),
    (
        FULL,
        {"network.cidr": "127.0.0.0/24"},
        [
            (
                "network.cidr: 127.0.0.0/24 is no private network; choose one inside of 10.0.0.0/8,"
                " 172.16.0.0/12, 192.168.0.0/16"
            ),
        ],
    ),
    (
        FULL,
        {"network.vip": "10.17.4.5"},
        [f"network.vip: 10.17.4.5 is outside of the lab's network {LAB}; choose one inside"],
    ),
    (
        FULL,
        {"network.vip": "10.16.1.0"},
        [f"network.vip: 10.16.1.0 is the network address of {LAB}; choose another"],
    ),
    (
        FULL,
        {"network.vip": "10.16.1.255"},
        [f"network.vip: 10.16.1.255 is the broadcast address of {LAB}; choose another"],
    ),
    (
        FULL,
        {"network.vip": "10.16.1.1"},
        ["network.vip: 10.16.1.1 is the gateway; choose an address of no machine"],
    ),
    (
        FULL,
        {"network.vip": "10.16.1.21"},
        ["network.vip: 10.16.1.21 is the address of machine app1; choose a free one"],
    ),
    (
        EXISTING,
        {"machines.hosts.node2.address": "10.16.9.100"},
        [
            (
                "network.vip: unset, so 10.16.9.100; it is the address of machine node2;"
                " choose a free one"
            ),
        ],
    ),
    (
        COMPACT,
        {"machines.hosts": {}, "machines.networkNamespace": "rig"},
        [
            f"machines.networkNamespace: {ONLY_EXISTING}",
        ],
    ),
    (
        COMPACT,
        {"machines.hosts": EXISTING["machines"]["hosts"], "machines.privateKeyFile": "key"},
        [f"machines.hosts: {ONLY_EXISTING}", f"machines.privateKeyFile: {ONLY_EXISTING}"],
    ),
    (
        EXISTING,
        {"machines.hosts": {}},
        [
            f"machines.hosts.node{i}: is missing; the topology has this machine: give its address"
            " and hostKey"
            for i in (1, 2, 3)
        ],
    ),
    (
        EXISTING,
        {"machines.hosts.nod3": {"address": "10.16.9.14", "hostKey": HOST_KEY}},
        ["machines.hosts.nod3: is no machine of the topology; did you mean 'node3'?"],
    ),
    (
        EXISTING,
        {"machines.hosts.node1.address": "192.168.1.5"},
        [
            (
                "machines.hosts.node1.address: 192.168.1.5 is outside of 10.16.9.0/24;"
                " correct it or set network.cidr"
            ),
        ],
    ),
    (
        EXISTING,
        {"machines.hosts.node1.address": "10.16.9.255"},
        [
            (
                "machines.hosts.node1.address: 10.16.9.255 is the network or broadcast address of"
                " 10.16.9.0/24; correct it"
            ),
        ],
    ),
    (
        EXISTING,
        {"machines.hosts.node3.address": "10.16.9.11"},
        [
            "machines.hosts.node3.address: 10.16.9.11 is also that of node1; correct one of them",
        ],
    ),
    (
        COMPACT,
        {"machines.counts.app": 5},
        ["machines.counts: is only for `topology: full`; compact always has three machines"],
    ),
    (
        FULL,
        {"machines.counts.loadBalancer": 1, "network.vip": "10.16.1.200"},
        [
            (
                "machines.counts.loadBalancer: is 1, but network.vip is set: a VIP needs a pair;"
                " set 2, or remove the VIP"
            ),
        ],
    ),
    (
        FULL,
        {"machines.sizes.app4": {"vcpus": 2}},
        ["machines.sizes.app4: is no machine of the topology; did you mean 'app3'?"],
    ),
    (
        FULL,
        {"machines.sizes.gluster2": {"memoryMib": 512}},
        [
            (
                "machines.sizes.gluster2.memoryMib: 512 MiB is too little: gluster2 needs 640 MiB"
                " for storage"
            ),
        ],
    ),
    (
        COMPACT,
        {
            "machines.sizes": {
                "default": {"memoryMib": 1000},
                "node1": {"memoryMib": 2048},
                "node2": {"memoryMib": 2048},
            },
            "cluster.enabled": True,
        },
        ["machines.sizes.default.memoryMib: 1000 MiB is too little: node3 needs"],
    ),
    (
        COMPACT,
        {"libvirt.image": {"url": "https://example.org/d.qcow2"}},
        [
            "libvirt.image.sha512: is missing; an image from a URL is used only when verified",
        ],
    ),
    (
        COMPACT,
        {"libvirt.image": {"sha512": "ab" * 64}},
        [
            "libvirt.image.sha512: is the checksum of a download; give `url` too, or remove it",
        ],
    ),
    (
        COMPACT,
        {"libvirt.image": {"url": "https://a/b", "sha512": "ab" * 64, "path": "d.qcow2"}},
        ["libvirt.image: has both `url` and `path`; keep one"],
    ),
    (
        FULL,
        {"loadBalancer.httpsPort": 80},
        [
            (
                "loadBalancer.httpsPort: 80 is also loadBalancer.httpPort;"
                " every listener needs its own port"
            ),
        ],
    ),
    (
        FULL,
        {"loadBalancer.stats.port": 8405},
        [
            (
                "loadBalancer.stats.port: 8405 is also HAProxy's own health;"
                " every listener needs its own port"
            ),
        ],
    ),
    (
        FULL,
        {"loadBalancer.httpPort": 1024, "loadBalancer.httpsPort": 22},
        [
            (
                "loadBalancer.httpPort: 1024 is also HAProxy's peers;"
                " every listener needs its own port"
            ),
            "loadBalancer.httpsPort: 22 is also SSH; every listener needs its own port",
        ],
    ),
    (
        FULL,
        {"appServer.port": 3000},
        ["appServer.port: 3000 is also the course's API; every listener needs its own port"],
    ),
    (
        COMPACT,
        {"appServer.port": 80},
        ["appServer.port: 80 is also loadBalancer.httpPort; every listener needs its own port"],
    ),
    (
        COMPACT,
        {
            "appServer.application": {**OWN, "port": 443},
            "loadBalancer.backends": {},
            "loadBalancer.routes": [],
        },
        [
            (
                "appServer.application.port: 443 is also loadBalancer.httpsPort;"
                " every listener needs its own port"
            ),
        ],
    ),
    (
        EXISTING,
        {"machines.hosts.node1.port": 8080},
        ["appServer.port: 8080 is also SSH; every listener needs its own port"],
    ),
    (
        FULL,
        {"loadBalancer.weights": {"ap1": 3, "lb1": 2}},
        [
            "loadBalancer.weights.ap1: is no app server; did you mean 'app1'?",
            "loadBalancer.weights.lb1: is no app server; there are: app1, app2, app3",
        ],
    ),
    (
        FULL,
        {"loadBalancer.weights": {"app1": 0, "app2": 0}},
        [
            (
                "loadBalancer.weights: 0 for every app server that is no backup (app1, app2);"
                " one must be 1 or more"
            ),
        ],
    ),
    (
        FULL,
        {"loadBalancer.backup": ["app9"]},
        ["loadBalancer.backup.0: 'app9' is no app server; did you mean 'app3'?"],
    ),
    (
        FULL,
        {"loadBalancer.backup": ["app1", "app2", "app3"]},
        [
            "loadBalancer.backup: names every app server; at least one must not be a backup",
        ],
    ),
    (
        FULL,
        {"loadBalancer.backends.http_back": {"port": 8081}, "loadBalancer.routes": []},
        [
            (
                "loadBalancer.backends.http_back: 'http_back' is a name of the lab's own in"
                " haproxy.cfg; choose another"
            ),
        ],
    ),
    (
        FULL,
        {
            "loadBalancer.backends": {"x_back": {"port": 8081, "servers": ["app1", "web"]}},
            "loadBalancer.routes": [],
        },
        [
            (
                "loadBalancer.backends.x_back.servers.1: 'web' is no app server;"
                " there are: app1, app2, app3"
            ),
        ],
    ),
    (
        FULL,
        {"loadBalancer.backends": {"x_back": {"port": 3001}}, "loadBalancer.routes": []},
        [
            (
                "loadBalancer.backends.x_back.port: no app server listens on 3001, only on 3000,"
                " 8080, 8081, 8082; correct it or remove the back end"
            ),
        ],
    ),
    (
        FULL,
        {
            "appServer.application": OWN,
            "loadBalancer.backends": {"x": {"port": 3000}},
            "loadBalancer.routes": [],
        },
        [
            (
                "loadBalancer.backends.x.port: no app server listens on 3000, only on 9000;"
                " correct it or remove the back end (`backends: {}` and `routes: []` remove the"
                " course's)"
            ),
        ],
    ),
    (
        FULL,
        {"loadBalancer.acls": {"is_x": {}}, "loadBalancer.routes": []},
        [
            "loadBalancer.acls.is_x: has no condition: give pathBeg, pathEnd, src or internal",
        ],
    ),
    (
        FULL,
        {
            "loadBalancer.backends": {"api_back": {"port": 3000}, "static_back": {"port": 8081}},
        },
        [
            (
                "loadBalancer.routes.2.backend: 'admin_back' is not in loadBalancer.backends;"
                " did you mean 'api_back'? (it is the course's route: give loadBalancer.routes too)"
            ),
        ],
    ),
    (
        FULL,
        {"loadBalancer.routes": [{"backend": "apiback", "acls": ["is_api", "internal"]}]},
        [
            (
                "loadBalancer.routes.0.acls.1: 'internal' is not in loadBalancer.acls;"
                " did you mean 'is_internal'?"
            ),
            (
                "loadBalancer.routes.0.backend: 'apiback' is not in loadBalancer.backends;"
                " did you mean 'api_back'?"
            ),
        ],
    ),
]

KEPT: list[tuple[dict[str, Any], dict[str, object]]] = [
    (EXISTING, {"machines.networkNamespace": None, "network.management": ["10.0.0.0/8"]}),
    (EXISTING, {"machines.networkNamespace": None, "machines.firewall": False}),
    (FULL, {"network.cidr": "10.0.0.0/28"}),
    (FULL, {"network.cidr": "172.31.0.0/16", "network.vip": "172.31.200.7"}),
    (FULL, {"machines.counts.loadBalancer": 1}),
    (FULL, {"appServer.port": 443}),  # not on the load balancers' machines
    (FULL, {"loadBalancer.weights": {"app1": 0, "app2": 0}, "loadBalancer.backup": []}),
    (FULL, {"loadBalancer.backup": ["app1", "app2"]}),
    (FULL, {"machines.sizes.gluster2": {"memoryMib": 640}}),
    (COMPACT, {"machines.counts": {}}),
    (EXISTING, {"machines.sizes.node1": {"vcpus": 2}}),
    (
        FULL,
        {
            "appServer.application": OWN,
            "loadBalancer.backends": {},
            "loadBalancer.routes": [],
        },
    ),
    (
        FULL,
        {
            "loadBalancer.backends": {"x_back": {"port": 8081, "servers": ["app2"]}},
            "loadBalancer.acls": {"is_x": {"src": ["10.0.0.0/8"]}},
            "loadBalancer.routes": [{"backend": "x_back", "acls": ["is_x"]}],
        },
    ),
]


def changed(base: dict[str, Any], values: dict[str, object]) -> dict[str, Any]:
    for path, value in values.items():
        base = with_value(base, path, value)
    return base


@pytest.mark.parametrize(("base", "values", "expected"), BROKEN)
def test_a_contradiction_is_refused_with_value_and_fix(
    base: dict[str, Any], values: dict[str, object], expected: list[str]
) -> None:
    found = problems(changed(base, values))

    assert len(found) == len(expected), found
    for line, words in zip(found, expected, strict=True):
        assert line.startswith(words)


@pytest.mark.parametrize(("base", "values"), KEPT)
def test_what_does_not_contradict_is_accepted(
    base: dict[str, Any], values: dict[str, object]
) -> None:
    assert problems(changed(base, values)) == []


def test_the_ports_that_the_rules_know_are_those_of_the_services() -> None:
    demo, fields = DemoApplication(), args.LoadBalancerArgs.__dataclass_fields__
    pair = {fields["peers_port"].default, fields["monitor_port"].default}

    assert {demo.port, *service_rules.COURSE_PORTS} == set(demo.ports)
    assert set(service_rules.PAIR_PORTS) == pair
    assert service_rules.ERROR_PAGE_BYTES == frontends.ERROR_PAGE_BYTES
    assert set(service_rules.RESERVED_BACKENDS) >= set(backends.RESERVED_NAMES)


def test_the_smallest_accepted_memory_is_what_the_plan_gives_by_itself() -> None:
    from components.settings.load import load_settings

    settings = load_settings(COMPACT, stack="demo")
    for machine in plan(settings, stack="demo").machines:
        needed = needed_memory_mib(machine.roles)
        path = f"machines.sizes.{machine.name}.memoryMib"

        assert machine.memory_mib == needed
        assert problems(with_value(COMPACT, path, needed)) == []
        assert problems(with_value(COMPACT, path, needed - 1)) != []


class TestFiles:
    """Files that settings name are looked at before anything is changed."""

    def test_a_readable_error_page_is_accepted(self, tmp_path: Path) -> None:
        page = tmp_path / "503.html"
        page.write_text("<h1>Back soon</h1>", encoding="utf-8")

        assert problems({"loadBalancer": {"errorFiles": {"503": str(page)}}}) == []
        assert problems({"loadBalancer": {"errorFiles": {503: str(page)}}}) == []

    def test_a_relative_name_begins_at_the_clone(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir("/")

        assert problems({"loadBalancer": {"errorFiles": {"503": "Pulumi.yaml"}}}) == []

    @pytest.mark.parametrize(
        ("content", "words"),
        [
            (None, "No such file or directory; expected an HTML file"),
            (b"\xff\xfe", "it is not UTF-8 text; expected an HTML file"),
            (b"x" * 8193, "has 8193 bytes, at most 8192 fit in HAProxy's buffer; shorten it"),
        ],
    )
    def test_an_error_page_that_cannot_be_used_is_refused(
        self, tmp_path: Path, content: bytes | None, words: str
    ) -> None:
        page = tmp_path / "503.html"
        if content is not None:
            page.write_bytes(content)

        (found,) = problems({"loadBalancer": {"errorFiles": {"503": str(page)}}})

        assert found.startswith("loadBalancer.errorFiles.503: ")
        assert words in found

    def test_a_directory_is_no_error_page(self, tmp_path: Path) -> None:
        (found,) = problems({"loadBalancer": {"errorFiles": {"503": str(tmp_path)}}})

        assert "Is a directory" in found

    def test_a_certificate_needs_its_key_in_the_same_file(self, tmp_path: Path) -> None:
        pem = tmp_path / "site.pem"
        certificate = "-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n"
        pem.write_text(certificate, encoding="utf-8")
        settings = {"loadBalancer": {"tls": {"certificateFile": str(pem)}}}

        (found,) = problems(settings)
        assert found == (
            f"loadBalancer.tls.certificateFile: {pem} has no PRIVATE KEY block;"
            " expected one PEM file with certificate, chain and private key"
        )

        key = certificate.replace("CERTIFICATE", "PRIVATE KEY")
        pem.write_text(certificate + key, encoding="utf-8")
        assert problems(settings) == []

    def test_a_missing_certificate_is_refused(self, tmp_path: Path) -> None:
        (found,) = problems({"loadBalancer": {"tls": {"certificateFile": str(tmp_path / "no")}}})

        assert "No such file or directory; expected a PEM file" in found
