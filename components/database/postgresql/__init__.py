"""PostgreSQL with streaming replication. Pure: values in, files out."""

from components.database.postgresql.render import (
    APPLICATION_USER,
    DATABASE,
    passwords_plan,
    postgresql_firewall,
    postgresql_plan,
    unit_name,
)

__all__ = [
    "APPLICATION_USER",
    "DATABASE",
    "passwords_plan",
    "postgresql_firewall",
    "postgresql_plan",
    "unit_name",
]
