"""The numbers that the tables of a report show."""

from __future__ import annotations

from lab.drill.judge.summary import summarise
from lab.drill.report import tables
from lab.drill.report.tables import Table
from lab.drill.report.voice import Voice
from lab.drill.verdict import judge
from tests.unit.drill.histories import BEGIN, END, failover, history
from tests.unit.drill.report.samples import TITLES, VERDICTS

EN = Voice("en", TITLES)
DASH, S = "\u2013", "\u00a0s"


def texts(table: Table) -> list[list[str]]:
    return [[cell.text for cell in row] for row in table.rows]


def test_summary() -> None:
    table = tables.summary_table(summarise(VERDICTS), EN)
    assert table.columns == (
        "fault",
        "timers",
        "on",
        "outage median / p95 / max",
        "predicted",
        "ratio",
        "failed / slow / all",
        "verdict",
    )
    assert texts(table) == [
        [
            "The VIP's owner loses power",
            "standard",
            "lb1",
            f"0.210 / 0.910 / 0.910 ± 0.010{S}",
            f"0.306{S}",
            "2.97",
            f"10{DASH}90 / 0 / 700",
            "✘\u00a0fail 1/3",
        ],
        [
            "The VIP's owner loses power",
            "course",
            "lb1",
            f"2.51 ± 0.010{S}",
            f"3.61{S}",
            "0.70",
            "250 / 0 / 700",
            "✔\u00a0pass",
        ],
        [
            "brick-killed",
            "standard",
            "gluster1",
            f"0.000 ± 0.020{S}",
            DASH,
            DASH,
            "0 / 0 / 700",
            "✘\u00a0fail",
        ],
        [
            "No fault",
            "standard",
            DASH,
            f"0.000 ± 0.010{S}",
            DASH,
            DASH,
            "0 / 0 / 700",
            "✔\u00a0pass",
        ],
    ]
    assert [row[-1].judgement for row in table.rows] == ["fail", "pass", "fail", "pass"]


def test_one_set_of_timers_needs_no_column_and_one_run_no_percentiles() -> None:
    table = tables.summary_table(summarise([judge(failover().events())]), EN)
    assert table.columns[:3] == ("fault", "on", "outage")
    (named,) = texts(tables.spread_table(summarise([judge(failover().events())]), EN))
    assert named[0] == "The VIP's owner loses power"


def test_a_narrow_one_has_the_times_and_the_verdict() -> None:
    table = tables.summary_table(summarise([judge(failover().events())]), EN, is_narrow=True)
    assert table.columns == ("fault", "outage", "predicted", "ratio", "verdict")
    short = tables.failures_table(summarise(VERDICTS), EN, with_availability=False)
    assert short.columns[-1] == "99.999%"


def test_no_data_is_written_out() -> None:
    nothing = judge(failover().silent(BEGIN, END).events())
    (row,) = texts(tables.summary_table(summarise([nothing]), EN))
    assert (row[2], row[-1]) == ("no data", "?\u00a0unknown")
    assert texts(tables.failures_table(summarise([nothing]), EN)) == []
    (spread,) = texts(tables.spread_table(summarise([nothing]), EN))
    assert spread[2:6] == ["no data"] * 4


def test_spread_over_the_runs() -> None:
    rows = texts(tables.spread_table(summarise(VERDICTS), EN))
    times = ("0.110", "0.210", "0.910", "0.910", "0.306", "0.700")
    assert rows[0] == ["The VIP's owner loses power (standard)", "3", *(t + S for t in times)]
    assert rows[3][-2:] == [DASH, f"0.000{S}"]


def test_every_run_of_a_fault() -> None:
    rows = texts(tables.runs_table(VERDICTS[:3], EN))
    assert rows[1] == [
        "2",
        "lb1",
        f"0.910{S}",
        DASH,
        f"0.870{S}",
        f"0.030{S}",
        "90 / 0 / 700",
        "✘\u00a0fail",
    ]


def test_what_each_client_saw() -> None:
    rows = texts(tables.clients_table(VERDICTS[0], EN))
    assert rows[0][:4] == ["http", f"0.210{S}", f"0.000{S}", "20 / 0 / 700"]
    assert rows[0][5] == "lb1 → lb2"
    assert rows[0][4].endswith("\u00a0ms") or rows[0][4].endswith(" ms")


def test_outages_writes_and_audits() -> None:
    assert texts(tables.outages_table(VERDICTS[0], EN)) == [
        ["http", f"-0.010{S}", f"0.200{S}", f"0.210{S}", "under the fault"]
    ]
    assert texts(tables.writes_table(VERDICTS[4], EN)) == [["sql", "350", "1", "0", "0", "0"]]
    assert texts(tables.audits_table(VERDICTS[0], EN)) == [
        ["exactly one VIP owner", "✔\u00a0pass", "lb2 alone"]
    ]
    unseen = judge(history().writes(BEGIN, END, first=1).events())
    assert texts(tables.writes_table(unseen, EN))[0][2:5] == ["no data"] * 3


def test_the_courses_levels() -> None:
    assert texts(tables.levels_table(Voice("fr"))) == [
        ["99\u00a0%", "3,65 jours", "7,3 heures"],
        ["99,9\u00a0%", "8,76 heures", "43,8 minutes"],
        ["99,99\u00a0%", "52,56 minutes", "4,38 minutes"],
        ["99,999\u00a0%", "5,26 minutes", "26,28 secondes"],
    ]


def test_what_the_outages_mean_for_them() -> None:
    table = tables.failures_table(summarise(VERDICTS), EN)
    assert table.columns[2:6] == ("99%", "99.9%", "99.99%", "99.999%")
    rows = texts(table)
    assert [row[0] for row in rows] == [
        "The VIP's owner loses power (standard)",
        "The VIP's owner loses power (course)",
        "brick-killed (standard)",
    ]
    assert rows[0][1:] == [
        f"0.910{S}",
        "346,549",
        "34,654",
        "3,465",
        "346",
        "99.999965%",
        "99.99985%",
    ]
    # No outage was seen: it is counted as long as the resolution.
    assert rows[2][1] == f"0.020{S}"
