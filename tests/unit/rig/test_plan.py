"""The pure part: names, addresses, state."""

from __future__ import annotations

import pytest

from images.cache import cache_root
from rig import state
from rig.model import Machine, Rig, RigError, from_json, merge, plan, to_json


def make(names: str, **more: object) -> Rig:
    arguments = {"name": "t", "cidr": "10.88.0.0/24", "release": "bookworm"} | more
    return plan(machines=names.split(), **arguments)  # type: ignore[arg-type]


def test_addresses_count_from_the_eleventh_and_leave_given_ones_alone() -> None:
    rig = make("lb1 lb2 app1", addresses={"lb2": "10.88.0.11"})
    assert {m.name: m.address for m in rig.machines} == {
        "lb1": "10.88.0.12",
        "lb2": "10.88.0.11",
        "app1": "10.88.0.13",
    }
    assert rig.gateway == "10.88.0.1"


def test_machines_that_exist_keep_their_addresses_when_others_are_added() -> None:
    first = make("lb1 lb2")
    second = make("app1", existing=first)
    assert merge(first, second).machines == (*first.machines, second.machine("app1"))
    assert second.machine("app1").address == "10.88.0.13"


def test_a_bare_machine_stays_bare_when_it_is_named_again() -> None:
    first = make("", bare=["plain"])
    assert make("plain", existing=first).machine("plain").bare


@pytest.mark.parametrize(
    ("addresses", "expected"),
    [
        ({"a": "10.89.0.5"}, "not a free host address"),
        ({"a": "10.88.0.1"}, "not a free host address"),
        ({"a": "10.88.0.255"}, "not a free host address"),
        ({"a": "ten"}, "not an IPv4 address"),
        ({"a": "10.88.0.5", "b": "10.88.0.5"}, "same address"),
    ],
)
def test_an_impossible_address_is_refused(addresses: dict[str, str], expected: str) -> None:
    with pytest.raises(RigError, match=expected):
        make("a b", addresses=addresses)


def test_every_problem_is_reported_at_once() -> None:
    with pytest.raises(RigError) as caught:
        make("Upper under_score", addresses={"a": "nowhere"})
    assert len(str(caught.value).splitlines()) == 3


@pytest.mark.parametrize("cidr", ["10.88.0.0/30", "10.0.0.0/8", "10.88.0.5/24", "words"])
def test_an_impossible_network_is_refused(cidr: str) -> None:
    with pytest.raises(RigError, match="--cidr"):
        make("a", cidr=cidr)


def test_a_network_that_is_too_small_is_refused() -> None:
    with pytest.raises(RigError, match="too small"):
        make(" ".join(f"m{n}" for n in range(25)), cidr="10.88.0.0/27")


def test_a_machine_that_exists_cannot_change_its_address_or_network() -> None:
    first = make("a b")
    with pytest.raises(RigError, match="cannot be changed"):
        merge(first, make("a", addresses={"a": "10.88.0.99"}))
    with pytest.raises(RigError, match="Remove it first"):
        merge(first, make("a", cidr="10.90.0.0/24"))


def test_a_new_machine_cannot_take_an_address_in_use() -> None:
    with pytest.raises(RigError, match="c and a"):
        merge(make("a b"), make("c", addresses={"c": "10.88.0.11"}))


def test_state_survives_being_written_and_read() -> None:
    rig = make("a b").with_machine(
        Machine(name="a", address="10.88.0.11", identity="i", host_key="k", tree="/t")
    )
    assert from_json(to_json(rig)) == rig


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"version": 1}', '{"version": 99}'])
def test_a_damaged_state_file_is_named_as_such(text: str) -> None:
    with pytest.raises(RigError, match="down"):
        from_json(text)


def test_an_unknown_machine_is_answered_with_the_known_ones() -> None:
    with pytest.raises(RigError, match="a, b"):
        make("a b").machine("c")


def test_mac_addresses_differ_between_machines_and_rigs_and_are_local_unicast() -> None:
    first, second = make("a b"), make("a b", name="u")
    macs = {rig.mac(name) for rig in (first, second) for name in "ab"}
    assert len(macs) == 4
    assert all(int(mac[:2], 16) & 0b11 == 0b10 for mac in macs)


def test_a_namespace_is_a_machines_of_one_rig_alone() -> None:
    short, long = make("b m1"), make("m1", name="t-b")
    own = short.machine_namespace("b")
    assert own != long.namespace
    assert short.machine_in(own) == "b"
    assert long.machine_in(own) is None
    assert short.machine_in(long.machine_namespace("m1")) is None
    assert short.machine_in(short.namespace) is None


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "../../x", "A", "a.b", "a" * 16])
def test_no_path_is_made_of_what_no_rig_can_be_called(name: str) -> None:
    before = cache_root().exists()
    for path_of in (state.home, state.lock_file, state.find, state.load):
        with pytest.raises(RigError, match="expected a letter"):
            path_of(name)
    with pytest.raises(RigError, match="expected a letter"), state.locked(name):
        pytest.fail("locked")
    assert cache_root().exists() == before
