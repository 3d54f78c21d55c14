"""The cases of which every rendered byte is kept, and builders for what they vary."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from typing import Any

from components.app_server import (
    AppServerArgs,
    DemoApplication,
    OwnApplication,
    app_server_plan,
)
from components.database.args import DatabaseArgs, MariadbArgs, Node, PostgresqlArgs
from components.database.mariadb import mariadb_firewall, mariadb_plan
from components.database.mariadb import passwords_plan as mariadb_passwords_plan
from components.database.postgresql import passwords_plan, postgresql_firewall, postgresql_plan
from components.database.roles import role_firewall, role_plan
from components.files import ServicePlan
from components.firewall import Sources, firewall_plan
from components.load_balancer import (
    Acl,
    Backend,
    ErrorPage,
    HttpCheck,
    LoadBalancerArgs,
    Peer,
    Route,
    Server,
    Stats,
    StatsLogin,
    TcpCheck,
    TcpService,
    Tls,
    load_balancer_firewall,
    load_balancer_plan,
)
from components.load_balancer.from_settings import engine_services
from components.load_balancer.nginx import CERTIFICATE_PATH as NGINX_CERTIFICATE
from components.storage.args import Node as StorageNode
from components.storage.args import StorageArgs, Volume
from components.storage.firewall import storage_firewall
from components.storage.plans import client_plan, server_plan, volumes_plan
from components.storage.uploads import SOCKET as UPLOADS_SOCKET
from components.timers import TIMERS
from components.visits.args import VisitsArgs
from components.visits.render import visits_plan
from tests.golden.pacemaker_cases import PACEMAKER_PLANS

LAB = IPv4Network("10.16.1.0/24")
VIP = IPv4Address("10.16.1.100")
LB1 = Peer(name="lb1", address=IPv4Address("10.16.1.11"))
LB2 = Peer(name="lb2", address=IPv4Address("10.16.1.12"))
DB1 = Node(name="db1", address=IPv4Address("10.16.1.51"))
DB2 = Node(name="db2", address=IPv4Address("10.16.1.52"))
DATABASE_ADDRESSES = (DB1.address, DB2.address)
SOURCES = Sources(
    lab=LAB,
    management=(IPv4Address("10.16.1.1"),),
    roles={"load_balancer": (LB1.address, LB2.address), "app": (), "database": DATABASE_ADDRESSES},
)


def some_servers(count: int = 3, port: int = 8080, **overrides: Any) -> tuple[Server, ...]:
    """app1, app2, ...; the third is the backup, as in the course."""
    return tuple(
        Server(
            name=f"app{i}",
            address=IPv4Address(f"10.16.1.{20 + i}"),
            port=port,
            **{"backup": i == 3, **overrides},
        )
        for i in range(1, count + 1)
    )


def a_backend(**overrides: Any) -> Backend:
    return Backend(**{"name": "http_back", "servers": some_servers(), **overrides})


def a_pair(**overrides: Any) -> LoadBalancerArgs:
    """The course's pair with standard timers, without TLS unless given."""
    values = {
        "vip": VIP,
        "prefix": 24,
        "vrid": 51,
        "interface": "eth0",
        "peers": (LB1, LB2),
        "backends": (a_backend(),),
        "timers": TIMERS["standard"],
        "tls": None,
        "stats": Stats(allowed=(LAB,)),
    }
    return LoadBalancerArgs(**{**values, **overrides})


def the_course_routes() -> dict[str, Any]:
    """ACLs, routes and back ends of the course's section on routing."""
    return {
        "acls": (
            Acl(name="is_api", path_beg=("/api",)),
            Acl(name="is_static", path_end=(".jpg", ".png", ".css", ".js")),
            Acl(name="is_admin", path_beg=("/admin",)),
            Acl(name="is_internal", src=(LAB,)),
        ),
        "routes": (
            Route(backend="api_back", acls=("is_api",)),
            Route(backend="static_back", acls=("is_static",)),
            Route(backend="admin_back", acls=("is_admin", "is_internal")),
        ),
        "backends": (
            a_backend(),
            a_backend(name="api_back", servers=some_servers(2, 3000), algorithm="leastconn"),
            a_backend(name="static_back", servers=some_servers(1, 8081)),
            a_backend(name="admin_back", servers=some_servers(1, 8082), check=TcpCheck()),
        ),
    }


