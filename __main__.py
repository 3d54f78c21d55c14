"""The Pulumi program: settings -> topology -> lab -> outputs."""

from __future__ import annotations

import sys

import pulumi
from pulumi.runtime.config import CONFIG, get_config_env

from components.lab import Lab
from components.secrets import SecretsMissingError, load_secrets
from components.settings.from_pulumi import plain_config
from components.settings.load import SettingsError, load_settings
from components.topology import plan


def main() -> None:
    """Build the lab of the current stack, or say everything that is wrong with its settings."""
    stack = pulumi.get_stack()
    try:
        config = plain_config({**get_config_env(), **CONFIG.get()}, project=pulumi.get_project())
        settings = load_settings(config, stack=stack)
        secrets = load_secrets(pulumi.Config(), stack=stack)
        lab = Lab("lab", settings=settings, topology=plan(settings, stack=stack), secrets=secrets)
    except (SettingsError, SecretsMissingError) as error:
        pulumi.log.error(str(error))
        sys.exit(1)
    for name, value in lab.outputs.items():
        pulumi.export(name, value)


main()
