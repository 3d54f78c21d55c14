"""The command line: `lab-database ENGINE COMMAND...`, `lab-database serve`."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from . import mariadb_commands, postgresql_commands
from .model import Config, Engine, config_from
from .service import RoleServer
from .shell import DatabaseError, say
from .watch import Database, Watch

CONFIG = Path("/etc/ha-lab/database.json")
ENGINES: Mapping[str, Callable[[Config, Engine, list[str]], object]] = {
    "mariadb": mariadb_commands.carry_out,
    "postgresql": postgresql_commands.carry_out,
}
DATABASES: Mapping[str, Callable[[Config, Engine], Database]] = {
    "mariadb": mariadb_commands.Mariadb,
    "postgresql": postgresql_commands.Postgresql,
}


def main() -> int:
    """Exit status 0: done. 1: it cannot be done; why is on standard error."""
    words = sys.argv[1:]
    try:
        config = config_from(json.loads(CONFIG.read_text(encoding="utf-8")))
        if words == ["serve"]:
            serve(config)
        result = command(config, words)
    except DatabaseError as error:
        say(str(error))
        return 1
    if result is not None:
        print(json.dumps(result))
    return 0


def command(config: Config, words: list[str]) -> object:
    """Carry out one command of one engine. Raises DatabaseError."""
    name = words[0] if words else ""
    engine = config.engines.get(name)
    if engine is None:
        msg = f"expected an engine of this machine: {', '.join(config.engines) or 'it has none'}"
        raise DatabaseError(msg)
    return ENGINES[name](config, engine, words[1:])


def serve(config: Config) -> None:
    """Answer until the process is ended."""
    watches = {
        name: Watch(config, DATABASES[name](config, engine))
        for name, engine in config.engines.items()
    }
    for watch in watches.values():
        watch.begin()
    RoleServer(config, watches).serve_forever()
