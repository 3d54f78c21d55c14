"""Files that settings name: read at the edge, with an error as good as that of a setting."""

from __future__ import annotations

from pathlib import Path

from components.settings.load import Problem, SettingsError


def read_file(path: str, file: str) -> str:
    """The text of the file that the setting at `path` names. Raises SettingsError."""
    try:
        return Path(file).expanduser().read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not a text file"
        message = (
            f"cannot read {file}: {reason}; give a file of this machine, or remove the setting"
        )
        raise SettingsError([Problem(path, message)]) from None
