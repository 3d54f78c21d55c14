"""What the settings must not ask of nginx as the load balancer: open-source nginx cannot do it.

Nothing that was asked for is left out in silence; each sentence names the way to have it.
"""

from __future__ import annotations

from collections.abc import Iterator

from components.settings.database_rules import enabled
from components.settings.models import Settings
from components.settings.rules import SEATS, Broken, Rule, names_with
from components.settings.service_rules import backup_names
from components.topology import Role

HASHES = ("source", "uri")


def is_nginx(settings: Settings) -> bool:
    return settings.load_balancer.engine == "nginx"


def choices(settings: Settings, stack: str) -> Iterator[Broken]:
    """Who gets a request is decided by one method, and a hash has no backup server."""
    del stack
    balancer = settings.load_balancer
    if not is_nginx(settings):
        return
    chosen: list[tuple[str, str]] = []
    if balancer.algorithm in HASHES:
        chosen.append(("algorithm", balancer.algorithm))
    if balancer.stickiness != "none":
        chosen.append(("stickiness", balancer.stickiness))
    backup = backup_names(settings, names_with(settings, Role.APP))
    for key, value in chosen[:1]:
        if backup:
            yield (
                "loadBalancer.backup",
                (
                    f"{', '.join(backup)} would be a backup, which nginx cannot have with `{key}:"
                    f" {value}`: give `backup: []`, or `engine: haproxy`"
                ),
            )
    if balancer.stickiness == "source" and balancer.algorithm not in ("roundrobin", "source"):
        yield (
            "loadBalancer.stickiness",
            (
                f"source is an algorithm of nginx by itself, so {balancer.algorithm} would be lost:"
                " remove one of them, give `stickiness: cookie`, or `engine: haproxy`"
            ),
        )


def checks(settings: Settings, stack: str) -> Iterator[Broken]:
    """Nobody asks the app servers how they are."""
    del stack
    if not is_nginx(settings):
        return
    balancer = settings.load_balancer
    given = ["loadBalancer.check"] if "check" in balancer.model_fields_set else []
    given += [
        f"loadBalancer.backends.{name}.check"
        for name, spec in sorted(balancer.backends.items())
        if "check" in spec.model_fields_set
    ]
    for path in given:
        yield (
            path,
            (
                "open-source nginx checks no server, it learns from requests that fail: remove it,"
                " or use `engine: haproxy`"
            ),
        )


def roles(settings: Settings, stack: str) -> Iterator[Broken]:
    """The databases' endpoints follow a role that has to be asked for."""
    del stack
    if is_nginx(settings):
        for engine in enabled(settings):
            yield (
                f"database.{engine}.enabled",
                (
                    "its endpoints follow the role of each database, which open-source nginx cannot"
                    " ask for (a write could reach a replica): use `engine: haproxy`"
                ),
            )


ENGINE = "loadBalancer.engine"
ENGINE_RULES = (
    Rule(
        choices,
        (
            *SEATS,
            ENGINE,
            "loadBalancer.algorithm",
            "loadBalancer.stickiness",
            "loadBalancer.backup",
        ),
    ),
    Rule(checks, (ENGINE, "loadBalancer.check.*", "loadBalancer.backends.*")),
    Rule(roles, (ENGINE, "database.*")),
)
