"""What must be true of a replicated database: one primary, whose replica has what is written."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

from components.database.guest.model import PRIMARY
from lab.database.decide import alarms
from lab.database.model import Picture
from lab.database.read import picture_of
from lab.drill.events import Judgement
from lab.drill.model import Audit, Finding, Text
from lab.drill.probes.database import login, why_no
from lab.drill.probes.numbered import NotWrittenError
from lab.drill.probes.sql_client import access_of
from lab.drill.probes.sql_drivers import CREATE, DRIVERS, INSERT, TABLE
from lab.drill.probes.sql_pool import Pool, first_line
from lab.drill.scene import Scene

RUN = "check"
FORGET = f"DELETE FROM {TABLE} WHERE run = %s"  # noqa: S608 - a constant
FIND = f"SELECT count(*) FROM {TABLE} WHERE run = %s AND number = %s"  # noqa: S608 - a constant
WITHIN_S = 4.0
"""A whole database takes milliseconds for a write."""
SEEN_WITHIN_S = 3.0
"""A replica shows a write a moment after it has it on disk."""
PAUSE_S = 0.05
PATIENT_S = 9.0
"""All audits ask all machines at once, and the handshakes of that alone take a small host seconds.
Less than an audit has in a check (`AUDIT_TIMEOUT_S`), so that it can say which one is silent."""


@dataclass(slots=True)
class SharedLook:
    """What the machines say of an engine: asked once for all audits that ask at the same time.

    Each asking runs programs on every machine; on a busy host the second one delayed the first.
    """

    engine: str
    _scene: Scene | None = None
    _asking: asyncio.Task[Picture] | None = None

    async def picture(self, scene: Scene) -> Picture:
        """With patience, and once: who does not answer for so long is not asked again."""
        if self._asking is None or self._asking.done() or self._scene is not scene:
            asked = picture_of(scene, self.engine, timeout_s=PATIENT_S, again=False)
            self._scene, self._asking = scene, asyncio.create_task(asked)
        # One audit that runs out of time must not take the answer away from another.
        return await asyncio.shield(self._asking)


def one_primary(picture: Picture) -> Finding:
    """Whether one machine takes writes, and no other one. Pure."""
    engine = picture.engine
    names = [state.machine for state in picture.primaries]
    if len(names) > 1:
        return Finding("fail", f"{' and '.join(names)} are primary of {engine} at once")
    # One that has lost its link may take writes of its own, and only it knows.
    silent = f"; {', '.join(picture.unknown)} cannot be asked" if picture.unknown else ""
    if names:
        return Finding("unknown" if silent else "pass", f"{names[0]} is the primary{silent}")
    return Finding("unknown" if silent else "fail", f"nobody is primary of {engine}{silent}")


def replica_follows(picture: Picture) -> Finding:
    """Whatever `lab db status` would alarm about. Pure."""
    found = alarms(picture)
    if found:
        is_told = bool(picture.primaries) and any(alarm.fatal for alarm in found)
        # Of a machine that is only silent nobody knows whether something is wrong.
        outcome: Judgement = "unknown" if picture.unknown and not is_told else "fail"
        return Finding(outcome, "; ".join(alarm.text for alarm in found))
    replicas = ", ".join(state.machine for state in picture.replicas) or "there is no replica to be"
    return Finding("pass", f"{replicas} follows the {PRIMARY}")


async def write_is_kept(scene: Scene, engine: str) -> Finding:
    """A row that was acknowledged at the write endpoint is read through the read endpoint."""
    reason = why_no(engine, scene.target)
    if reason is not None:
        return Finding("unknown", reason)
    driver, pools = DRIVERS[engine], []
    try:
        for endpoint in ("write", "read"):
            access = access_of(login(scene.target, engine, endpoint))
            pools.append(Pool(driver, access, size=2, namespace=scene.namespace))
        return await _round_trip(*pools)
    finally:
        for pool in pools:
            pool.close()


async def _round_trip(write: Pool, read: Pool) -> Finding:
    number = time.time_ns()
    try:
        async with asyncio.timeout(WITHIN_S):
            for statement, values in ((CREATE, ()), (FORGET, (RUN,)), (INSERT, (RUN, number))):
                await write.ask(statement, *values)
    except TimeoutError:
        return Finding("fail", f"a write was not acknowledged within {WITHIN_S:g} s")
    except NotWrittenError as error:
        return Finding("fail", f"a write was refused: {error}")
    except Exception as error:  # noqa: BLE001 - whatever a driver raises
        return Finding("fail", f"a write has no answer: {first_line(error)}")
    seen = "nothing came back"
    deadline = time.monotonic() + SEEN_WITHIN_S
    while time.monotonic() < deadline:
        try:
            async with asyncio.timeout(SEEN_WITHIN_S):
                ((count,),) = await read.ask(FIND, RUN, number)
        except Exception as error:  # noqa: BLE001 - whatever a driver raises
            seen = first_line(error)
        else:
            if count == 1:
                return Finding("pass", "what is written is read through the read endpoint")
            seen = f"it is there {count} times"
        await asyncio.sleep(PAUSE_S)
    return Finding("fail", f"an acknowledged write is not read within {SEEN_WITHIN_S:g} s: {seen}")


def audits_of(engine: str, title: str) -> tuple[Audit, ...]:
    """The audits of one engine."""

    look = SharedLook(engine)

    def of(judged: Callable[[Picture], Finding]) -> Callable[[Scene], Awaitable[Finding]]:
        async def check(scene: Scene) -> Finding:
            return judged(await look.picture(scene))

        return check

    return (
        Audit(
            name=f"one-{engine}-primary",
            title=Text(f"exactly one primary of {title}", f"un seul primaire {title}"),
            check=of(one_primary),
        ),
        Audit(
            name=f"{engine}-replica-follows",
            title=Text(f"the replica of {title} follows", f"le réplica {title} suit le primaire"),
            check=of(replica_follows),
        ),
        Audit(
            name=f"{engine}-write-kept",
            title=Text(
                f"an acknowledged write to {title} is read from its replica",
                f"une écriture {title} acquittée se lit sur le réplica",
            ),
            check=partial(write_is_kept, engine=engine),
        ),
    )
