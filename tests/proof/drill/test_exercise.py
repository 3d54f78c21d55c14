"""The guided exercise on the deployed lab: the student is the test, and breaks things by itself.

Everything that is measured is measured a second time, by requests of the test's own.
"""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from lab.drill.history import read_history
from lab.drill.verdict import Verdict, judge
from lab.stack_file import ROOT
from tests.support.requests import Answer
from tests.support.rig_lab import RigLab
from tests.support.waiting import DRILL_S, deadline_s, wait_until

WATCHING = "watching; "
GIVES_UP_S = 0.5
EXACT_S = 0.2
"""What a lost packet may cost one of two clients and not the other."""


@dataclass
class Exercise:
    """One that is going on."""

    process: subprocess.Popen[bytes]
    log: Path
    folder: Path

    @property
    def text(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")

    def await_text(self, text: str, *, times: int = 1) -> None:
        """Fails at once where the exercise ended instead."""

        def is_there() -> bool:
            if self.text.count(text) >= times:
                return True
            assert self.process.poll() is None, f"ended without {text!r}:\n{self.text}"
            return False

        wait_until(f"{text!r} in:\n{self.text}", is_there, usual_s=DRILL_S)

    def end(self) -> int:
        """Its exit status, once it has ended by itself."""
        return self.process.wait(timeout=deadline_s(DRILL_S))

    def verdict(self, name: str) -> Verdict:
        """Of the one history with this name in it."""
        (file,) = self.folder.glob(f"*{name}.jsonl")
        return judge(read_history(file))


@contextmanager
def exercise(
    lab: RigLab, folder: Path, *words: str, stdin: int = subprocess.DEVNULL
) -> Iterator[Exercise]:
    """In the background; ended with the block, whatever happened."""
    folder.mkdir(exist_ok=True)
    log = folder / "terminal.log"
    argv = lab.argv("exercise", "failover", lab.stack, "--output", str(folder), *words)
    with log.open("wb") as out:
        # A wide terminal: no sentence is folded.
        env = {**lab.env, "COLUMNS": "400", "LANG": "C.UTF-8"}
        process = subprocess.Popen(
            argv, cwd=ROOT, env=env, stdin=stdin, stdout=out, stderr=subprocess.STDOUT
        )
        try:
            yield Exercise(process, log, folder)
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
            process.wait(timeout=deadline_s(DRILL_S))


class Client:
    """Asks again and again in a thread for the length of the block, and gives up quickly: who waits
    for a lost packet measures TCP, which sends it again only after a second."""

    def __init__(self, lab: RigLab) -> None:
        self._lab = lab
        self._asked: list[Answer] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Client:
        self._thread.start()
        self._await_good()
        return self

    def __exit__(self, *_: object) -> None:
        """An outage ends with a good request, here too."""
        try:
            self._await_good()
        finally:
            self._end()

    def _await_good(self) -> None:
        """Until the request that was over last was good."""
        wait_until(
            "a good answer to the test's own client",
            lambda: bool(self._asked) and self._asked[-1].status == 200,
            usual_s=DRILL_S,
            every_s=0.005,
        )

    def _end(self) -> None:
        self._stop.set()
        self._thread.join(deadline_s(DRILL_S))

    def _run(self) -> None:
        while not self._stop.wait(0.005):
            self._asked.append(self._lab.ask(timeout_s=GIVES_UP_S))

    @property
    def outage_s(self) -> tuple[float, float]:
        """What the longest outage lies between, whatever a request costs on this host: at least
        from the end of its first failed request to the start of its last one, at most from the
        start of a good request to the end of the next good one. A short one may lie between two."""
        good = [number for number, asked in enumerate(self._asked) if asked.status == 200]
        assert len(good) > 1, f"no two good answers: {self._asked}"
        shortest = longest = 0.0
        for before, after in pairwise(good):
            longest = max(longest, self._asked[after].end_s - self._asked[before].at_s)
            if after - before > 1:
                first, last = self._asked[before + 1], self._asked[after - 1]
                shortest = max(shortest, last.at_s - first.end_s)
        return shortest, longest


def test_what_a_student_breaks_by_hand_is_timed_and_reported(whole: RigLab, tmp_path: Path) -> None:
    words = ("--step", "2", "--step", "4", "--step", "5", "--student", "Ada")
    with exercise(whole, tmp_path / "out", *words) as going:
        going.await_text(WATCHING)
        owner = whole.owner()
        assert f"lab ssh {whole.stack} {owner} -- sudo systemctl stop haproxy" in going.text
        with Client(whole) as client:
            whole.run(owner, "systemctl", "stop", "haproxy")
            going.await_text("Start HAProxy on")
        stopped_s = client.outage_s
        whole.run(owner, "systemctl", "start", "haproxy")

        going.await_text(WATCHING, times=2)
        second = whole.owner()
        assert f"rig power-off {second} --name {whole.stack}" in going.text
        with Client(whole) as client:
            whole.power_off(second)
            going.await_text("Measured: ", times=2)
        crashed_s = client.outage_s

        going.await_text(WATCHING, times=3)
        assert f"rig power-on {second} --name {whole.stack}" in going.text
        whole.power_on(second)
        assert going.end() == 0, going.text

    stop, crash, back = (
        going.verdict(name)
        for name in ("haproxy-stopped", "vip-owner-power-off", "vip-owner-return")
    )
    for verdict, (shortest, longest) in ((stop, stopped_s), (crash, crashed_s)):
        assert verdict.outage_s is not None
        assert verdict.outage_s > 0
        assert shortest - EXACT_S <= verdict.outage_s <= longest + EXACT_S
    assert (stop.victims, crash.victims, back.victims) == ((owner,), (second,), (second,))
    assert stop.vip.new_owner == whole.other(owner)
    assert back.vip.new_owner is None, "it left the VIP where it was"
    assert all(audit.outcome == "pass" for audit in (*stop.audits, *back.audits))
    report = (going.folder / "report.md").read_text(encoding="utf-8")
    assert "Ada" in report
    assert f"{owner} (app1, app2) → {second} (app1, app2)" in report
    assert (going.folder / "report.html").exists()


def test_an_app_server_that_dies_by_hand_is_noticed_though_no_client_misses_it(
    whole: RigLab, tmp_path: Path
) -> None:
    with exercise(whole, tmp_path / "out", "--step", "3", "--language", "fr") as going:
        going.await_text("j'observe")
        whole.run("app1", "systemctl", "kill", "-s", "KILL", "nginx")
        going.await_text("Redémarrez le serveur web de app1")
        whole.run("app1", "systemctl", "start", "nginx")
        assert going.end() == 0, going.text
    verdict = going.verdict("app-server-killed")
    assert verdict.clients["http"].servers_before == ("app1", "app2")
    assert verdict.clients["http"].servers_after == ("app2",)
    assert verdict.failed == 0
    assert verdict.outage_s is not None
    assert "Mes conclusions" in (going.folder / "report.md").read_text(encoding="utf-8")


def test_an_interrupt_leaves_the_report_of_what_was_done(whole: RigLab, tmp_path: Path) -> None:
    with exercise(whole, tmp_path / "out", "--step", "1", "--step", "2") as going:
        going.await_text(WATCHING)
        owner = whole.owner()
        whole.run(owner, "systemctl", "stop", "keepalived")
        going.await_text("Start keepalived on")
        whole.run(owner, "systemctl", "start", "keepalived")
        going.await_text(WATCHING, times=2)
        going.process.send_signal(signal.SIGINT)
        assert going.end() == 130
    assert "Traceback" not in going.text
    report = (going.folder / "report.md").read_text(encoding="utf-8")
    assert "interrupted" in report
    assert going.verdict("vip-owner-stop").outage_s is not None
    assert list(going.folder.glob("*haproxy-stopped*")) == []


def test_a_person_skips_writes_a_note_and_ends_it(whole: RigLab, tmp_path: Path) -> None:
    person, terminal = pty.openpty()
    try:
        words = ("--step", "1", "--step", "2", "--step", "4")
        with exercise(whole, tmp_path / "out", *words, stdin=terminal) as going:
            going.await_text(WATCHING)
            os.write(person, b"s\n")
            going.await_text("skipped")
            going.await_text(WATCHING, times=2)
            owner = whole.owner()
            whole.run(owner, "systemctl", "stop", "haproxy")
            going.await_text("Start HAProxy on")
            whole.run(owner, "systemctl", "start", "haproxy")
            going.await_text("just Enter")
            os.write(person, "arrêté; two seconds\n".encode())
            going.await_text(WATCHING, times=3)
            os.write(person, b"q\n")
            assert going.end() == 0, going.text
    finally:
        os.close(person)
        os.close(terminal)
    report = (going.folder / "report.md").read_text(encoding="utf-8")
    rows = {line.split(".")[0].strip("| "): line for line in report.splitlines() if " | " in line}
    assert "skipped" in rows["1"]
    assert "arrêté; two seconds" in rows["2"]
    assert "ended here" in rows["4"]


def test_a_student_who_does_nothing_is_not_waited_for_for_ever(
    whole: RigLab, tmp_path: Path
) -> None:
    words = ("--step", "1", "--step", "5", "--deadline", "15")
    with exercise(whole, tmp_path / "out", *words) as going:
        assert going.end() == 3, going.text
    assert "nothing was seen within" in going.text
    assert "every load balancer has power" in going.text, "step 5 has nothing to put back"
    assert list(going.folder.glob("*.jsonl")) == []
    assert not (going.folder / "report.md").exists()


def test_the_exercises_are_listed(lab: RigLab) -> None:
    text = lab.lab("exercise").ok().text
    assert "failover" in text
    assert "vip-owner-power-off" in text
