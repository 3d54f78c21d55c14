"""The report on a terminal, as JSON and as Markdown."""

from __future__ import annotations

import io
import json

import pytest
from rich.console import Console

from lab.drill.report.as_json import to_json
from lab.drill.report.markdown import text, to_markdown
from lab.drill.report.terminal import show
from lab.drill.verdict import Verdict, judge
from tests.unit.drill.histories import failover, history
from tests.unit.drill.report.samples import NASTY, TITLES, VERDICTS


def shown(verdicts: list[Verdict], language: str = "en", width: int = 160) -> str:
    file = io.StringIO()
    console = Console(file=file, width=width, force_terminal=False)
    show(verdicts, titles=TITLES, language=language, console=console)
    return file.getvalue()


def test_terminal() -> None:
    out = shown(VERDICTS)
    assert "0.210 / 0.910 / 0.910 ± 0.010\u00a0s" in out
    assert "The VIP's owner loses power, run 2" in out
    assert (
        "✘\u00a0fail  http: clients were not served for 0.910\u00a0s after vip-owner-power-off"
        in out
    )
    assert "predicted 0.306\u00a0s = 3 x 100 ms advert + 6 ms skew (RFC 5798)" in out
    assert "346,549" in out
    assert "2 of 6 drills failed, 0 could not be judged." in out


def test_what_passed_is_not_listed_again() -> None:
    out = shown([judge(failover().events())])
    assert "All 1 drills passed." in out
    assert "clients were not served" not in out
    assert ", run 1" not in out


def test_what_a_machine_said_is_no_markup() -> None:
    out = shown(VERDICTS, width=300)
    assert NASTY in out


def test_terminal_in_french() -> None:
    out = shown(VERDICTS, "fr")
    assert "Le détenteur de la VIP perd son alimentation" in out
    assert "✘\u00a0échec  http\u00a0: clients non servis pendant 0,910\u00a0s" in out
    assert "2 exercices sur 6 en échec" in out


def test_narrow_terminals_lose_no_number() -> None:
    words = shown(VERDICTS, width=80).split()
    assert {"0.910", "2.97", "346"} <= set(words)


@pytest.mark.parametrize("language", ["en", "fr"])
def test_of_no_drills_there_is_a_line_that_says_so(language: str) -> None:
    expected = {"en": "No drill was run.", "fr": "Aucun exercice n'a été effectué."}[language]
    assert shown([], language).strip() == expected
    assert to_markdown([], titles={}, language=language).strip() == expected


def test_json() -> None:
    report = json.loads(to_json(VERDICTS))
    assert report["version"] == 1
    assert [Verdict.model_validate(each) for each in report["verdicts"]] == VERDICTS
    first = report["summaries"][0]
    assert (first["fault"], first["runs"], first["failed"]) == ("vip-owner-power-off", 3, 1)
    assert first["outage"] == {"min": 0.11, "median": 0.21, "p95": 0.91, "max": 0.91}
    assert first["availability"]["failures_per_year"]["99.999"] == 346
    assert report["levels"][1] == {"percent": "99.9", "downtime_year_s": 31_536.0}
    sentence = report["verdicts"][1]["sentences"][0]
    assert (sentence["code"], sentence["outcome"]) == ("outage", "fail")


def test_json_of_no_data() -> None:
    nothing = judge(history().without(lambda _: True).events())
    (summary,) = json.loads(to_json([nothing]))["summaries"]
    assert (summary["outage"], summary["availability"]) == (None, None)
    assert json.loads(to_json([]))["verdicts"] == []


@pytest.mark.parametrize("language", ["en", "fr"])
def test_markdown_is_made_of_whole_tables(language: str) -> None:
    page = to_markdown(VERDICTS, titles=TITLES, language=language)
    blocks = [block for block in page.split("\n\n") if block.startswith("|")]
    assert len(blocks) > 8
    for block in blocks:
        widths = {line.replace("\\|", "").count("|") for line in block.strip().splitlines()}
        assert len(widths) == 1, block
    assert "None" not in page
    assert page.count("\n# ") + page.startswith("# ") == 1


def test_markdown_says_it_all() -> None:
    page = to_markdown(VERDICTS, titles=TITLES, language="en")
    assert "# Failover times of demo" in page
    assert "## The VIP's owner loses power\n\nvip-owner-power-off: **✘\u00a0fail 1/3**" in page
    assert "- ✘ run 2: http: clients were not served for 0.910\u00a0s" in page
    assert "The VIP moved from lb1 to lb2: seen on the wire (ARP) after 0.870\u00a0s" in page
    assert "Shown is run 2, the one with the longest outage." in page
    assert "of 10 good ones in a row" in page


def test_markdown_escapes_what_machines_said() -> None:
    page = to_markdown(VERDICTS, titles=TITLES, language="en")
    assert "<script>" not in page
    assert text("a|b*c\nd") == "a\\|b\\*c d"


def test_an_other_run_is_named_where_it_did_not_pass() -> None:
    runs = [judge(failover(0.9, run=1).events()), judge(failover(0.8, run=2).events())]
    page = to_markdown(runs, titles=TITLES, language="en")
    assert "run 1: http: clients were not served for 0.910" in page
    assert "run 2: http: clients were not served for 0.810" in page
    # What was proven is said of the run that is shown alone.
    assert page.count("no more than 1 VIP owner") == 1
