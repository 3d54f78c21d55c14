"""The stack configuration: models, cross-field rules, and one error for all problems."""

from components.settings.load import Problem, SettingsError, load_settings
from components.settings.models import Settings

__all__ = ["Problem", "Settings", "SettingsError", "load_settings"]
