"""systemd units: enabled and running, or stopped; reloaded or restarted for a changed file."""

from __future__ import annotations

from collections.abc import Sequence

from .effect import lasting_problem, why_not_in_effect
from .system import ApplyError, Json, distribution_family, must, run, say, tail

UNIT_FILES = "/etc/systemd/"

State = dict[str, str]
"""Properties of a unit by their names, as systemd says them."""


def settle_unit(
    unit: Json, changed: list[str], were_active: dict[str, bool], enabled: dict[str, str]
) -> str | None:
    """Bring a unit to its state; says what was done, or None. Notes whether it was active.

    `enabled`: as `enabled_on_disk` says.
    """
    name = unit_name(unit)
    state = with_disk(unit_state(name), enabled.get(name))
    were_active[name] = is_active(state)
    if not unit["running"]:
        if not is_off(state):
            must(["systemctl", "disable", "--now", name], f"stopping {name}")
            return f"stopped {name}"
        return None
    if not is_enabled(state):
        # Without a reload of all units: it costs seconds on an emulated machine, and `start` finds
        # a unit that is there by itself.
        must(["systemctl", "enable", "--quiet", "--no-reload", name], f"enabling {name}")
    if not is_active(state):
        start(name)
        return f"started {name}"
    verb = how_to_take_up(unit, changed)
    if verb is None:
        return None
    must(["systemctl", verb, name], f"{verb}ing {name}")
    return f"{verb}ed {name}"


def how_to_take_up(unit: Json, changed: list[str]) -> str | None:
    """Whether a running unit needs a `restart` or a `reload` to run with its files."""
    if touched(unit["restart_on"], changed):
        return "restart"
    if touched(unit["reload_on"], changed):
        return "reload"
    if why_not_in_effect(unit.get("in_effect")) is None:
        return None
    # Another hand changed it at run time, or wrote a file and put it back.
    return "reload" if unit["reload_on"] else "restart"


def give_way(units: Sequence[Json], were_active: dict[str, bool]) -> None:
    """Before old files are put back: what was begun in the place of another unit ends."""
    if not replaced(units, were_active):
        return
    for unit in units:
        name = unit_name(unit)
        if unit["running"] and were_active.get(name) is False:
            run(["systemctl", "disable", "--now", "--quiet", name])


def replaced(units: Sequence[Json], were_active: dict[str, bool]) -> list[str]:
    """The units that ran and were stopped, because another one takes their place."""
    return [
        unit_name(unit)
        for unit in units
        if not unit["running"] and were_active.get(unit_name(unit))
    ]


def revive(
    units: Sequence[Json], changed: list[str], were_active: dict[str, bool], within_s: float
) -> None:
    """After old files were put back: what ran before runs with them again."""
    if any(path.startswith(UNIT_FILES) for path in changed):
        run(["systemctl", "daemon-reload"])
    for unit in units:
        name, must_restart = unit_name(unit), touched(unit["restart_on"], changed)
        if not unit["running"] or not (must_restart or touched(unit["reload_on"], changed)):
            continue
        runs = is_active(unit_state(name))
        if not were_active.get(name, runs):
            continue
        if runs and not must_restart:
            run(["systemctl", "reload", name])
        else:
            run(["systemctl", "reset-failed", name])
            run(["systemctl", "restart", name])
        if problem := lasting_problem(unit.get("in_effect"), within_s):
            say(f"{name} does not run with its old files either: {problem}")
    revive_replaced(units, were_active)


def revive_replaced(units: Sequence[Json], were_active: dict[str, bool]) -> None:
    """What was stopped for another unit runs again, and after it what had not had its turn: a file
    may have stopped that, so that it does not see the change."""
    gone = replaced(units, were_active)
    for name in gone:
        run(["systemctl", "enable", "--now", "--quiet", name])
    for unit in units if gone else ():
        name = unit_name(unit)
        if unit["running"] and name not in were_active and is_enabled(unit_state(name)):
            run(["systemctl", "start", name])


def start(name: str) -> None:
    """Start a unit; a unit that gave up restarting is forgiven first."""
    run(["systemctl", "reset-failed", name])
    status, output = run(["systemctl", "start", name])
    if status != 0:
        _, log = run(["journalctl", "-u", name, "-n", "15", "--no-pager", "-o", "cat"])
        raise ApplyError(f"{name} did not start: {output}\n{tail(log)}")


def unit_name(unit: Json) -> str:
    """The unit's name on this distribution."""
    return str(unit["name"][distribution_family()])


def unit_state(name: str) -> State:
    return unit_states([name])[name]


def unit_states(names: Sequence[str]) -> dict[str, State]:
    """What systemd says of each unit, asked with one command: each is a fork.

    Whether a unit is enabled may be old news here: `enabled_on_disk` knows.
    """
    if not names:
        return {}
    _, output = run(["systemctl", "show", "-p", "LoadState,ActiveState,UnitFileState", *names])
    # One block for each name, in their order; a unit that is not there has a block too.
    blocks = [_state(block) for block in output.split("\n\n")]
    return {name: blocks[at] if at < len(blocks) else {} for at, name in enumerate(names)}


def _state(block: str) -> State:
    return dict(line.split("=", 1) for line in block.splitlines() if "=" in line)


def enabled_on_disk(names: Sequence[str]) -> dict[str, str]:
    """Whether units are enabled, as their files and links on disk say.

    `show` tells what systemd read last. It does not notice that a link was removed by hand, nor
    that one was made without reading all unit files again, as this applier does. Left out is what
    has no file of its own (an instance of a template, an alias) or is not there.
    """
    if not names:
        return {}
    # Not `is-enabled`: it ends at the first unit that is not there.
    asked = ["systemctl", "list-unit-files", "--no-legend", "--no-pager", "--plain", *names]
    _, output = run(asked)
    rows = (line.split() for line in output.splitlines())
    return {row[0]: row[1] for row in rows if len(row) > 1 and row[1] != "alias"}


def with_disk(state: State, enabled: str | None) -> State:
    """A unit's state, with what its links on disk say where that is known."""
    return state if enabled is None else {**state, "UnitFileState": enabled}


def is_there(state: State) -> bool:
    return state.get("LoadState") != "not-found"


def is_active(state: State) -> bool:
    return state.get("ActiveState") in ("active", "reloading")


def is_enabled(state: State) -> bool:
    return state.get("UnitFileState") in ("enabled", "enabled-runtime", "static", "generated")


def is_off(state: State) -> bool:
    """Stopped and not started at boot, or not there at all."""
    return not is_there(state) or not (
        state.get("ActiveState") in ("active", "activating", "failed")
        or state.get("UnitFileState") == "enabled"
    )


def touched(paths: Sequence[str], changed: list[str]) -> bool:
    return any(path in changed for path in paths)
