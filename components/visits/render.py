"""The visits page's files and service plans. Pure."""

from __future__ import annotations

import json
from pathlib import Path

from components.files import LIB_DIR, Family, RenderedFile, ServicePlan, ServiceUnit
from components.rendering import HEADER, Templates
from components.visits.args import PATH, VisitsArgs, VisitsEngine

UNIT = "ha-lab-visits.service"
PROGRAM = f"{LIB_DIR}/lab-visits"
CONFIG_PATH = "/etc/ha-lab/visits.json"
PASSWORD_PATH = "/etc/ha-lab/visits.password"  # noqa: S105 - a file
USER = "lab-visits"
DRIVERS: dict[VisitsEngine, dict[Family, tuple[str, ...]]] = {
    "postgresql": {"debian": ("python3-psycopg2",), "redhat": ("python3-psycopg2",)},
    "mariadb": {"debian": ("python3-pymysql",), "redhat": ("python3-PyMySQL",)},
}
"""Packages of the driver, by engine."""

_SYSUSERS_PATH = "/etc/sysusers.d/ha-lab-visits.conf"
_UNIT_PATH = f"/etc/systemd/system/{UNIT}"
_GUEST = Path(__file__).parent / "guest"
_TEMPLATES = Templates(Path(__file__).parent / "templates")


def visits_password_plan(password: str) -> ServicePlan:
    """The password as a file that only root reads: a plan of its own, which alone is secret."""
    file = RenderedFile(
        path=PASSWORD_PATH,
        content=f"{password}\n",
        mode=0o600,
        # systemd hands it to the service when that starts; the first time there is none yet.
        then=f"if systemctl cat {UNIT} >/dev/null 2>&1; then systemctl try-restart {UNIT}; fi",
    )
    return ServicePlan(name="visits_password", files=(file,))


def visits_plan(args: VisitsArgs) -> ServicePlan:
    """The whole service on this machine; its password comes before."""
    files = visits_files(args)
    url = f"http://127.0.0.1:{args.listen_port}{PATH}"
    return ServicePlan(
        name="visits",
        packages=DRIVERS[args.engine],
        files=files,
        units=(ServiceUnit(name=UNIT, restart_on=tuple(file.path for file in files)),),
        # That it answers: the database and the way to it may be set up later.
        checks=(f"curl -s -o /dev/null --max-time 10 {url}",),
    )


def visits_files(args: VisitsArgs) -> tuple[RenderedFile, ...]:
    """Every file of the service, in the order in which it must be written."""
    values = {
        "user": USER,
        "program": PROGRAM,
        "config_path": CONFIG_PATH,
        "password_path": PASSWORD_PATH,
    }
    return (
        RenderedFile(
            path=_SYSUSERS_PATH,
            content=f'# {HEADER}\nu {USER} - "ha-lab visits page"\n',
            then=f"systemd-sysusers {_SYSUSERS_PATH}",
        ),
        *(
            RenderedFile(
                path=f"{LIB_DIR}/visits/{module.name}", content=module.read_text(encoding="utf-8")
            )
            for module in sorted(_GUEST.glob("*.py"))
        ),
        RenderedFile(path=PROGRAM, content=_TEMPLATES.render("lab-visits.j2", {}), mode=0o755),
        RenderedFile(path=CONFIG_PATH, content=config_json(args)),
        RenderedFile(path=_UNIT_PATH, content=_TEMPLATES.render("unit.j2", values)),
    )


def config_json(args: VisitsArgs) -> str:
    """What the service is told; no secrets."""
    data = {
        "machine": args.name,
        "engine": args.engine,
        "host": str(args.host),
        "port": args.port,
        "database": args.database,
        "user": args.user,
        "timeout_s": args.timeout_s,
        "listen_port": args.listen_port,
    }
    return json.dumps(data, indent=1) + "\n"
