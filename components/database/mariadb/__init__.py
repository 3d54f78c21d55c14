"""MariaDB with GTIDs and semi-synchronous replication. Pure: values in, files out."""

from components.database.mariadb.render import (
    UNIT,
    mariadb_firewall,
    mariadb_plan,
    passwords_plan,
)

__all__ = ["UNIT", "mariadb_firewall", "mariadb_plan", "passwords_plan"]
