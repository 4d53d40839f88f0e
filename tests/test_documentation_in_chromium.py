"""The pages of the documentation as a reader meets them: in Chromium, on a telephone and on a desk.

Of the pages that `make docs` wrote, which runs these tests after it has.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

import chromium
import pytest
from chromium import Chromium

PAGES = Path(__file__).parents[1] / "build" / "docs"
_FOUND = sorted(path for path in PAGES.rglob("*.html") if "_static" not in path.parts)

pytestmark = [
    pytest.mark.skipif(chromium.FOUND is None, reason="no Chromium: apt-get install chromium"),
    pytest.mark.skipif(not _FOUND, reason="no pages yet: make docs"),
]

# Tables, code and formulas that are wider than a telephone scroll inside frames of their own.
_STICKING_OUT = """
(() => {
  const framed = (e) => {
    for (; e.tagName !== "ARTICLE"; e = e.parentElement)
      if (["auto", "scroll", "hidden"].includes(getComputedStyle(e).overflowX)) return true;
    return false;
  };
  return [...document.querySelectorAll("article *")]
    .filter((e) => e.getBoundingClientRect().right > innerWidth + 1 && !framed(e.parentElement))
    .map((e) => e.outerHTML.slice(0, 100));
})()
"""


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    with Chromium(tmp_path_factory.mktemp("profile")) as started:
        yield started


@pytest.mark.parametrize("width", [390, 1280])
def test_pages_are_whole(width: int, browser: Chromium) -> None:
    wrong: dict[str, object] = {}
    for path in _FOUND:
        browser.open(path, width=width)
        found = {
            "sticks out": browser.value(_STICKING_OUT),
            "pictures missing": browser.value(
                "[...document.images].filter((i) => i.complete && !i.naturalWidth).map((i) => i.src)"
            ),
            "without words": browser.value(
                "[...document.querySelectorAll('article img')].filter((i) => !i.alt).map((i) => i.src)"
            ),
            "complaints": browser.complaints,
            "asked for elsewhere": [url for url in browser.requests if not url.startswith("file:")],
        }
        found = {what: value for what, value in found.items() if value}
        if found:
            wrong[path.relative_to(PAGES).as_posix()] = found
    assert wrong == {}


def test_links_lead_to_a_page_and_to_a_place_on_it(browser: Chromium) -> None:
    links: dict[Path, list[str]] = {}
    places: dict[Path, set[str]] = {}
    for path in _FOUND:
        browser.open(path, width=1280)
        links[path] = browser.value("[...document.querySelectorAll('article a[href]')].map((a) => a.href)")
        places[path] = set(browser.value("[...document.querySelectorAll('[id]')].map((e) => e.id)"))
    astray = []
    for path, addresses in links.items():
        for address in addresses:
            parts = urlsplit(address)
            if parts.scheme != "file":
                continue
            target, place = Path(unquote(parts.path)), unquote(parts.fragment)
            if not target.exists() or (place and target in places and place not in places[target]):
                astray.append(f"{path.relative_to(PAGES)}: {address}")
    assert astray == []
