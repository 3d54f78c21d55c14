"""A machine that is no member of the lab's cluster, or not any more. Pure."""

from __future__ import annotations

from components.files import STATE_DIR, RenderedFile
from components.pacemaker.corosync import AUTHKEY_PATH, CONFIG_PATH
from components.rendering import HEADER

NO_MEMBER_PATH = f"{STATE_DIR}/no-member"
_UNITS = "pacemaker corosync-qdevice corosync pcsd"
_STATE = f"{AUTHKEY_PATH} {STATE_DIR}/cluster /var/lib/pacemaker/cib/* /var/lib/corosync/*"
_RECORDS = "/var/lib/ha-lab/applied/cluster*"


def no_member_file(cluster: str) -> RenderedFile:
    """A mark. Where it is new, the machine leaves `cluster`, and no other that it may be in.

    Its resources move to the others first, as at every orderly stop of Pacemaker.
    """
    ours = f"grep -Eqs '^ *cluster_name: {cluster}$' {CONFIG_PATH}"
    leave = (
        f"for unit in {_UNITS}; do systemctl disable --now $unit.service 2>/dev/null; done; "
        f"rm -rf {CONFIG_PATH} {_STATE} {_RECORDS}"
    )
    return RenderedFile(
        path=NO_MEMBER_PATH,
        content=f"# {HEADER}\nThis machine is no member of the cluster {cluster}.\n",
        then=f"if {ours}; then {leave}; fi",
    )
