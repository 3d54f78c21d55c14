"""A server as the primary: the only place where read-only ends."""

from __future__ import annotations

from .mariadb_replica import drain
from .mariadb_site import OWN_DATABASE, Site
from .model import PRIMARY
from .place import Claim


def become_primary(site: Site, term: int) -> None:
    """Let clients write to this running server; where it is so set, writes wait for a replica."""
    waits = "ON" if site.wants_to_wait else "OFF"
    site.write_role(PRIMARY, term)
    site.write_claim(Claim(PRIMARY, term, ""))
    site.sql(
        "STOP SLAVE;\nRESET SLAVE ALL;\n"
        f"SET GLOBAL rpl_semi_sync_master_enabled = {waits};\n"
        "SET GLOBAL read_only = OFF;"
    )


def promote(site: Site, *, alone: bool) -> None:
    """Make this replica the primary. `alone`: writes wait for no replica until there is one.

    What it has received is applied first: all of that was acknowledged to somebody.
    """
    drain(site)
    if alone:
        site.set_alone(True)
    said = site.sql(
        "STOP SLAVE;\n"
        # The row that begins a term waits for nobody: no replica follows before there is a primary.
        "SET GLOBAL rpl_semi_sync_master_enabled = OFF;\n"
        f"SELECT MAX(term) + 1, @@GLOBAL.gtid_binlog_pos FROM {OWN_DATABASE}.terms;"
    )
    term, end = said.split("\t")
    site.sql(begin_term(int(term), site.config.machine, end))
    become_primary(site, int(term))


def begin_term(term: int, machine: str, after: str) -> str:
    """The statement that begins a term, in the history as in the table. Pure."""
    return f"INSERT INTO {OWN_DATABASE}.terms VALUES ({term}, '{machine}', '{after}');"  # noqa: S608


def go_alone(site: Site) -> None:
    """Writes do not wait for a replica, until the keeper sees one again."""
    site.set_alone(True)
    if site.engine.synchronous:
        site.sql("SET GLOBAL rpl_semi_sync_master_enabled = OFF;")
