"""What this machine asks of Pacemaker, and writes down there: scores of the databases."""

from __future__ import annotations

import time
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

from .scores import Scores, score_of, score_text
from .shell import DatabaseError, must, run

TIMEOUT_S = 5.0
ANSWER_TIMEOUT_S = 3.0
"""Of another member, or of this one while the membership changes."""
CONFIRMED_WITHIN_S = 60.0
"""A promotion that fails is tried again only when something changes in the cluster."""
PAUSE_S = 0.1
NO_MAJORITY = "this part of the cluster has no majority"


class Cluster:
    """The cluster as one of its members sees it, for one engine."""

    def __init__(self, engine: str, machine: str) -> None:
        self._machine = machine
        self._engine = engine
        self._attribute = f"master-{engine}"
        """The permanent node attribute that Pacemaker takes as the promotion score."""

    def scores(self) -> Scores:
        """As this member knows them. Raises DatabaseError."""
        asked = ["cibadmin", "--query", "--scope", "nodes"]
        text = must(asked, "asking the cluster", timeout_s=TIMEOUT_S)
        return scores_in(text, self._attribute)

    def members(self) -> tuple[str, ...]:
        """The machines of this one's part of the cluster. Raises DatabaseError."""
        said = must(["crm_node", "--partition"], "asking the cluster", timeout_s=TIMEOUT_S)
        return tuple(said.split())

    def has_quorum(self) -> bool:
        status, said = run(["crm_node", "--quorum"], timeout_s=TIMEOUT_S)
        return status == 0 and said == "1"

    def set_score(self, machine: str, score: int) -> None:
        """Write a score down. Raises DatabaseError."""
        words = ["--node", machine, "--lifetime", "forever", "--name", self._attribute]
        # In one word: -INFINITY by itself would be read as options, -N FINITY being another node.
        words += [f"--update={score_text(score)}"]
        must(["crm_attribute", *words], f"writing the score of {machine}", timeout_s=TIMEOUT_S)

    def drop_score(self, machine: str) -> None:
        words = ["--node", machine, "--lifetime", "forever", "--name", self._attribute]
        must(["crm_attribute", *words, "--delete"], "removing a score", timeout_s=TIMEOUT_S)

    def confirm(self, wanted: Scores, *, within_s: float = CONFIRMED_WITHIN_S) -> None:
        """Write scores down so that whoever promotes later knows them. Raises DatabaseError.

        Every member of this part has them, and this part has the majority: any later one has a
        member in common with it. Asking them is what notices that this machine is cut off while
        Corosync does not know it yet.
        """
        deadline = time.monotonic() + within_s
        while why := self._write_down(wanted):
            if time.monotonic() >= deadline:
                raise DatabaseError(why)
            time.sleep(PAUSE_S)

    def _write_down(self, wanted: Scores) -> str:
        """One attempt. Why it is not sure that the majority knows; empty: it is."""
        try:
            # Not where it could only be known here: of two configurations that went their own ways
            # the one with more changes wins.
            if not self.has_quorum():
                return NO_MAJORITY
            known = self.scores()
            for machine, score in wanted.items():
                if known.get(machine) != score:
                    self.set_score(machine, score)
            return self._doubt(wanted)
        except DatabaseError as error:
            return str(error)

    def _doubt(self, wanted: Scores) -> str:
        others = [name for name in self.members() if name != self._machine]
        with ThreadPoolExecutor(max(1, len(others))) as pool:
            for name, known in zip(others, pool.map(self._scores_on, others)):
                if any(known.get(machine) != score for machine, score in wanted.items()):
                    return f"{name} has not confirmed that the scores have changed"
        return "" if self.has_quorum() else NO_MAJORITY

    def _scores_on(self, member: str) -> Scores:
        """As another member knows them; nothing where it does not answer."""
        words = ["cibadmin", "--query", "--node", member, "--scope", "nodes"]
        status, text = run(words, timeout_s=ANSWER_TIMEOUT_S)
        try:
            return scores_in(text, self._attribute) if status == 0 else {}
        except DatabaseError:
            return {}

    def keep_away(self, machine: str) -> None:
        """Nothing of the engine runs on this machine until `let_back`. Raises DatabaseError."""
        words = ["--ban", "--resource", clone_name(self._engine), "--node", machine]
        must(["crm_resource", *words], "keeping the cluster away", timeout_s=TIMEOUT_S)

    def let_back(self, machine: str) -> None:
        """End `keep_away`, and forget what failed here. Raises DatabaseError."""
        words = ["--resource", clone_name(self._engine), "--node", machine]
        must(["crm_resource", "--clear", *words], "letting the cluster back", timeout_s=TIMEOUT_S)
        self.forget_failures(machine)

    def forget_failures(self, machine: str) -> None:
        words = ["crm_resource", "--cleanup", "--resource", self._engine, "--node", machine]
        must(words, "forgetting failures", timeout_s=TIMEOUT_S * 4)


def clone_name(engine: str) -> str:
    """The promotable clone's id; the resource in it is named as the engine."""
    return f"{engine}-clone"


def scores_in(text: str, attribute: str) -> Mapping[str, int]:
    """The scores in the `nodes` section of a configuration. Raises DatabaseError."""
    found = {}
    try:
        for node in ET.fromstring(text).iter("node"):  # noqa: S314 - this machine's own Pacemaker
            for pair in node.iterfind(f"./instance_attributes/nvpair[@name='{attribute}']"):
                found[node.get("uname", "")] = score_of(pair.get("value", ""))
    except (ET.ParseError, ValueError):
        msg = f"the cluster says something else than its members: {text[:200]!r}"
        raise DatabaseError(msg) from None
    return found
