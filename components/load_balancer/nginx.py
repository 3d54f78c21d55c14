"""nginx's files as load balancer: its configuration, unit, scripts, error pages. Pure.

An instance of its own beside the distribution's `nginx.service`, which may be an app server on the
same machine: its unit, configuration, process name, temporary files and user are apart.
"""

from __future__ import annotations

import json
from pathlib import Path

from components.files import LIB_DIR, RenderedFile, ServiceUnit
from components.load_balancer.args import MONITOR_URI, LoadBalancerArgs, Peer
from components.load_balancer.error_pages import error_html
from components.load_balancer.nginx_limits import STUB_URI, must_suit_nginx
from components.load_balancer.nginx_routing import conditions, routes
from components.load_balancer.nginx_upstreams import (
    COOKIE_NAME,
    cookie_groups,
    groups,
    served_by,
)
from components.rendering import HEADER, Templates

FOLDER = "/etc/ha-lab-nginx-lb"
CONFIG_PATH = f"{FOLDER}/nginx.conf"
CERTIFICATE_PATH = f"{FOLDER}/certs/site.pem"
ERRORS_DIR = f"{FOLDER}/errors"
SERVERS_PATH = f"{FOLDER}/servers.json"
STATUS_PAGE = f"{FOLDER}/status.html"
USERS_PATH = f"{FOLDER}/users"
TEMP_DIR = "/var/lib/ha-lab-nginx-lb"
UNIT = "ha-lab-nginx-lb.service"
USER = "lab-proxy"
PROCESS = "nginx-lb"
"""Name of its processes, as the kernel knows them: that of the link it is started by."""
PROGRAM = f"{LIB_DIR}/{PROCESS}"
RELOAD_PATH = f"{LIB_DIR}/nginx-lb-reload"
LOOK_PATH = f"{LIB_DIR}/nginx-lb-servers"
PID_PATH = "/run/ha-lab-nginx-lb/nginx.pid"
ERRORS_URI = "/.ha-lab-errors/"
LOG = "syslog:server=unix:/dev/log,nohostname,tag=nginx_lb"
"""To the journal, as HAProxy's; the package's log rotation knows nothing of a second nginx."""

_SYSUSERS_PATH = "/etc/sysusers.d/ha-lab-nginx-lb.conf"
_TMPFILES_PATH = "/etc/tmpfiles.d/ha-lab-nginx-lb.conf"
_TEMPLATES_DIR = Path(__file__).parent / "templates"
_TEMPLATES = Templates(_TEMPLATES_DIR)
_OPTIONS = f"-e stderr -p {FOLDER}"
_UNIT_FILE = f"""# {HEADER}
[Unit]
Description=nginx as the lab's load balancer
After=network.target
StartLimitIntervalSec=0

[Service]
Type=forking
PIDFile={PID_PATH}
ExecStartPre=/bin/ln -sfn /usr/sbin/nginx {PROGRAM}
ExecStart={PROGRAM} {_OPTIONS} -c {CONFIG_PATH}
ExecReload={RELOAD_PATH} $MAINPID
KillMode=mixed
TimeoutStopSec=5
Restart=always
RestartSec=100ms

[Install]
WantedBy=multi-user.target
"""


def nginx_files(args: LoadBalancerArgs, node: Peer) -> tuple[RenderedFile, ...]:
    """What nginx needs on this machine, in the order in which it must be written.

    ValueError for what open-source nginx cannot do.
    """
    must_suit_nginx(args)
    return (
        RenderedFile(
            path=_SYSUSERS_PATH,
            content=f'# {HEADER}\nu {USER} - "ha-lab load balancer"\n',
            then=f"systemd-sysusers {_SYSUSERS_PATH}",
        ),
        RenderedFile(
            path=_TMPFILES_PATH,
            # nginx makes its pid file also when it only tests a configuration.
            content=(
                f"# {HEADER}\nd {Path(PID_PATH).parent} 0755 root root\n"
                f"d {TEMP_DIR} 0755 root root\n"
            ),
            then=f"systemd-tmpfiles --create {_TMPFILES_PATH}",
        ),
        RenderedFile(
            path=RELOAD_PATH,
            content=_text("nginx-lb-reload"),
            mode=0o755,
            validate="bash -n {staged}",
        ),
        RenderedFile(path=LOOK_PATH, content=_text("nginx-lb-servers"), mode=0o755),
        RenderedFile(path=f"/etc/systemd/system/{UNIT}", content=_UNIT_FILE),
        *(
            RenderedFile(path=error_page_path(page.code), content=error_html(page, node))
            for page in args.error_pages
        ),
        *_status_files(args, node),
        RenderedFile(
            path=CONFIG_PATH,
            content=nginx_conf(args, node),
            validate=f"nginx -t -q {_OPTIONS} -c {{staged}}",
        ),
    )


