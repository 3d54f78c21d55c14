"""The words of the reports: both languages, all used, none missing."""

from __future__ import annotations

import re
import string
from pathlib import Path

import pytest

import lab.drill.report
from lab.drill.report.voice import Voice
from lab.drill.report.words import WORDS
from tests.unit.drill.report.samples import TITLES

FOLDER = Path(next(iter(lab.drill.report.__path__)))
SOURCES = [p for p in FOLDER.rglob("*") if p.suffix in {".py", ".j2"} and p.name != "words.py"]
TEXT = "\n".join(path.read_text(encoding="utf-8") for path in SOURCES)
EN, FR = Voice("en", TITLES), Voice("fr", TITLES)
COMPUTED = re.compile(r"^(phase|term)-|^(pass|fail|unknown)$")
"""Keys that are put together where they are used."""


def places(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


@pytest.mark.parametrize("key", WORDS)
def test_both_languages_say_the_same(key: str) -> None:
    phrase = WORDS[key]
    assert places(phrase.en) == places(phrase.fr)
    assert phrase.en.strip()
    assert phrase.fr.strip()


def test_every_word_is_used() -> None:
    assert [k for k in WORDS if f'"{k}"' not in TEXT and not COMPUTED.match(k)] == []


def test_every_word_that_is_said_exists() -> None:
    said = set(re.findall(r"""say\(\s*"([^"]+)\"""", TEXT))
    assert said
    assert said - set(WORDS) == set()


def test_an_unknown_word_is_an_error() -> None:
    with pytest.raises(KeyError):
        EN.say("no-such-word")


def test_titles_fall_back_to_the_name() -> None:
    assert EN.title("vip-owner-power-off") == "The VIP's owner loses power"
    assert FR.title("vip-owner-power-off") == "Le détenteur de la VIP perd son alimentation"
    assert (EN.title("other-fault"), EN.title("none"), FR.title("none")) == (
        "other-fault",
        "No fault",
        "Aucune panne",
    )


def test_outcomes_have_a_mark_and_a_word() -> None:
    assert [EN.outcome(j) for j in ("pass", "fail", "unknown")] == [
        "✔\u00a0pass",
        "✘\u00a0fail",
        "?\u00a0unknown",
    ]


@pytest.mark.parametrize(
    ("seconds", "english", "french"),
    [
        (315_360, "3.65 days", "3,65 jours"),
        (31_536, "8.76 hours", "8,76 heures"),
        (3153.6, "52.56 minutes", "52,56 minutes"),
        (26.28, "26.28 seconds", "26,28 secondes"),
        (0.5, "0.5 seconds", "0,5 secondes"),
    ],
)
def test_long_times(seconds: float, english: str, french: str) -> None:
    assert (EN.span(seconds), FR.span(seconds)) == (english, french)


@pytest.mark.parametrize(
    ("share", "english", "french"),
    [
        (1.0, "100.00%", "100,00\u00a0%"),
        (0.99, "99.00%", "99,00\u00a0%"),
        (0.999, "99.90%", "99,90\u00a0%"),
        (1 - 2.52 / 31_536_000, "99.9999920%", "99,9999920\u00a0%"),
        (0.0, "0.00%", "0,00\u00a0%"),
    ],
)
def test_availabilities_show_what_is_missing(share: float, english: str, french: str) -> None:
    assert (EN.share(share), FR.share(share)) == (english, french)


def test_numbers() -> None:
    assert (EN.count(1_234_567), FR.count(1_234_567)) == ("1,234,567", "1\u202f234\u202f567")
    assert (EN.count(None), FR.count(None)) == ("any number", "sans limite")
    assert (EN.ratio(None), FR.ratio(0.686)) == ("\u2013", "0,69")
    assert (EN.seconds(None), FR.seconds(0.21)) == ("no data", "0,210\u00a0s")
    assert (EN.plain(-0.30000000000000004), FR.plain(0.5), EN.plain(1e-17)) == ("-0.3", "0,5", "0")
    assert (EN.milliseconds(0.0021), FR.milliseconds(0.0021)) == ("2.1", "2,1")
