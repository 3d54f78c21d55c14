"""The load balancer's args from settings and topology. Pure."""

from __future__ import annotations

from components.database.args import DatabaseArgs
from components.database.from_settings import database_args
from components.load_balancer.args import LoadBalancerArgs, Peer
from components.load_balancer.backends import (
    Backend,
    HttpCheck,
    Server,
    TcpCheck,
    TcpServer,
    TcpService,
)
from components.load_balancer.engine import ENGINES
from components.load_balancer.frontends import Acl, ErrorCode, ErrorPage, Route, Stats, Tls
from components.pacemaker.from_settings import has_web_server
from components.pacemaker.web import PATH as WEB_PATH
from components.pacemaker.web import PORT as WEB_PORT
from components.settings.database_rules import chosen
from components.settings.models import BackendSettings, CheckSettings, Settings
from components.settings.service_rules import read_local_file
from components.timers import timers_named
from components.topology import Machine, Role, Topology

DEFAULT_BACKEND = "http_back"
CLUSTER_BACKEND, CLUSTER_ACL = "cluster_back", "is_cluster"


def load_balancer_args(settings: Settings, topology: Topology) -> LoadBalancerArgs:
    """What the pair of this lab is to be."""
    balancer = settings.load_balancer
    machines = topology.with_role(Role.LOAD_BALANCER)
    return LoadBalancerArgs(
        engine=balancer.engine,
        vip=topology.vip,
        prefix=topology.network.prefixlen,
        vrid=topology.vrid,
        interface=settings.network.interface,
        peers=tuple(
            Peer(name=m.name, address=m.address, web_server=runs_nginx(settings, m))
            for m in machines
        ),
        backends=backends(settings, topology),
        default_backend=DEFAULT_BACKEND,
        timers=timers_named(settings.timers),
        acls=acls(settings, topology),
        routes=routes(settings, topology),
        tls=Tls(
            certificate_path=ENGINES[balancer.engine].certificate_path,
            redirect=balancer.tls.redirect,
        ),
        http_port=balancer.http_port,
        https_port=balancer.https_port,
        stats=Stats(
            port=balancer.stats.port,
            refresh_s=balancer.stats.refresh_s,
            allowed=topology.management,
        ),
        error_pages=error_pages(settings),
        tcp_services=database_services(settings, topology),
        max_connections=balancer.max_connections,
        # The rig's machines share the host's kernel: its process events are not theirs to hear.
        track_process=settings.machines.provider == "libvirt",
    )


def runs_nginx(settings: Settings, machine: Machine) -> bool:
    """Whether the distribution's nginx is an app server on this machine."""
    own = settings.app_server.application
    is_nginx = own is None or own.unit.removesuffix(".service") == "nginx"
    return Role.APP in machine.roles and is_nginx


def database_services(settings: Settings, topology: Topology) -> tuple[TcpService, ...]:
    """The databases' endpoints: write to the primary, read from a replica or else the primary."""
    databases = database_args(settings, topology)
    if databases is None:
        return ()
    servers = {
        engine: own.port
        for engine, own in (("mariadb", databases.mariadb), ("postgresql", databases.postgresql))
        if own is not None
    }
    return tuple(
        service
        for engine, own in chosen(settings).items()
        for service in engine_services(
            databases, engine, servers[engine], (own.write_port, own.read_port)
        )
    )


def engine_services(
    databases: DatabaseArgs, engine: str, server_port: int, ports: tuple[int, int]
) -> tuple[TcpService, ...]:
    """The two endpoints of one engine."""
    writers = tuple(TcpServer(name=n.name, address=n.address) for n in databases.nodes)
    instead = tuple(
        TcpServer(name=f"{n.name}-primary", address=n.address, instead=f"{engine}_write/{n.name}")
        for n in databases.nodes
    )
    return tuple(
        TcpService(
            name=f"{engine}_{what}",
            port=port,
            server_port=server_port,
            servers=servers,
            check_port=databases.role_port,
            check_path=f"/{engine}/{role}",
            one_at_a_time=what == "write",
        )
        for what, role, port, servers in (
            ("write", "primary", ports[0], writers),
            ("read", "replica", ports[1], (*writers, *instead)),
        )
    )


