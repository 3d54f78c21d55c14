"""The way out for bare machines: user-mode NAT from the rig's namespace, nothing on the host.

slirp4netns opens the host's own sockets, so neither forwarding nor a firewall rule of the host
changes. Only bare machines may use it; everything else in the rig stays without a way out.
"""

from __future__ import annotations

import shlex
import shutil
import signal
import subprocess
from pathlib import Path

from rig import network, processes
from rig.model import Rig, RigError

DEVICE = "up0"
#: From the range reserved for address translation, which nobody's private network uses.
_CIDR = "100.64.93.0/24"
#: slirp4netns answers names there, with the host's resolver.
NAMESERVER = "100.64.93.3"

_RULES = """\
table inet ha_lab_uplink
delete table inet ha_lab_uplink
table inet ha_lab_uplink {{
  chain forward {{
    type filter hook forward priority filter; policy accept;
    oifname "{device}" ip saddr != {{ {addresses} }} drop
    oifname "{device}" meta nfproto ipv6 drop
  }}
  chain postrouting {{
    type nat hook postrouting priority srcnat; policy accept;
    oifname "{device}" masquerade
  }}
}}
"""


def rules(rig: Rig) -> str:
    """The nftables rules of the rig's namespace."""
    addresses = ", ".join(m.address for m in rig.machines if m.bare)
    return _RULES.format(device=DEVICE, addresses=addresses)


def ensure(rig: Rig, home: Path) -> None:
    """Make the way out if a machine of the rig is bare; nothing to do when it is there."""
    if not any(machine.bare for machine in rig.machines):
        return
    missing = [tool for tool in ("slirp4netns", "nft") if shutil.which(tool) is None]
    if missing:
        raise RigError("bare machines need: apt-get install -y slirp4netns nftables")
    if processes.recorded_process(_record(home)) is None:
        _start(rig, home)
    inside = ["ip", "netns", "exec", rig.namespace]
    subprocess.run([*inside, "nft", "-f", "-"], input=rules(rig), text=True, check=True)
    forward = [*inside, "sysctl", "--quiet", "--write", "net.ipv4.ip_forward=1"]
    subprocess.run(forward, check=True)


def remove(home: Path) -> None:
    """End the way out, if there is one."""
    for pid in processes.recorded_session(_record(home)):
        processes.send(pid, signal.SIGTERM)
    processes.wait_until(
        lambda: not processes.recorded_session(_record(home)), deadline=10, what="slirp4netns"
    )


def _start(rig: Rig, home: Path) -> None:
    options = ["--configure", "--disable-host-loopback", "--mtu=1500", f"--cidr={_CIDR}"]
    target = ["--netns-type=path", f"/run/netns/{rig.namespace}", DEVICE]
    command = shlex.join(["slirp4netns", *options, *target])
    record = shlex.quote(str(_record(home)))
    script = f"echo \"$$ $(cut -d' ' -f22 /proc/$$/stat)\" >{record}; exec {command}"
    with (home / "uplink.log").open("ab") as log:
        subprocess.Popen(
            ["sh", "-c", script],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    processes.wait_until(
        lambda: network.links(rig.namespace).get(DEVICE) == "up",
        deadline=10,
        what=f"the way out of bare machines; see {home / 'uplink.log'}",
    )


def _record(home: Path) -> Path:
    return home / "uplink.pid"
