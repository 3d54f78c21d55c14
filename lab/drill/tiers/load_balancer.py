"""The load balancer pair: the VIP's owner is lost, its HAProxy or nginx, its keepalived."""

from __future__ import annotations

from collections.abc import Callable

from components.timers import Engine
from lab.drill import predictions
from lab.drill.model import Ability, Fault, Text, Tier, Victims
from lab.drill.probes.address import AddressProbe
from lab.drill.probes.arp import ArpProbe
from lab.drill.probes.http import HttpProbe, SessionProbe
from lab.drill.scene import Scene
from lab.drill.target import Target
from lab.drill.tiers import acts, balancer_audits
from lab.drill.tiers.roles import engine_unit, vip_owner

NAME = "load_balancer"
RELOADS = 5
_RELOAD = f"for _ in $(seq {RELOADS}); do systemctl reload {{engine}}; sleep 0.3; done"
_START = "systemctl start {engine} keepalived"


def why_no_failover(target: Target) -> str | None:
    """Why the VIP cannot move in this lab."""
    count = len(target.with_role("load_balancer"))
    return None if count > 1 else f"it has {count} load balancer, and nobody could take the VIP"


def on_engine(script: str) -> acts.Act:
    """Run this script on every victim, with the unit of the lab's engine as `{engine}`."""

    async def act(scene: Scene, victims: Victims) -> None:
        whole = script.format(engine=engine_unit(scene.target))
        await acts.running(whole)(scene, victims)

    return act


def why_not_of(engine: Engine, *, stays_away: bool) -> Callable[[Target], str | None]:
    """Why a fault of this engine is not possible: the lab has the other one, or no second machine
    that could take over from one that stays away."""

    def why_not(target: Target) -> str | None:
        if target.engine != engine:
            return f"its load balancers run {target.engine}, not {engine}"
        return why_no_failover(target) if stays_away else None

    return why_not


POWER_OFF = Fault(
    name="vip-owner-power-off",
    title=Text("The VIP's owner loses power", "Le propriétaire de la VIP perd le courant"),
    resolve=vip_owner,
    inject=acts.power_off,
    undo=acts.power_on,
    predict=predictions.owner_lost,
    needs=frozenset({Ability.POWER}),
    why_not=why_no_failover,
)
CUT = Fault(
    name="vip-owner-cut",
    title=Text("The VIP's owner loses its link", "Le propriétaire de la VIP perd son lien réseau"),
    resolve=vip_owner,
    inject=acts.cut,
    undo=acts.join,
    predict=predictions.owner_lost,
    needs=frozenset({Ability.LINK}),
    why_not=why_no_failover,
)
FREEZE = Fault(
    name="vip-owner-freeze",
    title=Text("The VIP's owner stalls", "Le propriétaire de la VIP se fige"),
    resolve=vip_owner,
    inject=acts.freeze,
    undo=acts.thaw,
    predict=predictions.owner_lost,
    needs=frozenset({Ability.FREEZE}),
    why_not=why_no_failover,
)


def killed(engine: Engine, name: str) -> Fault:
    """All processes of the engine are killed on the owner; `name` as people write it."""
    return Fault(
        name=f"{engine}-killed",
        title=Text(f"The owner's {name} is killed", f"Le {name} du propriétaire est tué"),
        resolve=vip_owner,
        # Master and workers. systemd starts it again, and the VIP may move or stay meanwhile.
        inject=on_engine("systemctl kill --signal=KILL {engine}"),
        undo=on_engine(_START),
        predict=predictions.balancer(engine, "killed"),
        why_not=why_not_of(engine, stays_away=False),
    )


def stopped(engine: Engine, name: str) -> Fault:
    """The engine is stopped on the owner and stays so."""
    return Fault(
        name=f"{engine}-stopped",
        title=Text(f"The owner's {name} stays away", f"Le {name} du propriétaire reste arrêté"),
        resolve=vip_owner,
        inject=on_engine("systemctl stop {engine}"),
        undo=on_engine(_START),
        predict=predictions.balancer(engine, "stopped"),
        why_not=why_not_of(engine, stays_away=True),
    )


HAPROXY_KILLED = killed("haproxy", "HAProxy")
HAPROXY_STOPPED = stopped("haproxy", "HAProxy")
NGINX_KILLED = killed("nginx", "nginx")
NGINX_STOPPED = stopped("nginx", "nginx")
KEEPALIVED_KILLED = Fault(
    name="keepalived-killed",
    title=Text("The owner's keepalived is killed", "Le keepalived du propriétaire est tué"),
    resolve=vip_owner,
    # All its processes: nobody is left to take the VIP off the interface before the restart.
    inject=acts.running("systemctl kill --signal=KILL keepalived"),
    undo=on_engine(_START),
    predict=predictions.timed("keepalived_killed"),
)
STOP = Fault(
    name="vip-owner-stop",
    title=Text("The VIP's owner resigns", "Le propriétaire de la VIP la cède"),
    resolve=vip_owner,
    # It says farewell: an advert of priority 0.
    inject=acts.running("systemctl stop keepalived"),
    undo=on_engine(_START),
    predict=predictions.timed("vip_owner_stop"),
    why_not=why_no_failover,
)
RELOAD = Fault(
    name="config-reload",
    title=Text(
        "The owner's load balancer takes up its configuration again",
        "Le répartiteur du propriétaire recharge sa configuration",
    ),
    resolve=vip_owner,
    inject=on_engine(_RELOAD),
    undo=on_engine(_START),
    predict=predictions.nothing,
)

TIER = Tier(
    name=NAME,
    title=Text("Load balancers", "Répartiteurs de charge"),
    is_present=lambda target: bool(target.with_role("load_balancer")),
    faults=(
        POWER_OFF,
        CUT,
        FREEZE,
        HAPROXY_KILLED,
        HAPROXY_STOPPED,
        KEEPALIVED_KILLED,
        STOP,
        RELOAD,
        NGINX_KILLED,
        NGINX_STOPPED,
    ),
    probes=(HttpProbe(), SessionProbe(), ArpProbe(), AddressProbe()),
    audits=balancer_audits.AUDITS,
)
