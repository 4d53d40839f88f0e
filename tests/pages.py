"""What the tests of README and documentation read from pages of Markdown."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path
from typing import Any

import click

from largedepth._cli import cli

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
README = ROOT / "README.md"
PAGES = sorted(DOCS.rglob("*.md"))

_FENCE = re.compile(r"^(```+)([^\n`]*)\n(.*?)^\1$", re.S | re.M)
_LINK = re.compile(r"\]\(([^)\s]+)\)")


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def blocks(page: Path, language: str) -> list[str]:
    """Blocks of a language, or those that name none."""
    return [body for _, info, body in _FENCE.findall(text_of(page)) if info == language]


def commands(page: Path) -> list[str]:
    """Calls of the command line, in blocks with a prompt and in plain ones, without their comments."""
    prompted = [line for block in blocks(page, "console") for line in re.findall(r"^\$ (.*)$", block, re.M)]
    plain = [line for block in blocks(page, "") for line in block.splitlines()]
    found = [line.split("#")[0].strip() for line in prompted + plain]
    return [line for line in found if re.match(r"largedepth\s+[a-z-]+", line)]


def unknown_words(command: str) -> set[str]:
    """Options of a call that its verb does not have; a verb that there is not raises KeyError."""
    _, *words = command.split()
    if words == ["--version"]:
        return set()
    verb = cli.commands[words[0]]
    assert isinstance(verb, click.Command)
    known = {name for parameter in verb.params for name in (*parameter.opts, *parameter.secondary_opts)}
    return {word for word in words if word.startswith("-")} - known - {"--help"}


def printed_by(code: str) -> str:
    """Run a snippet in a namespace of its own, and a network called `net` that it makes."""
    out = io.StringIO()
    names: dict[str, Any] = {"__name__": "snippet"}
    with contextlib.redirect_stdout(out):
        exec(compile(code, "snippet", "exec"), names)
    if "net" in names:
        from montecarlo import simulate

        assert len(simulate(names["net"], replicas=2, seed=0)) == 2
    return out.getvalue()


def _anchors(page: Path) -> set[str]:
    """Slugs of headings, as MyST and GitHub write them, and labels."""
    text = _FENCE.sub("", text_of(page))
    labels = set(re.findall(r"^\(([\w-]+)\)=$", text, re.M))
    headings = re.findall(r"^#{1,6} (.*)$", text, re.M)
    slugs = {re.sub(r"[^\w\- ]", "", title.strip().lower()).replace(" ", "-") for title in headings}
    return slugs | labels


def broken_links(page: Path) -> list[str]:
    """Links to files that do not exist, or to parts of pages that they do not have."""
    broken = []
    for link in _LINK.findall(_FENCE.sub("", text_of(page))):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = page.parent / name if name else page
        known = target.exists() and (not anchor or (target.suffix == ".md" and anchor in _anchors(target)))
        if not known:
            broken.append(link)
    return broken
