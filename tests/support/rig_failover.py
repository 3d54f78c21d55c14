"""A lab whose databases are in the hands of the cluster, on the rig."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import dataclass

from lab.cluster.state import ClusterState, cluster_state
from rig import lifecycle
from tests.support.rig_databases import MACHINES, RigDatabases
from tests.support.waiting import COLD_START_S, wait_until

MEMBERS = (*MACHINES, "gluster1")


@dataclass
class RigFailover(RigDatabases):
    """Two database machines and a third vote, two load balancers."""

    def cluster(self, asked: str = "gluster1") -> ClusterState:
        """As one member sees it."""
        return cluster_state(self.run(asked, "crm_mon", "-1rX"), asked=asked)

    def scores(self, engine: str) -> dict[str, str]:
        """The promotion scores, by machine."""
        text = self.run("gluster1", "cibadmin", "--query", "--scope", "nodes")
        return {
            node.get("uname", ""): pair.get("value", "")
            for node in ET.fromstring(text).iter("node")
            for pair in node.iter("nvpair")
            if pair.get("name") == f"master-{engine}"
        }

    def await_certified(self, engine: str) -> None:
        """The primary leads, its replica may take over, and every member is there."""
        primary = self.primary(engine)
        expected = {m: "1000" if m == primary else "100" for m in MACHINES}

        def whole() -> object:
            found = self.scores(engine), [m.state for m in self.cluster().members]
            return found == (expected, ["online"] * len(MEMBERS)) or self._not(found)

        wait_until("every machine is certified", whole, usual_s=COLD_START_S, every_s=1)

    @staticmethod
    def _not(found: object) -> object:
        raise AssertionError(f"found {found}")

    def heal_cluster(self, *engines: str) -> None:
        """Power, links and members back, nothing failed, the databases of these engines whole."""
        for machine in MEMBERS:
            if self.power(machine) == "off":
                self.power_on(machine)
            lifecycle.thaw(self.stack, machine)
            lifecycle.join(self.stack, machine)
        wait_until("the cluster answers", lambda: self.cluster().quorum, usual_s=COLD_START_S)
        self.run("gluster1", "crm_resource", "--cleanup")
        for engine in engines:
            self.await_whole_databases(engine)
            self.await_certified(engine)
