"""The one error for all problems: complete, in order, and helpful about names."""

from __future__ import annotations

import pytest

from components.settings.load import SettingsError, keys_at, load_settings
from tests.unit.settings.samples import EXISTING, FULL, STACK, problems, with_value


def test_every_problem_is_reported_at_once_of_fields_and_between_fields() -> None:
    data = {
        "number": 1,
        "topology": "full",
        "nubmer": 3,
        "network": {"vip": "10.17.4.5"},
        "machines": {"sizes": {"app1": {"memoryMib": "lots"}}},
        "loadBalancer": {"weights": {"app1": 999, "ap2": 1}, "vrid": 0},
    }

    with pytest.raises(SettingsError) as caught:
        load_settings(data, stack=STACK)

    assert str(caught.value) == (
        "6 problems in the stack configuration:\n"
        "  loadBalancer.vrid: expected 1 or more, got 0\n"
        "  loadBalancer.weights.ap2: is no app server; did you mean 'app2'?\n"
        "  loadBalancer.weights.app1: expected 256 or less, got 999\n"
        "  machines.sizes.app1.memoryMib: expected a whole number, got 'lots'\n"
        "  network.vip: 10.17.4.5 is outside of the lab's network 10.16.1.0/24; choose one inside\n"
        "  nubmer: unknown key (did you mean 'number'?)"
    )


def test_one_problem_is_counted_as_one() -> None:
    with pytest.raises(SettingsError, match=r"^1 problem in the stack configuration:"):
        load_settings({"number": 999}, stack=STACK)


@pytest.mark.parametrize(
    ("path", "meant"),
    [
        ("toplogy", "topology"),
        ("network.cird", "cidr"),
        ("machines.count", "counts"),
        ("machines.counts.apps", "app"),
        ("machines.sizes.app1.memoryMb", "memoryMib"),
        ("libvirt.imag", "image"),
        ("libvirt.image.sha521", "sha512"),
        ("loadBalancer.algoritm", "algorithm"),
        ("loadBalancer.tls.redirects", "redirect"),
        ("loadBalancer.stats.prot", "port"),
        ("loadBalancer.check.stauts", "status"),
        ("loadBalancer.acls.is_new.pathBegin", "pathBeg"),
        ("loadBalancer.backends.api_back.ports", "port"),
        ("appServer.applicaton", "application"),
        ("appServer.application.healthpath", "healthPath"),
        ("drill.alowed", "allowed"),
    ],
)
def test_a_misspelled_key_is_named_with_the_key_that_was_meant(path: str, meant: str) -> None:
    found = problems(with_value(FULL, path, 5))

    assert f"{path}: unknown key (did you mean '{meant}'?)" in found


def test_a_misspelled_key_inside_a_list_or_a_host_is_named_too() -> None:
    routes = [{"backend": "api_back", "acls": ["is_api"], "acl": "is_api"}]
    in_list = problems(with_value(FULL, "loadBalancer.routes", routes))
    in_host = problems(with_value(EXISTING, "machines.hosts.node1.hostkey", "x"))

    assert in_list == ["loadBalancer.routes.0.acl: unknown key (did you mean 'acls'?)"]
    assert in_host == ["machines.hosts.node1.hostkey: unknown key (did you mean 'hostKey'?)"]


def test_snake_case_keys_are_not_accepted_silently() -> None:
    found = problems({"load_balancer": {}, "machines": {"ready_timeout_s": 10}})

    assert found == [
        "load_balancer: unknown key (did you mean 'loadBalancer'?)",
        "machines.ready_timeout_s: unknown key (did you mean 'readyTimeoutS'?)",
    ]


def test_a_key_that_resembles_none_is_answered_with_those_that_there_are() -> None:
    known = "allowed, intervalMs, limits, requestTimeoutS, slowMs, toleranceMs, tolerancePercent"
    assert problems({"drill": {"zzz": 1}}) == [f"drill.zzz: unknown key; known here: {known}"]


def test_keys_that_are_no_text_are_refused() -> None:
    assert problems({5: 3}) == ["5: expected a key that is text, got 5"]


def test_a_misspelled_key_does_not_make_rules_complain_about_its_default() -> None:
    data = {"network": {"cird": "192.168.7.0/24", "vip": "192.168.7.100"}}

    assert problems(data) == ["network.cird: unknown key (did you mean 'cidr'?)"]


def test_a_wrong_host_does_not_make_the_others_missing() -> None:
    data = with_value(EXISTING, "machines.hosts.node2", {"address": "10.16.9.12"})

    assert problems(data) == ["machines.hosts.node2.hostKey: is missing; it is required here"]


def test_names_of_machines_and_indexes_have_no_keys_to_suggest() -> None:
    assert keys_at(("machines", "sizes")) == []
    assert keys_at(("loadBalancer", "routes")) == []
    assert keys_at(("machines", "sizes", "app1")) == ["memoryMib", "vcpus", "diskGib"]


def test_the_same_data_is_not_changed_by_loading_it() -> None:
    data = with_value(EXISTING, "number", "nine")
    before = repr(data)

    problems(data)

    assert repr(data) == before
