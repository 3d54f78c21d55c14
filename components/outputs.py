"""Names and shape of the stack outputs: the interface of the `lab` command and of scripts.

`OUTPUTS_VERSION` grows when a name or a meaning changes; new names alone do not change it.
"""

from __future__ import annotations

from collections.abc import Mapping

from components.database.from_settings import database_args
from components.database.mariadb import UNIT as MARIADB_UNIT
from components.database.postgresql import APPLICATION_USER, DATABASE, unit_name
from components.fencing.choice import fencing_kind
from components.pacemaker.from_settings import has_web_server
from components.pacemaker.web import PATH as WEB_PATH
from components.pacemaker.web import PORT as WEB_PORT
from components.settings.database_rules import chosen, failover_of
from components.settings.models import DrillSettings, Settings
from components.storage.from_settings import has_uploads, storage_args
from components.storage.options import mount_command
from components.storage.uploads import FOLDER as UPLOADS
from components.timers import Timers, predict
from components.topology import Machine, Role, Topology
from components.visits.args import PATH as VISITS
from components.visits.from_settings import visits_args

OUTPUTS_VERSION = 1


def public_outputs(settings: Settings, topology: Topology, timers: Timers) -> dict[str, object]:
    """Every output that is no secret. Pure: they are known before anything exists."""
    return {
        "version": OUTPUTS_VERSION,
        "stack": topology.stack,
        "vip": str(topology.vip),
        "urls": {**urls(settings, topology), **visits_url(settings, topology)},
        "loadBalancer": {"engine": settings.load_balancer.engine},
        "machines": {m.name: machine_output(m, settings) for m in topology.machines},
        "timers": {
            "name": settings.timers,
            "predictedFailoverS": predicted(settings, topology, timers),
        },
        "provider": settings.machines.provider,
        "prefix": topology.prefix,
        "libvirtUri": settings.libvirt.uri,
        "drill": drill_output(settings.drill, settings.timers),
        **cluster_output(settings, topology),
        **database_output(settings, topology),
        **storage_output(settings, topology),
    }


def predicted(settings: Settings, topology: Topology, timers: Timers) -> dict[str, float]:
    """By fault, the seconds that a client suffers at most."""
    members = len(topology.with_role(Role.CLUSTER))
    by_kernel = settings.machines.provider == "libvirt"
    return dict(
        predict(
            timers,
            cluster_members=members or 3,
            track_process=by_kernel,
            engine=settings.load_balancer.engine,
        )
    )


def cluster_output(settings: Settings, topology: Topology) -> dict[str, object]:
    """`cluster`, where there is one: its VIP, where it answers, who votes, how they are fenced."""
    members = topology.with_role(Role.CLUSTER)
    if not members:
        return {}
    web = has_web_server(settings, topology)
    return {
        "cluster": {
            "vip": str(topology.cluster_vip),
            "url": _url("http", topology.cluster_vip, WEB_PORT, 80) if web else None,
            # The same page for those who only reach the load balancers.
            "publicUrl": urls(settings, topology)["https"] + WEB_PATH.lstrip("/") if web else None,
            "members": [member.name for member in members],
            # Left out rather than null: Pulumi drops those.
            **({"quorumDevice": device} if (device := settings.cluster.quorum_device) else {}),
            "fencing": fencing_kind(settings) or "none",
        }
    }


PACE = {"intervalMs": 10, "slowMs": 250}
RELAXED_PACE = {"intervalMs": 500, "slowMs": 2000}
"""For emulated machines: a TLS handshake costs them a tenth of a second of their processor."""


def drill_output(drill: DrillSettings, timers: str) -> Mapping[str, object]:
    """What may be done to the lab on purpose, how it is watched, and what that is judged by."""
    pace = RELAXED_PACE if timers == "relaxed" else PACE
    shown: dict[str, object] = drill.model_dump(by_alias=True, exclude_none=True)
    return {**pace, **shown}


def database_output(settings: Settings, topology: Topology) -> dict[str, object]:
    """`database`, by engine that is on: endpoints, and what `lab db` and the drill must know."""
    args = database_args(settings, topology)
    if args is None:
        return {}
    units = {"mariadb": MARIADB_UNIT}
    if args.postgresql is not None:
        units["postgresql"] = unit_name(args.postgresql)
    found: dict[str, object] = {}
    for engine, own in chosen(settings).items():
        found[engine] = {
            "write": f"{topology.vip}:{own.write_port}",
            "read": f"{topology.vip}:{own.read_port}",
            "database": DATABASE,
            "user": APPLICATION_USER,
            "failover": failover_of(settings, engine),
            "synchronous": own.synchronous,
            "unit": units[engine],
            "rolePort": args.role_port,
        }
    return {"database": found}


def storage_output(settings: Settings, topology: Topology) -> dict[str, object]:
    """`storage`, where there is any: the volume of the uploads (or the first one), how to mount it,
    who has its bricks; and every volume."""
    args = storage_args(settings, topology)
    if args is None:
        return {}
    main = args.uploads_volume or args.volumes[0]
    uploads = f"{urls(settings, topology)['https']}{UPLOADS}/"
    return {
        "storage": {
            "volume": main.name,
            "mount": mount_command(args, main),
            "servers": [server.name for server in args.servers],
            "uploads": uploads if has_uploads(settings, topology) else None,
            "volumes": {
                volume.name: {
                    "replica": volume.replica,
                    "arbiter": volume.arbiter,
                    "mountPoint": volume.mount,
                    "clients": [client.name for client in volume.clients],
                }
                for volume in args.volumes
            },
        }
    }


def urls(settings: Settings, topology: Topology) -> dict[str, str]:
    """Where clients go; always the VIP."""
    balancer, vip = settings.load_balancer, topology.vip
    return {
        "http": _url("http", vip, balancer.http_port, 80),
        "https": _url("https", vip, balancer.https_port, 443),
        "stats": f"http://{vip}:{balancer.stats.port}/stats",
    }


def visits_url(settings: Settings, topology: Topology) -> dict[str, str]:
    """The page that stores visits in a database, where there is one."""
    servers = topology.with_role(Role.APP)
    if not any(visits_args(settings, topology, server) for server in servers):
        return {}
    return {"visits": urls(settings, topology)["https"] + VISITS.lstrip("/")}


def _url(scheme: str, host: object, port: int, ordinary: int) -> str:
    return f"{scheme}://{host}/" if port == ordinary else f"{scheme}://{host}:{port}/"


def machine_output(machine: Machine, settings: Settings) -> Mapping[str, object]:
    """Address, roles and how to log in."""
    host = settings.machines.hosts.get(machine.name)
    user = (host.user if host else None) or settings.machines.user
    port = host.port if host else 22
    words = ["ssh", *(["-p", str(port)] if port != 22 else []), f"{user}@{machine.address}"]
    return {
        "address": str(machine.address),
        "roles": sorted(machine.roles),
        "user": user,
        "port": port,
        "ssh": " ".join(words),
    }