def nginx_unit(_args: LoadBalancerArgs) -> ServiceUnit:
    """nginx takes its configuration up by a reload; pages it reads when they are asked for."""
    return ServiceUnit(name=UNIT, reload_on=(CONFIG_PATH,), restart_on=())


def nginx_idle_units(node: Peer) -> tuple[ServiceUnit, ...]:
    """The package's own service, where it is no app server: its default site wants port 80."""
    return () if node.web_server else (ServiceUnit(name="nginx.service", running=False),)


def nginx_conf(args: LoadBalancerArgs, node: Peer) -> str:
    """The text of nginx.conf on this machine."""
    found = conditions(args.acls)
    return _TEMPLATES.render(
        "nginx-lb.conf.j2",
        {
            "args": args,
            "node": node,
            "timers": args.timers.haproxy,
            "user": USER,
            "pid_path": PID_PATH,
            "temp_dir": TEMP_DIR,
            "log": LOG,
            "connections": 2 * args.max_connections + 64,
            "conditions": found,
            "routes": routes(args, found),
            "groups": groups(args),
            "cookies": cookie_groups(args),
            "cookie_name": COOKIE_NAME,
            "served": served_by(args),
            "sticky": [b.name for b in args.backends if b.stickiness == "cookie"],
            "https_port": "" if args.https_port == 443 else f":{args.https_port}",
            "error_pages": error_answers(args),
            "errors_uri": ERRORS_URI,
            "errors_dir": ERRORS_DIR,
            "monitor_uri": MONITOR_URI,
            "status_page": STATUS_PAGE,
            "stub_uri": STUB_URI,
            "users_path": USERS_PATH,
        },
    )


def error_page_path(code: int) -> str:
    """Where the page for this status lies."""
    return f"{ERRORS_DIR}/{code}.html"


def error_answers(args: LoadBalancerArgs) -> list[tuple[int, str]]:
    """What nginx answers when it fails by itself: status, and page or status and page.

    Where no server can be reached, nginx says 502 and HAProxy 503. Clients get the same from both,
    unless the lab has a page of its own for 502.
    """
    codes = [page.code for page in args.error_pages]
    pages = [(int(code), f"{ERRORS_URI}{code}.html") for code in codes]
    if 503 in codes and 502 not in codes:
        pages.append((502, f"=503 {ERRORS_URI}503.html"))
    return pages


def _status_files(args: LoadBalancerArgs, node: Peer) -> tuple[RenderedFile, ...]:
    """The status page, what it is about as data, and who may see it."""
    rows = [
        {
            "backend": backend.name,
            "name": server.name,
            "address": str(server.address),
            "port": server.port,
            "weight": server.weight,
            "backup": server.backup,
        }
        for backend in args.backends
        for server in backend.servers
    ]
    values = {"args": args, "node": node, "rows": rows, "stub_uri": STUB_URI}
    page = _TEMPLATES.render("nginx-lb-status.html.j2", values)
    files = (
        RenderedFile(path=SERVERS_PATH, content=json.dumps(rows, indent=1) + "\n"),
        RenderedFile(path=STATUS_PAGE, content=page),
    )
    login = args.stats.login
    if login is None:
        return files
    users = f"{login.user}:{login.password_hash}\n"
    return (*files, RenderedFile(path=USERS_PATH, content=users, mode=0o640, group=USER))


def _text(name: str) -> str:
    return (_TEMPLATES_DIR / name).read_text(encoding="utf-8")
