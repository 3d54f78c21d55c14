"""PostgreSQL's files and service plans. Pure."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from components.database.args import DatabaseArgs, Node, PostgresqlArgs
from components.database.guest.model import managed_file
from components.database.in_cluster import in_cluster_file, in_cluster_path
from components.database.roles import PROGRAM
from components.files import Family, RenderedFile, ServicePlan, ServiceUnit
from components.firewall import FirewallRule
from components.rendering import Templates

OWNER = "postgres"
WATCHER = "lab-db"
REPLICATION_USER = "repl"
APPLICATION_USER = "application"
DATABASE = "myapp"
"""The applications' database, named as in the course."""
PGPASS_PATH = "/var/lib/postgresql/ha-lab.pgpass"
APPLICATION_PASSWORD_PATH = "/etc/ha-lab/postgresql-application.password"  # noqa: S105 - a file

_TEMPLATES = Templates(Path(__file__).parent / "templates")


def settings_dir(postgresql: PostgresqlArgs) -> str:
    return f"/etc/postgresql/{postgresql.version}/main"


def unit_name(postgresql: PostgresqlArgs) -> str:
    return f"postgresql@{postgresql.version}-main.service"


def packages(postgresql: PostgresqlArgs) -> dict[Family, tuple[str, ...]]:
    """Debian and Ubuntu; their tools for clusters are what the files are laid out for."""
    return {"debian": (f"postgresql-{postgresql.version}",)}


def passwords_plan(
    postgresql: PostgresqlArgs, *, replication: str, application: str
) -> ServicePlan:
    """The passwords as files: a plan of their own, which alone is secret."""
    change = f"{PROGRAM} postgresql passwords"
    return ServicePlan(
        name="postgresql_passwords",
        # They bring the user that owns the file.
        packages=packages(postgresql),
        files=(
            RenderedFile(
                path=APPLICATION_PASSWORD_PATH,
                content=f"{application}\n",
                mode=0o600,
            ),
            RenderedFile(
                path=PGPASS_PATH,
                content=f"*:*:*:{REPLICATION_USER}:{replication}\n",
                mode=0o600,
                owner=OWNER,
                group=OWNER,
            ),
        ),
        checks=(change,),
    )


def postgresql_plan(args: DatabaseArgs, postgresql: PostgresqlArgs, node: Node) -> ServicePlan:
    """The whole service on this machine; its passwords and the role service come before."""
    if postgresql.failover == "pacemaker":
        return _plan_in_cluster(args, postgresql, node)
    files = postgresql_files(args, postgresql, node)
    drop_in, server, replication, access = (file.path for file in files)
    return ServicePlan(
        name="postgresql",
        packages=packages(postgresql),
        files=files,
        absent=(in_cluster_path(unit_name(postgresql)), str(managed_file("postgresql"))),
        units=(
            ServiceUnit(
                name=unit_name(postgresql),
                restart_on=(drop_in, server),
                reload_on=(replication, access),
            ),
        ),
        checks=(f"{PROGRAM} postgresql check",),
        check_within_s=args.check_within_s,
    )


def _plan_in_cluster(args: DatabaseArgs, postgresql: PostgresqlArgs, node: Node) -> ServicePlan:
    """The same for a server that the cluster starts and stops; systemd does neither.

    Until the cluster has it, it is started here: the next machine copies its data.
    """
    drop_in, *configuration = postgresql_files(args, postgresql, node)
    unit = unit_name(postgresql)
    return ServicePlan(
        name="postgresql",
        packages=packages(postgresql),
        files=(
            drop_in,
            in_cluster_file(unit),
            *(replace(file, then=f"{PROGRAM} postgresql reload") for file in configuration),
        ),
        absent=(f"/etc/systemd/system/multi-user.target.wants/{unit}",),
        checks=(f"{PROGRAM} postgresql begin", f"{PROGRAM} postgresql check"),
        check_within_s=args.check_within_s,
    )


def postgresql_files(
    args: DatabaseArgs, postgresql: PostgresqlArgs, node: Node
) -> tuple[RenderedFile, ...]:
    """Every file of the service, in the order in which it must be written."""
    folder = settings_dir(postgresql)
    values = {
        "args": args,
        "postgresql": postgresql,
        "node": node,
        "peers": args.peers(node),
        "timers": args.replication,
        "folder": folder,
        "program": PROGRAM,
        "owner": OWNER,
        "watcher": WATCHER,
        "replication_user": REPLICATION_USER,
        "application_user": APPLICATION_USER,
        "database": DATABASE,
        "pgpass": PGPASS_PATH,
        "slot": node.name.replace("-", "_"),
    }
    return (
        RenderedFile(
            path=f"/etc/systemd/system/{unit_name(postgresql)}.d/ha-lab.conf",
            content=_TEMPLATES.render("unit.conf.j2", values),
            # The cluster, whose directory the other files go to: made here once, or copied.
            then=f"{PROGRAM} postgresql prepare",
        ),
        RenderedFile(
            path=f"{folder}/conf.d/ha-lab-server.conf",
            content=_TEMPLATES.render("server.conf.j2", values),
        ),
        RenderedFile(
            path=f"{folder}/conf.d/ha-lab-replication.conf",
            content=_TEMPLATES.render("replication.conf.j2", values),
        ),
        RenderedFile(
            path=f"{folder}/pg_hba.conf",
            content=_TEMPLATES.render("pg_hba.conf.j2", values),
            mode=0o640,
            owner=OWNER,
            group=OWNER,
        ),
    )


def postgresql_firewall(postgresql: PostgresqlArgs) -> tuple[FirewallRule, ...]:
    """Replication, and clients on their way from the load balancers or by themselves."""
    return tuple(
        FirewallRule(port=postgresql.port, protocol="tcp", source=source, comment="PostgreSQL")
        for source in ("database", "load_balancer", "app")
    )
