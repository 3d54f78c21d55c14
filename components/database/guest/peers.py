"""What the other database machines say of themselves."""

from __future__ import annotations

import http.client
import json
from concurrent.futures import ThreadPoolExecutor
from typing import Optional

from .model import Config, State, state_from

TIMEOUT_S = 1.0
Answers = dict[str, Optional[State]]
"""By machine; None: it did not answer."""


def ask(address: str, port: int, engine: str, *, timeout_s: float = TIMEOUT_S) -> State | None:
    """The state of an engine on one machine, or None."""
    connection = http.client.HTTPConnection(address, port, timeout=timeout_s)
    try:
        connection.request("GET", f"/{engine}")
        answer = connection.getresponse()
        body = answer.read()
        return state_from(json.loads(body)) if answer.status == http.client.OK else None
    except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError):
        return None
    finally:
        connection.close()


def ask_peers(config: Config, engine: str, *, timeout_s: float = TIMEOUT_S) -> Answers:
    """All peers at once, for `timeout_s` at most."""
    if not config.peers:
        return {}
    with ThreadPoolExecutor(len(config.peers)) as pool:
        asked = {
            name: pool.submit(ask, address, config.role_port, engine, timeout_s=timeout_s)
            for name, address in config.peers.items()
        }
        return {name: answer.result() for name, answer in asked.items()}
