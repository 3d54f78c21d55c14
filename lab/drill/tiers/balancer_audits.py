"""What must be true of the load balancer pair: one owner, all healthy, the VIP answers."""

from __future__ import annotations

import asyncio
from collections.abc import Container, Sequence

import httpx

from lab.drill.model import Audit, Finding, Text
from lab.drill.scene import Scene
from lab.drill.target import Target
from lab.drill.tiers.roles import ServerSeen, engine_unit, has_vip, servers_seen
from lab.errors import LabError
from lab.netns import inside

ANSWER_TIMEOUT_S = 5.0


async def one_vip_owner(scene: Scene) -> Finding:
    """Every load balancer that has power is asked whether it has the VIP."""
    names = scene.target.with_role("load_balancer")
    answers = await asyncio.gather(*(_says(scene, name) for name in names))
    said = dict(zip(names, answers, strict=True))
    silent = [name for name, answer in said.items() if isinstance(answer, LabError)]
    owners = [name for name, answer in said.items() if answer is True]
    if len(owners) > 1:
        return Finding("fail", f"{' and '.join(owners)} have the VIP {scene.target.vip} at once")
    if silent:
        return Finding("unknown", f"{', '.join(silent)} cannot be asked: {said[silent[0]]}")
    if not owners:
        return Finding("fail", f"nobody has the VIP {scene.target.vip}")
    return Finding("pass", f"{owners[0]} has the VIP {scene.target.vip}")


async def _says(scene: Scene, balancer: str) -> bool | LabError:
    """Whether it has the VIP; why it cannot be asked, unless it has no power."""
    try:
        return await has_vip(scene, balancer)
    except LabError as error:
        return error if await scene.control.is_on(balancer) else False


async def balancers_healthy(scene: Scene) -> Finding:
    """Both daemons run on each, and each can send requests to every app server."""
    names = scene.target.with_role("load_balancer")
    problems = [
        p for found in await asyncio.gather(*(_problems(scene, n) for n in names)) for p in found
    ]
    if problems:
        return Finding("fail", "; ".join(problems))
    units = " and ".join(units_of(scene.target))
    return Finding("pass", f"{' and '.join(names)} run {units}, all servers are up")


def units_of(target: Target) -> tuple[str, str]:
    """The daemons of a load balancer."""
    return (engine_unit(target), "keepalived")


async def _problems(scene: Scene, balancer: str) -> list[str]:
    wanted = units_of(scene.target)
    asked = scene.machines.run(balancer, f"systemctl is-active {' '.join(wanted)}")
    units, servers = await asyncio.gather(
        asked, servers_seen(scene, balancer), return_exceptions=True
    )
    for problem in (units, servers):
        if isinstance(problem, BaseException) and not isinstance(problem, LabError):
            raise problem
    if isinstance(units, BaseException):
        return [str(units)]
    states = dict(zip(wanted, units.out.split(), strict=False))
    problems = [f"{balancer}: {unit} is {s}" for unit, s in states.items() if s != "active"]
    if isinstance(servers, BaseException):
        return problems or [str(servers)]
    down = down_servers(servers, by_role(scene.target))
    return problems + ([f"{balancer}: {', '.join(down)}"] if down else [])


def by_role(target: Target) -> frozenset[str]:
    """The back ends of databases: a server that has not the role is down there, as it should be."""
    return frozenset(f"{engine}_{way}" for engine in target.database for way in ("write", "read"))


def down_servers(servers: Sequence[ServerSeen], routed_by_role: Container[str]) -> list[str]:
    """What clients cannot be sent to, and should be. Pure."""
    down = [
        f"{s.backend}/{s.name} is {s.status}"
        for s in servers
        if not s.is_up and s.backend not in routed_by_role
    ]
    routed = {s.backend for s in servers if s.backend in routed_by_role}
    alive = {s.backend for s in servers if s.is_up}
    return down + [f"no server of {backend} is up" for backend in sorted(routed - alive)]


async def vip_answers(scene: Scene) -> Finding:
    """A client's request through the VIP, over HTTPS."""
    return await asyncio.to_thread(_ask, scene.target.urls["https"], scene.namespace)


def _ask(url: str, namespace: str | None) -> Finding:
    try:
        # Whether the lab's own certificate is trusted here is not asked.
        with (
            inside(namespace),
            httpx.Client(verify=False, timeout=ANSWER_TIMEOUT_S) as client,  # noqa: S501
        ):
            response = client.get(url)
    except httpx.HTTPError as error:
        return Finding("fail", f"{url} does not answer: {type(error).__name__}: {error}")
    if response.status_code != httpx.codes.OK:
        return Finding("fail", f"{url} answers {response.status_code}, expected 200")
    server = response.headers.get("X-Served-By", "an app server")
    return Finding("pass", f"{url} answers 200 ({server})")


AUDITS = (
    Audit(
        name="one-vip-owner",
        title=Text("exactly one VIP owner", "un seul propriétaire de la VIP"),
        check=one_vip_owner,
    ),
    Audit(
        name="balancers-healthy",
        title=Text(
            "load balancers run and see every app server",
            "les répartiteurs tournent et voient chaque serveur applicatif",
        ),
        check=balancers_healthy,
    ),
    Audit(
        name="vip-answers",
        title=Text("the VIP answers over HTTPS", "la VIP répond en HTTPS"),
        check=vip_answers,
    ),
)
