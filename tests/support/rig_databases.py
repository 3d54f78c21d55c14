"""A lab with databases on the rig: who is primary, and how its machines are broken."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from lab.netns import inside
from rig import lifecycle
from tests.support.requests import TIMEOUT_S
from tests.support.rig_lab import RigLab
from tests.support.sql import Access, Writer
from tests.support.sql_engines import ENGINES
from tests.support.waiting import MOMENT_S, WHOLE_S, deadline_s, wait_until

MACHINES = ("db1", "db2")
SAMPLE_S, SAMPLE_TIMEOUT_S = 0.1, 0.5
"""A sample says what both were at about the same time, and the next one is soon due: who does not
answer is silent in this one, and nothing else is concluded from that."""


@dataclass
class RigDatabases(RigLab):
    """Two load balancers and two database machines."""

    _known: dict[str, Any] = field(default_factory=dict)

    def access(self, engine: str, endpoint: str = "write") -> Access:
        """As an application sees it."""
        if engine not in self._known:
            password = self.run("db1", "cat", f"/etc/ha-lab/{engine}-application.password")
            self._known[engine] = {**self.outputs()["database"][engine], "password": password}
        known = self._known[engine]
        return Access(
            engine=ENGINES[engine],
            endpoint=known[endpoint],
            database=known["database"],
            user=known["user"],
            password=known["password"].strip(),
            namespace=self.namespace,
        )

    def writer(self, engine: str, table: str) -> Writer:
        return Writer(self.access(engine), table)

    def database_state(
        self, machine: str, engine: str, *, timeout_s: float = TIMEOUT_S
    ) -> dict[str, Any]:
        """What a machine's role service says; empty where it does not answer."""
        address = self.hosts()[machine]["address"]
        try:
            with inside(self.namespace):
                connection = http.client.HTTPConnection(address, 8008, timeout=timeout_s)
                connection.connect()
            connection.request("GET", f"/{engine}")
            state: dict[str, Any] = json.loads(connection.getresponse().read())
        except (OSError, http.client.HTTPException, ValueError):
            return {}
        return state

    def roles(self, engine: str, *, timeout_s: float = TIMEOUT_S) -> dict[str, str]:
        states = {m: self.database_state(m, engine, timeout_s=timeout_s) for m in MACHINES}
        return {machine: state.get("role", "silent") for machine, state in states.items()}

    def primary(self, engine: str) -> str:
        """The one primary; waits for it."""

        def one() -> str:
            found = [m for m, role in self.roles(engine).items() if role == "primary"]
            return found[0] if len(found) == 1 else ""

        return wait_until(f"one primary of {engine}", one, usual_s=WHOLE_S)

    def await_roles(self, engine: str, expected: dict[str, str]) -> None:
        """A busy machine may need a moment to say what it is."""

        def as_expected() -> bool:
            found = self.roles(engine)
            assert found == expected, found
            return True

        wait_until(f"the roles of {engine}", as_expected, usual_s=WHOLE_S)

    def replica(self, engine: str) -> str:
        return next(m for m in MACHINES if m != self.primary(engine))

    def await_whole_databases(self, engine: str) -> None:
        """One primary, whose writes wait for the other machine again."""

        def follows() -> bool:
            states = {m: self.database_state(m, engine) for m in MACHINES}
            primaries = [s for s in states.values() if s.get("role") == "primary"]
            followers = [f for s in primaries for f in s["followers"] if f["streaming"]]
            assert len(primaries) == 1, states
            assert followers, states
            assert primaries[0]["synchronous"] != "alone", states
            return True

        try:
            wait_until(f"the replica of {engine} follows", follows, usual_s=WHOLE_S)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.journals(engine)}") from None
        for endpoint in ("write", "read"):
            asked = partial(self.access(engine, endpoint).ask, "SELECT 1")
            wait_until(f"{endpoint} answers", asked, usual_s=WHOLE_S)

    def journals(self, engine: str) -> str:
        """The last words of each machine's server and role service."""
        units = ("-u", "ha-lab-database", "-u", f"{engine}*")
        words = ("journalctl", "--no-pager", "--output=short-precise", "--lines=60", *units)
        return "\n".join(f"{m}:\n{self.try_run(m, *words).stdout}" for m in MACHINES)

    def heal(self, engine: str) -> None:
        """Power, links and servers back, and the databases whole."""
        for machine in MACHINES:
            if self.power(machine) == "off":
                self.power_on(machine)
            lifecycle.thaw(self.stack, machine)
            lifecycle.join(self.stack, machine)
        self.await_whole_databases(engine)

    @contextmanager
    def sampling(self, engine: str) -> Iterator[list[dict[str, str]]]:
        """The roles of both machines, ten times a second while the block runs."""
        samples: list[dict[str, str]] = []
        stop = threading.Event()

        def sample() -> None:
            while not stop.wait(SAMPLE_S):
                samples.append(self.roles(engine, timeout_s=SAMPLE_TIMEOUT_S))

        thread = threading.Thread(target=sample, daemon=True)
        thread.start()
        try:
            yield samples
        finally:
            stop.set()
            thread.join(deadline_s(MOMENT_S))
