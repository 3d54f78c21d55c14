"""The role service, and the program on the machines of which it is a part. Pure."""

from __future__ import annotations

import json
from pathlib import Path

from components.database.args import DatabaseArgs, Node
from components.files import LIB_DIR, RenderedFile, ServicePlan, ServiceUnit
from components.firewall import MANAGEMENT, FirewallRule
from components.rendering import HEADER, Templates

UNIT = "ha-lab-database.service"
PROGRAM = f"{LIB_DIR}/lab-database"
CONFIG_PATH = "/etc/ha-lab/database.json"
USER = "lab-db"

_SYSUSERS_PATH = "/etc/sysusers.d/ha-lab-database.conf"
_UNIT_PATH = f"/etc/systemd/system/{UNIT}"
_NO_CLUSTER_PATH = "/etc/postgresql-common/createcluster.d/ha-lab.conf"
_GUEST = Path(__file__).parent / "guest"
_TEMPLATES = Templates(Path(__file__).parent / "templates")


def role_plan(args: DatabaseArgs, node: Node) -> ServicePlan:
    """What a machine needs before any engine: others ask it what it is from the beginning on."""
    files = role_files(args, node)
    return ServicePlan(
        name="database",
        files=files,
        units=(ServiceUnit(name=UNIT, restart_on=tuple(file.path for file in files)),),
        checks=(f"curl -s -o /dev/null --max-time 2 http://{node.address}:{args.role_port}/",),
    )


def role_files(args: DatabaseArgs, node: Node) -> tuple[RenderedFile, ...]:
    """Every file of it, in the order in which it must be written."""
    return (
        RenderedFile(
            path=_SYSUSERS_PATH,
            content=f'# {HEADER}\nu {USER} - "ha-lab role service"\n',
            then=f"systemd-sysusers {_SYSUSERS_PATH}",
        ),
        # Debian's package would make a cluster of its own, without checksums, and start it.
        *(
            [RenderedFile(path=_NO_CLUSTER_PATH, content=NO_CLUSTER)]
            if args.postgresql is not None
            else []
        ),
        *(
            RenderedFile(
                path=f"{LIB_DIR}/database/{module.name}",
                content=module.read_text(encoding="utf-8"),
            )
            for module in sorted(_GUEST.glob("*.py"))
        ),
        RenderedFile(path=PROGRAM, content=_TEMPLATES.render("lab-database.j2", {}), mode=0o755),
        RenderedFile(path=CONFIG_PATH, content=config_json(args, node)),
        RenderedFile(
            path=_UNIT_PATH,
            content=_TEMPLATES.render("unit.j2", {"user": USER, "program": PROGRAM}),
        ),
    )


NO_CLUSTER = f"# {HEADER}\ncreate_main_cluster = false\n"


def config_json(args: DatabaseArgs, node: Node) -> str:
    """What the program on this machine is told."""
    engines: dict[str, object] = {}
    if args.postgresql is not None:
        engines["postgresql"] = {
            "version": args.postgresql.version,
            "bootstrap": node == args.nodes[0],
            "synchronous": args.postgresql.synchronous,
            "failover": args.postgresql.failover,
            "port": args.postgresql.port,
        }
    if args.mariadb is not None:
        engines["mariadb"] = {
            "version": 0,
            "bootstrap": node == args.nodes[0],
            "synchronous": args.mariadb.synchronous,
            "failover": args.mariadb.failover,
            "port": args.mariadb.port,
            "seed_port": args.mariadb.seed_port,
        }
    data = {
        "machine": node.name,
        "address": str(node.address),
        "role_port": args.role_port,
        "peers": {peer.name: str(peer.address) for peer in args.peers(node)},
        "engines": engines,
    }
    return json.dumps(data, indent=1) + "\n"


def role_firewall(args: DatabaseArgs) -> tuple[FirewallRule, ...]:
    """Who may ask for a machine's roles: whoever routes by them, and the other machines."""
    comment = "roles of the databases"
    return tuple(
        FirewallRule(port=args.role_port, protocol="tcp", source=source, comment=comment)
        for source in ("load_balancer", "database", MANAGEMENT)
    )
