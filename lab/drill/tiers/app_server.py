"""The app servers: one is killed, lost, hung, slow, or says that it is ill."""

from __future__ import annotations

from lab.drill import predictions
from lab.drill.model import Ability, Fault, Text, Tier, Victims
from lab.drill.predictions import DELAY_S, HUNG_S, SLOW_S
from lab.drill.scene import Scene
from lab.drill.target import Target
from lab.drill.tiers import acts, app_audits
from lab.drill.tiers.front import FOLDER, ports_of, with_front
from lab.drill.tiers.guests import guest_program, guest_script
from lab.drill.tiers.roles import app_port, app_server

NAME = "app"
NEVER = "never"
"""Delay of a front behind which no page ever comes."""
NO_NETEM = 3
"""Exit status of slow-up.sh where the kernel cannot delay packets."""
NETEM_PACKETS = 2
"""Packets of an app server that a request waits for: one opens the connection, one answers."""
TURNED_AWAY_S = 7.0
"""Until the slowest timers (the course's) send no more requests to a server that says it is ill."""
_UNHEALTHY = "command -v lab-health >/dev/null || { echo 'no lab-health here'; exit 1; }; "


def why_none_can_be_spared(target: Target) -> str | None:
    """Why this lab has no app server to break."""
    count = len(target.with_role("app"))
    return None if count > 1 else f"it has {count} app server, and no other to go on with"


def why_nobody_is_told(target: Target) -> str | None:
    """Why nothing would happen if an app server said that it is ill."""
    if target.engine == "nginx":
        return "open-source nginx never asks an app server how it is"
    return why_none_can_be_spared(target)


async def kill(scene: Scene, victims: Victims) -> None:
    """SIGKILL to all processes of the unit that answers there; it stays away until the undoing."""
    for app in victims:
        script = guest_script("kill-app.sh", await app_port(scene, app))
        (await acts.command(scene, app, script)).ok()


async def hang(scene: Scene, victims: Victims) -> None:
    """Its health page answers; of every other page not one byte comes."""
    for app in victims:
        await put_front(scene, app, NEVER)


async def slow_down(scene: Scene, victims: Victims) -> None:
    """Delay its packets, or where its kernel cannot do that, its pages."""
    for app in victims:
        millis = f"{DELAY_S * 1000 / NETEM_PACKETS:g}"
        script = guest_script("slow-up.sh", scene.target.machines[app].address, millis)
        done = await acts.command(scene, app, script)
        if done.status == NO_NETEM:
            await put_front(scene, app, f"{DELAY_S:g}")
        else:
            done.ok()


async def speed_up(scene: Scene, victims: Victims) -> None:
    """Take away what delays, whichever it is."""
    await acts.running(guest_script("slow-down.sh"))(scene, victims)
    await take_front(scene, victims)


async def put_front(scene: Scene, app: str, delay: str) -> None:
    """Have a front answer for nginx; see `front`. Raises LabError for another web server."""
    await take_front(scene, (app,))
    conf = (await acts.command(scene, app, "cat /etc/nginx/nginx.conf")).ok()
    variant, ports = with_front(conf), ports_of(conf)
    write = f"mkdir -p {FOLDER} && cat >{FOLDER}/front.py"
    (await acts.command(scene, app, write, stdin=guest_program("front.py"))).ok()
    up = guest_script("front-up.sh", delay, *ports)
    (await acts.command(scene, app, up, stdin=variant)).ok()


async def take_front(scene: Scene, victims: Victims) -> None:
    """Put nginx's own configuration back."""
    await acts.running(guest_script("front-down.sh"))(scene, victims)


KILLED = Fault(
    name="app-server-killed",
    title=Text("An app server's processes are killed", "Les processus d'un serveur sont tués"),
    resolve=app_server,
    inject=kill,
    undo=acts.running(guest_script("start-app.sh")),
    predict=predictions.app_killed,
    why_not=why_none_can_be_spared,
)
HUNG = Fault(
    name="app-server-hung",
    title=Text("An app server hangs, but looks healthy", "Un serveur se bloque et paraît sain"),
    resolve=app_server,
    inject=hang,
    undo=take_front,
    predict=predictions.app_hung,
    why_not=why_none_can_be_spared,
    effect_s=HUNG_S,
    until_undone=True,
)
POWER_OFF = Fault(
    name="app-server-power-off",
    title=Text("An app server loses power", "Un serveur applicatif perd le courant"),
    resolve=app_server,
    inject=acts.power_off,
    undo=acts.power_on,
    predict=predictions.app_lost,
    needs=frozenset({Ability.POWER}),
    why_not=why_none_can_be_spared,
)
CUT = Fault(
    name="app-server-cut",
    title=Text("An app server loses its link", "Un serveur applicatif perd son lien réseau"),
    resolve=app_server,
    inject=acts.cut,
    undo=acts.join,
    predict=predictions.app_lost,
    needs=frozenset({Ability.LINK}),
    why_not=why_none_can_be_spared,
)
SLOW = Fault(
    name="app-server-slow",
    title=Text("An app server is slow", "Un serveur applicatif est lent"),
    resolve=app_server,
    inject=slow_down,
    undo=speed_up,
    predict=predictions.app_slow,
    why_not=why_none_can_be_spared,
    effect_s=SLOW_S,
    until_undone=True,
)
UNHEALTHY = Fault(
    name="app-server-unhealthy",
    title=Text("An app server says that it is ill", "Un serveur applicatif se déclare malade"),
    resolve=app_server,
    inject=acts.running(f"{_UNHEALTHY} lab-health off"),
    undo=acts.running(f"{_UNHEALTHY} lab-health on"),
    predict=predictions.app_unhealthy,
    why_not=why_nobody_is_told,
    effect_s=TURNED_AWAY_S,
)

TIER = Tier(
    name=NAME,
    title=Text("App servers", "Serveurs applicatifs"),
    is_present=lambda target: bool(target.with_role("app")),
    faults=(KILLED, HUNG, POWER_OFF, CUT, SLOW, UNHEALTHY),
    audits=app_audits.AUDITS,
)
