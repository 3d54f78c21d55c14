"""HAProxy's files: haproxy.cfg, error pages, the unit's drop-in. Pure."""

from __future__ import annotations

import hashlib
from http import HTTPStatus
from pathlib import Path

from components.files import LIB_DIR, RenderedFile, ServiceUnit
from components.load_balancer.args import MONITOR_URI, LoadBalancerArgs, Peer
from components.load_balancer.backends import Backend, HttpCheck, Server, TcpServer, TcpService
from components.load_balancer.error_pages import error_html
from components.load_balancer.frontends import Acl, ErrorPage
from components.rendering import HEADER, Templates
from components.timers import HaproxyTimers

CONFIG_PATH = "/etc/haproxy/haproxy.cfg"
UNIT = "haproxy.service"
SAVE_STATE_PATH = f"{LIB_DIR}/haproxy-server-state"
IN_EFFECT_PATH = f"{LIB_DIR}/haproxy-in-effect"
CERTIFICATE_PATH = "/etc/haproxy/certs/site.pem"
COOKIE_NAME = "LAB_SERVER"

_TEMPLATES_DIR = Path(__file__).parent / "templates"
_TEMPLATES = Templates(_TEMPLATES_DIR)
_DROP_IN = f"""# {HEADER}
[Unit]
StartLimitIntervalSec=0

[Service]
Restart=always
RestartSec=100ms
# Gone after a stop: a state saved before it must not be believed at the next start.
RuntimeDirectory=haproxy
RuntimeDirectoryMode=0755
ExecStartPre=-{SAVE_STATE_PATH} --start
ExecReload=
ExecReload=/usr/sbin/haproxy -c -q -f {CONFIG_PATH}
ExecReload=-{SAVE_STATE_PATH}
ExecReload=/bin/kill -USR2 $MAINPID
"""


def haproxy_files(args: LoadBalancerArgs, node: Peer) -> tuple[RenderedFile, ...]:
    """What HAProxy needs on this machine, in the order in which it must be written."""
    return (
        _program(SAVE_STATE_PATH),
        _program(IN_EFFECT_PATH),
        *(_error_page(page, node) for page in args.error_pages),
        RenderedFile(
            path=f"/etc/systemd/system/{UNIT}.d/ha-lab.conf",
            content=_DROP_IN,
        ),
        RenderedFile(
            path=CONFIG_PATH,
            content=haproxy_cfg(args, node),
            mode=0o600 if args.stats.login else 0o644,
            validate="haproxy -c -f {staged}",
        ),
    )


def haproxy_unit(args: LoadBalancerArgs) -> ServiceUnit:
    """HAProxy takes everything up by a reload, in which no connection is lost."""
    pages = tuple(error_page_path(page.code) for page in args.error_pages)
    return ServiceUnit(name=UNIT, reload_on=(CONFIG_PATH, *pages), in_effect=IN_EFFECT_PATH)


def haproxy_cfg(args: LoadBalancerArgs, node: Peer) -> str:
    """The text of haproxy.cfg on this machine.

    Its `description` is a digest of all that a worker reads at its start but the certificate, so
    that the worker can be asked which configuration it runs with.
    """
    pages = [_error_page(page, node).content for page in args.error_pages]
    digest = hashlib.sha256("".join([_cfg(args, node, ""), *pages]).encode()).hexdigest()
    return _cfg(args, node, digest[:16])


def _cfg(args: LoadBalancerArgs, node: Peer, digest: str) -> str:
    return _TEMPLATES.render(
        "haproxy.cfg.j2",
        {
            "digest": digest,
            "args": args,
            "node": node,
            "timers": args.timers.haproxy,
            "server_defaults": server_defaults(args.timers.haproxy),
            "monitor_uri": MONITOR_URI,
            "cookie_name": COOKIE_NAME,
            "redirect": _redirect(args),
            "acl_lines": [line for acl in args.acls for line in acl_lines(acl)],
            "route_lines": route_lines(args),
            "check_lines": check_lines,
            "server_line": server_line,
            "error_page_path": error_page_path,
            "role_defaults": role_defaults(args.timers.haproxy),
            "role_server_line": role_server_line,
        },
    )


def error_page_path(code: int) -> str:
    """Where the page for this status lies; the package's own pages stay what they are."""
    return f"/etc/haproxy/errors/ha-lab-{code}.http"


