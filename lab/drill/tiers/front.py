"""The front that makes nginx's pages late and its health page not: configuration as text. Pure.

Every port of the course's web server moves to a socket of its own, and a front takes its place: it
passes `/health` on at once, and everything else to a process that is slow or never answers.
"""

from __future__ import annotations

import re

from lab.errors import LabError

FOLDER = "/run/ha-lab-drill"
_LISTEN = re.compile(r"^( *)listen ([0-9]+) default_server;$", re.MULTILINE)
_SERVER = """
    # Of a drill: what answers behind it is late, its health is not.
    server {{
        listen {port} default_server;
        # nginx behind it names itself already.
        proxy_hide_header X-Served-By;
        location = /health {{
            proxy_pass http://unix:{folder}/whole-{port}.sock;
        }}
        location / {{
            proxy_pass http://unix:{folder}/late-{port}.sock;
            proxy_read_timeout 1d;
        }}
    }}
"""


def ports_of(conf: str) -> tuple[str, ...]:
    """The ports of the web server that this nginx.conf describes, each once."""
    return tuple(dict.fromkeys(port for _, port in _LISTEN.findall(conf)))


def with_front(conf: str) -> str:
    """This nginx.conf with the front. Raises LabError where it is not the course's web server."""
    ports = ports_of(conf)
    end = conf.rstrip().rfind("}")
    if not ports or end < 0:
        msg = (
            "nginx.conf is not that of the course's web server: no `listen PORT default_server;` "
            "in it; this fault is for that server only"
        )
        raise LabError(msg)
    inner = _LISTEN.sub(rf"\1listen unix:{FOLDER}/whole-\2.sock default_server;", conf[:end])
    fronts = "".join(_SERVER.format(port=port, folder=FOLDER) for port in ports)
    return f"{inner}{fronts}}}\n"
