"""Where MariaDB's things are on a Debian machine, and how its programs are called."""

from __future__ import annotations

import configparser
import json
import os
from dataclasses import dataclass
from pathlib import Path

from .model import PRIMARY
from .place import Place
from .shell import DatabaseError, must, write
from .watch import FOLDER

ENGINE = "mariadb"
OWNER = "mysql"
"""User of the server and of its data."""
REPLICATION_USER = "repl"
WATCHER = "lab-db"
"""Login of the role service, and user of the system of the same name."""
OWN_DATABASE = "ha_lab"
"""Of the program itself: the table `terms`, replicated with everything else."""
ASK_TIMEOUT_S = 30.0

_CLIENT = ("mariadb", "--no-defaults", "--batch")


@dataclass(frozen=True)
class Site(Place):
    """The one server of this machine."""

    owner = OWNER
    unit = "mariadb.service"

    @property
    def data(self) -> Path:
        return self.root / "var/lib/mysql"

    @property
    def role_file(self) -> Path:
        """In the data, which it goes with: the role that the data is in, and its term."""
        return self.data / "ha-lab-role.json"

    @property
    def seed_file(self) -> Path:
        """There in a fresh copy until its server has run: where the copy was in the history."""
        return self.data / "ha-lab-seed.json"

    @property
    def start_file(self) -> Path:
        """How the server is to be started, for the unit: in whose role it recovers from a crash."""
        return self.claim_file.with_name("start.env")

    @property
    def alone_file(self) -> Path:
        """While it is there, a primary's writes wait for nobody; the role service removes it."""
        return self.root / str(FOLDER).lstrip("/") / "mariadb-alone"

    @property
    def socket(self) -> Path:
        return self.root / "run/mysqld/mysqld.sock"

    @property
    def replication_file(self) -> Path:
        """How the replication user logs in, as an option file."""
        return self.root / "etc/ha-lab/mariadb-replication.cnf"

    @property
    def was(self) -> str:
        return self._noted()[0]

    @property
    def term(self) -> int:
        """Of a primary's data exactly; a replica's may be of a later one already."""
        return self._noted()[1]

    def _noted(self) -> tuple[str, int]:
        try:
            noted = json.loads(self.role_file.read_text(encoding="utf-8"))
            return str(noted["role"]), int(noted["term"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            msg = f"{self.role_file} does not say what this data is ({error})"
            raise DatabaseError(msg) from None

    def write_role(self, role: str, term: int, *, data: Path | None = None) -> None:
        """Note what the data is from now on."""
        file = (data or self.data) / self.role_file.name
        write(file, json.dumps({"role": role, "term": term}), owner=self._file_owner)

    @property
    def _file_owner(self) -> str:
        return OWNER if os.geteuid() == 0 else ""

    @property
    def wants_to_wait(self) -> bool:
        """Whether a primary's writes are to wait for a replica now."""
        is_set = self.engine.synchronous and bool(self.config.peers)
        return is_set and not self.alone_file.exists()

    def set_alone(self, alone: bool) -> None:
        """Note whether writes wait for nobody, for later starts too."""
        if not alone:
            self.alone_file.unlink(missing_ok=True)
        elif self.engine.synchronous:
            write(self.alone_file, "")

    def password(self) -> str:
        """Of the replication user. Raises DatabaseError."""
        parser = configparser.ConfigParser(interpolation=None)
        try:
            parser.read_string(self.replication_file.read_text(encoding="utf-8"))
            return parser["client"]["password"]
        except (OSError, configparser.Error, KeyError):
            msg = f"{self.replication_file} has no password that can be read"
            raise DatabaseError(msg) from None

    def sql(self, statements: str, *, socket: Path | None = None, names: bool = False) -> str:
        """What the local server answers to its superuser. Raises DatabaseError."""
        argv = [*_CLIENT, f"--socket={socket or self.socket}"]
        argv += [] if names else ["--skip-column-names"]
        return must(argv, "asking MariaDB", stdin=f"{statements}\n")

    def row(self, statement: str) -> dict[str, str]:
        """The one row of a statement by its columns' names; empty where there is none."""
        lines = self.sql(statement, names=True).splitlines()
        if len(lines) < 2:
            return {}
        return dict(zip(lines[0].split("\t"), lines[1].split("\t")))

    def ask_other(self, address: str, query: str) -> str:
        """What the server of another machine answers to the replication user."""
        argv = ["mariadb", f"--defaults-file={self.replication_file}", "--batch"]
        argv += ["--skip-column-names", f"--host={address}", f"--port={self.engine.port}"]
        words = [*argv, "--connect-timeout=5", "-e", query]
        return must(words, f"asking MariaDB of {address}", timeout_s=ASK_TIMEOUT_S)

    @property
    def is_primarys(self) -> bool:
        """Whether this data is a primary's."""
        return self.was == PRIMARY
