"""English and French: phrases with places to fill, and numbers as each language writes them."""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

Language = Literal["en", "fr"]
LANGUAGES: tuple[Language, ...] = ("en", "fr")
NO_BREAK = "\u00a0"


class Phrase(NamedTuple):
    """The same words in both languages, with the same `{places}`."""

    en: str
    fr: str

    def say(self, language: str, **values: object) -> str:
        """Filled in. Raises KeyError for a place without a value."""
        if language == "fr":
            return typeset(self.fr).format(**values)
        return self.en.format(**values)


def typeset(french: str) -> str:
    """French spaces its high punctuation, and lines must not break there."""
    spaced = re.sub(r" (?=[;:!?%»])", NO_BREAK, french)
    return spaced.replace("« ", f"«{NO_BREAK}")


def decimal(value: float, language: str, digits: int) -> str:
    """A number with this many decimals: `0.42`, in French `0,42`."""
    text = f"{value:.{digits}f}"
    return text.replace(".", ",") if language == "fr" else text


def figures(value: float, language: str) -> str:
    """`0.155`, `2.89`, `12.5`, `120`: three figures, thousandths at most."""
    size = abs(value)
    digits = 3 if size < 1 else 2 if size < 10 else 1 if size < 100 else 0
    return decimal(value, language, digits)


def seconds(value: float, language: str) -> str:
    """The same with its unit: `0.155 s`."""
    return f"{figures(value, language)}{NO_BREAK}s"