def the_databases(**overrides: Any) -> DatabaseArgs:
    """Both machines, reached by the pair and two app servers."""
    values = {
        "nodes": (DB1, DB2),
        "clients": (LB1.address, LB2.address, *(server.address for server in some_servers(2))),
        "replication": TIMERS["standard"].replication,
        "postgresql": PostgresqlArgs(),
    }
    return DatabaseArgs(**{**values, **overrides})


def the_database_services() -> tuple[TcpService, ...]:
    return engine_services(the_databases(), "postgresql", 5432, (5432, 5433))


def storage_node(name: str, host: int) -> StorageNode:
    return StorageNode(name=name, address=IPv4Address(f"10.16.1.{host}"))


APPS = (storage_node("app1", 21), storage_node("app2", 22))


def the_storage(**overrides: Any) -> StorageArgs:
    """The course's volume on three machines."""
    values = {
        "servers": tuple(storage_node(f"gluster{i}", 60 + i) for i in (1, 2, 3)),
        "volumes": (Volume(name="gv0", clients=APPS),),
        "timers": TIMERS["standard"].gluster,
        "lab": LAB,
        "uploads": "gv0",
    }
    return StorageArgs(**{**values, **overrides})


def the_visits(**overrides: Any) -> VisitsArgs:
    """The page of app1."""
    values = {
        "name": "app1",
        "engine": "postgresql",
        "host": VIP,
        "port": 5432,
        "database": "myapp",
        "user": "application",
    }
    return VisitsArgs(**{**values, **overrides})


