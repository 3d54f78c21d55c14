"""What one engine's role service knows: this machine's state, and what the peers said last."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Protocol

from .model import PRIMARY, REPLICA, Config, Seen, State
from .peers import Answers, ask_peers
from .session import SilentError
from .shell import say, write

FOLDER = Path("/var/lib/ha-lab-database")
INTERVAL_S = 0.5
PEER_TIMEOUT_S = 0.3
FRESH_READS_S = 30.0
"""A replica that has received nothing for longer is not read from any more."""


class Database(Protocol):
    """One engine on this machine."""

    @property
    def name(self) -> str: ...

    def look(self, peers: Answers) -> State:
        """The state now, with what the peers said last; never raises."""

    def keep(self, state: State) -> None:
        """Put right what belongs to the role. Raises SilentError."""


class Watch:
    """Follows one engine; `begin` starts the thread that does."""

    def __init__(self, config: Config, database: Database) -> None:
        self._config = config
        self._database = database
        self._file = seen_file(database.name)
        self._peers: Answers = {}
        self._streamed_at = float("-inf")
        self._seen: Seen | None = None
        self._asking = threading.Lock()
        self._asked = 0
        self._state: State | None = None

    def begin(self) -> None:
        threading.Thread(target=self._for_ever, daemon=True).start()

    def state(self) -> State:
        """This machine's state, asked after this call began.

        Whoever waits for the same question shares its answer: many that come at once cost a busy
        server one.
        """
        asked = self._asked
        with self._asking:
            if self._state is None or self._asked == asked:
                self._asked += 1
                self._state = self._database.look(self._peers)
                if self._state.is_streaming:
                    self._streamed_at = time.monotonic()
            return self._state

    def is_primary(self, state: State) -> bool:
        """Whether clients may write here: it is the primary, and no later one is known."""
        return state.role == PRIMARY and not later_primaries(state, self._peers)

    def is_replica(self, state: State) -> bool:
        """Whether clients may read here: a replica that is, or lately was, up to date."""
        age = time.monotonic() - self._streamed_at
        return state.role == REPLICA and max(age, state.lag_s) <= FRESH_READS_S

    def turn(self) -> None:
        """One round: hear the peers, remember the primary, keep what belongs to the role."""
        self._peers = ask_peers(self._config, self._database.name, timeout_s=PEER_TIMEOUT_S)
        state = self.state()
        self._remember([state, *(answer for answer in self._peers.values() if answer)])
        try:
            self._database.keep(state)
        except SilentError as error:
            say(f"{self._database.name}: {error}")

    def _for_ever(self) -> None:
        while True:
            begun = time.monotonic()
            self.turn()
            time.sleep(max(0.0, INTERVAL_S - (time.monotonic() - begun)))

    def _remember(self, states: list[State]) -> None:
        primaries = [state for state in states if state.role == PRIMARY]
        if not primaries:
            return
        latest = max(primaries, key=lambda state: state.term)
        seen = Seen(latest.machine, latest.term, latest.synchronous)
        if seen != self._seen:
            write(self._file, json.dumps(asdict(seen)))
            self._seen = seen


def seen_file(engine: str) -> Path:
    return FOLDER / f"{engine}-seen.json"


def read_seen(engine: str) -> object:
    """What the role service wrote down last, as JSON; None where it never saw a primary."""
    try:
        seen: object = json.loads(seen_file(engine).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return seen


def later_primaries(own: State, peers: Mapping[str, State | None]) -> list[str]:
    """Peers that are primary of a later term: this one was deposed and does not know it."""
    return [
        name
        for name, state in peers.items()
        if state is not None and state.role == PRIMARY and state.term > own.term
    ]
