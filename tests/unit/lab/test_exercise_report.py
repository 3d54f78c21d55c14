"""The student's report, the commands that are printed, and the words of it all."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from pathlib import Path

import pytest

from lab.drill.events import BY_HAND
from lab.drill.judge.language import LANGUAGES
from lab.drill.report.voice import Voice
from lab.errors import LabError
from lab.exercise.failover import FAILOVER, KILL_APP, POWER_OFF, PUT_BACK, STOP_HAPROXY
from lab.exercise.hands import Hands
from lab.exercise.model import Action, ExerciseStep
from lab.exercise.progress import Ending
from lab.exercise.registry import chosen_steps, exercise_named
from lab.exercise.report import Report, answered
from lab.exercise.session import status_of
from lab.exercise.taken import Became, StepTaken
from lab.exercise.words import WORDS
from tests.unit.drill.histories import History, failover

GOLDEN = Path(__file__).parent / "golden"
RIG = Hands(stack="rig-7", control="rig", namespace="ha-lab-rig-rig-7")
VMS = Hands(
    stack="demo",
    control="libvirt",
    prefix="ha-lab-demo",
    libvirt_uri="qemu:///system",
    namespace="ha-lab",
)
HOSTS = Hands(stack="racks", control="existing")


def measured(outage_s: float = 1.52) -> History:
    made = failover(outage_s, fault=STOP_HAPROXY.name, provider=BY_HAND, predicted_s=2.016)
    return made.limited(outage_s=3.5)


def taken(became: Became = Ending.DONE, history: History | None = None) -> StepTaken:
    return StepTaken(
        number=2,
        step=STOP_HAPROXY,
        victim="lb1",
        became=became,
        events=history.events() if history else (),
    )


def report(language: str, *steps: StepTaken) -> Report:
    return Report(
        exercise=FAILOVER,
        taken=steps,
        titles={},
        language=language,
        student="Ada | Lovelace",
        begun="2026-01-02 03:04",
        deadline_s=600,
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_first_page_is_the_students_own(language: str) -> None:
    """Everything before the drill's own report; `make golden` writes it anew with the others."""
    done = replace(taken(history=measured()), note="systemctl stop, <then> counted")
    steps = (
        done,
        replace(taken(Ending.LATE), number=3, step=KILL_APP, victim="app1"),
        replace(taken(Ending.SKIP), number=4, step=POWER_OFF),
        replace(taken("impossible"), number=5, step=PUT_BACK, victim="", why="none is off"),
    )
    whole = report(language, *steps).markdown()
    first = whole[: whole.index(Voice(language).say("intro")[:40])]
    golden = GOLDEN / f"exercise.{language}.md"
    if os.environ.get("HALAB_UPDATE_GOLDEN"):
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(first, encoding="utf-8")
    assert first == golden.read_text(encoding="utf-8")


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_has_the_preface_the_plots_and_room_for_conclusions(
    tmp_path: Path, language: str
) -> None:
    page = report(language, taken(history=measured())).write(tmp_path)
    html = page.read_text(encoding="utf-8")
    assert "Ada | Lovelace" in html
    assert html.count('class="room"') == len(FAILOVER.questions)
    assert "<svg" in html
    assert "99.999%" in html or "99,999" in html, "what it means for an SLA"
    assert (tmp_path / "report.md").read_text(encoding="utf-8").startswith("# ")


def test_the_measured_outage_stands_beside_the_predicted_one() -> None:
    (row,) = report("en", taken(history=measured())).preface().table.rows
    texts = [cell.text.replace("\u00a0", " ") for cell in row]
    assert texts[2].startswith("1.5")
    assert texts[3] == "2.02 s"
    assert texts[-1] == "lb1 (app1, app2) → lb2 (app1, app2)"


def test_a_client_that_nobody_answers_any_more_says_so() -> None:
    made = measured().outage(0.0, 5.0)
    verdict = taken(history=made).verdict()
    assert answered(verdict, Voice("fr"))[1] == "personne"


@pytest.mark.parametrize(
    ("steps", "status"),
    [
        ([taken(history=measured()), taken(Ending.SKIP)], 0),
        ([taken("impossible")], 0),
        ([taken(history=measured()), taken(Ending.LATE)], 3),
        ([taken(history=measured().silent(-0.5, 6.0))], 3),
    ],
    ids=["measured", "impossible", "late", "no data"],
)
def test_the_exit_status_says_whether_all_that_was_tried_is_measured(
    steps: list[StepTaken], status: int
) -> None:
    assert status_of(steps) == status


# -- what is printed ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("hands", "off", "on"),
    [
        (
            RIG,
            "toolchain/run python -m rig power-off lb1 --name rig-7",
            "toolchain/run python -m rig power-on lb1 --name rig-7",
        ),
        (
            VMS,
            "ip netns exec ha-lab virsh --connect qemu:///system destroy ha-lab-demo-lb1",
            "ip netns exec ha-lab virsh --connect qemu:///system start ha-lab-demo-lb1",
        ),
        (
            HOSTS,
            "toolchain/run lab ssh racks lb1 -- sudo systemctl --force --force poweroff",
            "",
        ),
    ],
    ids=["rig", "libvirt", "existing"],
)
def test_power_is_switched_with_the_tool_of_the_stack(hands: Hands, off: str, on: str) -> None:
    assert (hands.power_off("lb1"), hands.power_on("lb1")) == (off, on)


def test_a_command_on_a_machine_is_one_line_that_can_be_copied() -> None:
    command = STOP_HAPROXY.action.command(RIG, "lb2")
    assert command == "toolchain/run lab ssh rig-7 lb2 -- sudo systemctl stop haproxy"


def actions(step: ExerciseStep) -> list[Action]:
    return [step.action, *([step.repair] if step.repair else [])]


@pytest.mark.parametrize("step", FAILOVER.steps, ids=lambda step: step.name)
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_step_says_on_which_machine(step: ExerciseStep, language: str) -> None:
    for action in actions(step):
        assert "lb9" in action.text.say(language, victim="lb9")
        assert "lb9" in action.command(RIG, "lb9")
    assert "{" not in step.expect.say(language, victim="lb9")


def test_every_word_has_the_same_places_in_both_languages() -> None:
    for key, phrase in WORDS.items():
        places = [sorted(re.findall(r"\{(\w+)\}", text)) for text in phrase]
        assert places[0] == places[1], key


def test_an_unknown_exercise_is_answered_with_the_nearest() -> None:
    with pytest.raises(LabError, match="did you mean 'failover'"):
        exercise_named("fail-over")


def test_steps_are_taken_in_the_order_of_the_exercise() -> None:
    assert [number for number, _ in chosen_steps(FAILOVER, (4, 2))] == [2, 4]
    assert len(chosen_steps(FAILOVER, ())) == len(FAILOVER.steps)
    with pytest.raises(LabError, match="no step 9"):
        chosen_steps(FAILOVER, (2, 9))


def test_after_power_is_taken_the_next_step_gives_it_back() -> None:
    """No other step leaves something broken behind."""
    for step, following in zip(FAILOVER.steps, [*FAILOVER.steps[1:], None], strict=True):
        is_left_broken = step.repair is None and step.begins_whole
        assert is_left_broken == (following is not None and not following.begins_whole)