def server_defaults(timers: HaproxyTimers) -> str:
    """The parameters that every server has."""
    words = [f"inter {timers.inter_ms}ms"]
    if timers.fastinter_ms:
        words.append(f"fastinter {timers.fastinter_ms}ms")
    if timers.downinter_ms:
        words.append(f"downinter {timers.downinter_ms}ms")
    words.append(f"fall {timers.fall} rise {timers.rise}")
    if timers.observe_errors:
        # layer4: answers of 5xx do not count, or one bad URL would take every server down.
        words.append(f"observe layer4 error-limit {timers.observe_errors} on-error mark-down")
    if timers.tcp_user_timeout_ms:
        words.append(f"tcp-ut {timers.tcp_user_timeout_ms}ms")
    return " ".join(words)


def role_defaults(timers: HaproxyTimers) -> str:
    """The parameters of servers that are chosen by their role: one good answer is enough, and one
    that has lost it keeps no connection."""
    ordinary = server_defaults(timers).replace(f"rise {timers.rise}", "rise 1")
    return f"{ordinary} on-marked-down shutdown-sessions"


def role_server_line(service: TcpService, server: TcpServer) -> str:
    """One `server` line of a service by role."""
    words = [f"server {server.name} {server.address}:{service.server_port}"]
    if server.instead is not None:
        words.append(f"backup track {server.instead}")
    else:
        words.append(f"check port {service.check_port}")
    return " ".join(words)


def check_lines(backend: Backend) -> tuple[str, ...]:
    """How the servers of this back end are checked."""
    check = backend.check
    if not isinstance(check, HttpCheck):
        return ("option tcp-check",)
    send = f"http-check send meth {check.method} uri {check.path}"
    if check.host is not None:
        send += f" ver HTTP/1.1 hdr Host {check.host}"
    return ("option httpchk", send, f"http-check expect status {check.status}")


def server_line(backend: Backend, server: Server) -> str:
    """One `server` line."""
    words = [f"server {server.name} {server.address}:{server.port}"]
    if any(other.weight != 1 for other in backend.servers):
        words.append(f"weight {server.weight}")
    if backend.stickiness == "cookie":
        words.append(f"cookie {server.name}")
    if server.check:
        words.append("check")
    if server.inter_ms is not None:
        words.append(f"inter {server.inter_ms}ms")
    if server.fall is not None:
        words.append(f"fall {server.fall}")
    if server.rise is not None:
        words.append(f"rise {server.rise}")
    if server.backup:
        words.append("backup")
    return " ".join(words)


def acl_lines(acl: Acl) -> tuple[str, ...]:
    """One line per field. HAProxy ORs lines of one name, so several fields get several names."""
    conditions = _conditions(acl)
    names = acl_names(acl)
    return tuple(
        f"acl {name} {kind} {' '.join(values)}"
        for name, (kind, values) in zip(names, conditions, strict=True)
    )


def acl_names(acl: Acl) -> tuple[str, ...]:
    """The names whose conjunction is this ACL."""
    kinds = [kind for kind, _ in _conditions(acl)]
    return (acl.name,) if len(kinds) == 1 else tuple(f"{acl.name}.{kind}" for kind in kinds)


def route_lines(args: LoadBalancerArgs) -> tuple[str, ...]:
    """One `use_backend` line per route."""
    names = {acl.name: " ".join(acl_names(acl)) for acl in args.acls}
    return tuple(
        f"use_backend {route.backend} if {' '.join(names[acl] for acl in route.acls)}"
        for route in args.routes
    )


def _conditions(acl: Acl) -> tuple[tuple[str, tuple[str, ...]], ...]:
    every = (
        ("path_beg", acl.path_beg),
        ("path_end", acl.path_end),
        ("src", tuple(str(network) for network in acl.src)),
    )
    return tuple((kind, values) for kind, values in every if values)


def _redirect(args: LoadBalancerArgs) -> str:
    if (args.http_port, args.https_port) == (80, 443):
        return "scheme https"
    # `scheme` keeps the port of the request, which would be the plain one.
    port = "" if args.https_port == 443 else f":{args.https_port}"
    return f"location https://%[req.hdr(host),field(1,:)]{port}%[capture.req.uri]"


def _program(path: str) -> RenderedFile:
    content = (_TEMPLATES_DIR / Path(path).name).read_text(encoding="utf-8")
    return RenderedFile(path=path, content=content, mode=0o755)


def _error_page(page: ErrorPage, node: Peer) -> RenderedFile:
    html = error_html(page, node)
    head = (
        f"HTTP/1.1 {page.code} {HTTPStatus(page.code).phrase}\r\n"
        "Cache-Control: no-cache\r\n"
        "Content-Type: text/html; charset=utf-8\r\n"
        f"Content-Length: {len(html.encode())}\r\n"
        "\r\n"
    )
    return RenderedFile(path=error_page_path(page.code), content=head + html)
