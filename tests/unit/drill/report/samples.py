"""A few drills for reports: runs of one fault, two sets of timers, one that failed."""

from __future__ import annotations

from dataclasses import dataclass

from lab.drill.events import AnyEvent
from lab.drill.verdict import Verdict, judge
from tests.unit.drill.histories import BEGIN, END, failover, history


@dataclass(frozen=True)
class Title:
    en: str
    fr: str

    def in_language(self, language: str) -> str:
        return self.fr if language == "fr" else self.en


TITLES = {
    "vip-owner-power-off": Title(
        "The VIP's owner loses power", "Le détenteur de la VIP perd son alimentation"
    ),
    "one-owner": Title("exactly one VIP owner", "un seul détenteur de la VIP"),
}
NASTY = "<script>alert(1)</script> [bold]x[/] a|b `c` $x$ {y}"
"""What a machine may answer."""


def drills() -> list[list[AnyEvent]]:
    """Three runs of a fault, the second too long; another fault with writes; none."""
    power_off = [failover(0.2, run=1), failover(0.9, run=2), failover(0.1, run=3)]
    course = failover(2.5, timers="course", predicted_s=3.609, limit_s=5.9)
    storage = (
        history("brick-killed", victims=("gluster1",), tier="storage", predicted_s=None)
        .writes(BEGIN, END, first=1)
        .present((1, 349))
        .role("mariadb", "db1", BEGIN, END, "primary")
        .audit("one-owner", "fail", NASTY)
    )
    none = history("none", victims=(), limit_s=0.0, predicted_s=None).without_steps(
        "inject", "injected", "recovered", "undo", "undone", "settled"
    )
    others = [each.audit("one-owner", "pass", "lb2 alone") for each in (*power_off, course, none)]
    return [each.events() for each in (*others[:4], storage, others[4])]


HISTORIES = drills()
VERDICTS: list[Verdict] = [judge(events) for events in HISTORIES]
