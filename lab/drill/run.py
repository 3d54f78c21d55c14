"""One drill: steady state, fault, recovery, undoing, audits; everything goes into its history.

What happens in which order is all that this module decides. It judges nothing.
"""

from __future__ import annotations

import asyncio
import datetime
import random
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from lab.drill.events import (
    AnyEvent,
    AuditDone,
    Header,
    Judgement,
    Limits,
    PhaseEvent,
    ProbeState,
    Step,
)
from lab.drill.history import HistoryWriter
from lab.drill.journal import Journal, OpenFault
from lab.drill.limits import in_row, limits_for, watch_s
from lab.drill.model import Audit, Fault, Probe, Victims
from lab.drill.observe import Observer, until
from lab.drill.probes.wall_clock import watch_wall_clock
from lab.drill.scene import Scene
from lab.errors import LabError

STEADY_GOOD, FEWEST_STEADY = 50, 10
"""Good requests in a row before anything is broken: half a second of them; where requests are
rarer, as many as there are in five seconds, but ten."""
STEADY_WITHIN_S = 30.0
QUIET_S = 2.0
"""Seconds that are watched on where nothing more should happen."""
RECOVERY_FACTOR, RECOVERY_MARGIN_S = 3.0, 20.0
"""Watched for an end of the outage: this many times the tolerated one, and so many seconds."""
PHASE_S = (0.5, 1.5)
"""Between steady state and fault: longer than most intervals of the daemons."""
PROBES_END_WITHIN_S = 20.0
T = TypeVar("T")
Say = Callable[[str], None]
"""Tells the user what is going on, in one line."""


class Mark(Protocol):
    """Writes a step of the drill into the history."""

    def __call__(self, step: Step, detail: str = "", /, *, at: float | None = None) -> None:
        """`at`: when it was; None: now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drill:
    """One drill that is to be run."""

    fault: Fault | None
    """None: nothing is broken, and nothing may fail."""
    tier: str
    probes: Sequence[Probe]
    audits: Sequence[Audit]
    vip: str = ""
    """Name of the VIP that the fault is about; empty: the load balancers'."""
    run: int = 1
    seed: int = 0
    keep: bool = False
    """Leave the fault in place."""

    @property
    def name(self) -> str:
        return self.fault.name if self.fault else "none"


async def run_drill(
    scene: Scene, drill: Drill, writer: HistoryWriter, journal: Journal, say: Say
) -> None:
    """Carry out one drill. Its history is complete also where this raises or is cancelled.

    Raises LabError where the lab was not in its steady state: nothing was broken then.
    """
    victims = await drill.fault.resolve(scene) if drill.fault else ()
    header = header_of(scene, drill, victims)
    writer.append(header)
    observer = Observer(slow_s=header.limits.slow_s, probes=tuple(header.probes))

    def emit(event: AnyEvent) -> None:
        writer.append(event)
        observer.see(event)

    def step(name: Step, detail: str = "", /, *, at: float | None = None) -> None:
        emit(PhaseEvent(t=time.monotonic() if at is None else at, step=name, detail=detail))

    async with probing(scene, drill.probes, observer, emit):
        await must_be_steady(scene, observer)
        step("steady")
        # Another moment of the daemons' intervals in each run; the seed makes it repeatable.
        await asyncio.sleep(random.Random(f"{drill.seed}/{drill.run}").uniform(*PHASE_S))  # noqa: S311
        if drill.fault is None:
            await asyncio.sleep(watch_s(None, None, quiet_s=QUIET_S))
            step("end")
        else:
            breaking = Breaking(scene, drill, drill.fault, victims, header, observer, journal)
            step("end", at=await breaking.carry_out(step, say))
    await audit(scene, drill.audits, emit, say)


def header_of(scene: Scene, drill: Drill, victims: Victims) -> Header:
    """The first line of the history."""
    target, fault = scene.target, drill.fault
    predicted = fault.predict(scene.timers, target) if fault else None
    limits = limits_for(target, fault, predicted)
    return Header(
        t=time.monotonic(),
        stack=target.stack,
        provider=scene.control.name,
        timers=target.timers.name,
        fault=drill.name,
        tier=drill.tier,
        run=drill.run,
        seed=drill.seed,
        wall=datetime.datetime.now().astimezone().isoformat(timespec="milliseconds"),
        victims=victims,
        predicted=predicted,
        limits=limits,
        probes={p.name: p.interval_s for p in drill.probes if p.why_not(target) is None},
        sessions=tuple(p.name for p in drill.probes if p.is_session),
        vip_machines=target.with_role("load_balancer"),
        vip=drill.vip,
    )


@asynccontextmanager
async def probing(
    scene: Scene, probes: Sequence[Probe], observer: Observer, emit: Callable[[AnyEvent], None]
) -> AsyncIterator[None]:
    """All probes look for the length of the block; one that dies is written down as dead."""
    stop = asyncio.Event()

    async def watch(probe: Probe) -> None:
        reason = probe.why_not(scene.target)
        if reason is not None:
            emit(ProbeState(t=time.monotonic(), probe=probe.name, state="absent", detail=reason))
            observer.lost(probe.name, reason)
            return
        emit(ProbeState(t=time.monotonic(), probe=probe.name, state="started"))
        try:
            await probe.run(scene, emit, stop)
        except Exception as error:  # noqa: BLE001 - whatever ended it, there is no data from now on
            reason = f"{type(error).__name__}: {error}"
            emit(ProbeState(t=time.monotonic(), probe=probe.name, state="died", detail=reason))
            observer.lost(probe.name, reason)
        else:
            emit(ProbeState(t=time.monotonic(), probe=probe.name, state="stopped"))

    tasks = [asyncio.create_task(watch(probe), name=f"probe {probe.name}") for probe in probes]
    tasks.append(asyncio.create_task(watch_wall_clock(emit, stop), name="wall clock"))
    try:
        yield
    finally:
        stop.set()
        _, late = await asyncio.wait(tasks, timeout=PROBES_END_WITHIN_S)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)


