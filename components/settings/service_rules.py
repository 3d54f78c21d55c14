"""What the settings of the services must not contradict: ports, weights, routes, files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from components import topology
from components.settings.models import Settings
from components.settings.rules import SEATS, Broken, Rule, names_with, near
from components.topology import Role, Seat

CLONE = Path(__file__).resolve().parent.parent.parent
COURSE_PORTS = {3000: "the course's API", 8081: "its static files", 8082: "its admin pages"}
"""What the course's web server serves beside its main port."""
PAIR_PORTS = {1024: "HAProxy's peers", 8405: "HAProxy's own health"}
RESERVED_BACKENDS = (
    "cluster_back",
    "http_back",
    "http_front",
    "load_balancers",
    "mariadb_read",
    "mariadb_write",
    "monitor",
    "postgresql_read",
    "postgresql_write",
    "stats",
)
"""Sections of haproxy.cfg that are there without being set."""
RESERVED_ACL = "is_cluster"
ERROR_PAGE_BYTES = 8192
"""HAProxy keeps an error page in one buffer of 16 KiB, with its headers."""


def listeners(settings: Settings, stack: str) -> Iterator[Broken]:
    """On no machine do two programs want one port."""
    del stack
    problems = {}
    for seat in topology.machine_seats(settings):
        taken = fixed_ports(settings, seat)
        for path, port in chosen_ports(settings, seat):
            if port in taken:
                problems[path] = f"{port} is also {taken[port]}; every listener needs its own port"
            taken.setdefault(port, path)
    yield from problems.items()


def fixed_ports(settings: Settings, seat: Seat) -> dict[int, str]:
    """Ports on this machine that are not for settings to choose, and whose they are."""
    host = settings.machines.hosts.get(seat.name)
    fixed = {host.port if host else 22: "SSH"}
    if Role.LOAD_BALANCER in seat.roles:
        fixed |= PAIR_PORTS
    if Role.APP in seat.roles and settings.app_server.application is None:
        fixed |= COURSE_PORTS
    return fixed


def chosen_ports(settings: Settings, seat: Seat) -> list[tuple[str, int]]:
    """Ports on this machine that settings choose, by their paths."""
    chosen = []
    if Role.LOAD_BALANCER in seat.roles:
        balancer = settings.load_balancer
        chosen += [
            ("loadBalancer.httpPort", balancer.http_port),
            ("loadBalancer.httpsPort", balancer.https_port),
            ("loadBalancer.stats.port", balancer.stats.port),
        ]
    if Role.APP in seat.roles:
        own = settings.app_server.application
        if own is not None:
            chosen.append(("appServer.application.port", own.port))
        else:
            chosen.append(("appServer.port", settings.app_server.port))
    return chosen


def app_names(settings: Settings, stack: str) -> Iterator[Broken]:
    """Weights and backups are of app servers."""
    del stack
    apps, balancer = names_with(settings, Role.APP), settings.load_balancer
    for name in sorted(set(balancer.weights) - set(apps)):
        yield f"loadBalancer.weights.{name}", f"is no app server{near(name, apps)}"
    for index, name in enumerate(balancer.backup or ()):
        if name not in apps:
            yield f"loadBalancer.backup.{index}", f"{name!r} is no app server{near(name, apps)}"


def shares(settings: Settings, stack: str) -> Iterator[Broken]:
    """One app server at least gets requests."""
    del stack
    apps, weights = names_with(settings, Role.APP), settings.load_balancer.weights
    backup = backup_names(settings, apps)
    serving = [name for name in apps if name not in backup]
    if not serving:
        yield "loadBalancer.backup", "names every app server; at least one must not be a backup"
    elif all(weights.get(name, 1) == 0 for name in serving):
        which = ", ".join(serving)
        yield (
            "loadBalancer.weights",
            f"0 for every app server that is no backup ({which}); one must be 1 or more",
        )


def backup_names(settings: Settings, apps: list[str]) -> tuple[str, ...]:
    """The app servers that wait: as set, or the last of three or more."""
    chosen = settings.load_balancer.backup
    if chosen is not None:
        return chosen
    return tuple(apps[-1:]) if len(apps) >= 3 else ()


