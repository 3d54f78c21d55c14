"""keepalived's files: keepalived.conf, its scripts, its user, the unit's drop-in. Pure."""

from __future__ import annotations

from pathlib import Path

from components.files import LIB_DIR, RenderedFile, ServiceUnit
from components.load_balancer.args import MONITOR_URI, LoadBalancerArgs, Peer
from components.rendering import HEADER, Templates
from components.scripts import CHECK_HTTP_PATH, check_http_file
from components.timers import VrrpTimers

CONFIG_PATH = "/etc/keepalived/keepalived.conf"
NOTIFY_PATH = "/etc/keepalived/notify.sh"
NOTIFY_LOG_PATH = "/var/log/keepalived-notify.log"
UNIT = "keepalived.service"
VALIDATOR_PATH = f"{LIB_DIR}/check-keepalived"
DRAIN_PATH = f"{LIB_DIR}/drain-vip"

_DROP_IN_PATH = f"/etc/systemd/system/{UNIT}.d/ha-lab.conf"
_SYSUSERS_PATH = "/etc/sysusers.d/ha-lab-keepalived.conf"
_TMPFILES_PATH = "/etc/tmpfiles.d/ha-lab-keepalived.conf"
_TEMPLATES_DIR = Path(__file__).parent / "templates"
_TEMPLATES = Templates(_TEMPLATES_DIR)


def keepalived_files(
    args: LoadBalancerArgs, node: Peer, *, process: str
) -> tuple[RenderedFile, ...]:
    """What keepalived needs on this machine, in the order in which it must be written.

    `process`: name of the engine's processes.
    """
    return (
        RenderedFile(
            path=_SYSUSERS_PATH,
            content=f'# {HEADER}\nu keepalived_script - "keepalived scripts"\n',
            then=f"systemd-sysusers {_SYSUSERS_PATH}",
        ),
        RenderedFile(
            path=_TMPFILES_PATH,
            content=f"# {HEADER}\nf {NOTIFY_LOG_PATH} 0644 keepalived_script keepalived_script\n",
            then=f"systemd-tmpfiles --create {_TMPFILES_PATH}",
        ),
        check_http_file(),
        _script(VALIDATOR_PATH, "check-keepalived"),
        _script(NOTIFY_PATH, "notify.sh"),
        _script(DRAIN_PATH, "drain-vip"),
        RenderedFile(path=_DROP_IN_PATH, content=_drop_in(args)),
        RenderedFile(
            path=CONFIG_PATH,
            content=keepalived_conf(args, node, process=process),
            validate=f"{VALIDATOR_PATH} {{staged}}",
        ),
    )


def keepalived_unit() -> ServiceUnit:
    """keepalived takes its configuration up by a reload, and the owner stays the owner."""
    return ServiceUnit(name=UNIT, reload_on=(CONFIG_PATH,))


def keepalived_conf(args: LoadBalancerArgs, node: Peer, *, process: str = "haproxy") -> str:
    """The text of keepalived.conf on this machine."""
    timers = args.timers.vrrp
    return _TEMPLATES.render(
        "keepalived.conf.j2",
        {
            "args": args,
            "node": node,
            "others": args.others(node),
            "timers": timers,
            "priority": timers.priority(args.peers.index(node)),
            "advert_int": _advert_int(timers),
            "process": process,
            "check_command": check_command(args),
            "notify_path": NOTIFY_PATH,
        },
    )


def check_command(args: LoadBalancerArgs) -> str:
    """The command that exits 0 while the engine on this machine answers."""
    return f"{CHECK_HTTP_PATH} 127.0.0.1 {args.monitor_port} {MONITOR_URI}"


def _drop_in(args: LoadBalancerArgs) -> str:
    # Not where it is the only one: nobody would take the connections that wait.
    drain = f"ExecStop=-{DRAIN_PATH} {args.vip}\nExecStopPost=-{DRAIN_PATH}\n"
    return f"""# {HEADER}
# Without a restart, a killed keepalived leaves the VIP on its machine while the other one takes it
# over: two owners, for ever. A restarted one removes the stale VIP first.
[Unit]
StartLimitIntervalSec=0

[Service]
Restart=always
RestartSec=100ms
{drain if len(args.peers) > 1 else ""}"""


def _advert_int(timers: VrrpTimers) -> str:
    return f"{timers.advert_s:g}"


def _script(path: str, name: str) -> RenderedFile:
    content = (_TEMPLATES_DIR / name).read_text(encoding="utf-8")
    return RenderedFile(path=path, content=content, mode=0o755, validate="bash -n {staged}")
