"""The shared storage: a brick dies, a server is lost, the majority of the bricks is gone."""

from __future__ import annotations

import asyncio

from components.storage.plans import TOOL
from components.timers import Timers
from lab.drill import predictions
from lab.drill.events import Prediction
from lab.drill.model import Ability, Audit, Fault, Finding, Text, Tier, Victims
from lab.drill.probes.file_writes import FileProbe, mount_of
from lab.drill.scene import Scene
from lab.drill.target import Target
from lab.drill.tiers import acts
from lab.errors import LabError
from lab.storage.operate import look, servers_of
from lab.storage.state import StorageState

NAME = "storage"
NO_MAJORITY_S = 5.0
"""How long the majority is away."""
RECONNECT_S = 3.0
"""So often a Gluster client tries to reach a brick again (rpc-clnt.c)."""
START_S = 4.0
"""Until the bricks that were started again have told their ports and healing may begin."""
_KILL = "pkill -KILL -x glusterfsd"
_START = (
    "for volume in $(gluster volume list); do timeout 60 gluster --mode=script volume start $volume"
    " force; done"
)


async def one_server(scene: Scene) -> Victims:
    """The server from which the clients mount, or the first that does nothing else."""
    return (choose(scene.target),)


def choose(target: Target) -> str:
    """A server whose loss takes no client of the probe and no load balancer along, if there is."""
    servers = servers_of(target)
    _, clients = mount_of(target)
    busy = {*clients, *target.with_role("load_balancer")}
    return next((server for server in servers if server not in busy), servers[-1])


async def two_servers(scene: Scene) -> Victims:
    """All but one of a volume of three bricks."""
    return servers_of(scene.target)[:2]


def why_no_copy(target: Target) -> str | None:
    """Why the loss of a server here is more than that of a server."""
    _, clients = mount_of(target) if target.storage else ("", ())
    alone = [server for server in target.storage.get("servers", ()) if server not in clients]
    return None if alone else "each of its storage servers is an app server too: drill on `full`"


def killed(_timers: Timers, _target: Target) -> Prediction:
    """The kernel ends its connections: clients go on with the other copies at once."""
    text = "0 s: its connections end at once, and the other copies go on"
    return Prediction(seconds=0.0, formula=text)


def without_majority(_timers: Timers, _target: Target) -> Prediction:
    """Writes are refused until two of three bricks are back and found."""
    seconds = NO_MAJORITY_S + START_S + RECONNECT_S
    return Prediction(
        seconds=seconds,
        formula=(
            f"{NO_MAJORITY_S:g} s that two of three bricks are away + {START_S:g} s start + "
            f"{RECONNECT_S:g} s to the next try of the client: writes are refused, as quorum says"
        ),
    )


async def bricks_up(scene: Scene) -> Finding:
    """Every server is in the pool and every brick runs."""
    state = await look(scene)
    away = [f"{name} is {how}" for name, how in state.servers.items() if how != "connected"]
    down = [f"{b.name} is down" for b in state.bricks if not b.online]
    if away or down:
        return Finding("fail", "; ".join([*away, *down]))
    return Finding("pass", f"{len(state.bricks)} bricks run on {len(state.servers)} servers")


async def nothing_to_heal(scene: Scene) -> Finding:
    """All copies are the same."""
    return of_heals(await look(scene), "pending", "entries wait to be healed")


async def no_split_brain(scene: Scene) -> Finding:
    """No copies contradict each other."""
    return of_heals(await look(scene), "split_brain", "entries are in split-brain")


def of_heals(state: StorageState, what: str, words: str) -> Finding:
    """What one count says over all bricks; a brick that is not reached may have any."""
    counts = [(brick.name, getattr(brick, what)) for brick in state.bricks]
    found = [f"{name}: {count} {words}" for name, count in counts if count]
    silent = [name for name, count in counts if count is None]
    if found:
        return Finding("fail", "; ".join(found))
    if silent:
        return Finding("unknown", f"{', '.join(silent)} cannot be asked")
    return Finding("pass", f"0 {words}")


async def mounted(scene: Scene) -> Finding:
    """Every client has every volume that it should."""
    volumes = scene.target.storage["volumes"].values()
    places = [(client, v["mountPoint"]) for v in volumes for client in v["clients"]]
    found = await asyncio.gather(*(_mount(scene, client, where) for client, where in places))
    problems = [problem for problem in found if problem]
    if problems:
        return Finding("fail", "; ".join(problems))
    return Finding("pass", f"{len(places)} mounts answer")


async def _mount(scene: Scene, client: str, where: str) -> str:
    try:
        said = (await scene.machines.run(client, f"{TOOL} mount-state {where}", timeout_s=9)).ok()
    except LabError as error:
        return str(error)
    state = said.strip().strip('"')
    return "" if state == "mounted" else f"{where} on {client} is {state}"


BRICK_KILLED = Fault(
    name="brick-killed",
    title=Text("A brick's process is killed", "Le processus d'une brique est tué"),
    resolve=one_server,
    inject=acts.running(_KILL),
    undo=acts.running(_START),
    predict=killed,
)
POWER_OFF = Fault(
    name="storage-server-power-off",
    title=Text("A storage server loses power", "Un serveur de stockage perd le courant"),
    resolve=one_server,
    inject=acts.power_off,
    undo=acts.power_on,
    predict=predictions.timed("storage_server_lost"),
    needs=frozenset({Ability.POWER}),
    why_not=why_no_copy,
)
CUT = Fault(
    name="storage-server-cut",
    title=Text("A storage server loses its link", "Un serveur de stockage perd son lien réseau"),
    resolve=one_server,
    inject=acts.cut,
    undo=acts.join,
    predict=predictions.timed("storage_server_lost"),
    needs=frozenset({Ability.LINK}),
    why_not=why_no_copy,
)
NO_MAJORITY = Fault(
    name="storage-majority-lost",
    title=Text("Two of three bricks are gone", "Deux briques sur trois ont disparu"),
    resolve=two_servers,
    inject=acts.running(_KILL),
    undo=acts.running(_START),
    predict=without_majority,
    effect_s=NO_MAJORITY_S,
    until_undone=True,
)

TIER = Tier(
    name=NAME,
    title=Text("Shared storage", "Stockage partagé"),
    is_present=lambda target: bool(target.storage),
    faults=(BRICK_KILLED, POWER_OFF, CUT, NO_MAJORITY),
    probes=(FileProbe(),),
    audits=(
        Audit(
            name="bricks-up",
            title=Text("every brick runs", "chaque brique fonctionne"),
            check=bricks_up,
            within_s=60.0,
        ),
        Audit(
            name="nothing-to-heal",
            title=Text("all copies are the same", "toutes les copies sont identiques"),
            check=nothing_to_heal,
            within_s=120.0,
        ),
        Audit(
            name="no-split-brain",
            title=Text("no copies contradict each other", "aucune copie n'en contredit une autre"),
            check=no_split_brain,
            within_s=60.0,
        ),
        Audit(
            name="volumes-mounted",
            title=Text("every client has its volumes", "chaque client a ses volumes"),
            check=mounted,
            within_s=60.0,
        ),
    ),
    labels={"file": Text("file on the volume", "fichier sur le volume")},
)
