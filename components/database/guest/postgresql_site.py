"""Where PostgreSQL's things are on a Debian machine, and how its programs are called."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from .model import PRIMARY, REPLICA
from .place import Place
from .shell import must

ENGINE = "postgresql"
OWNER = "postgres"
"""User of the server and of its data."""
REPLICATION_USER = "repl"
WATCHER = "lab-db"
"""Login of the role service, and user of the system of the same name."""
TIMELINE = "('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int"
"""SQL: the timeline that a primary writes now, whatever its control file says."""
LOCAL_ONLY = "-c synchronous_commit=local"
"""The program's own statements never wait for a replica: they are what brings it back."""


@dataclass(frozen=True)
class Site(Place):
    """One cluster `main` of one major version."""

    owner = OWNER

    @property
    def cluster(self) -> str:
        return f"{self.engine.version}-main"

    @property
    def unit(self) -> str:
        return f"postgresql@{self.cluster}.service"

    @property
    def data(self) -> Path:
        return self.root / f"var/lib/postgresql/{self.engine.version}/main"

    @property
    def settings(self) -> Path:
        return self.root / f"etc/postgresql/{self.engine.version}/main"

    @property
    def standby_signal(self) -> Path:
        """While this file exists, the server starts as a replica."""
        return self.data / "standby.signal"

    @property
    def pgpass(self) -> Path:
        return self.root / "var/lib/postgresql/ha-lab.pgpass"

    @property
    def socket(self) -> Path:
        return self.root / f"var/run/postgresql/.s.PGSQL.{self.engine.port}"

    def program(self, name: str) -> str:
        return f"/usr/lib/postgresql/{self.engine.version}/bin/{name}"

    @property
    def was(self) -> str:
        """The role of the data on this disk."""
        return REPLICA if self.standby_signal.exists() else PRIMARY

    def sql(self, statements: str, *, database: str = "postgres", socket: str = "") -> str:
        """What the local server answers to the superuser. Raises DatabaseError."""
        argv = ["psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", database]
        argv += ["-h", socket] if socket else []
        argv += ["-p", str(self.engine.port)]
        words = ["env", f"PGOPTIONS={LOCAL_ONLY}", *argv]
        return must(words, "asking PostgreSQL", user=OWNER, stdin=statements)

    def ask_other(self, address: str, query: str) -> str:
        """What the server of another machine answers to the replication user."""
        words = ["psql", "-XAtq", "-d", self.conninfo(address, database="postgres"), "-c", query]
        return must(words, f"asking PostgreSQL of {address}", user=OWNER, timeout_s=30)

    def conninfo(self, address: str, *, database: str = "") -> str:
        """How another machine's server is reached; the password is in a file of its own."""
        words = {
            "host": address,
            "port": str(self.engine.port),
            "user": REPLICATION_USER,
            "passfile": str(self.pgpass),
            "application_name": self.config.machine,
            "connect_timeout": "5",
        }
        if database:
            words["dbname"] = database
        return " ".join(f"{key}={value}" for key, value in words.items())
