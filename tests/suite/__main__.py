"""`python -m tests.suite gate` and `python -m tests.suite proof`: what `make test` and `make
proof` run."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated

import typer

from lab.stack_file import ROOT
from tests.suite import proof as long_suite
from tests.suite.host import describe_host
from tests.suite.lock import only_run
from tests.suite.mutants import MUTANTS, try_mutants
from tests.suite.parts import GATE, TIERS, Lane, gate_parts, only, proof_of
from tests.suite.results import Result, problems
from tests.suite.run import FOLDER, Run
from tests.suite.sweep import sweep
from tests.suite.table import end_of_run
from tests.support.patience import measured

app = typer.Typer(add_completion=False, no_args_is_help=True, help=__doc__)


@app.command()
def gate(
    part: Annotated[
        list[str] | None,
        typer.Option(help=f"Only this part: {', '.join(p.name for p in gate_parts())}."),
    ] = None,
) -> None:
    """What decides whether a change is taken.

    Examples: `python -m tests.suite gate`, `python -m tests.suite gate --part rig --part vms`.
    Exit code 0: green, 1: red, 2: there is no such part.
    """
    names = _known(part or [], [p.name for p in gate_parts()], "part")
    raise typer.Exit(_run(only(names) if names else GATE))


@app.command()
def proof(
    tier: Annotated[
        list[str] | None, typer.Argument(help=f"Tiers: {', '.join(TIERS)}; none: all.")
    ] = None,
    *,
    again: Annotated[
        bool, typer.Option(help="Also the tiers that were green at this commit.")
    ] = False,
) -> None:
    """The long suite, a tier at a time; its results are written into docs/proof.md.

    Examples: `python -m tests.suite proof`, `python -m tests.suite proof storage`. Without tiers,
    one that was green at this commit is not run again. Exit code 0: green, 1: red, 2: there is no
    such tier.
    """
    tiers = _known(tier or [], TIERS, "tier")
    status = 0
    for name in tiers or long_suite.left_to_do(TIERS, again=again, say=_say):
        status |= _run([(proof_of(name),)], after=long_suite.record)
    raise typer.Exit(status)


@app.command()
def mutants(
    name: Annotated[
        list[str] | None,
        typer.Argument(help=f"Mutants: {', '.join(m.name for m in MUTANTS)}; none: all."),
    ] = None,
) -> None:
    """Break the product on purpose, and see whether the gate notices.

    Examples: `python -m tests.suite mutants`, `python -m tests.suite mutants preempt`. Each takes
    about ten minutes. Exit code 0: each was noticed, 1: one was not, 2: there is no such mutant.
    """
    names = _known(name or [], [m.name for m in MUTANTS], "mutant")
    chosen = [m for m in MUTANTS if not names or m.name in names]
    raise typer.Exit(0 if try_mutants(chosen, _folder(), _say) else 1)


def _known(asked: Sequence[str], known: Sequence[str], what: str) -> tuple[str, ...]:
    for name in asked:
        if name not in known:
            typer.echo(f"there is no {what} {name!r}; there are {', '.join(known)}", err=True)
            raise typer.Exit(2)
    return tuple(asked)


def _run(lanes: Sequence[Lane], *, after: Callable[[Result], None] | None = None) -> int:
    folder = _folder()
    with only_run(_say):
        factor = measured()
        _say(f"on {describe_host()}; patience: {factor:.2f} times the usual deadlines")
        for line in sweep(_say):
            _say(f"swept: {line}")
        run = Run(folder=folder, patience=factor, say=_say)
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
        begin = time.monotonic()
        results = run.lanes(lanes)
    _say(end_of_run(results, seconds=time.monotonic() - begin))
    if after is not None:
        for result in results:
            after(result)
    wrong = problems(results)
    _say(f"red: {'; '.join(wrong)}" if wrong else "green")
    return 1 if wrong else 0


def _folder() -> Path:
    folder = ROOT / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    app()
