"""A lab with every tier on ten machines of the rig: what each does, and how it is put right."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import httpx

from tests.support.requests import Answer, ask, request
from tests.support.rig_failover import MEMBERS, RigFailover
from tests.support.waiting import COLD_START_S, FORGOTTEN_S, WHOLE_S, wait_until

ENGINES = ("postgresql", "mariadb")
STORAGE = ("gluster1", "gluster2", "gluster3")
BRICK = "/data/gv0/brick"
ONE_OF_EACH_TIER = (
    "one-vip-owner",
    "one-cluster-vip-owner",
    "bricks-up",
    "one-postgresql-primary",
    "one-mariadb-primary",
)
"""Audits of `lab check`, one that only that tier has."""


@dataclass
class WholeLab(RigFailover):
    """Load balancers, app servers, cluster, both databases, storage."""

    def request(self, method: str, url: str, content: bytes = b"") -> httpx.Response:
        """One request from the lab's own network."""
        return request(method, url, namespace=self.namespace, content=content)

    def down_servers(self, balancer: str) -> list[str]:
        """App servers only: a replica is rightly down as a server for writes."""
        return [s for s in super().down_servers(balancer) if s.rpartition("/")[2].startswith("app")]

    # -- the cluster ------------------------------------------------------------------------------

    def cluster_page(self) -> Answer:
        """The page that the cluster's web server shows at the cluster's VIP."""
        return ask(f"http://{self.topology.cluster_vip}/", namespace=self.namespace)

    def cluster_owners(self) -> list[str]:
        """The members that have the cluster's VIP on an interface, of those that run."""
        vip = f" {self.topology.cluster_vip}/"
        running = [member for member in MEMBERS if self.power(member) == "on"]
        return [m for m in running if vip in self.run(m, "ip", "-4", "addr")]

    def cluster_owner(self, *, other_than: str = "") -> str:
        """The one member that has the cluster's VIP and answers there; waits for it."""

        def one() -> str:
            answer, owners = self.cluster_page(), self.cluster_owners()
            assert answer.status == 200, answer
            assert owners == [answer.machine], owners
            return "" if answer.machine == other_than else answer.machine

        return wait_until(
            "one member has the cluster's VIP and answers", one, usual_s=WHOLE_S, every_s=1
        )

    def await_members(self) -> None:
        """Every member is online."""

        def all_online() -> bool:
            found = {member.name: member.state for member in self.cluster().members}
            assert found == dict.fromkeys(MEMBERS, "online"), found
            return True

        wait_until("every member is online", all_online, usual_s=COLD_START_S, every_s=1)

    # -- the storage ------------------------------------------------------------------------------

    def put_file(self, name: str, content: bytes) -> int:
        """Status of an upload through the load balancers."""
        return self.request("PUT", self.url(f"/uploads/{name}"), content).status_code

    def get_file(self, name: str) -> bytes:
        return self.request("GET", self.url(f"/uploads/{name}")).content

    def checksums(self, name: str) -> dict[str, str]:
        """Of the copies on the storage machines' bricks, as SHA-256."""
        words = ("sha256sum", f"{BRICK}/uploads/{name}")
        return {s: self.run(s, *words).split()[0] for s in STORAGE}

    def await_copies(self, name: str, content: bytes) -> None:
        """Every storage machine has the file's whole content."""
        expected = hashlib.sha256(content).hexdigest()

        def same() -> bool:
            found = self.checksums(name)
            assert set(found.values()) == {expected}, found
            return True

        wait_until(f"every brick has {name}", same, usual_s=WHOLE_S, every_s=1)

    # -- all of it --------------------------------------------------------------------------------

    def await_all_tiers(self) -> None:
        """Every audit of `lab check` passes, and each tier has been looked at."""
        wait_until(
            "every audit passes",
            lambda: self.all_pass(*ONE_OF_EACH_TIER),
            usual_s=FORGOTTEN_S,
            every_s=3,
        )

    def heal_all(self) -> None:
        """Power back on, nothing failed in the cluster, databases and load balancers whole."""
        self.start_all()
        self.heal_cluster(*ENGINES)
        self.await_whole()
