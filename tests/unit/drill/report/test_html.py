"""The page: whole, self-contained, safe, readable by those who do not see colours."""

from __future__ import annotations

import re
import subprocess
import sys
from html.parser import HTMLParser

import pytest

from lab.drill.report.html import TEMPLATES, to_html
from lab.drill.report.plots.svg import VARIABLES
from lab.drill.report.tables import Table
from tests.unit.drill.report.samples import HISTORIES, TITLES, VERDICTS

VOID = {"meta", "br", "link", "img", "hr", "use"}


class Page(HTMLParser):
    """What the tests ask of a page; fails at a tag that is closed and was not open."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_startendtag(tag, attrs)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.tags.append(tag)
        self.attributes.append((tag, values))
        self.ids += [values["id"] or ""] if "id" in values else []
        self.links += [v or "" for k, v in attrs if k in {"href", "src", "xlink:href"}]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def text() -> str:
    return to_html(VERDICTS, HISTORIES, titles=TITLES, language="en")


@pytest.fixture(scope="module")
def page(text: str) -> Page:
    return Page(text)


def test_the_page_is_well_formed(page: Page) -> None:
    assert page.open == []
    assert len(page.ids) == len(set(page.ids))
    assert {link for link in page.links if not link.startswith("#")} == set()
    assert {link[1:] for link in page.links} <= set(page.ids)


def test_the_page_needs_no_network_and_no_scripts(text: str, page: Page) -> None:
    assert not {"script", "link", "img", "iframe", "object"} & set(page.tags)
    assert re.findall(r"https?://(?!www\.w3\.org/)", text) == []
    assert "@import" not in text
    assert "url(http" not in text


def test_what_a_machine_said_is_text(text: str) -> None:
    assert "<script>" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text


def test_every_table_has_a_caption_and_heads_every_plot_a_text(page: Page) -> None:
    assert page.tags.count("caption") == page.tags.count("table") > 10
    svgs = [values for tag, values in page.attributes if tag == "svg"]
    assert len(svgs) == 8
    assert all(svg["role"] == "img" and svg["aria-labelledby"] in page.ids for svg in svgs)
    assert all(values.get("scope") for tag, values in page.attributes if tag == "th")


def test_outcomes_are_words_not_only_colours(text: str) -> None:
    assert '<span class="word fail">✘\u00a0fail 1/3</span>' in text
    assert "2 of 6 drills failed" in text


def test_the_page_says_what_was_done_and_what_it_means(text: str) -> None:
    for words in (
        '<html lang="en">',
        "The VIP&#39;s owner loses power (lb1): done 3 times, with the timers standard.",
        "predicted 0.306\u00a0s = 3 x 100 ms advert",
        "MTBF / (MTBF + MTTR)",
        "346,549",
        "Outages: http: -0.010\u00a0s to 0.900\u00a0s.",
    ):
        assert words in text


def test_the_page_in_french() -> None:
    text = to_html(VERDICTS[:1], HISTORIES[:1], titles=TITLES, language="fr")
    assert '<html lang="fr">' in text
    assert "Le détenteur de la VIP perd son alimentation" in text
    assert "0,210" in text
    assert "secondes après le début de la panne" in text
    assert "clients were" not in text


def test_of_a_drill_without_its_history_there_is_no_plot_but_all_the_rest() -> None:
    text = to_html(VERDICTS[:1], [], titles=TITLES, language="en")
    assert "there is no plot" in text
    assert text.count("<svg") == 1
    assert Page(text).open == []


def test_of_no_drills_the_page_says_so() -> None:
    text = to_html([], [], titles={}, language="en")
    assert "No drill was run." in text
    assert Page(text).open == []


def test_the_same_drills_give_the_same_page() -> None:
    first, second = (
        to_html(VERDICTS[:1], HISTORIES[:1], titles=TITLES, language="en") for _ in range(2)
    )
    assert first == second


def test_the_page_stays_small(text: str) -> None:
    """A page of twelve faults has 24 plots and must stay below 3 MB."""
    plots = re.findall(r"<svg.*?</svg>", text, flags=re.DOTALL)
    assert max(map(len, plots)) < 80_000
    assert len(text) - sum(map(len, plots)) < 40_000


def test_both_colour_schemes_define_every_colour() -> None:
    css = (TEMPLATES / "report.css").read_text(encoding="utf-8")
    light, dark = css.split("prefers-color-scheme: dark")
    for scheme in (light, dark):
        assert {name for name in VARIABLES.values() if f"--{name}:" not in scheme} == set()
    assert "@media print" in css


def test_other_commands_do_not_wait_for_matplotlib() -> None:
    code = "import sys, lab.drill.report.html as h; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_tables_without_rows_are_left_out(text: str) -> None:
    assert Table("x", (), ()).rows == ()
    assert "<tbody>\n</tbody>" not in text
