"""Says what this machine sees, a line of JSON every half second, until nobody listens.

Arguments: the VIP, and the load balancer program (haproxy or nginx). Sent to a machine by standard
input; Python 3.9 or later, standard library only.
"""

from __future__ import annotations

import csv
import functools
import importlib.machinery
import json
import os
import socket
import subprocess
import sys
import time
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

EVERY_S = 0.5
UNITS_EVERY = 2
"""Units are asked for in every second look: each time is a fork."""
LONGEST_S = 86400
RECORDS = Path("/var/lib/ha-lab/applied")
HAPROXY = Path("/run/haproxy/admin.sock")
NGINX = Path("/usr/local/lib/ha-lab/nginx-lb-servers")
"""Looks whether the servers of this machine's nginx accept connections."""
ROUTES = Path("/proc/net/fib_trie")
ANSWER_S = 0.4


def units() -> dict[str, str]:
    """By name, the state of every unit that must run here."""
    names = sorted(wanted_units())
    if not names:
        return {}
    asked = ["systemctl", "show", "-p", "ActiveState", "--value", *names]
    done = subprocess.run(asked, stdout=subprocess.PIPE, text=True, check=False)
    return dict(zip(names, done.stdout.split()))


def wanted_units() -> Iterator[str]:
    """Those that were applied here as running, without `.service`."""
    for path in RECORDS.glob("*.json"):
        try:
            applied = json.loads(path.read_text(encoding="utf-8"))["units"]
        except (OSError, ValueError, KeyError):
            continue
        for name, runs in applied.items():
            if runs:
                yield name[: -len(".service")] if name.endswith(".service") else name


def has_address(address: str) -> bool:
    """Whether an interface of this machine has it; no fork, as `ip addr` would be."""
    last: list[str] = []
    for words in map(str.split, ROUTES.read_text(encoding="ascii").splitlines()):
        if words[-2:] == ["host", "LOCAL"] and last[-1:] == [address]:
            return True
        last = words
    return False


def servers() -> list[dict[str, Any]] | str | None:
    """What HAProxy knows of its servers; None: there is none here, a text: it does not answer."""
    if not HAPROXY.exists():
        return None
    try:
        rows = csv.DictReader(ask_haproxy("show stat\n").lstrip("# ").splitlines())
        return [
            {
                "backend": row["pxname"],
                "name": row["svname"],
                "status": row["status"],
                "backup": row["bck"] == "1",
                "sessions": int(row["scur"] or 0),
            }
            for row in rows
            if row["svname"] not in ("FRONTEND", "BACKEND")
        ]
    except (OSError, KeyError, ValueError) as error:
        return f"HAProxy does not answer: {error}"


def nginx_servers() -> list[dict[str, Any]] | str | None:
    """What nginx sends requests to, and which of that accepts connections; else as `servers`.

    Whether nginx itself runs is in the units; it does not say how many sessions a server has.
    """
    if not NGINX.exists():
        return None
    try:
        found = looker().look(ANSWER_S)
    except (OSError, ValueError) as error:
        return f"nginx's servers cannot be asked: {error}"
    shown = ("backend", "name", "status", "backup")
    return [{**{key: server[key] for key in shown}, "sessions": None} for server in found]


@functools.lru_cache(maxsize=1)
def looker() -> Any:
    """The installed program as a module: a process for each look would be a fork too many."""
    sys.dont_write_bytecode = True
    loader = importlib.machinery.SourceFileLoader("nginx_lb_servers", str(NGINX))
    module = types.ModuleType(loader.name)
    loader.exec_module(module)
    return module


def ask_haproxy(command: str) -> str:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(ANSWER_S)
        connection.connect(str(HAPROXY))
        connection.sendall(command.encode())
        return b"".join(iter(lambda: connection.recv(65536), b"")).decode()


def main(vip: str, engine: str) -> None:
    look_at_servers = nginx_servers if engine == "nginx" else servers
    begun = time.monotonic()
    known: dict[str, str] = {}
    look = 0
    while time.monotonic() - begun < LONGEST_S:
        if look % UNITS_EVERY == 0:
            known = units()
        seen = {"vip": has_address(vip), "units": known, "servers": look_at_servers()}
        sys.stdout.write(json.dumps(seen) + "\n")
        sys.stdout.flush()
        look += 1
        # On schedule however long a look took, so that silence means something.
        time.sleep(max(0.05, begun + look * EVERY_S - time.monotonic()))


if __name__ == "__main__":
    try:
        main(sys.argv[1], sys.argv[2])
    except BrokenPipeError:
        os._exit(0)  # nobody listens any more; flushing again would complain
