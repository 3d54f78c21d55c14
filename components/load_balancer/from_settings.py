"""The load balancer's args from settings and topology. Pure."""

from __future__ import annotations

from components.load_balancer.args import (
    Acl,
    Backend,
    ErrorCode,
    ErrorPage,
    HttpCheck,
    LoadBalancerArgs,
    Peer,
    Route,
    Server,
    Stats,
    TcpCheck,
    Tls,
)
from components.settings.models import BackendSettings, CheckSettings, Settings
from components.settings.service_rules import read_local_file
from components.timers import timers_named
from components.topology import Machine, Role, Topology

DEFAULT_BACKEND = "http_back"


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
        peers=tuple(Peer(name=m.name, address=m.address) for m in machines),
        backends=backends(settings, topology),
        default_backend=DEFAULT_BACKEND,
        timers=timers_named(settings.timers),
        acls=acls(settings, topology),
        routes=tuple(Route(backend=r.backend, acls=r.acls) for r in balancer.routes),
        tls=Tls(redirect=balancer.tls.redirect),
        http_port=balancer.http_port,
        https_port=balancer.https_port,
        stats=Stats(
            port=balancer.stats.port,
            refresh_s=balancer.stats.refresh_s,
            allowed=topology.management,
        ),
        error_pages=error_pages(settings),
        max_connections=balancer.max_connections,
        # The rig's machines share the host's kernel: its process events are not theirs to hear.
        track_process=settings.machines.provider == "libvirt",
    )


def backends(settings: Settings, topology: Topology) -> tuple[Backend, ...]:
    """The course's `http_back`, then the further ones in the order of their names."""
    apps = topology.with_role(Role.APP)
    further = sorted(settings.load_balancer.backends.items())
    return (
        _main_backend(settings, apps),
        *(_further_backend(name, spec, apps) for name, spec in further),
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


def _check(check: CheckSettings) -> HttpCheck | TcpCheck:
    if check.kind == "tcp":
        return TcpCheck()
    return HttpCheck(path=check.path, status=check.status)


def acls(settings: Settings, topology: Topology) -> tuple[Acl, ...]:
    """The named conditions; `internal` means the lab's own network."""
    return tuple(
        Acl(
            name=name,
            path_beg=acl.path_beg,
            path_end=acl.path_end,
            src=(*acl.src, *((topology.network,) if acl.internal else ())),
        )
        for name, acl in sorted(settings.load_balancer.acls.items())
    )


def error_pages(settings: Settings) -> tuple[ErrorPage, ...]:
    """The user's own pages, and the lab's short ones for the two that the course configures."""
    own = settings.load_balancer.error_files
    codes: list[ErrorCode] = sorted({400, 503, *own})
    return tuple(
        ErrorPage(code=code, html=read_local_file(own[code]) if code in own else None)
        for code in codes
    )
