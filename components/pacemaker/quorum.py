"""The quorum device: a vote on a machine that runs nothing, for clusters of two. Pure.

corosync-qnetd on that machine, corosync-qdevice on the members. They know each other by
certificates of the stack's own, in the databases and under the nicknames that Corosync's own tools
(`corosync-qnetd-certutil`, `corosync-qdevice-net-certutil`) would make.
"""

from __future__ import annotations

import shlex
from pathlib import Path

from components.files import LIB_DIR, STATE_DIR, Family, RenderedFile, ServicePlan, ServiceUnit
from components.pacemaker.args import ClusterArgs
from components.rendering import HEADER

P12_PASSWORD = "ha-lab"  # noqa: S105 - protects nothing: the files are for root alone
"""NSS takes no key without one."""
SCRIPT_PATH = f"{LIB_DIR}/quorum-keys"
FOLDER = f"{STATE_DIR}/quorum"
DEVICE_DATABASE = "/etc/corosync/qnetd/nssdb"
MEMBER_DATABASE = "/etc/corosync/qdevice/net/nssdb"
DEVICE_UNIT, MEMBER_UNIT = "corosync-qnetd.service", "corosync-qdevice.service"
DROP_IN = f"/etc/systemd/system/{DEVICE_UNIT}.d/ha-lab.conf"
_HERE = Path(__file__).parent
_DEVICE_PACKAGES: dict[Family, tuple[str, ...]] = {
    "debian": ("corosync-qnetd", "libnss3-tools"),
    "redhat": ("corosync-qnetd", "nss-tools"),
}
_MEMBER_PACKAGES: dict[Family, tuple[str, ...]] = {
    "debian": ("corosync-qdevice", "libnss3-tools"),
    "redhat": ("corosync-qdevice", "nss-tools"),
}


def device_keys_plan(*, ca: str, pair: str) -> ServicePlan:
    """What is secret on the device's machine."""
    return ServicePlan(
        name="quorum_device_keys",
        packages=_DEVICE_PACKAGES,
        files=_keys(ca, pair, database=DEVICE_DATABASE, owner="coroqnetd", unit=DEVICE_UNIT),
    )


def device_plan(args: ClusterArgs) -> ServicePlan:
    """The device runs, and takes members with certificates alone."""
    exec_start = "/usr/bin/corosync-qnetd -f -s req -c on $COROSYNC_QNETD_OPTIONS"
    return ServicePlan(
        name="quorum_device",
        packages=_DEVICE_PACKAGES,
        files=(
            RenderedFile(
                path=DROP_IN,
                content=(
                    f"# {HEADER}\n# The quorum device of the cluster {args.name}.\n[Service]\n"
                    f"ExecStart=\nExecStart={exec_start}\nRestart=always\nRestartSec=1s\n"
                ),
                then="systemctl daemon-reload",
            ),
        ),
        units=(ServiceUnit(name=DEVICE_UNIT, restart_on=(DROP_IN,)),),
        checks=("corosync-qnetd-tool -s >/dev/null",),
    )


def member_keys_plan(*, ca: str, pair: str) -> ServicePlan:
    """What is secret on a member; the same on all of them."""
    return ServicePlan(
        name="cluster_quorum_keys",
        packages=_MEMBER_PACKAGES,
        files=_keys(ca, pair, database=MEMBER_DATABASE, owner="root", unit=MEMBER_UNIT),
    )


def member_plan() -> ServicePlan:
    """A member asks the device, and has been given its vote.

    After the members' Corosync has read of the device: the daemon ends where it finds none.
    """
    return ServicePlan(
        name="cluster_quorum",
        packages=_MEMBER_PACKAGES,
        units=(ServiceUnit(name=MEMBER_UNIT),),
        checks=(
            "corosync-qdevice-tool -s | grep -Eq '^State:[[:space:]]+Connected'",
            # A, V: it is alive and votes.
            "corosync-quorumtool -s | grep -Eq ' A,V,N?MW '",
        ),
    )


def _keys(ca: str, pair: str, *, database: str, owner: str, unit: str) -> tuple[RenderedFile, ...]:
    ca_path, pair_path = f"{FOLDER}/ca.pem", f"{FOLDER}/keys.p12.base64"
    words = [SCRIPT_PATH, database, ca_path, pair_path, owner]
    then = f"{shlex.join(words)} && systemctl try-restart {unit}"
    script = (_HERE / "templates/quorum-keys").read_text(encoding="utf-8")
    return (
        RenderedFile(path=SCRIPT_PATH, content=script, mode=0o755, validate="bash -n {staged}"),
        RenderedFile(path=f"{FOLDER}/password", content=f"{P12_PASSWORD}\n", mode=0o600),
        RenderedFile(path=ca_path, content=ca, mode=0o600),
        RenderedFile(path=pair_path, content=pair, mode=0o600, then=then),
    )
