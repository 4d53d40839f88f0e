"""The report as a reader meets it: in Chromium, wide and narrow, light and dark, scripted and not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import chromium
import pytest
from chromium import Chromium

pytestmark = pytest.mark.skipif(chromium.FOUND is None, reason="no Chromium: apt-get install chromium")


_STICKING_OUT = """
[...document.querySelectorAll("body *")]
  .filter((e) => e.getBoundingClientRect().right > innerWidth + 1)
  .filter((e) => !e.closest(".scroll, .picture, .formulas, .unseen, .skip"))
  .map((e) => e.outerHTML.slice(0, 80))
"""


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    with Chromium(tmp_path_factory.mktemp("profile")) as started:
        yield started


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [1280, 390])
def test_nothing_sticks_out_and_nothing_complains(
    width: int,
    dark: bool,
    browser: Chromium,
    report_folder: Path,
) -> None:
    page = report_folder / "report.html"
    browser.open(page, width=width, dark=dark)
    browser.value("for (const d of document.querySelectorAll('details')) d.open = true")
    assert browser.value("innerWidth") == width
    assert browser.value("document.documentElement.scrollWidth") <= width
    # What is wider than the page scrolls inside its own frame, which takes the focus.
    outside = browser.value(_STICKING_OUT)
    assert outside == []
    assert browser.value("[...document.images].every((i) => i.complete && i.naturalWidth > 0)")
    ground = browser.value("getComputedStyle(document.body).backgroundColor")
    assert (max(map(int, ground[4:-1].split(","))) < 60) == dark
    assert browser.complaints == []
    assert browser.requests == [page.resolve().as_uri()]


def test_the_table_is_sorted_by_keyboard(browser: Chromium, report_folder: Path) -> None:
    browser.open(report_folder / "report.html", width=1280)
    head = 'document.querySelector("[data-key=verdict]")'
    order = '[...document.querySelectorAll(".theorems > tbody")].map((b) => b.id)'
    before = browser.value(order)
    browser.value(f'{head}.querySelector("button").focus()')
    browser.key("Enter", 13)
    assert browser.value(f'{head}.getAttribute("aria-sort")') == "ascending"
    assert browser.value(order)[:2] == ["I2", "I3"]  # refuted, then undecided
    browser.key("Enter", 13)
    assert browser.value(f'{head}.getAttribute("aria-sort")') == "descending"
    assert browser.value(order)[0] == "I1"  # not tested
    browser.value('document.querySelector("[data-key=networks] button").click()')
    browser.value('document.querySelector("[data-key=networks] button").click()')
    assert browser.value(order)[0] in {"I2", "I3", "S3"}  # two experiments each
    assert browser.value(f'{head}.hasAttribute("aria-sort")') is False
    browser.value('document.querySelector("[data-key=order] button").click()')
    assert browser.value(order) == before


def test_the_table_is_filtered(browser: Chromium, report_folder: Path) -> None:
    browser.open(report_folder / "report.html", width=1280)
    shown = '[...document.querySelectorAll(".theorems > tbody:not([hidden])")].map((b) => b.id)'
    assert len(browser.value(shown)) == browser.value("document.querySelector('.theorems').tBodies.length")

    def choose(field: str, value: str) -> list[str]:
        browser.value(
            f"""(() => {{ const f = document.querySelector(".filters").elements.{field}; f.value = "{value}";
                f.dispatchEvent(new Event("input", {{ bubbles: true }})); }})()"""
        )
        return browser.value(shown)

    assert choose("verdict", "refuted") == ["I2"]
    assert browser.value('document.querySelector(".filters output").textContent').startswith("1 of ")
    assert choose("verdict", "") != ["I2"]
    assert "S3" in choose("regime", "large depth")
    assert "I2" not in browser.value(shown)
    assert choose("text", "radial activation") == ["S3"]


def test_without_a_script_all_is_there(browser: Chromium, report_folder: Path) -> None:
    browser.call("Emulation.setScriptExecutionDisabled", value=True)
    try:
        browser.open(report_folder / "report.html", width=390)
        visible = "document.querySelector({!r}).getClientRects().length > 0"
        assert browser.value(visible.format("#S3 .formula"))
        assert browser.value(visible.format("#S3 summary"))
        assert not browser.value(visible.format(".filters"))
        assert browser.value("document.querySelectorAll('.theorems > thead button').length") == 0
        assert browser.complaints == []
    finally:
        browser.call("Emulation.setScriptExecutionDisabled", value=False)


def test_it_prints(browser: Chromium, report_folder: Path) -> None:
    browser.open(report_folder / "report.html", width=1280)
    assert browser.pdf().startswith(b"%PDF")
