"""What the cluster asks of its machines, one plan for each step. Pure.

The steps of a lab: the agents are checked; every member gets its keys, its configuration and runs;
one of them waits for the others; then the resources are pushed, and what the web server answers
is the end.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

from components.database.ocf import agent_files
from components.files import LIB_DIR, STATE_DIR, Family, RenderedFile, ServicePlan, ServiceUnit
from components.pacemaker.args import ClusterArgs, Member
from components.pacemaker.cib import cib_configuration
from components.pacemaker.corosync import CONFIG_PATH, authkey_file, corosync_conf
from components.pacemaker.leave import NO_MEMBER_PATH
from components.pacemaker.quorum import MEMBER_UNIT
from components.pacemaker.web import PORT, serves_web, web_files

TOOL_PATH = f"{LIB_DIR}/cluster-tool"
PCS_USER = "hacluster"
LOGIN_PATH = f"{STATE_DIR}/cluster/login"
RESOURCES_PATH = f"{STATE_DIR}/cluster/resources.xml"
PACKAGES: dict[Family, tuple[str, ...]] = {
    "debian": (
        "pacemaker",
        "pacemaker-cli-utils",
        "corosync",
        "pcs",
        "resource-agents",
        "fence-agents",
    ),
    "redhat": ("pacemaker", "corosync", "pcs", "resource-agents", "fence-agents-all"),
}
WEB_PACKAGES: dict[Family, tuple[str, ...]] = {
    "debian": ("apache2", "curl"),
    "redhat": ("httpd", "curl", "mailcap"),
}
_GUEST = Path(__file__).parent / "guest"
_PACKAGE = f"{LIB_DIR}/cluster_tool"
_ENTRY = f"""#!/usr/bin/env python3
\"\"\"Does and asks what concerns the whole cluster; the package beside it does the work.\"\"\"

import sys

sys.path.insert(0, "{LIB_DIR}")

from cluster_tool.main import main

sys.exit(main())
"""


PATIENT = ("pcsd", "pcsd-ruby")
PATIENT_DROP_IN = """# Half of pcs is Ruby: on a busy emulated machine a start may take minutes.
[Service]
TimeoutStartSec=10min
"""


def patient_files() -> tuple[RenderedFile, ...]:
    """pcs's services may take their time; known to systemd before they are started."""
    return tuple(
        RenderedFile(
            path=f"/etc/systemd/system/{unit}.service.d/ha-lab.conf",
            content=PATIENT_DROP_IN,
        )
        for unit in PATIENT
    )


def tool_files() -> tuple[RenderedFile, ...]:
    """The cluster's tool; every member has it, so that each can be asked."""
    modules = [
        RenderedFile(path=f"{_PACKAGE}/{path.name}", content=path.read_text(encoding="utf-8"))
        for path in sorted(_GUEST.glob("*.py"))
    ]
    return (*modules, RenderedFile(path=TOOL_PATH, content=_ENTRY, mode=0o755))


def packages(args: ClusterArgs) -> dict[Family, tuple[str, ...]]:
    """What a member needs."""
    web = WEB_PACKAGES if serves_web(args) else {}
    return {family: (*names, *web.get(family, ())) for family, names in PACKAGES.items()}


def check_plan(args: ClusterArgs) -> ServicePlan:
    """The resources as a file whose validator asks the agents: before anything else is touched."""
    return ServicePlan(
        name="cluster_check",
        packages=packages(args),
        files=(
            *tool_files(),
            *agent_files(args.resources),
            RenderedFile(
                path=RESOURCES_PATH,
                content=cib_configuration(args),
                mode=0o600,
                validate=f"{TOOL_PATH} check {{staged}}",
            ),
        ),
    )


def keys_plan(*, authkey: str, password: str) -> ServicePlan:
    """What is secret on a member: the key of its traffic and the login of pcs."""
    return ServicePlan(
        name="cluster_keys",
        packages=PACKAGES,
        files=(
            authkey_file(authkey),
            RenderedFile(
                path=LOGIN_PATH,
                content=f"{PCS_USER}:{password}\n",
                mode=0o600,
                then=f"chpasswd <{LOGIN_PATH}",
            ),
        ),
    )


def member_plan(args: ClusterArgs, member: Member) -> ServicePlan:
    """One member: configured and running, whether the others are there or not."""
    first = " --first" if member == args.bootstrap else ""
    web = serves_web(args)
    return ServicePlan(
        name="cluster",
        packages=packages(args),
        files=(
            *tool_files(),
            *agent_files(args.resources),
            *(web_files(args, member) if web else ()),
            *patient_files(),
            RenderedFile(
                path=CONFIG_PATH,
                content=corosync_conf(args),
                validate=f"corosync -t -c {{staged}} && {TOOL_PATH} free {{staged}}",
                # Where it runs, all members take it up together, later: see the `join` plan.
                then=f"{TOOL_PATH} adopt{first}",
            ),
        ),
        # The golden image has it masked: only members need it, for pcs's older requests.
        absent=("/etc/systemd/system/pcsd-ruby.service", NO_MEMBER_PATH),
        units=(
            *((ServiceUnit(name="apache2.service", redhat="httpd.service", running=False),) * web),
            ServiceUnit(name="corosync.service"),
            ServiceUnit(name="pacemaker.service"),
            ServiceUnit(name="pcsd.service"),
            # With a quorum device it is started once all members know of the device.
            *(() if args.quorum_device else (ServiceUnit(name=MEMBER_UNIT, running=False),)),
        ),
    )


def join_plan(args: ClusterArgs, identities: Sequence[str]) -> ServicePlan:
    """On the first member: all are online, and pcs is logged in to all.

    `identities` change with the machines: a member that was made anew has to be let in again.
    """
    members = {member.name: str(member.address) for member in args.members}
    wanted = {
        "members": members,
        "login": LOGIN_PATH,
        "within_s": args.settles_within_s,
        "corosync": digest(corosync_conf(args)),
        "machines": digest(repr(list(identities))),
    }
    path = f"{STATE_DIR}/cluster/members.json"
    content = json.dumps(wanted, indent=1) + "\n"
    then = f"{TOOL_PATH} join {path}"
    return ServicePlan(
        name="cluster_join",
        files=(RenderedFile(path=path, content=content, mode=0o600, then=then),),
    )


def push_plan(args: ClusterArgs) -> ServicePlan:
    """On the first member: the cluster has these resources, and its web server answers."""
    path = f"{STATE_DIR}/cluster/wanted"
    push = f"{TOOL_PATH} push --within {args.settles_within_s} {RESOURCES_PATH}"
    url = f"http://{args.vip}:{PORT}/"
    return ServicePlan(
        name="cluster_resources",
        files=(RenderedFile(path=path, content=f"{digest(cib_configuration(args))}\n", then=push),),
        checks=(f"curl -fs -o /dev/null --max-time 5 {url}",) if serves_web(args) else (),
    )


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