def backends(settings: Settings, stack: str) -> Iterator[Broken]:
    """Further back ends have names of their own, and app servers that listen on their port."""
    del stack
    apps, own = names_with(settings, Role.APP), settings.app_server.application
    served = {own.port} if own else {settings.app_server.port, *COURSE_PORTS}
    for name, spec in sorted(settings.load_balancer.backends.items()):
        path = f"loadBalancer.backends.{name}"
        if name in RESERVED_BACKENDS:
            yield path, f"{name!r} is a name of the lab's own in haproxy.cfg; choose another"
        for index, server in enumerate(spec.servers):
            if server not in apps:
                where = f"{path}.servers.{index}"
                yield where, f"{server!r} is no app server{near(server, apps)}"
        if spec.port not in served:
            ports = ", ".join(map(str, sorted(served)))
            why = f"no app server listens on {spec.port}, only on {ports}; correct it or remove"
            if own:
                why += " the back end (`backends: {}` and `routes: []` remove the course's)"
            else:
                why += " the back end"
            yield f"{path}.port", why


def acls(settings: Settings, stack: str) -> Iterator[Broken]:
    """Every ACL has a condition."""
    del stack
    for name, acl in sorted(settings.load_balancer.acls.items()):
        if name == RESERVED_ACL:
            yield f"loadBalancer.acls.{name}", f"{name!r} is the way to the cluster; rename yours"
        if not (acl.path_beg or acl.path_end or acl.src or acl.internal):
            why = "has no condition: give pathBeg, pathEnd, src or internal"
            yield f"loadBalancer.acls.{name}", why


def routes(settings: Settings, stack: str) -> Iterator[Broken]:
    """Every route names ACLs and a back end that are there."""
    del stack
    balancer = settings.load_balancer
    own = "routes" in balancer.model_fields_set
    hint = "" if own else " (it is the course's route: give loadBalancer.routes too)"
    for index, route in enumerate(balancer.routes):
        path = f"loadBalancer.routes.{index}"
        if route.backend not in balancer.backends:
            known = near(route.backend, balancer.backends) + hint
            yield f"{path}.backend", f"{route.backend!r} is not in loadBalancer.backends{known}"
        for number, name in enumerate(route.acls):
            if name not in balancer.acls:
                known = near(name, balancer.acls) + hint
                yield f"{path}.acls.{number}", f"{name!r} is not in loadBalancer.acls{known}"


def files(settings: Settings, stack: str) -> Iterator[Broken]:
    """The files of this host that the settings name can be used: the only rule that reads any."""
    del stack
    for code, name in sorted(settings.load_balancer.error_files.items()):
        for problem in error_page_problems(name):
            yield f"loadBalancer.errorFiles.{code}", problem
    certificate = settings.load_balancer.tls.certificate_file
    for problem in certificate_problems(certificate) if certificate else ():
        yield "loadBalancer.tls.certificateFile", problem


def error_page_problems(name: str) -> Iterator[str]:
    """What is wrong with this file as an error page."""
    try:
        size = len(read_local_file(name).encode())
    except (OSError, UnicodeDecodeError) as error:
        yield _unreadable(name, error, "an HTML file")
        return
    if size > ERROR_PAGE_BYTES:
        why = f"has {size} bytes, at most {ERROR_PAGE_BYTES} fit in HAProxy's buffer"
        yield f"{name} {why}; shorten it or link its images"


def certificate_problems(name: str) -> Iterator[str]:
    """What is wrong with this file as HAProxy's certificate."""
    try:
        text = read_local_file(name)
    except (OSError, UnicodeDecodeError) as error:
        yield _unreadable(name, error, "a PEM file")
        return
    for part in ("CERTIFICATE", "PRIVATE KEY"):
        if f"{part}-----" not in text:
            why = "expected one PEM file with certificate, chain and private key"
            yield f"{name} has no {part} block; {why}"


def _unreadable(name: str, error: Exception, expected: str) -> str:
    reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
    return f"cannot read {name}: {reason}; expected {expected}, a relative name from the clone on"


def read_local_file(name: str) -> str:
    """The text of a file that the settings name. Raises OSError or UnicodeDecodeError."""
    return local_file(name).read_text(encoding="utf-8")


def local_file(name: str) -> Path:
    """A file that the settings name: `~` is the home, other relative names begin at the clone."""
    return CLONE / Path(name).expanduser()


SERVICE_RULES = (
    Rule(
        listeners,
        (
            *SEATS,
            "machines.hosts.*",
            "loadBalancer.httpPort",
            "loadBalancer.httpsPort",
            "loadBalancer.stats.port",
            "appServer.*",
        ),
    ),
    Rule(app_names, (*SEATS, "loadBalancer.weights", "loadBalancer.backup")),
    Rule(shares, (*SEATS, "loadBalancer.weights.*", "loadBalancer.backup")),
    Rule(backends, (*SEATS, "loadBalancer.backends", "appServer.*")),
    Rule(acls, ("loadBalancer.acls.*",)),
    Rule(routes, ("loadBalancer.acls.*", "loadBalancer.backends.*", "loadBalancer.routes")),
    Rule(files, ("loadBalancer.errorFiles", "loadBalancer.tls")),
)
