"""The secrets of a stack: made once by `lab setup`, kept as one Pulumi secret, read here.

The whole set is one JSON object under the configuration key `ha-lab:secrets`, so that it is
written in one step and encrypted as one value. `lab.secrets` makes them; this module only reads.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

import pulumi

KEY = "secrets"


class SecretsMissingError(Exception):
    """The stack has no secrets yet, or lacks some."""

    def __init__(self, stack: str, missing: str) -> None:
        super().__init__(
            f"the stack {stack!r} has no {missing}. Make what is missing with"
            f" `lab setup {stack}` (`make up STACK={stack}` does it too), then try again."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class HostKey:
    """A machine's SSH host key pair."""

    private: pulumi.Output[str]
    """OpenSSH private key file."""
    public: pulumi.Output[str]
    """`type base64`."""


class Secrets:
    """The stack's secrets, each a secret Output."""

    def __init__(self, text: str, *, stack: str) -> None:
        self._data: dict[str, dict[str, str]] = json.loads(text)
        self._stack = stack

    def __repr__(self) -> str:
        return "Secrets(...)"

    def get(self, group: str, name: str) -> pulumi.Output[str]:
        """One secret. Raises SecretsMissingError where it was never made."""
        return pulumi.Output.secret(self._value(group, name))

    def _value(self, group: str, name: str) -> str:
        value = self._data.get(group, {}).get(name)
        if value is None:
            raise SecretsMissingError(self._stack, f"secret {group}.{name}")
        return value

    @property
    def ssh_private_key(self) -> pulumi.Output[str]:
        return self.get("ssh", "private")

    @property
    def ssh_public_key(self) -> str:
        """The administrator's public key: no secret."""
        return self._value("ssh", "public")

    def host_key(self, machine: str) -> HostKey:
        return HostKey(
            private=self.get("hostKeys", machine),
            public=pulumi.Output.from_input(self._value("hostKeys", f"{machine}.pub")),
        )


def load_secrets(config: pulumi.Config, *, stack: str) -> Secrets:
    """The secrets of the configuration. Raises SecretsMissingError where there are none."""
    # Read in clear on purpose: Secrets wraps every value on its way out.
    text = config.get(KEY)
    if not text:
        raise SecretsMissingError(stack, "secrets")
    try:
        return Secrets(text, stack=stack)
    except ValueError:  # somebody wrote them by hand; what stands there is not to be shown
        raise SecretsMissingError(stack, "secrets that can be read") from None
