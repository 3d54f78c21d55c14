"""MariaDB's files and service plans. Pure."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from components.database.args import DatabaseArgs, MariadbArgs, Node
from components.database.guest.model import managed_file
from components.database.in_cluster import in_cluster_file, in_cluster_path
from components.database.roles import PROGRAM
from components.files import Family, RenderedFile, ServicePlan, ServiceUnit
from components.firewall import FirewallRule
from components.rendering import Templates

UNIT = "mariadb.service"
SEED = "ha-lab-mariadb-seed"
OWNER = "mysql"
REPLICATION_USER = "repl"
PACKAGES: dict[Family, tuple[str, ...]] = {"debian": ("mariadb-server", "mariadb-backup")}
"""Debian and Ubuntu; the files are laid out as theirs."""
CONFIG_PATH = "/etc/mysql/mariadb.conf.d/99-ha-lab.cnf"
HOSTS_PATH = "/etc/ha-lab/mariadb-hosts.json"
REPLICATION_PATH = "/etc/ha-lab/mariadb-replication.cnf"
APPLICATION_PASSWORD_PATH = "/etc/ha-lab/mariadb-application.password"  # noqa: S105 - a file
MAX_TIMEOUT_MS = 2**32 - 1
"""49.7 days: the longest time that a write waits for a replica, by the server's own arithmetic."""

_PASSWORDS = f"{PROGRAM} mariadb passwords"
_TEMPLATES = Templates(Path(__file__).parent / "templates")


def passwords_plan(*, replication: str, application: str) -> ServicePlan:
    """The passwords as files: a plan of their own, which alone is secret."""
    login = f"[client]\nuser = {REPLICATION_USER}\npassword = {replication}\n"
    return ServicePlan(
        name="mariadb_passwords",
        # They bring the user that owns the file.
        packages=PACKAGES,
        files=(
            RenderedFile(path=APPLICATION_PASSWORD_PATH, content=f"{application}\n", mode=0o600),
            RenderedFile(
                path=REPLICATION_PATH, content=login, mode=0o600, owner=OWNER, group=OWNER
            ),
        ),
        checks=(_PASSWORDS,),
    )


def mariadb_plan(args: DatabaseArgs, mariadb: MariadbArgs, node: Node) -> ServicePlan:
    """The whole service on this machine; its passwords and the role service come before."""
    if mariadb.failover == "pacemaker":
        return _plan_in_cluster(args, mariadb, node)
    files = mariadb_files(args, mariadb, node)
    config, _, listener, sender, drop_in = (file.path for file in files)
    return ServicePlan(
        name="mariadb",
        packages=PACKAGES,
        files=files,
        absent=(in_cluster_path(UNIT), str(managed_file("mariadb"))),
        units=(
            ServiceUnit(name=UNIT, restart_on=(drop_in, config)),
            ServiceUnit(name=f"{SEED}.socket", restart_on=(listener, sender)),
        ),
        checks=(f"{PROGRAM} mariadb check",),
        check_within_s=args.check_within_s,
    )


def _plan_in_cluster(args: DatabaseArgs, mariadb: MariadbArgs, node: Node) -> ServicePlan:
    """The same for a server that the cluster starts and stops; systemd does neither.

    Until the cluster has it, it is started here: the next machine copies its data.
    """
    config, hosts, listener, sender, drop_in = mariadb_files(args, mariadb, node)
    return ServicePlan(
        name="mariadb",
        packages=PACKAGES,
        files=(
            replace(config, then=f"{PROGRAM} mariadb reload"),
            hosts,
            listener,
            sender,
            drop_in,
            in_cluster_file(UNIT),
        ),
        absent=(f"/etc/systemd/system/multi-user.target.wants/{UNIT}",),
        units=(ServiceUnit(name=f"{SEED}.socket", restart_on=(listener.path, sender.path)),),
        checks=(f"{PROGRAM} mariadb begin", f"{PROGRAM} mariadb check"),
        check_within_s=args.check_within_s,
    )


def mariadb_files(args: DatabaseArgs, mariadb: MariadbArgs, node: Node) -> tuple[RenderedFile, ...]:
    """Every file of the service, in the order in which it must be written."""
    values = {
        "mariadb": mariadb,
        "node": node,
        "server_id": args.nodes.index(node) + 1,
        "timers": args.replication,
        "max_timeout_ms": MAX_TIMEOUT_MS,
        "expire_s": mariadb.binlog_days * 24 * 3600,
        "program": PROGRAM,
        "owner": OWNER,
    }
    return (
        RenderedFile(path=CONFIG_PATH, content=_TEMPLATES.render("server.cnf.j2", values)),
        RenderedFile(path=HOSTS_PATH, content=hosts_json(args), then=_PASSWORDS),
        RenderedFile(
            path=f"/etc/systemd/system/{SEED}.socket",
            content=_TEMPLATES.render("seed.socket.j2", values),
        ),
        RenderedFile(
            path=f"/etc/systemd/system/{SEED}@.service",
            content=_TEMPLATES.render("seed.service.j2", values),
        ),
        RenderedFile(
            path=f"/etc/systemd/system/{UNIT}.d/ha-lab.conf",
            content=_TEMPLATES.render("unit.conf.j2", values),
            # The data: made here once, or copied.
            then=f"{PROGRAM} mariadb prepare",
        ),
    )


def hosts_json(args: DatabaseArgs) -> str:
    """From where the accounts may log in: replication from the peers, clients from theirs."""
    # Every machine: the accounts come along with a copy of the data, to whoever is primary next.
    hosts = {
        "replication": [str(node.address) for node in args.nodes],
        "application": [str(address) for address in args.clients],
    }
    return json.dumps(hosts, indent=1) + "\n"


def mariadb_firewall(mariadb: MariadbArgs) -> tuple[FirewallRule, ...]:
    """Replication, clients on their way from the load balancers or by themselves, and copies."""
    served = tuple(
        FirewallRule(port=mariadb.port, protocol="tcp", source=source, comment="MariaDB")
        for source in ("database", "load_balancer", "app")
    )
    copies = FirewallRule(
        port=mariadb.seed_port,
        protocol="tcp",
        source="database",
        comment="copies of MariaDB's data",
    )
    return (*served, copies)
