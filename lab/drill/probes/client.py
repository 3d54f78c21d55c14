"""`python -m lab.drill.probes.client KIND`: a prober process; see `prober`.

KIND is `fresh`, `session` or `arp`; the settings come by standard input, as one line of JSON.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any

from lab.drill.probes.prober import Output, Prober, Watcher, prepare_process, read_settings

Settings = Mapping[str, Any]


def fresh(prober: Prober, settings: Settings) -> Watcher:
    from lab.drill.probes.connection import endpoint_of
    from lab.drill.probes.fresh import FreshRequests

    endpoint = endpoint_of(settings["url"])
    return FreshRequests(prober, endpoint, probe=settings["probe"], timeout_s=settings["timeout_s"])


def session(prober: Prober, settings: Settings) -> Watcher:
    from lab.drill.probes.connection import endpoint_of
    from lab.drill.probes.session import SessionRequests

    endpoint = endpoint_of(settings["url"])
    return SessionRequests(
        prober, endpoint, probe=settings["probe"], timeout_s=settings["timeout_s"]
    )


def arp(prober: Prober, settings: Settings) -> Watcher:
    from lab.drill.probes.arp_watch import ArpWatch

    return ArpWatch(
        prober,
        probe=settings["probe"],
        device=settings["device"],
        address=settings["address"],
        names=settings["names"],
    )


KINDS: Mapping[str, Callable[[Prober, Settings], Watcher]] = {
    "fresh": fresh,
    "session": session,
    "arp": arp,
}


def main(kind: str) -> None:
    """Look until the input ends. Exits with a text where it cannot."""
    settings = read_settings()
    prepare_process()
    prober = Prober(Output(1))
    try:
        watcher = KINDS[kind](prober, settings)
        prober.run(
            watcher,
            interval_s=settings["interval_s"],
            longest_s=settings["longest_s"],
            drain_s=settings["drain_s"],
        )
    except OSError as error:
        sys.exit(f"{type(error).__name__}: {error}")


if __name__ == "__main__":
    main(sys.argv[1])
