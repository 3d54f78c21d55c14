"""Taking a machine into the lab's cluster: not out of another one, and with a clean start.

Debian's packages bring a cluster of one machine, named `debian`, on the loopback address. That one
is removed; any other is somebody's.
"""

from __future__ import annotations

import re
import shutil
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from .merge import SEED
from .system import ToolError, must, note, run

CONF = Path("/etc/corosync/corosync.conf")
CIB = Path("/var/lib/pacemaker/cib/cib.xml")
STATE = (Path("/var/lib/pacemaker/cib"), Path("/var/lib/corosync"))
"""What a cluster remembers of itself on a machine."""
PROPERTIES_ID = "cib-bootstrap-options"
DUMMY = "debian"


class Membership(NamedTuple):
    """What a corosync.conf says of a cluster."""

    name: str
    addresses: list[str]

    @property
    def is_dummy(self) -> bool:
        return self.name == DUMMY and self.addresses == ["127.0.0.1"]


def membership(text: str) -> Membership:
    """Name and addresses of a corosync.conf."""
    lines = [line.partition("#")[0].strip() for line in text.splitlines()]
    values = [(key.strip(), value.strip()) for key, _, value in (x.partition(":") for x in lines)]
    names = [value for key, value in values if key == "cluster_name"]
    addresses = [value for key, value in values if re.fullmatch(r"ring\d_addr", key)]
    return Membership(names[-1] if names else "", addresses)


def must_be_free(new: Path) -> None:
    """Raises ToolError where this machine is a member of another cluster than that of `new`."""
    wanted = membership(new.read_text(encoding="utf-8")).name
    found = membership(CONF.read_text(encoding="utf-8")) if CONF.exists() else None
    if found is None or found.name == wanted or not (found.name or found.addresses):
        return
    running = [name for name in resources_of(read_cib()) if found.is_dummy]
    if found.is_dummy and not running:
        return
    what = f"runs {', '.join(running)}" if running else f"is at {', '.join(found.addresses)}"
    raise ToolError(
        f"this machine is a member of the cluster {found.name!r}, which {what}, and not of"
        f" {wanted!r}. If nobody needs that one any more, take the machine out of it with"
        " `pcs cluster destroy` on it (its resources stop); else choose other machines in"
        " cluster.members"
    )


def adopt(*, first: bool) -> None:
    """Forget the distribution's dummy; let the first member of a new cluster lead at once."""
    ours = membership(CONF.read_text(encoding="utf-8")).name
    cib = read_cib()
    if (cib is not None and cluster_name(cib) != ours) or runs_another_than(ours):
        forget()
        cib = None
    if first and cib is None:
        seed(ours)


def forget() -> None:
    """Stop what runs here and remove what it remembers."""
    note("removing the cluster of one machine that the distribution's packages come with")
    must(["systemctl", "stop", "pacemaker.service", "corosync.service"], timeout_s=120)
    for directory in STATE:
        for path in directory.iterdir() if directory.is_dir() else ():
            path.unlink()


def seed(name: str) -> None:
    """An empty configuration, with which the first member need not wait to lead."""
    cib = ET.fromstring(must(["cibadmin", "--empty"]))
    section = cib.find("./configuration/crm_config")
    if section is None:
        raise ToolError("`cibadmin --empty` gave no configuration")
    options = ET.SubElement(section, "cluster_property_set", id=PROPERTIES_ID)
    for key, value in (("cluster-name", name), SEED):
        ET.SubElement(options, "nvpair", id=f"{PROPERTIES_ID}-{key}", name=key, value=value)
    CIB.write_bytes(ET.tostring(cib))
    CIB.chmod(0o600)
    shutil.chown(CIB, "hacluster", "haclient")


def read_cib() -> ET.Element | None:
    """The configuration that Pacemaker keeps on disk; None where there is none."""
    try:
        return ET.parse(CIB).getroot()
    except (FileNotFoundError, ET.ParseError):
        return None


def cluster_name(cib: ET.Element) -> str | None:
    found = cib.find("./configuration/crm_config//nvpair[@name='cluster-name']")
    return None if found is None else found.get("value")


def resources_of(cib: ET.Element | None) -> Iterator[str]:
    """Names of what a cluster runs."""
    if cib is not None:
        for found in cib.iterfind("./configuration/resources/*"):
            yield found.get("id", "?")


def runs_another_than(name: str) -> bool:
    """Whether Corosync runs with another cluster's name."""
    done = run(["corosync-cmapctl", "-g", "totem.cluster_name"])
    return done.returncode == 0 and done.stdout.strip().rpartition("= ")[2] != name
