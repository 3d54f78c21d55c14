"""Small types of the cluster's settings, as Pacemaker takes them."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator

from components.settings.kinds import matching

STANDARDS = ("ocf", "systemd", "lsb", "service")
"""Of agents that a resource can have; fence devices are not resources here."""


def check_agent(value: str) -> str:
    """`ocf:provider:type`, or `standard:type` where there are no providers."""
    standard, *rest = value.split(":")
    parts = 2 if standard == "ocf" else 1
    words = len(rest) == parts and all(re.fullmatch(r"[A-Za-z0-9_.@-]+", part) for part in rest)
    if standard not in STANDARDS or not words:
        msg = (
            "expected an agent `standard:provider:type` such as ocf:heartbeat:IPaddr2, or"
            " systemd:UNIT; `pcs resource list` on a member shows all"
        )
        raise ValueError(msg)
    return value


def option_text(value: object) -> object:
    """Pacemaker's options are text; YAML's numbers and booleans become what it writes for them."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int) else value


def check_option(value: str) -> str:
    """One line without what XML cannot hold."""
    if not re.fullmatch(r"[^\x00-\x1f\x7f\ud800-\udfff\ufffe\uffff]{0,2000}", value):
        msg = "expected text of one line, 2000 characters at most"
        raise ValueError(msg)
    return value


def score_text(value: object) -> object:
    """A score is a number or INFINITY."""
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return str(value) if is_number else value


def check_score(value: str) -> str:
    """Pacemaker's scores; a million is INFINITY to it."""
    expected = "a score: a number below a million, INFINITY or -INFINITY"
    return matching(r"-?(INFINITY|[0-9]{1,6})", expected)(value)


AgentName = Annotated[str, AfterValidator(check_agent)]
ClusterName = Annotated[
    str,
    AfterValidator(
        matching(
            r"(?!cli-|location-|colocation-|order-)(?!.*(_attributes|-interval-))"
            r"[A-Za-z][A-Za-z0-9_-]{0,47}",
            "a name of letters, digits, _ and -, at most 48, that begins with a letter and looks"
            " like none that Pacemaker makes (cli-..., order-..., ..._attributes), e.g. vip",
        )
    ),
]
"""Name of a resource, group or clone: an id in the cluster's configuration."""
OptionName = Annotated[
    str,
    AfterValidator(
        matching(r"[A-Za-z_][A-Za-z0-9_.-]{0,63}", "the name of an option such as cidr_netmask")
    ),
]
OptionValue = Annotated[str, BeforeValidator(option_text), AfterValidator(check_option)]
Score = Annotated[str, BeforeValidator(score_text), AfterValidator(check_score)]
