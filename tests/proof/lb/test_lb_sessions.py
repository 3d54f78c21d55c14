"""Sessions that must stay on their app server, also when the load balancer changes."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator

import httpx
import pytest

from lab.netns import inside
from tests.support.requests import TIMEOUT_S
from tests.support.rig_lab import RigLab
from tests.support.waiting import TAKEOVER_S, WHOLE_S, wait_until

CLIENTS = 6
"""So many clients stay by chance in one run of 64."""


@pytest.fixture
def clients(whole: RigLab) -> Iterator[list[str]]:
    """Addresses from which several clients ask."""
    network = whole.topology.network
    addresses = [str(network.network_address + 200 + index) for index in range(CLIENTS)]
    for address in addresses:
        _address(whole, "add", f"{address}/{network.prefixlen}")
    yield addresses
    for address in addresses:
        _address(whole, "del", f"{address}/{network.prefixlen}")


def _address(lab: RigLab, verb: str, address: str) -> None:
    argv = ["ip", "-n", str(lab.namespace), "addr", verb, address, "dev", _bridge(lab)]
    subprocess.run(argv, check=True)


def _bridge(lab: RigLab) -> str:
    argv = ["ip", "-n", str(lab.namespace), "-br", "-4", "addr", "show", "to"]
    text = subprocess.run(
        [*argv, str(lab.topology.gateway)], text=True, capture_output=True, check=True
    )
    return text.stdout.split()[0].split("@")[0]


@pytest.fixture
def sticky(whole: RigLab, request: pytest.FixtureRequest) -> Iterator[RigLab]:
    """The lab with the stickiness of the test's parameter; afterwards as before."""
    # nginx has no backup where clients are kept.
    needed: dict[str, object] = {"backup": []} if whole.engine == "nginx" else {}
    whole.balance({"stickiness": request.param, **needed})
    whole.up().ok()
    yield whole
    # Not before: a client that is kept on its app server cannot see that the other one is used.
    whole.start_all()
    whole.balance()
    whole.up().ok()


def served(lab: RigLab, client: str) -> str:
    """The app server that answers this client; empty where none does."""
    with inside(lab.namespace):
        transport = httpx.HTTPTransport(verify=False, local_address=client)
        try:
            with httpx.Client(transport=transport, timeout=TIMEOUT_S) as session:
                return str(session.get(lab.url()).headers.get("X-Served-By", ""))
        except httpx.HTTPError:
            return ""


def knows(lab: RigLab, balancer: str, clients: list[str]) -> bool:
    """Whether this load balancer's table has all these clients; nginx computes and needs none."""
    if lab.engine == "nginx":
        return True
    table = lab.admin(balancer, "show table http_back")
    return all(f"key={client} " in table for client in clients)


@pytest.mark.parametrize("sticky", ["source"], indirect=True)
def test_clients_stay_on_their_app_server_when_the_vip_moves(
    sticky: RigLab, clients: list[str]
) -> None:
    before = {client: served(sticky, client) for client in clients}
    spread = set(before.values())
    assert len(spread) > 1, "the clients are spread"
    assert spread <= {"app1", "app2", "app3"}, "each was served"
    assert before == {client: served(sticky, client) for client in clients}
    owner = sticky.owner()
    # After a reload the pair's peers connect again within seconds; what is learnt until then is
    # known to one side only.
    wait_until(
        "the other load balancer knows every client",
        lambda: knows(sticky, sticky.other(owner), clients),
        usual_s=TAKEOVER_S,
    )
    sticky.power_off(owner)
    wait_until("the VIP answers", lambda: served(sticky, clients[0]) != "", usual_s=WHOLE_S)
    assert before == {client: served(sticky, client) for client in clients}


@pytest.mark.parametrize("sticky", ["cookie"], indirect=True)
def test_a_cookie_keeps_a_browser_on_its_app_server(sticky: RigLab) -> None:
    with (
        inside(sticky.namespace),
        httpx.Client(verify=False, timeout=TIMEOUT_S) as browser,  # noqa: S501
    ):
        first = browser.get(sticky.url()).headers["X-Served-By"]
        again = {browser.get(sticky.url()).headers["X-Served-By"] for _ in range(4)}
        assert again == {first}
        owner = sticky.owner()
        sticky.run(owner, "systemctl", "stop", "keepalived")
        other = [sticky.other(owner)]
        wait_until("the VIP moved", lambda: sticky.owners() == other, usual_s=TAKEOVER_S)
        cookies = browser.cookies
    # The old connection ended with the old owner; a browser opens another one with its cookies.
    with (
        inside(sticky.namespace),
        httpx.Client(verify=False, timeout=TIMEOUT_S, cookies=cookies) as browser,  # noqa: S501
    ):
        assert browser.get(sticky.url()).headers["X-Served-By"] == first
