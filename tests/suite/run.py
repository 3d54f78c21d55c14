"""Run parts: lanes beside each other, each part's output in a file and shown when it has ended."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from lab.stack_file import ROOT
from tests.suite.parts import Lane, Part
from tests.suite.processes import Say
from tests.suite.results import Result, result_of
from tests.suite.table import duration
from tests.support.patience import VARIABLE

FOLDER = Path(".state") / "suite"
"""In a clone: outputs and reports of the last run."""
TEST_TIMEOUT_S = 3000
"""For one test and the lab that is made for it, on a quiet machine: what hangs is ended. Beside a
user's rig and demo lab the emulated machines of a test booted for a quarter of an hour."""
PROGRESS_S = 60
STEP_BACK = [
    *("sh", "-c"),
    'echo 5 2>/dev/null >/proc/self/autogroup; exec nice -n 5 "$@"',
    "step-back",
]
"""A third of what another one gets where the processors are wanted by all: enough to come to an
end beside strangers. Where the kernel shares time out by sessions (sched(7), autogroup), the
session has to say so too."""
GRACE_S = 20
"""For a part that is told to end; fixtures remove their labs in it."""


@dataclass
class Run:
    """One run of some parts."""

    folder: Path
    """For outputs and reports of the parts."""
    patience: float
    say: Say
    _running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    _begun: dict[str, float] = field(default_factory=dict)
    _stopped: threading.Event = field(default_factory=threading.Event)
    """No part is begun any more."""
    _starting: threading.Lock = field(default_factory=threading.Lock)
    _over: threading.Event = field(default_factory=threading.Event)

    def lanes(self, lanes: Sequence[Lane]) -> list[Result]:
        """Every part's result, lane by lane. A vital part that is red ends the run."""
        names = [", ".join(part.name for part in lane) for lane in lanes]
        self.say(f"{time.strftime('%T')} now: {'; beside it: '.join(names)}")
        watcher = threading.Thread(target=self._show_progress, daemon=True)
        watcher.start()
        try:
            with ThreadPoolExecutor(max_workers=len(lanes)) as pool:
                try:
                    return [result for lane in pool.map(self._lane, lanes) for result in lane]
                except BaseException:
                    self.end()  # inside: the pool waits for what its lanes run
                    raise
        finally:
            self._over.set()
            watcher.join()

    def part(self, part: Part) -> Result:
        """Run one part to its end."""
        log, report = self.folder / f"{part.name}.log", self.folder / f"{part.name}.jsonl"
        report.unlink(missing_ok=True)
        process = self._started(part, log, report)
        if process is None:
            return Result(name=part.name, status=None)
        status = process.wait()
        del self._running[part.name]
        seconds = time.monotonic() - self._begun[part.name]
        result = result_in(report, part.name, status=status, seconds=seconds)
        text = log.read_text(encoding="utf-8", errors="replace").rstrip()
        shown = text if result.status != 0 or part.has_tests else "\n".join(text.splitlines()[-3:])
        self.say(f"--- {part.name} ({part.what}): {result.word}, {duration(seconds)}\n{shown}\n")
        return result

    def _started(self, part: Part, log: Path, report: Path) -> subprocess.Popen[bytes] | None:
        """Its process; None where the run is over."""
        with self._starting, log.open("wb") as output:
            if self._stopped.is_set():
                return None
            self._begun[part.name] = time.monotonic()
            self._running[part.name] = process = subprocess.Popen(
                self._argv(part, report),
                cwd=ROOT,
                env={**os.environ, VARIABLE: f"{self.patience:.2f}"},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        return process

    def end(self) -> None:
        """Begin nothing more, tell what runs to end, and end what does not within the grace."""
        with self._starting:  # what is just being started is told, too
            self._stopped.set()
        for process in list(self._running.values()):
            _signal(process, signal.SIGINT)
        end = time.monotonic() + GRACE_S
        while self._running and time.monotonic() < end:
            time.sleep(0.1)
        for process in list(self._running.values()):
            _signal(process, signal.SIGKILL)

    def _argv(self, part: Part, report: Path) -> list[str]:
        first = STEP_BACK if part.steps_back else []
        if not part.has_tests:
            return [*first, *part.argv]
        timeout = TEST_TIMEOUT_S * self.patience
        more = [f"--report-log={report}", f"--timeout={timeout:.0f}", "--color=no"]
        return [*first, *part.argv, *more, "-v" if "-n" not in part.argv else "-q"]

    def _lane(self, lane: Lane) -> list[Result]:
        return [self._unless_over(part) for part in lane]

    def _unless_over(self, part: Part) -> Result:
        result = self.part(part)
        if part.is_vital and result.status != 0 and not self._stopped.is_set():
            self.say(f"{part.name} is red: what still runs is ended")
            self.end()
        return result

    def _show_progress(self) -> None:
        while not self._over.wait(PROGRESS_S):
            for name in list(self._running):
                since = duration(time.monotonic() - self._begun[name])
                self.say(f"{time.strftime('%T')} {name} runs for {since}: {self._last_line(name)}")

    def _last_line(self, name: str) -> str:
        text = (self.folder / f"{name}.log").read_bytes()[-2000:].decode(errors="replace")
        lines = text.strip().splitlines()
        return lines[-1][-120:] if lines else "nothing said yet"


def result_in(report: Path, name: str, *, status: int, seconds: float) -> Result:
    """What a part did that has ended; where pytest never came to its report, no test is named."""
    lines = report.read_text(encoding="utf-8").splitlines() if report.exists() else ()
    return result_of(name, status=status, seconds=seconds, reports=lines)


def _signal(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    try:
        os.killpg(process.pid, number)
    except ProcessLookupError:
        return