def weighted() -> Backend:
    servers = zip(some_servers(backup=False), (3, 2, 1), strict=True)
    return a_backend(
        servers=tuple(
            Server(name=s.name, address=s.address, port=s.port, weight=weight)
            for s, weight in servers
        )
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A plan of which the files with these last names are kept, or all of them."""

    plan: Callable[[], ServicePlan]
    keep: tuple[str, ...] = ("haproxy.cfg", "keepalived.conf", "nginx.conf", "nftables.conf")
    is_tried: bool = True
    """Its files can be put in place without the whole service."""


def _pair(node: Peer = LB1, **overrides: Any) -> Case:
    return Case(plan=lambda: load_balancer_plan(a_pair(**overrides), node))


def _nginx(**overrides: Any) -> Case:
    plan = _pair(engine="nginx", **overrides).plan
    return Case(plan=plan, keep=("nginx.conf",))


def _haproxy(**overrides: Any) -> Case:
    plan = _pair(**overrides).plan
    return Case(plan=plan, keep=("haproxy.cfg",))


PASSWORD_HASH = "$5$salt$U1lq1mmzm8qRZHEHzxkkz1z1lMIBSu9Kzq41nUAlGX9"
LOGIN = StatsLogin(user="trainer", password_hash=PASSWORD_HASH)

CASES: Mapping[str, Case] = {
    "load_balancer/course": _pair(timers=TIMERS["course"], tls=Tls()),
    "load_balancer/relaxed": _pair(timers=TIMERS["relaxed"]),
    "load_balancer/standard": Case(
        plan=lambda: load_balancer_plan(a_pair(tls=Tls(), **the_course_routes()), LB1),
        keep=(),
    ),
    "load_balancer/standard-lb2": _pair(node=LB2, tls=Tls(), **the_course_routes()),
    "load_balancer/fast": _pair(timers=TIMERS["fast"], track_process=True),
    "load_balancer/one-machine": _pair(
        peers=(LB1,), backends=(a_backend(servers=some_servers(2)),)
    ),
    "load_balancer/leastconn": _haproxy(backends=(a_backend(algorithm="leastconn"),)),
    "load_balancer/source": _haproxy(backends=(a_backend(algorithm="source"),)),
    "load_balancer/uri": _haproxy(backends=(a_backend(algorithm="uri"),)),
    "load_balancer/weighted": _haproxy(backends=(weighted(),)),
    "load_balancer/sticky-cookie": _haproxy(backends=(a_backend(stickiness="cookie"),)),
    "load_balancer/sticky-source": _haproxy(backends=(a_backend(stickiness="source"),)),
    "load_balancer/checks": _haproxy(
        backends=(
            a_backend(
                check=HttpCheck(path="/alive", status=204, method="HEAD", host="app.lab.internal"),
                servers=some_servers(2, inter_ms=3000, fall=3, rise=2),
            ),
            a_backend(name="tcp_back", servers=some_servers(1, check=False), check=TcpCheck()),
        )
    ),
    "load_balancer/other-ports": _haproxy(
        tls=Tls(certificate_path="/etc/haproxy/certs/site.pem"),
        http_port=8000,
        https_port=8443,
        stats=Stats(port=9000, uri="/status", refresh_s=5, login=LOGIN, prometheus=False),
        error_pages=(ErrorPage(code=502, html="<p>Retour dans un instant é</p>\n"),),
        acls=(Acl(name="is_mine", path_beg=("/mine",), src=(LAB,)),),
        routes=(Route(backend="http_back", acls=("is_mine",)),),
    ),
    "load_balancer/nginx": Case(
        plan=lambda: load_balancer_plan(
            a_pair(
                engine="nginx",
                tls=Tls(certificate_path=NGINX_CERTIFICATE),
                track_process=True,
                **the_course_routes(),
            ),
            LB1,
        ),
        keep=(),
    ),
    "load_balancer/nginx-course": _nginx(timers=TIMERS["course"]),
    "load_balancer/nginx-weighted": _nginx(backends=(weighted(),)),
    "load_balancer/nginx-source": _nginx(
        backends=(a_backend(stickiness="source", servers=some_servers(backup=False)),)
    ),
    "load_balancer/nginx-uri": _nginx(
        backends=(a_backend(algorithm="uri", servers=some_servers(2)),)
    ),
    "load_balancer/nginx-cookie": _nginx(
        backends=(
            a_backend(stickiness="cookie", servers=some_servers(backup=False)),
            a_backend(name="api_back", algorithm="leastconn", servers=some_servers(2, 3000)),
        ),
    ),
    "load_balancer/nginx-other-ports": _nginx(
        tls=Tls(certificate_path=NGINX_CERTIFICATE),
        http_port=8000,
        https_port=8443,
        stats=Stats(port=9000, uri="/status", refresh_s=5, login=LOGIN, prometheus=False),
        error_pages=(ErrorPage(code=502, html="<p>Retour dans un instant é</p>\n"),),
        acls=(Acl(name="is_mine", path_beg=("/mine",), src=(LAB,)),),
        routes=(Route(backend="http_back", acls=("is_mine",)),),
    ),
    "app_server/demo": Case(plan=lambda: app_server_plan(AppServerArgs(name="app1")), keep=()),
    "app_server/own": Case(
        plan=lambda: app_server_plan(
            AppServerArgs(
                name="app1",
                application=OwnApplication(
                    packages={"debian": ("myapp",)}, unit="myapp.service", port=9090
                ),
            )
        ),
        keep=(),
    ),
    "load_balancer/databases": _haproxy(tcp_services=the_database_services()),
    "load_balancer/databases-course": _haproxy(
        tcp_services=the_database_services(), timers=TIMERS["course"]
    ),
    "database/postgresql": Case(
        plan=lambda: postgresql_plan(the_databases(), PostgresqlArgs(), DB1),
        keep=(),
        is_tried=False,
    ),
    "database/postgresql-in-cluster": Case(
        plan=lambda: postgresql_plan(the_databases(), PostgresqlArgs(failover="pacemaker"), DB1),
        keep=("in-cluster.conf",),
        is_tried=False,
    ),
    "database/postgresql-alone": Case(
        plan=lambda: postgresql_plan(the_databases(nodes=(DB1,)), PostgresqlArgs(), DB1),
        keep=("ha-lab-replication.conf", "pg_hba.conf"),
        is_tried=False,
    ),
    "database/postgresql-asynchronous": Case(
        plan=lambda: postgresql_plan(
            the_databases(replication=TIMERS["course"].replication),
            PostgresqlArgs(synchronous=False, max_slot_wal_mib=256),
            DB2,
        ),
        keep=("ha-lab-replication.conf",),
        is_tried=False,
    ),
    "database/postgresql-passwords": Case(
        plan=lambda: passwords_plan(PostgresqlArgs(), replication="r3pl", application="4pp"),
        keep=(),
        is_tried=False,
    ),
    "database/mariadb": Case(
        plan=lambda: mariadb_plan(the_databases(), MariadbArgs(), DB1), keep=(), is_tried=False
    ),
    "database/mariadb-course": Case(
        plan=lambda: mariadb_plan(
            the_databases(replication=TIMERS["course"].replication),
            MariadbArgs(binlog_days=2),
            DB2,
        ),
        keep=("99-ha-lab.cnf",),
        is_tried=False,
    ),
    "database/mariadb-passwords": Case(
        plan=lambda: mariadb_passwords_plan(replication="r3pl", application="4pp"),
        keep=(),
        is_tried=False,
    ),
    "database/roles-of-both": Case(
        plan=lambda: role_plan(the_databases(mariadb=MariadbArgs(synchronous=False)), DB2),
        keep=("database.json",),
        is_tried=False,
    ),
    "database/roles": Case(
        plan=lambda: role_plan(the_databases(), DB1),
        keep=("database.json", "ha-lab-database.service", "lab-database", "ha-lab.conf"),
        is_tried=False,
    ),
    "app_server/uploads": Case(
        plan=lambda: app_server_plan(AppServerArgs(name="app1", uploads_socket=UPLOADS_SOCKET)),
        keep=("nginx.conf",),
    ),
    "storage/server": Case(
        plan=lambda: server_plan(the_storage(device="/dev/vdb"), the_storage().servers[0]),
        keep=("storage.json", "glusterd.vol", "ha-lab.conf", "data.mount", "storage-tool"),
        is_tried=False,
    ),
    "storage/volumes": Case(
        plan=lambda: volumes_plan(the_storage(), ["one", "two", "three"]),
        keep=(),
        is_tried=False,
    ),
    "storage/volumes-course": Case(
        plan=lambda: volumes_plan(
            the_storage(
                timers=TIMERS["course"].gluster,
                volumes=(
                    Volume(
                        name="gv0",
                        clients=APPS,
                        arbiter=True,
                        options={"performance.cache-size": "64MB", "network.ping-timeout": "20"},
                    ),
                ),
            ),
            ["one", "two", "three"],
        ),
        keep=(),
        is_tried=False,
    ),
    "storage/client": Case(
        plan=lambda: client_plan(the_storage(), APPS[0]),
        keep=(
            "mnt-gluster.mount",
            "ha-lab-storage-mounts.service",
            "ha-lab-uploads.conf",
            "ha-lab-uploads.service",
        ),
        is_tried=False,
    ),
    "firewall/storage": Case(plan=lambda: firewall_plan(storage_firewall(the_storage()), SOURCES)),
    "app_server/visits": Case(
        plan=lambda: app_server_plan(
            AppServerArgs(name="app1", application=DemoApplication(visits_port=8090))
        )
    ),
    "visits/postgresql": Case(
        plan=lambda: visits_plan(the_visits()),
        keep=("visits.json", "ha-lab-visits.service", "lab-visits", "ha-lab-visits.conf"),
        is_tried=False,
    ),
    "visits/mariadb": Case(
        plan=lambda: visits_plan(the_visits(engine="mariadb", port=3306)),
        keep=("visits.json",),
        is_tried=False,
    ),
    "firewall/mariadb": Case(plan=lambda: firewall_plan(mariadb_firewall(MariadbArgs()), SOURCES)),
    "firewall/database": Case(
        plan=lambda: firewall_plan(
            [*role_firewall(the_databases()), *postgresql_firewall(PostgresqlArgs())], SOURCES
        )
    ),
    "firewall/load-balancer": Case(
        plan=lambda: firewall_plan(
            load_balancer_firewall(
                a_pair(tls=Tls(), backends=(a_backend(stickiness="source"),)), LB1
            ),
            SOURCES,
        )
    ),
    "firewall/nothing-declared": Case(plan=lambda: firewall_plan((), SOURCES)),
    **{name: Case(plan=plan, keep=keep) for name, (plan, keep) in PACEMAKER_PLANS.items()},
}
