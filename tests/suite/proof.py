"""The long suite's memory: what each tier did when it was last run, as data and as a page."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lab.stack_file import ROOT
from tests.suite.host import describe_host
from tests.suite.parts import TIERS
from tests.suite.results import Result
from tests.suite.table import duration

DATA = ROOT / "docs" / "proof.json"
PAGE = ROOT / "docs" / "proof.md"
BEGIN = "<!-- results of `make proof`: written by it -->"
END = "<!-- end of the results -->"
SLOWEST_SHOWN = 10


def record(result: Result) -> None:
    """Keep a tier's result, and write the page's part anew."""
    data = {**stored(DATA), result.name: recorded(result)}
    DATA.write_text(json.dumps(data, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    text = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(with_results(text, data), encoding="utf-8")


def recorded(result: Result) -> dict[str, Any]:
    """All of the result, and when (UTC), on which commit and machine it came about."""
    return {
        **asdict(result),
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M"),
        "commit": present_commit(),
        "machine": describe_host(),
        "slowest": result.slowest[:SLOWEST_SHOWN],
    }


def left_to_do(tiers: Sequence[str], *, again: bool, say: Callable[[str], None]) -> list[str]:
    """The tiers that are not known to be green at this commit; says which are left out."""
    data, commit = stored(DATA), present_commit()
    left = [t for t in tiers if again or not is_green_at(data.get(t), commit)]
    if done := [tier for tier in tiers if tier not in left]:
        say(f"green at {commit} already: {', '.join(done)} (`--again` runs them nevertheless)")
    return left


def is_green_at(known: Mapping[str, Any] | None, commit: str) -> bool:
    """Whether a record says so; of changes that no commit has, none can."""
    if known is None or "+" in commit:
        return False
    return bool(known["status"] == 0 and known["commit"] == commit)


def stored(path: Path) -> dict[str, Any]:
    """The records, by tier."""
    if not path.exists():
        return {}
    loaded: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return loaded


def present_commit() -> str:
    """Of this clone; `+` where something else than the records is changed."""
    commit = _git("rev-parse", "--short=10", "HEAD")
    changed = [line[3:] for line in _git("status", "--porcelain").splitlines()]
    own = {str(path.relative_to(ROOT)) for path in (DATA, PAGE)}
    return commit + ("+" if set(changed) - own else "")


def _git(*words: str) -> str:
    done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.rstrip("\n")


def with_results(page: str, data: Mapping[str, Mapping[str, Any]]) -> str:
    """The page with these results between its two marks. Pure."""
    before, _, rest = page.partition(BEGIN)
    _, mark, after = rest.partition(END)
    assert mark, f"{PAGE.name} has no place for the results: {BEGIN} ... {END}"
    return f"{before}{BEGIN}\n\n{chr(10).join(_lines(data))}\n\n{END}{after}"


def _lines(data: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    known = [(tier, data[tier]) for tier in TIERS if tier in data]
    yield "| tier | date | commit | machine | passed | failed | rerun | skipped | time |"
    yield "|---|---|---|---|---|---|---|---|---|"
    for tier, one in known:
        skipped = sum(one["skipped"].values())
        numbers = (one["passed"], len(one["failed"]), len(one["rerun"]), skipped)
        cells = (f"`{tier}`", one["date"], one["commit"], one["machine"], *map(str, numbers))
        yield f"| {' | '.join(cells)} | {duration(one['seconds'])} |"
    for tier, one in known:
        yield from _details(tier, one)


def _details(tier: str, one: Mapping[str, Any]) -> Iterator[str]:
    blocks = (
        ("failed", [f"`{test}`" for test in one["failed"]]),
        ("run a second time", [f"`{test}`" for test in one["rerun"]]),
        ("skipped", [f"{count}: {why}" for why, count in one["skipped"].items()]),
        ("slowest", [f"{seconds:.0f} s `{test}`" for seconds, test in one["slowest"]]),
    )
    yield ""
    yield f"**{tier}**"
    yield ""
    for title, entries in blocks:
        if entries:
            yield f"- {title}: {'; '.join(entries)}"
