"""The README is short, its code prints what it says, and its numbers are those of the pages behind it."""

from __future__ import annotations

import re
import textwrap

from pages import DOCS, README, ROOT, broken_links, commands, printed_by, text_of, unknown_words

from theory.catalogue import THEOREMS

TEXT = text_of(README)


def test_it_is_short() -> None:
    lines = TEXT.splitlines()
    assert len(lines) <= 200
    assert not [line for line in lines if len(line) > 140 and not line.startswith("|")]


def test_example_prints_what_it_says() -> None:
    ((code, printed),) = re.findall(r"```python\n(.*?)```\n\n```\n(.*?)```", TEXT, re.S)
    assert TEXT.count("```python") == 1
    assert len([line for line in code.splitlines() if line.strip()]) <= 10
    assert printed_by(code) == printed


def test_the_two_commands_are_targets_of_the_makefile() -> None:
    section = TEXT.split("## Two commands\n")[1].split("\n## ")[0]
    targets = re.findall(r"^make (\w+)", section, re.M)
    assert targets == ["reproduce", "test"]
    for target in targets:
        assert re.search(rf"^{target}:", text_of(ROOT / "Makefile"), re.M)


def test_commands_and_their_options_exist() -> None:
    found = commands(README)
    assert len(found) >= 5
    assert not {command: unknown for command in found if (unknown := unknown_words(command))}
    inline = set(re.findall(r"`largedepth ([a-z-]+)", TEXT))
    assert not inline - {command.split()[1] for command in commands(DOCS / "howto" / "command-line.md")}


def test_links_lead_somewhere() -> None:
    assert not broken_links(README)


def test_three_ways_in() -> None:
    section = TEXT.split("## Where to go\n")[1].split("\n## ")[0]
    ways = re.split(r"^### ", section, flags=re.M)[1:]
    assert [way.splitlines()[0] for way in ways] == [
        "You prove theorems", "You train networks", "You have a CI job",
    ]  # fmt: skip
    for way in ways:
        assert "](docs/" in way, textwrap.shorten(way, 80)
        assert re.search(r"^largedepth ", way, re.M), textwrap.shorten(way, 80)


def test_counts_are_those_of_the_pages() -> None:
    """`test_documentation` holds the page of verdicts against the catalogue."""
    verdicts = text_of(DOCS / "evidence" / "verdicts.md")
    ((experiments, mutants),) = re.findall(r"(\d+) experiments.*?runs (\d+) wrong variants", verdicts, re.S)
    counts = {
        r"(\d+) statements with": str(len(THEOREMS)),
        r"could\s+refute it: (\d+),": experiments,
        r"(\d+) mutants say so": mutants,
    }
    for pattern, count in counts.items():
        assert re.findall(pattern, TEXT) == [count], pattern
    assert f"{mutants} mutants say so" in text_of(DOCS / "evidence" / "comparison.md")


def test_speeds_are_those_of_the_whole_table() -> None:
    page = text_of(DOCS / "evidence" / "comparison.md")
    rows = re.findall(r"^\| (?:networks a second|the same), .*$", TEXT, re.M)
    assert len(rows) == 3
    for row in rows:
        _, values = row[1:].split("|", 1)
        for number in re.findall(r"\d[\d,.]*\d|\d", values):
            assert re.search(rf"(?<![\d.,]){re.escape(number)}(?![\d]|\.\d)", page), number


def test_claims_about_results_are_those_of_the_pages() -> None:
    """The rows on what a result is worth are the same words in both places."""
    page = text_of(DOCS / "evidence" / "comparison.md")
    section = TEXT.split("## How it compares\n")[1].split("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("|")]
    shared = [row for row in rows if row in page]
    assert len(shared) >= 7
