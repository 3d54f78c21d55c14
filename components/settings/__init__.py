"""The stack configuration: models, cross-field rules and loading with every problem reported at once."""

from components.settings.load import Problem, SettingsError, load_settings
from components.settings.models import Settings

__all__ = ["Problem", "Settings", "SettingsError", "load_settings"]