def backends(settings: Settings, topology: Topology) -> tuple[Backend, ...]:
    """The course's `http_back`, then the further ones in the order of their names."""
    apps = topology.with_role(Role.APP)
    further = sorted(settings.load_balancer.backends.items())
    return (
        _main_backend(settings, apps),
        *(_further_backend(name, spec, apps) for name, spec in further),
        *((_cluster_backend(topology),) if has_web_server(settings, topology) else ()),
    )


def _main_backend(settings: Settings, apps: tuple[Machine, ...]) -> Backend:
    balancer, application = settings.load_balancer, settings.app_server.application
    port = application.port if application else settings.app_server.port
    check = balancer.check
    if application and check == CheckSettings():
        check = CheckSettings(path=application.health_path)
    backup = backup_names(settings, apps)
    return Backend(
        name=DEFAULT_BACKEND,
        algorithm=balancer.algorithm,
        stickiness=balancer.stickiness,
        check=_check(check),
        servers=tuple(
            Server(
                name=app.name,
                address=app.address,
                port=port,
                weight=balancer.weights.get(app.name, 1),
                backup=app.name in backup,
            )
            for app in apps
        ),
    )


def backup_names(settings: Settings, apps: tuple[Machine, ...]) -> tuple[str, ...]:
    """The app servers that wait: as set, or like the course the last of three or more."""
    chosen = settings.load_balancer.backup
    if chosen is not None:
        return chosen
    return (apps[-1].name,) if len(apps) >= 3 else ()


def _further_backend(name: str, spec: BackendSettings, apps: tuple[Machine, ...]) -> Backend:
    chosen = [app for app in apps if not spec.servers or app.name in spec.servers]
    return Backend(
        name=name,
        algorithm=spec.algorithm,
        check=_check(spec.check),
        servers=tuple(Server(name=a.name, address=a.address, port=spec.port) for a in chosen),
    )


def _cluster_backend(topology: Topology) -> Backend:
    """The cluster's web server: one address, wherever it runs at the moment."""
    server = Server(name="cluster_vip", address=topology.cluster_vip, port=WEB_PORT)
    return Backend(name=CLUSTER_BACKEND, servers=(server,))


def _check(check: CheckSettings) -> HttpCheck | TcpCheck:
    if check.kind == "tcp":
        return TcpCheck()
    return HttpCheck(path=check.path, status=check.status)


def acls(settings: Settings, topology: Topology) -> tuple[Acl, ...]:
    """The named conditions; `internal` means the lab's own network."""
    own = tuple(
        Acl(
            name=name,
            path_beg=acl.path_beg,
            path_end=acl.path_end,
            src=(*acl.src, *((topology.network,) if acl.internal else ())),
        )
        for name, acl in sorted(settings.load_balancer.acls.items())
    )
    to_cluster = Acl(name=CLUSTER_ACL, path_beg=(WEB_PATH,))
    return (*own, to_cluster) if has_web_server(settings, topology) else own


def routes(settings: Settings, topology: Topology) -> tuple[Route, ...]:
    """The settings' routes, and after them the way to the cluster's web server."""
    own = tuple(Route(backend=r.backend, acls=r.acls) for r in settings.load_balancer.routes)
    to_cluster = Route(backend=CLUSTER_BACKEND, acls=(CLUSTER_ACL,))
    return (*own, to_cluster) if has_web_server(settings, topology) else own


def error_pages(settings: Settings) -> tuple[ErrorPage, ...]:
    """The user's own pages, and the lab's short ones for the two that the course configures."""
    own = settings.load_balancer.error_files
    codes: list[ErrorCode] = sorted({400, 503, *own})
    return tuple(
        ErrorPage(code=code, html=read_local_file(own[code]) if code in own else None)
        for code in codes
    )
