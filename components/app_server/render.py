"""The app server's files and service plan. Pure."""

from __future__ import annotations

import hashlib
from pathlib import Path

from components.app_server.args import AppServerArgs, DemoApplication, OwnApplication
from components.files import STATE_DIR, RenderedFile, ServicePlan, ServiceUnit
from components.firewall import FirewallRule
from components.rendering import HEADER, Templates
from components.scripts import CHECK_HTTP_PATH, check_http_file

CONFIG_PATH = "/etc/nginx/nginx.conf"
UNIT = "nginx.service"
HEALTH_SCRIPT_PATH = "/usr/local/bin/lab-health"
UNHEALTHY_PATH = f"{STATE_DIR}/unhealthy"
"""While this file exists, `/health` answers 503."""
STATIC_DIR = "/var/www/ha-lab"
IN_EFFECT_LOCATION = "/ha-lab/configuration"
USER = "lab-web"

_SYSUSERS_PATH = "/etc/sysusers.d/ha-lab-app-server.conf"
_IMAGE_PATH = f"{STATIC_DIR}/static/lab.png"
_TEMPLATES_DIR = Path(__file__).parent / "templates"
_TEMPLATES = Templates(_TEMPLATES_DIR)


def app_server_files(args: AppServerArgs) -> tuple[RenderedFile, ...]:
    """Every file of the service, in the order in which it must be written.

    An application of the user's own gets the check script and nothing else.
    """
    if isinstance(args.application, OwnApplication):
        return (check_http_file(),)
    return (
        check_http_file(),
        RenderedFile(
            path=_SYSUSERS_PATH,
            # Debian and Red Hat have different users for nginx; one of our own fits both.
            content=f'# {HEADER}\nu {USER} - "ha-lab app server"\n',
            then=f"systemd-sysusers {_SYSUSERS_PATH}",
        ),
        RenderedFile(
            path=HEALTH_SCRIPT_PATH,
            content=_TEMPLATES.render("lab-health.j2", {"unhealthy_path": UNHEALTHY_PATH}),
            mode=0o755,
            validate="bash -n {staged}",
        ),
        RenderedFile(path=f"{STATIC_DIR}/static/lab.css", content=_text("lab.css")),
        RenderedFile(path=f"{STATIC_DIR}/static/lab.js", content=_text("lab.js")),
        RenderedFile(
            path=f"{STATIC_DIR}/lab.png.base64",
            content=_text("lab.png.base64"),
            validate="base64 -d {staged} >/dev/null",
            then=f"base64 -d {STATIC_DIR}/lab.png.base64 >{_IMAGE_PATH}",
        ),
        RenderedFile(
            path=CONFIG_PATH,
            content=nginx_conf(args, args.application),
            validate="nginx -t -q -c {staged}",
        ),
    )


def app_server_plan(args: AppServerArgs) -> ServicePlan:
    """The whole service on this machine."""
    application = args.application
    check = f"{CHECK_HTTP_PATH} 127.0.0.1 {application.port} {application.health_path}"
    if isinstance(application, OwnApplication):
        return ServicePlan(
            name="app_server",
            packages={"debian": (), "redhat": (), **application.packages},
            files=app_server_files(args),
            units=(ServiceUnit(name=application.unit),),
            checks=(check,),
        )
    # The switch is an exercise's: that somebody left it off is not a failure to configure.
    check = f"if test -e {UNHEALTHY_PATH}; then {check} 503; else {check}; fi"
    return ServicePlan(
        name="app_server",
        packages={"debian": ("nginx",), "redhat": ("nginx",)},
        files=app_server_files(args),
        units=(
            ServiceUnit(
                name=UNIT, reload_on=(CONFIG_PATH,), in_effect=in_effect_command(application)
            ),
        ),
        checks=(check,),
    )


def app_server_firewall(args: AppServerArgs) -> tuple[FirewallRule, ...]:
    """What must be able to reach this machine."""
    return tuple(
        FirewallRule(port=port, protocol="tcp", source=args.source, comment="app server")
        for port in args.application.ports
    )


def nginx_conf(args: AppServerArgs, application: DemoApplication) -> str:
    """The text of nginx.conf; a digest of it is what its own location answers on the machine."""
    digest = hashlib.sha256(_conf(args, application, "").encode()).hexdigest()
    return _conf(args, application, digest[:16])


def in_effect_command(application: DemoApplication) -> str:
    """Compares what the workers answer with what the file would have them answer."""
    url = f"http://127.0.0.1:{application.port}{IN_EFFECT_LOCATION}"
    wanted = f"grep -A3 -F '{IN_EFFECT_LOCATION} {{' {CONFIG_PATH} | grep -o '[0-9a-f]\\{{16\\}}'"
    return (
        f"runs=$(curl -s -m 10 {url}); wanted=$({wanted}); "
        'test "$runs" = "$wanted" || { '
        f'echo "it serves with configuration ${{runs:-none}}; {CONFIG_PATH} is $wanted"; false; }}'
    )


def _conf(args: AppServerArgs, application: DemoApplication, digest: str) -> str:
    return _TEMPLATES.render(
        "nginx.conf.j2",
        {
            "digest": digest,
            "in_effect_path": IN_EFFECT_LOCATION,
            "args": args,
            "app": application,
            "user": USER,
            "unhealthy_path": UNHEALTHY_PATH,
            "static_dir": STATIC_DIR,
        },
    )


def _text(name: str) -> str:
    return (_TEMPLATES_DIR / name).read_text(encoding="utf-8")
