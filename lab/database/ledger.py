"""The ledger of promotions: who became primary when, kept by most machines of the lab.

No primary can be asked about itself once it is gone, and no replica knows what happened while it
was away. So each promotion is written down on all machines that answer, before it is carried out,
and counts once most of the lab has it; whoever reads it asks all, too, and believes it once most
have answered: one of them was there.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict, dataclass

from components.files import STATE_DIR
from lab.database.model import Promotion
from lab.drill.scene import Scene
from lab.errors import LabError
from lab.health.drift import is_off

TIMEOUT_S = 3.0
_WRITE = """set -e
mkdir -p {folder}
cat >{file}.new
sync {file}.new
mv {file}.new {file}
"""


def file_of(engine: str) -> str:
    return f"{STATE_DIR}/{engine}-promotion.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pages:
    """What was found of the ledger."""

    answered: tuple[str, ...]
    """The machines that answered."""
    of: int
    """So many machines there are."""
    entries: tuple[Promotion, ...]

    @property
    def known(self) -> tuple[Promotion, ...] | None:
        """All promotions; None where too few machines answered to be sure of them."""
        return self.entries if is_most(len(self.answered), self.of) else None


async def read(scene: Scene, engine: str) -> Pages:
    """Ask all machines of the lab."""
    machines = sorted(scene.target.machines)
    found = await asyncio.gather(*(_read(scene, machine, engine) for machine in machines))
    pages = {m: page for m, page in zip(machines, found, strict=True) if page is not None}
    return Pages(
        answered=tuple(pages),
        of=len(machines),
        entries=tuple(entry for page in pages.values() for entry in page),
    )


async def _read(scene: Scene, machine: str, engine: str) -> list[Promotion] | None:
    """The entry on one machine, as a list; None: it did not answer."""
    if await is_off(scene, machine):
        return None
    script = f"cat {file_of(engine)} 2>/dev/null || true"
    try:
        text = (await scene.machines.run(machine, script, timeout_s=TIMEOUT_S)).ok()
        return [Promotion(**json.loads(text))] if text.strip() else []
    except (LabError, ValueError, TypeError):
        return None


async def write(scene: Scene, engine: str, entry: Promotion, pages: Pages) -> None:
    """Write an entry down on the machines that answered. Raises LabError where too few have it."""
    script = _WRITE.format(folder=STATE_DIR, file=file_of(engine))
    text = json.dumps(asdict(entry))
    done = await asyncio.gather(*(_write(scene, m, script, text) for m in pages.answered))
    if not is_most(sum(done), pages.of):
        msg = (
            f"only {sum(done)} of {pages.of} machines could write down who is primary, and most "
            "must, so that nothing is lost later; bring them back first"
        )
        raise LabError(msg)


async def _write(scene: Scene, machine: str, script: str, text: str) -> bool:
    try:
        (await scene.machines.run(machine, script, timeout_s=TIMEOUT_S, stdin=text)).ok()
    except LabError:
        return False
    return True


def is_most(count: int, of: int) -> bool:
    """More than half: any two such sets have a machine in common."""
    return 2 * count > of
