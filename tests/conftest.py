"""What every test has: one more chance where it states liveness only, and a report that explains
a failure without a second run."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from tests.suite.host import Load, load
from tests.support.diagnosis import describe_labs

LOAD_AT_BEGIN = pytest.StashKey[Load]()
RERUNS = 1


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Liveness may be tried once more; safety never is."""
    for item in items:
        if item.get_closest_marker("liveness"):
            item.add_marker(pytest.mark.flaky(reruns=RERUNS))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """For the report: how busy the machine was when the test began."""
    item.stash[LOAD_AT_BEGIN] = load()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A failed test shows the labs that it has as they are at that moment."""
    report = yield
    if report.failed:
        report.sections.append(("host", _busy(item)))
        report.sections += describe_labs(getattr(item, "funcargs", {}).values())
    return report


def _busy(item: pytest.Item) -> str:
    now = load()
    begin = item.stash.get(LOAD_AT_BEGIN, now)
    stolen = now.stolen_s - begin.stolen_s
    return f"load {begin.average:.1f} -> {now.average:.1f}; {stolen:.1f} s of processor time stolen"
