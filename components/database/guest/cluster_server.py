"""What the cluster's agent asks of every engine's server, as far as they do it alike."""

from __future__ import annotations

import abc
from typing import Generic, TypeVar

from .decide import FOLLOW, REFUSE, Rejoin
from .model import OFF, ON, PRIMARY, REPLICA, State
from .peers import ask_peers
from .place import Place
from .shell import DatabaseError, say
from .source import await_received

CERTIFIED_WITHIN_S = 1.0
HAND_OVER_WITHIN_S = 5.0
P = TypeVar("P", bound=Place)


class ClusterServer(abc.ABC, Generic[P]):
    """The one server of a place; see `agent.Server`."""

    next_start: str
    """What a start does to a replica that went its own way."""

    def __init__(self, site: P, *, patience_s: float) -> None:
        """`patience_s`: how long a server that runs may take to say what it is."""
        self._site = site
        self._patience_s = patience_s

    @property
    def was(self) -> str:
        return self._site.was

    @abc.abstractmethod
    def look(self) -> State:
        """See `agent.Server`."""

    @abc.abstractmethod
    def _rejoin(self, primary: State) -> Rejoin:
        """What is to be done with this data to follow that primary. Raises DatabaseError."""

    @abc.abstractmethod
    def _log_end(self) -> tuple[int, str]:
        """How far the log goes, with all that was acknowledged: as `progress` counts, in words."""

    def stop(self) -> None:
        # When the machine goes down, systemd's own stop waits for the cluster's (in-cluster.conf).
        self._site.systemctl("stop", "--job-mode=ignore-dependencies")

    def has_everything(self, machine: str) -> bool:
        state = self.look()
        if state.role != PRIMARY or state.synchronous not in (ON, OFF):
            return False
        if state.synchronous == OFF:
            return True
        least, end = self._log_end()
        try:
            await_received(self._site, machine, least, end, within_s=CERTIFIED_WITHIN_S)
        except DatabaseError as error:
            say(f"{machine} is not certified yet: {error}")
            return False
        return True

    def why_not_following(self, primary: State) -> str:
        try:
            found = self._rejoin(primary)
        except DatabaseError as error:
            say(str(error))  # a start would find the same
            return ""
        if found.how in (FOLLOW, REFUSE):
            return ""
        machine = self._site.config.machine
        return f"{machine} went its own way: {found.why}; its next start {self.next_start}"

    def _how_to_follow(self, primary: State) -> Rejoin:
        """Raises DatabaseError where a person has to look first."""
        try:
            found = self._rejoin(primary)
        except DatabaseError as error:
            if self.was == PRIMARY:
                raise
            say(str(error))
            return Rejoin(FOLLOW, "a replica loses nothing by trying")
        if found.how == REFUSE:
            msg = f"{found.why}; look at them first, or `lab db rejoin --discard` gives them up"
            raise DatabaseError(msg)
        return found

    def _await_replicas(self, least: int, end: str) -> None:
        """Those that answer have received the log up to `least`. Raises DatabaseError."""
        site = self._site
        for machine, state in ask_peers(site.config, site.engine.name).items():
            if state is not None and state.role == REPLICA:
                await_received(site, machine, least, end, within_s=HAND_OVER_WITHIN_S)
