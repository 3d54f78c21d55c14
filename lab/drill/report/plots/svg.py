"""From a figure to SVG that stands in a page: no document around it, colours of the page, ids that
are unique in it, and the same bytes for the same figure.
"""

from __future__ import annotations

import html
import io
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Colours that stand for a variable of the page's style sheet. Each must be unlike all others.
INK, MUTED, GRID, PAPER = "#010101", "#020202", "#030303", "#040404"
GOOD, SLOW, FAILED, UNKNOWN = "#050505", "#060606", "#070707", "#080808"
PREDICTED = "#090909"
MACHINES = ("#0a0a0a", "#0b0b0b", "#0c0c0c", "#0d0d0d", "#0e0e0e", "#0f0f0f")
VARIABLES: Mapping[str, str] = {
    INK: "ink",
    MUTED: "muted",
    GRID: "grid",
    PAPER: "paper",
    GOOD: "good",
    SLOW: "slow",
    FAILED: "failed",
    UNKNOWN: "unknown",
    PREDICTED: "predicted",
    **{colour: f"machine{number}" for number, colour in enumerate(MACHINES)},
}
_STYLE: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "ha-lab",
    "path.simplify": False,
    # A detail with a dollar sign is no formula.
    "text.parse_math": False,
    "font.family": "DejaVu Sans",
    "font.size": 8,
    "text.color": INK,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "axes.facecolor": "none",
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "figure.facecolor": "none",
    "grid.color": GRID,
    "grid.linewidth": 0.5,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "hatch.linewidth": 0.5,
}


@contextmanager
def figure(width_in: float, height_in: float) -> Iterator[Figure]:
    """An empty figure; it must be drawn and made SVG within the block."""
    import matplotlib as mpl
    from matplotlib.figure import Figure as NewFigure

    # By hand and not with pyplot, which keeps figures and looks for a display.
    with mpl.rc_context(_STYLE):
        yield NewFigure(figsize=(width_in, height_in), layout="constrained")


def to_svg(drawn: Figure, *, prefix: str, alt: str) -> str:
    """The `<svg>` element. `prefix` makes its ids unique in the page; `alt` says what it shows."""
    file = io.StringIO()
    drawn.savefig(file, format="svg", metadata={"Date": None, "Creator": None})
    text = file.getvalue()
    text = re.sub(r"<metadata>.*?</metadata>", "", text[text.index("<svg") :], flags=re.DOTALL)
    # The page decides how wide it is.
    text = re.sub(r'(<svg\b[^>]*?) width="[^"]*"', r"\1", text, count=1)
    text = re.sub(r'(<svg\b[^>]*?) height="[^"]*"', r"\1", text, count=1)
    text = re.sub(r'\bid="', f'id="{prefix}-', text)
    text = re.sub(r'(href="|url\()#', rf"\1#{prefix}-", text)
    text = re.sub(r"#[0-9a-f]{6}\b", _variable, text)
    opening = f'role="img" aria-labelledby="{prefix}-alt"'
    title = f'<title id="{prefix}-alt">{html.escape(alt)}</title>'
    text = re.sub(r"<svg\b([^>]*)>", lambda m: f"<svg {opening}{m[1]}>{title}", text, count=1)
    return _without_waste(text)


def _variable(found: re.Match[str]) -> str:
    name = VARIABLES.get(found[0])
    return f"var(--{name})" if name else found[0]


def _without_waste(text: str) -> str:
    """Without comments, blank lines and indentation: a third of the size."""
    text = re.sub(r"<!--.*?-->", "", text, flags=re.DOTALL)
    return "\n".join(line.strip() for line in text.splitlines() if line.strip())
