"""What a member needs so that it can fence the others: agent, key, watchdog, proof. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path

from components.fencing.devices import (
    RIG_AGENT,
    RIG_KEY,
    XVM_AGENT,
    XVM_KEY,
    StonithDevice,
    Watchdog,
)
from components.files import LIB_DIR, Family, RenderedFile, ServicePlan, ServiceUnit
from components.rendering import HEADER
from rig.fencing import guest

CHECK_PATH = f"{LIB_DIR}/check-fencing"
OPTIONS_DIR = "/etc/ha-lab/fencing"
"""Each device's options for `check-fencing`: what its agent is told by the cluster."""
SBD_CONFIG = "/etc/ha-lab/sbd.conf"
SBD_DROP_INS = tuple(
    f"/etc/systemd/system/{unit}.service.d/ha-lab-sbd.conf" for unit in ("sbd", "pacemaker")
)
SOFTDOG_CONFIG = "/etc/modules-load.d/ha-lab-softdog.conf"
WATCHDOG_DEVICE = "/dev/watchdog"
LISTING_AGENTS = (XVM_AGENT, RIG_AGENT)
"""Agents that list what they may fence, and from which this proves more than `status` does."""

_HERE = Path(__file__).parent
_PACKAGES: dict[str, dict[Family, tuple[str, ...]]] = {
    XVM_AGENT: {"debian": ("fence-virt",), "redhat": ("fence-virt",)},
    # Standard library of Python alone.
    RIG_AGENT: {"debian": ("python3",), "redhat": ("python3",)},
}
_AGENT_PACKAGES: dict[Family, tuple[str, ...]] = {
    "debian": ("fence-agents",),
    "redhat": ("fence-agents-all",),
}


def fencing_plan(devices: Sequence[StonithDevice], watchdog: Watchdog | None) -> ServicePlan:
    """Everything on one member but the key, which must be there before."""
    return ServicePlan(
        name="fencing",
        packages=_packages(devices, watchdog),
        files=(
            _check_script(),
            *(_rig_agent() for device in devices if device.agent == RIG_AGENT),
            *(_options(device) for device in devices),
            *(_watchdog_files(watchdog) if watchdog else ()),
        ),
        absent=() if watchdog else (*SBD_DROP_INS, SBD_CONFIG, SOFTDOG_CONFIG),
        # SBD starts and stops with the cluster and not by itself; it is enabled with its files.
        units=() if watchdog else (ServiceUnit(name="sbd.service", running=False),),
        checks=tuple(_checks(devices, watchdog)),
    )


def key_plan(agent: str, key: str) -> ServicePlan:
    """The key with which members of this lab prove that they may fence; for root alone."""
    path = {XVM_AGENT: XVM_KEY, RIG_AGENT: RIG_KEY}[agent]
    return ServicePlan(
        name="fencing_key",
        files=(RenderedFile(path=path, content=f"{key}\n", mode=0o600),),
    )


def check_command(device: StonithDevice) -> str:
    """The shell command that exits 0 when a member can ask this device about all it may fence."""
    how = "list" if device.agent in LISTING_AGENTS else "status"
    return shlex.join([CHECK_PATH, device.agent, options_path(device), how, *device.plugs.values()])


def options_path(device: StonithDevice) -> str:
    return f"{OPTIONS_DIR}/{device.id}"


def _checks(devices: Sequence[StonithDevice], watchdog: Watchdog | None) -> Iterator[str]:
    yield from (check_command(device) for device in devices)
    if watchdog:
        yield f"test -c {WATCHDOG_DEVICE}"


def _packages(
    devices: Sequence[StonithDevice], watchdog: Watchdog | None
) -> dict[Family, tuple[str, ...]]:
    families: tuple[Family, ...] = ("debian", "redhat")
    return {
        family: tuple(
            dict.fromkeys(
                [
                    *(
                        name
                        for device in devices
                        for name in _PACKAGES.get(device.agent, _AGENT_PACKAGES)[family]
                    ),
                    *(("sbd",) if watchdog else ()),
                ]
            )
        )
        for family in families
    }


def _check_script() -> RenderedFile:
    return RenderedFile(
        path=CHECK_PATH,
        content=(_HERE / "templates/check-fencing").read_text(encoding="utf-8"),
        mode=0o755,
        validate="bash -n {staged}",
    )


def _rig_agent() -> RenderedFile:
    return RenderedFile(
        path=f"/usr/sbin/{RIG_AGENT}",
        content=(Path(guest.__file__).parent / "agent.py").read_text(encoding="utf-8"),
        mode=0o755,
        validate="python3 {staged} -o metadata >/dev/null",
    )


def _options(device: StonithDevice) -> RenderedFile:
    own = {k: v for k, v in device.parameters.items() if not k.startswith("pcmk_")}
    lines = [f"# {HEADER}", *(f"{name}={value}" for name, value in own.items())]
    return RenderedFile(path=options_path(device), content="\n".join(lines) + "\n", mode=0o600)


def _watchdog_files(watchdog: Watchdog) -> Iterator[RenderedFile]:
    yield RenderedFile(
        path=SOFTDOG_CONFIG,
        content=f"# {HEADER}\nsoftdog\n",
        then="modprobe softdog",
    )
    yield RenderedFile(
        path=SBD_CONFIG,
        content=(
            f"# {HEADER}\n"
            # No disk: a member is reset that is not content with its cluster, or hangs.
            "SBD_PACEMAKER=yes\n"
            "SBD_STARTMODE=always\n"
            f"SBD_WATCHDOG_DEV={WATCHDOG_DEVICE}\n"
            f"SBD_WATCHDOG_TIMEOUT={watchdog.timeout_s}\n"
        ),
    )
    for path in SBD_DROP_INS:
        # The last file that is named wins over the distribution's own, wherever that is.
        content = f"# {HEADER}\n[Service]\nEnvironmentFile={SBD_CONFIG}\n"
        yield RenderedFile(
            path=path,
            content=content,
            then="systemctl daemon-reload && systemctl enable --quiet sbd.service",
        )
