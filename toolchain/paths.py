"""Where things are: the clone, and the cache outside it that all clones share."""

from __future__ import annotations

import os
from pathlib import Path

CLONE = Path(__file__).resolve().parent.parent
SOURCES = CLONE / "toolchain"
LOCK_FILE = CLONE / "requirements.lock"
LOCAL = CLONE / ".toolchain"
STATE = CLONE / ".state"


def cache() -> Path:
    """The cache root; everything in it can be deleted at the price of making it again."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ha-lab"
