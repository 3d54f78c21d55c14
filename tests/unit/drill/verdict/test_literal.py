"""The verdicts of whole histories, each a literal one."""

from __future__ import annotations

import pytest

from lab.drill.events import Judgement
from lab.drill.verdict import judge
from tests.unit.drill.histories import BEGIN, END, EVERY, STEPS, History, history

CLEAN = history()
EMPTY = history().without(lambda _event: True)
NONE = history("none", victims=(), limit_s=0.0, predicted_s=None).without_steps(
    "inject", "injected", "recovered", "undo", "undone", "settled"
)
SERVED = CLEAN.outage(0, 0.2)


@pytest.mark.parametrize(
    ("name", "drilled", "outcome", "outage_s", "code"),
    [
        ("clean", CLEAN, "pass", 0.0, "no-outage"),
        ("empty", EMPTY, "unknown", None, "no-steady-state"),
        ("header only, without a fault", NONE.ended(BEGIN), "unknown", None, "no-client"),
        ("within the limit", SERVED, "pass", 0.21, "outage"),
        ("too long", CLEAN.outage(0, 0.8), "fail", 0.81, "outage"),
        ("slow answers are no service", CLEAN.slow(0, 0.8), "fail", 0.81, "outage"),
        ("flapping", CLEAN.outage(0, 2, each=2), "fail", 2.0, "outage"),
        ("one slow answer", CLEAN.slow(0.5, 0.51), "pass", 0.0, "no-outage"),
        ("never recovered", CLEAN.outage(0, END), "fail", 5.002, "never-recovered"),
        ("nobody was ever served", CLEAN.outage(BEGIN, END), "fail", 6.992, "never-recovered"),
        ("graceful", CLEAN.limited(failed_requests=0), "pass", 0.0, "failed-requests"),
        (
            "one failed too many",
            CLEAN.outage(0.5, 0.51).limited(failed_requests=0),
            "fail",
            0.02,
            "failed-requests",
        ),
        ("undoing hurts", CLEAN.outage(3.1, 4.5), "fail", 0.0, "undo-outage"),
        ("undoing hurts a little", CLEAN.outage(3.1, 3.2), "pass", 0.0, "no-outage"),
        ("no fault", NONE, "pass", 0.0, "no-outage"),
        ("no fault, one failed", NONE.outage(2, 2.01), "fail", 0.02, "failed-requests"),
        ("cut off", CLEAN.without_steps("end"), "unknown", 0.0, "cut-off"),
        ("cut off in an outage", SERVED.ended(0.1), "unknown", 0.102, "cut-off-outage"),
        ("cut off in a long one", CLEAN.outage(0, 2).ended(1.5), "fail", 1.502, "outage"),
        ("no steady state", CLEAN.without_steps("steady"), "unknown", 0.0, "no-steady-state"),
        ("not injected", CLEAN.without_steps("inject", "injected"), "unknown", None, "no-fault"),
        ("half injected", CLEAN.without_steps("injected"), "unknown", 0.0, "no-fault"),
        ("unsteady before", CLEAN.outage(-0.5, -0.4), "unknown", 0.0, "unsteady"),
        ("unsteady before the steady state", CLEAN.outage(-1.5, -1.2), "pass", 0.0, "no-outage"),
        ("no client", history(probes={}).silent(BEGIN, END), "unknown", None, "no-client"),
        ("prober died", CLEAN.probe("http", "died", 0.5, "killed"), "unknown", None, "no-data"),
        ("prober stopped early", CLEAN.silent(0, END), "unknown", None, "no-data"),
        ("prober is late", CLEAN.silent(1, 1.75), "unknown", 0.0, "late"),
        ("late at the injection", CLEAN.silent(-0.35, 0.4), "unknown", 0.0, "late"),
        ("late at its end", CLEAN.silent(4.25, END), "unknown", 0.0, "late"),
        ("late at its begin", CLEAN.silent(BEGIN, -0.25), "unknown", 0.0, "late"),
        ("late before all that", CLEAN.silent(-1.9, -1.5), "pass", 0.0, "no-outage"),
        ("undone too early", CLEAN.outage(2.5, 3.1), "unknown", 0.61, "until-undone"),
        (
            "only its undoing ends it",
            CLEAN.outage(2.5, 3.1).limited(until_undone=True),
            "pass",
            0.61,
            "outage",
        ),
        (
            "answers were lost",
            CLEAN.outage(0, 1, outcome="unknown"),
            "unknown",
            1.01,
            "outage-unknown",
        ),
        ("the wall clock jumped", SERVED.note(0.1, "jumped by 3600 s"), "pass", 0.21, "outage"),
        ("an audit failed", CLEAN.audit("owners", "fail", "none"), "fail", 0.0, "audit"),
        ("an audit could not look", CLEAN.audit("owners", "unknown"), "unknown", 0.0, "audit"),
        ("an audit passed", CLEAN.audit("owners", "pass"), "pass", 0.0, "no-outage"),
        (
            "an audit passed at last",
            CLEAN.audit("owners", "fail", t=4).audit("owners", "pass", t=5),
            "pass",
            0.0,
            "no-outage",
        ),
        (
            "an audit failed before the fault",
            CLEAN.audit("owners", "fail", t=-1),
            "unknown",
            0.0,
            "audit-before",
        ),
    ],
)
def test_verdict(
    name: str, drilled: History, outcome: Judgement, outage_s: float | None, code: str
) -> None:
    verdict = judge(drilled.events())
    assert verdict.outcome == outcome, (name, verdict.reasons)
    assert verdict.outage_s == outage_s, name
    first = verdict.sentences[0]
    assert code in {s.code for s in verdict.sentences if s.outcome == outcome}, verdict.reasons
    assert first.outcome == outcome


