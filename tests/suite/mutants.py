"""Is the gate still worth its minutes? A product that is broken on purpose must turn it red.

Each mutant is one change of the product that somebody could make by mistake. It is made in a clone
of this one; then the unit tests, and the rig's whole lab, say what they think of it.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lab.stack_file import ROOT
from tests.suite.processes import Say
from tests.suite.results import Result
from tests.suite.run import FOLDER, result_in
from tests.suite.table import duration

PARTS = ("unit", "rig")
"""Both are asked, each alone: the first would end the second."""
OWN_TESTS = "tests/unit/suite/test_mutants.py"
"""They would notice any mutant, and none for a reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """A change of the product, as text that is replaced once in one file."""

    name: str
    what: str
    path: str
    old: str
    new: str

    def applied(self, text: str) -> str:
        """The mistake in the file's text. ValueError where the product is not as this expects."""
        if (count := text.count(self.old)) != 1:
            msg = f"{self.name}: {self.path} has {self.old!r} {count} times; expected once"
            raise ValueError(msg)
        return text.replace(self.old, self.new)


KEEPALIVED = "components/load_balancer/templates/keepalived.conf.j2"
MUTANTS = (
    Mutant(
        name="preempt",
        what="a load balancer that comes back takes the VIP away from the other",
        path=KEEPALIVED,
        old="    nopreempt\n",
        new="",
    ),
    Mutant(
        name="both-masters",
        what="keepalived begins as master on both",
        path=KEEPALIVED,
        old="    state BACKUP\n",
        new="    state MASTER\n",
    ),
    Mutant(
        name="check-path",
        what="HAProxy asks app servers for a health page that they do not have",
        path="components/load_balancer/templates/haproxy.cfg.j2",
        old="option httpchk GET {{ service.check_path }}\n",
        new="option httpchk GET {{ service.check_path }}-\n",
    ),
    Mutant(
        name="no-vrrp",
        what="the firewall lets no adverts in",
        path="components/load_balancer/engine.py",
        old='    if peers:\n        rules.append(FirewallRule(protocol="vrrp"',
        new='    if not peers:\n        rules.append(FirewallRule(protocol="vrrp"',
    ),
    Mutant(
        name="open-key",
        what="everybody on the machine can read the certificate's private key",
        path="components/load_balancer/component.py",
        old="mode=0o600,",
        new="mode=0o644,",
    ),
)


def try_mutants(mutants: Sequence[Mutant], folder: Path, say: Say) -> bool:
    """Whether each is noticed by a part at least; says by which tests. Logs go to `folder`."""
    unnoticed = []
    for mutant in mutants:
        say(f"--- {mutant.name}: {mutant.what}")
        with tempfile.TemporaryDirectory(prefix=f"mutant-{mutant.name}-") as place:
            clone = made(mutant, Path(place) / "project")
            results = [asked(clone, part, folder / f"{mutant.name}-{part}.log") for part in PARTS]
        for result in results:
            say(verdict(result))
        if not any(result.failed for result in results):
            unnoticed.append(mutant.name)
    say(f"not noticed: {', '.join(unnoticed)}" if unnoticed else "each was noticed")
    return not unnoticed


def made(mutant: Mutant, clone: Path) -> Path:
    """A clone of the present commit with the mistake in it."""
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
    file = clone / mutant.path
    file.write_text(mutant.applied(file.read_text(encoding="utf-8")), encoding="utf-8")
    return clone


def asked(clone: Path, part: str, log: Path) -> Result:
    """Run one part of the clone's gate up to its first red test."""
    options = f"--exitfirst --deselect {OWN_TESTS} {os.environ.get('PYTEST_ADDOPTS', '')}"
    begin = time.monotonic()
    with log.open("wb") as output:
        done = subprocess.run(
            ["toolchain/run", "python", "-m", "tests.suite", "gate", "--part", part],
            cwd=clone,
            env={**os.environ, "PYTEST_ADDOPTS": options},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            check=False,
        )
    report, seconds = clone / FOLDER / f"{part}.jsonl", time.monotonic() - begin
    return result_in(report, part, status=done.returncode, seconds=seconds)


def verdict(result: Result) -> str:
    """What a part thinks of a mutant; red without a red test is none, as the run itself broke."""
    took = duration(result.seconds)
    if result.failed:
        return f"{result.name}: noticed after {took} by {', '.join(result.failed)}"
    if result.status == 0:
        return f"{result.name}: not noticed, {took}"
    return f"{result.name}: ended with status {result.status} without a red test, {took}"
