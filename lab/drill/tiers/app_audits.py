"""What must be true of the app servers: each gives its pages, not only its health."""

from __future__ import annotations

import asyncio

from lab.drill.model import Audit, Finding, Text
from lab.drill.scene import Scene
from lab.drill.tiers.guests import guest_program
from lab.drill.tiers.roles import ServerSeen, main_servers
from lab.errors import LabError

PAGE_TIMEOUT_S = 3.0
SERVER_ERROR = 500


async def app_servers_healthy(scene: Scene) -> Finding:
    """Every server of the main back end is asked on its own machine for a page."""
    servers = await main_servers(scene)
    found = await asyncio.gather(*(_problem(scene, server) for server in servers))
    problems = [problem for problem in found if problem]
    if problems:
        return Finding("fail", "; ".join(problems))
    return Finding("pass", f"{', '.join(server.name for server in servers)} give their pages")


async def _problem(scene: Scene, server: ServerSeen) -> str | None:
    address = scene.target.machines[server.name].address
    within_s = PAGE_TIMEOUT_S * scene.timers.patience
    ask = f"python3 - {address} {server.port} {within_s:g}"
    try:
        done = await scene.machines.run(server.name, ask, stdin=guest_program("ask_page.py"))
        status = int(done.ok())
    except LabError as error:
        return str(error)
    if status >= SERVER_ERROR:
        return f"{server.name} answers its page with {status}"
    return None


AUDITS = (
    Audit(
        name="app-servers-healthy",
        title=Text("every app server gives its pages", "chaque serveur applicatif sert ses pages"),
        check=app_servers_healthy,
    ),
)