def test_a_drill_that_ends_in_its_undoing_is_judged_until_there() -> None:
    kept = SERVED.without_steps("undo", "undone", "settled")
    assert judge(kept.events()).outcome == "pass"
    assert judge(kept.events()).clients["http"].undo_outage_s is None


def test_a_certain_failure_wins_over_what_is_not_known() -> None:
    verdict = judge(CLEAN.outage(0, 2).probe("arp", "died", 1).without_steps("end").events())
    assert verdict.outcome == "fail"
    assert [s.outcome for s in verdict.sentences][:3] == ["fail", "unknown", "unknown"]


def test_the_sentences_say_what_was_found_and_what_was_expected() -> None:
    verdict = judge(SERVED.limited(failed_requests=5).events())
    assert verdict.reasons[0] == (
        "http: 20 failed requests after vip-owner-power-off of lb1; at most 5 expected"
    )
    assert (
        "http: clients were not served for 0.210\u00a0s after vip-owner-power-off of lb1; at "
        in (verdict.reasons[1])
    )
    french = verdict.reasons_in("fr")[1]
    assert french == (
        "http\u00a0: clients non servis pendant 0,210\u00a0s après vip-owner-power-off sur lb1"
        "\u00a0; au plus 0,700\u00a0s attendu"
    )


def test_the_verdict_says_of_what_it_is() -> None:
    verdict = judge(SERVED.events())
    assert (verdict.fault, verdict.victims, verdict.stack) == (
        "vip-owner-power-off",
        ("lb1",),
        "demo",
    )
    assert verdict.steps == STEPS
    assert verdict.injection_s == 0.01
    assert (verdict.total, verdict.failed, verdict.slow) == (700, 20, 0)
    assert verdict.ratio == pytest.approx(0.21 / 0.306, abs=1e-6)
    assert verdict.resolution_s == EVERY["http"]
    assert type(verdict).model_validate_json(verdict.model_dump_json()) == verdict


def test_without_a_prediction_there_is_no_ratio() -> None:
    assert judge(history(predicted_s=None).events()).ratio is None


def test_a_history_without_its_header_is_none() -> None:
    with pytest.raises(ValueError, match="begins with its header"):
        judge(CLEAN.events()[1:])
    with pytest.raises(ValueError, match="begins with its header"):
        judge([])
