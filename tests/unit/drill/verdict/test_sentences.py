"""Every sentence exists in both languages, with the same places, and is used."""

from __future__ import annotations

import string
from pathlib import Path

import pytest

import lab.drill.judge
from lab.drill.judge.language import Phrase, decimal, seconds, typeset
from lab.drill.judge.sentences import SENTENCES, Seconds, sentence
from lab.drill.verdict import judge
from tests.unit.drill.histories import history


def places(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


@pytest.mark.parametrize("code", SENTENCES)
def test_both_languages_say_the_same(code: str) -> None:
    phrase = SENTENCES[code]
    assert places(phrase.en) == places(phrase.fr)
    assert phrase.en != phrase.fr


def test_every_sentence_is_used() -> None:
    folder = Path(next(iter(lab.drill.judge.__path__)))
    rules = (folder / "rules.py").read_text(encoding="utf-8")
    assert [code for code in SENTENCES if f'"{code}"' not in rules] == []


def test_values_are_written_in_the_language_of_the_sentence() -> None:
    said = sentence("late", "unknown", probe="http", found=Seconds(1.5), interval=Seconds(0.01))
    assert "nothing for 1.50\u00a0s; expected a request every 0.010\u00a0s" in said.en
    assert (
        "pendant 1,50\u00a0s\u00a0; attendu\u00a0: une requête toutes les 0,010\u00a0s" in said.fr
    )
    assert said.in_language("fr") == said.fr


def test_names_with_braces_are_written_as_they_are() -> None:
    odd = judge(history("odd{fault}", victims=("{}",)).events())
    assert "no outage after odd{fault} of {}; at most" in odd.reasons[0]


def test_a_missing_value_is_an_error() -> None:
    with pytest.raises(KeyError):
        sentence("late", "unknown", probe="http")


@pytest.mark.parametrize(
    ("value", "english", "french"),
    [
        (0.0, "0.000", "0,000"),
        (0.1554, "0.155", "0,155"),
        (2.894, "2.89", "2,89"),
        (12.46, "12.5", "12,5"),
        (1234.4, "1234", "1234"),
    ],
)
def test_seconds(value: float, english: str, french: str) -> None:
    assert seconds(value, "en") == f"{english}\u00a0s"
    assert seconds(value, "fr") == f"{french}\u00a0s"


def test_french_spacing() -> None:
    assert typeset("quoi : « oui » ; 99 % !") == (
        "quoi\u00a0: «\u00a0oui\u00a0»\u00a0; 99\u00a0%\u00a0!"
    )
    assert decimal(99.5, "fr", 1) == "99,5"
    assert Phrase("a: {x}", "a : {x}").say("fr", x="b : c") == "a\u00a0: b : c"
