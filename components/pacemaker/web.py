"""The course's web server as a resource of the cluster: Apache's files on each member. Pure.

Every member has them, one at a time runs Apache with them; its pages say which.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from components.files import RenderedFile
from components.pacemaker.args import ClusterArgs, Member
from components.rendering import Templates

AGENT = "ocf:heartbeat:apache"
CONFIG_PATH = "/etc/apache2/ha-lab.conf"
PORT = 80
PATH = "/cluster"
"""Below which the load balancers' clients find the page."""
ROOT = "/var/www/ha-lab-cluster"
_PID_PATH = "/var/run/apache2/ha-lab.pid"
"""The agent makes the directory, and only below /var/run."""
_TEMPLATES = Templates(Path(__file__).parent / "templates")


def serves_web(args: ClusterArgs) -> bool:
    """Whether the lab's Apache is one of the resources; users may have other ones instead."""
    return any(is_web_server(found.agent, found.parameters) for found in args.resources)


def is_web_server(agent: str, parameters: Mapping[str, str]) -> bool:
    """Whether this resource is Apache with the lab's configuration."""
    return agent == AGENT and parameters.get("configfile") == CONFIG_PATH


def web_files(args: ClusterArgs, member: Member) -> tuple[RenderedFile, ...]:
    """Apache's pages and configuration on this member, in the order in which to write them."""
    values = {
        "args": args,
        "member": member,
        "port": PORT,
        "path": PATH,
        "root": ROOT,
        "pid_path": _PID_PATH,
    }
    page = _TEMPLATES.render("index.html.j2", values)
    return (
        RenderedFile(path=f"{ROOT}/index.html", content=page),
        RenderedFile(path=f"{ROOT}/health", content="ok\n"),
        RenderedFile(
            path=CONFIG_PATH,
            content=_TEMPLATES.render("apache.conf.j2", values),
            validate="$(command -v apache2 || command -v httpd) -t -f {staged}",
            then=_reload(args),
        ),
    )


def _reload(args: ClusterArgs) -> str:
    """Where it runs, Apache takes a changed configuration over without the cluster noticing.

    A new VIP is not here yet: then the cluster restarts both.
    """
    here = f"ip -4 -o address show to {args.vip}/32 | grep -q ."
    daemon = "$(command -v apache2 || command -v httpd)"
    return f"if [ -e {_PID_PATH} ] && {here}; then {daemon} -f {CONFIG_PATH} -k graceful; fi"
