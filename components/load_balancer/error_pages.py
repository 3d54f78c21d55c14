"""The body of an error page, whichever program sends it. Pure."""

from __future__ import annotations

from http import HTTPStatus
from pathlib import Path

from components.load_balancer.args import Peer
from components.load_balancer.frontends import ErrorPage
from components.rendering import Templates

_TEMPLATES = Templates(Path(__file__).parent / "templates")
_TEXTS = {
    400: "The request could not be understood.",
    403: "You may not see this page.",
    408: "The request was not finished in time.",
    500: "The load balancer failed.",
    502: "An application server gave an answer that could not be understood.",
    503: "No application server is available. Please try again in a moment.",
    504: "The application server did not answer in time.",
}


def error_html(page: ErrorPage, node: Peer) -> str:
    """The user's own page, or the lab's short one."""
    if page.html is not None:
        return page.html
    reason = HTTPStatus(page.code).phrase
    values = {"code": page.code, "reason": reason, "text": _TEXTS[page.code], "node": node}
    return _TEMPLATES.render("error.http.j2", values)
