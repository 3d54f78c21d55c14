"""Small scripts that several services install on their machines."""

from __future__ import annotations

from pathlib import Path

from components.files import LIB_DIR, RenderedFile

CHECK_HTTP_PATH = f"{LIB_DIR}/check-http"


def check_http_file() -> RenderedFile:
    """`check-http ADDRESS PORT PATH [STATUS [TIMEOUT_S]]` exits 0 when that is what answers."""
    return RenderedFile(
        path=CHECK_HTTP_PATH,
        content=(Path(__file__).parent / "check-http").read_text(encoding="utf-8"),
        mode=0o755,
        validate="bash -n {staged}",
    )
