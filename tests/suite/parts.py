"""What the two suites consist of, and what may run beside what."""

from __future__ import annotations

from dataclasses import dataclass

PYTEST = ("python", "-m", "pytest")


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One line of the table at the end: a command that is green or red."""

    name: str
    what: str
    argv: tuple[str, ...]
    is_vital: bool = False
    """Where it is red, the rest is not worth its minutes."""
    steps_back: bool = False
    """It computes without waiting for anybody, so others go first."""

    @property
    def has_tests(self) -> bool:
        """Whether it is pytest's: it then says what each test did."""
        return self.argv[: len(PYTEST)] == PYTEST


def by_pytest(
    name: str, what: str, *words: str, is_vital: bool = False, steps_back: bool = False
) -> Part:
    """A part that pytest runs."""
    argv = (*PYTEST, *words)
    return Part(name=name, what=what, argv=argv, is_vital=is_vital, steps_back=steps_back)


Lane = tuple[Part, ...]
"""Parts of which one follows the other; lanes run beside each other."""

ALL_CORES = ("-n", "auto", "--dist", "loadfile")

LINT = Part(name="lint", what="ruff, yamllint", argv=("make", "-s", "lint"), is_vital=True)
TYPES = Part(name="types", what="mypy", argv=("make", "-s", "types"), is_vital=True)
UNIT = by_pytest(
    "unit",
    "unit, program and golden tests",
    *ALL_CORES,
    "tests/unit",
    "tests/program",
    "tests/golden",
    is_vital=True,
    steps_back=True,
)
CONTRACT = by_pytest(
    "contract",
    "the command plugin, the toolchain",
    *ALL_CORES,
    "tests/contract",
    steps_back=True,
)
RIG = by_pytest("rig", "every tier on namespaced machines", "tests/rig")
MACHINES = by_pytest(
    "machines",
    "machines in libvirt that boot nothing",
    "tests/libvirt/machines",
    steps_back=True,
)
VMS = by_pytest("vms", "one compact lab on virtual machines", "tests/libvirt/lab")

GATE: tuple[Lane, ...] = (
    # Computes, and waits for nobody: it takes what the others leave.
    (LINT, TYPES, UNIT, CONTRACT, MACHINES),
    # Waits more than it computes.
    (RIG,),
    # Takes longest, as emulated machines boot for minutes: from the beginning, beside all the rest.
    (VMS,),
)

TIERS = ("lb", "machines", "storage", "database", "cluster", "drill")
"""Folders of tests/proof."""


def gate_parts() -> tuple[Part, ...]:
    """All of the gate, in the order in which they are shown."""
    return tuple(part for lane in GATE for part in lane)


def only(names: tuple[str, ...]) -> tuple[Lane, ...]:
    """The gate with these parts alone, each beside what it would run beside."""
    lanes = (tuple(part for part in lane if part.name in names) for lane in GATE)
    return tuple(lane for lane in lanes if lane)


def proof_of(tier: str) -> Part:
    """A tier of the long suite."""
    return by_pytest(tier, f"the long suite's {tier}", f"tests/proof/{tier}")
