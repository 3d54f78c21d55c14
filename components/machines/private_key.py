"""The administrator's own key, for machines that are there already. Pure but for the reading."""

from __future__ import annotations

from pathlib import Path


def read_private_key(file: str) -> str:
    """The text of an OpenSSH private key file. Raises ValueError that says what to do."""
    try:
        text = Path(file).expanduser().read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not a text file"
        msg = (
            f"machines.privateKeyFile: cannot read {file}: {reason};"
            " give an OpenSSH private key file, or remove the setting to use the stack's own key"
        )
        raise ValueError(msg) from None
    if "PRIVATE KEY" not in text:
        msg = f"machines.privateKeyFile: {file} is no private key file (no PRIVATE KEY line in it)"
        raise ValueError(msg)
    return text