async def must_be_steady(scene: Scene, observer: Observer) -> None:
    """Wait for the steady state: every client served, one owner. Raises LabError without it."""

    def served() -> int:
        return observer.good_since(float("-inf"))

    expected = in_row(
        STEADY_GOOD, FEWEST_STEADY, within_s=5.0, interval_ms=scene.target.drill.interval_ms
    )

    def steady() -> bool:
        now = time.monotonic()
        one_owner = all(len(observer.owners(now, vip)) == 1 for vip in observer.vips)
        return served() >= expected and one_owner and not observer.silent

    within_s = STEADY_WITHIN_S * scene.timers.patience
    if not await until(steady, within_s=within_s):
        now = time.monotonic()
        owners = {vip: ", ".join(sorted(observer.owners(now, vip))) for vip in observer.vips}
        words = [
            f"{served()} good requests in a row (expected {expected})",
            *(
                f"VIP owner{f' ({vip})' if vip else ''}: {who or 'none that is known'} (expected"
                " one)"
                for vip, who in owners.items()
            ),
            *(f"no word from {probe}" for probe in observer.silent),
            *(f"{probe} ended: {why}" for probe, why in sorted(observer.dead.items())),
        ]
        msg = (
            f"the lab is not in its steady state, so nothing was broken; within "
            f"{within_s:g} s: {'; '.join(words)}. "
            f"`lab check {scene.target.stack}` says what is wrong"
        )
        raise LabError(msg)


@dataclass(frozen=True, slots=True)
class Breaking:
    """The part of a drill in which something is broken."""

    scene: Scene
    drill: Drill
    fault: Fault
    victims: Victims
    header: Header
    observer: Observer
    journal: Journal

    async def carry_out(self, mark: Mark, say: Say) -> float | None:
        """Inject, watch, undo; undone also when it is cancelled or fails in between.

        Returns until when every client was served without a gap; None where they are not.
        """
        who = ", ".join(self.victims)
        served: float | None = None
        self.journal.begin(OpenFault(fault=self.fault.name, victims=self.victims))
        try:
            say(f"{self.fault.title.en} ({who})" if who else self.fault.title.en)
            mark("inject", who)
            await self.fault.inject(self.scene, self.victims)
            mark("injected", who)
            if self.fault.until_undone:
                await asyncio.sleep(self._watch_s)
            else:
                served = await self._served_again(time.monotonic(), self._watch_s)
                if served is not None:
                    mark("recovered", at=served)
        finally:
            if self.drill.keep:
                say(f"left in place: `lab drill {self.scene.target.stack} --undo` ends it")
            else:
                served = await to_the_end(self._undo(mark, say))
        return served

    async def _undo(self, mark: Mark, say: Say) -> float | None:
        say("undoing it")
        mark("undo")
        try:
            await self.fault.undo(self.scene, self.victims)
        except LabError as error:
            again = f"`lab drill {self.scene.target.stack} --undo` tries again"
            msg = f"{self.fault.name} could not be undone: {error}; {again}"
            raise LabError(msg) from None
        self.journal.done()
        mark("undone")
        served = await self._served_again(time.monotonic(), QUIET_S)
        if served is not None:
            mark("settled", at=served)
        return served

    @property
    def _watch_s(self) -> float:
        return watch_s(self.fault, self.header.predicted, quiet_s=QUIET_S)

    async def _served_again(self, moment: float, watch: float) -> float | None:
        """Watch for a while, and then until clients are served without a gap; until when they
        were, or None where they never are."""
        await asyncio.sleep(watch)
        limits = self.header.limits
        return await served_until(
            self.observer,
            lambda: self.observer.good_since(moment) >= limits.good_in_row,
            limits,
        )


async def served_until(
    observer: Observer, is_served: Callable[[], bool], limits: Limits
) -> float | None:
    """Wait for clients to be served; until when they were, or None where they never are."""
    longest = RECOVERY_FACTOR * limits.outage_s + RECOVERY_MARGIN_S
    return observer.answered if await until(is_served, within_s=longest) else None


async def to_the_end(work: Coroutine[Any, Any, T]) -> T:
    """Do it, also when this task is cancelled meanwhile; only a second cancellation stops it."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        own = asyncio.current_task()
        if own is not None and own.cancelling() <= 1:
            await task
        else:
            task.cancel()
        raise


async def audit(
    scene: Scene, audits: Sequence[Audit], emit: Callable[[AnyEvent], None], say: Say
) -> None:
    """Every audit, until it passes or its time is over."""
    if audits:
        say(f"auditing: {', '.join(a.name for a in audits)}")
    for event in await asyncio.gather(*(settle(scene, a) for a in audits)):
        emit(event)


async def settle(scene: Scene, asked: Audit) -> AuditDone:
    """The audit's last finding: the first that passes, or the one at the end of its time."""
    deadline = time.monotonic() + asked.within_s * scene.timers.patience
    while True:
        outcome, detail = await look(scene, asked)
        if outcome == "pass" or time.monotonic() >= deadline:
            return AuditDone(t=time.monotonic(), audit=asked.name, outcome=outcome, detail=detail)
        await asyncio.sleep(0.25)


async def look(scene: Scene, asked: Audit) -> tuple[Judgement, str]:
    """One look; an audit that cannot look knows nothing."""
    try:
        finding = await asked.check(scene)
    except LabError as error:
        return "unknown", str(error)
    return finding.outcome, finding.detail
