"""What a load balancer does with a request before a server has it: routes, own pages, TLS."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import Literal, get_args

from components.checks import (
    URL_PATH,
    must_be_name,
    must_be_one_of,
    must_be_port,
    must_match,
)

ErrorCode = Literal[400, 403, 408, 500, 502, 503, 504]
_PATH_END = re.compile(r"^[A-Za-z0-9._~/-]+$")
_CRYPT = re.compile(r"^\$(5|6)\$[./A-Za-z0-9$=]+$")
_FILE = re.compile(r"^/[A-Za-z0-9._/-]+$")
ERROR_PAGE_BYTES = 8192
"""HAProxy keeps an error page in one buffer of 16 KiB, with its headers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Acl:
    """A named condition: true when every field that is given matches, by any of its values."""

    name: str
    path_beg: tuple[str, ...] = ()
    path_end: tuple[str, ...] = ()
    src: tuple[IPv4Network, ...] = ()
    """Networks of the client."""

    def __post_init__(self) -> None:
        must_be_name("acl", self.name)
        if not (self.path_beg or self.path_end or self.src):
            raise ValueError(f"acl {self.name} has no condition; give it path_beg, path_end or src")
        for path in self.path_beg:
            must_match(URL_PATH, f"path_beg of acl {self.name}", path, "a URL path such as /api")
        for end in self.path_end:
            must_match(_PATH_END, f"path_end of acl {self.name}", end, "an ending such as .png")


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """`use_backend backend if acl acl ...`: the first route whose ACLs are all true is taken."""

    backend: str
    acls: tuple[str, ...]

    def __post_init__(self) -> None:
        if not self.acls:
            raise ValueError(
                f"the route to {self.backend} has no acl; name at least one, or make the back "
                "end the default"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorPage:
    """An error page of the lab's own."""

    code: ErrorCode
    html: str | None = None
    """The body; None: the lab's own short page."""

    def __post_init__(self) -> None:
        must_be_one_of("error page", self.code, get_args(ErrorCode), "the load balancer")
        size = len((self.html or "").encode())
        if size > ERROR_PAGE_BYTES:
            raise ValueError(
                f"the error page for {self.code} has {size} bytes, at most {ERROR_PAGE_BYTES} fit "
                "in HAProxy's buffer; shorten it or link its images"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Tls:
    """The https front end."""

    certificate_path: str = "/etc/haproxy/certs/site.pem"
    """PEM on the machine: certificate, chain, private key. Whoever has the secret writes it."""
    redirect: bool = True
    """Answer plain http with a 301 to https."""

    def __post_init__(self) -> None:
        must_match(_FILE, "certificate path", self.certificate_path, "an absolute path")


@dataclass(frozen=True, slots=True, kw_only=True)
class StatsLogin:
    """A user of the statistics page."""

    user: str
    password_hash: str
    """crypt(3) hash `$5$...` or `$6$...` (`mkpasswd -m sha-256`), never the password itself."""

    def __post_init__(self) -> None:
        must_be_name("statistics user", self.user)
        if not _CRYPT.match(self.password_hash):
            # The value may be a password put here by mistake, so it is not repeated.
            raise ValueError(
                f"the password hash of statistics user {self.user} is not a crypt(3) hash that "
                "begins with $5$ or $6$; make one with `mkpasswd -m sha-256`"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Stats:
    """The statistics page and, on the same port, the Prometheus metrics at /metrics."""

    port: int = 8404
    uri: str = "/stats"
    refresh_s: int = 10
    allowed: tuple[IPv4Network, ...] = ()
    """Networks that may read it; the machine itself always may, and it alone may administer."""
    login: StatsLogin | None = None
    prometheus: bool = True

    def __post_init__(self) -> None:
        must_be_port("the statistics page", self.port)
        must_match(URL_PATH, "statistics uri", self.uri, "a URL path such as /stats")
        if self.refresh_s < 1:
            raise ValueError(f"statistics refresh of {self.refresh_s} s: expected 1 or more")


DEFAULT_ERROR_PAGES = (ErrorPage(code=400), ErrorPage(code=503))
"""The two that the course configures."""
