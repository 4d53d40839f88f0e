"""The report: what it says, that it needs no other file, and that it comes from files alone."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from report_folder import HOSTILE, UNTESTED, record, run

import figures
from largedepth import _reproduce
from largedepth.__main__ import main
from largedepth._drawing import DrawingDesk
from largedepth.report import Report, read_report, render, write_report
from largedepth.report._formula import formula_svg
from largedepth.report._words import headline, specification_line
from montecarlo import InvalidFieldError
from montecarlo.verification import VerificationInterrupted, run_experiments
from theory.catalogue import THEOREMS


@pytest.fixture(scope="module")
def page(report_folder: Path) -> str:
    return (report_folder / "report.html").read_text(encoding="utf-8")


class Reader(HTMLParser):
    """Elements with their attributes; refuses what is not nested as it should be."""

    VOID = frozenset({"meta", "link", "img", "input", "br", "path"})

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.found: list[tuple[str, dict[str, str]]] = []
        self.text: list[str] = []
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len({name for name, _ in attrs}) == len(attrs), (tag, attrs)
        self.found.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self.open, tag
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.found if name == tag]


def test_the_page_is_well_formed_and_its_references_lead_somewhere(page: str) -> None:
    reader = Reader(page)
    ids = [attributes["id"] for _, attributes in reader.found if "id" in attributes]
    assert len(set(ids)) == len(ids)
    for _, attributes in reader.found:
        for name in ("aria-labelledby", "aria-describedby", "for"):
            assert set(attributes.get(name, "").split()) <= set(ids)
    links = [attributes["href"] for attributes in reader.all("a")]
    assert {"#main", "#theorems", "#figure-6", "#figure-convergence", "#run"} <= set(links)
    assert {link.removeprefix("#") for link in links} <= set(ids)
    assert [len(reader.all(tag)) for tag in ("main", "h1", "header", "footer", "nav")] == [1, 1, 1, 1, 1]
    assert all(attributes.get("scope") in ("col", "row") for attributes in reader.all("th"))


def test_the_page_asks_for_no_other_file(page: str) -> None:
    reader = Reader(page)
    for _, attributes in reader.found:
        for name in ("src", "href", "data", "poster", "action", "srcset"):
            assert attributes.get(name, "#").startswith(("#", "data:"))
    assert not re.search(r"url\(|@import|<(script|iframe|object|embed)[^>]+src", page)
    policy = next(a["content"] for a in reader.all("meta") if "http-equiv" in a)
    assert policy.startswith("default-src 'none'; img-src data:")


def test_every_figure_has_its_picture_its_words_and_its_command(report_folder: Path, page: str) -> None:
    pictures = {attributes["alt"]: attributes for attributes in Reader(page).all("img")}
    for name in ("6", "convergence"):
        definition = figures.find_figure(name)
        (picture,) = [a for alt, a in pictures.items() if definition.title in alt]
        assert picture["src"].startswith("data:image/png;base64,")
        assert picture["aria-describedby"] == f"figure-{name}-caption"
        assert int(picture["width"]) > int(picture["height"]) > 100
        assert f"largedepth figures {name} --quick --seed 3" in page
    text = "".join(Reader(page).text)
    assert figures.find_figure("convergence").caption in text
    assert figures.find_figure("6").paper in text
    assert "This figure is not in the paper." in text
    assert "none: computed, not simulated" in text
    assert "res-1, width 64, depth 1000, β 0.5, 0.8, weights fbm:0.2, fbm:0.5, fbm:0.8" in text
    assert text.count("beside theory: ") == 2


def test_every_theorem_is_in_the_table(page: str) -> None:
    reader = Reader(page)
    rows = {attributes["id"]: attributes for attributes in reader.all("tbody") if "id" in attributes}
    assert [*rows][: len(THEOREMS)] == [*THEOREMS]
    assert (rows["I2"]["data-verdict"], rows["I3"]["data-verdict"]) == ("refuted", "undecided")
    assert rows[UNTESTED]["data-verdict"] == "not tested"
    assert rows["S3"]["data-networks"] == "1050"
    assert rows["S3"]["data-resolution"] == "0.009"  # of the coarser of its two experiments
    text = "".join(reader.text)
    labels = {attributes.get("aria-label") for attributes in reader.all("svg")}
    for theorem in THEOREMS.values():
        assert theorem.statement in text
        assert theorem.latex in labels
        assert all(hypothesis.text in text for hypothesis in theorem.hypotheses)
    assert f"largedepth verify {UNTESTED}" in text


def test_every_claim_stands_beside_its_verdict(page: str) -> None:
    reader = Reader(page)
    text = "".join(reader.text)
    assert "State of the theory" in text
    for theorem in THEOREMS.values():
        for claim in theorem.claims:
            assert claim.says in text
            assert claim.ours in text
            assert claim.paper is None or claim.paper.citation in text
    assert {f"#{id}" for id in THEOREMS} <= {attributes["href"] for attributes in reader.all("a")}


def test_what_others_wrote_stays_text(page: str) -> None:
    assert "<script>alert" not in page
    assert "<img src=x" not in page
    text = "".join(Reader(page).text)
    assert text.count(HOSTILE) >= 4
    assert len(Reader(page).all("script")) == 1


def test_what_was_refuted_comes_first(report_folder: Path, page: str) -> None:
    report = read_report(report_folder)
    found = headline(report)
    assert found.verdict == "refuted"
    assert found.text.replace("\N{NO-BREAK SPACE}", " ") == "1 theorem was refuted: I2"
    assert found.details[0] == (
        "I2, mean squares of hidden states: 1.5 is predicted, and 1.6 [1.58, ∞) was measured (wrong)."
    )
    assert found.details[1] == "Undecided within the time given: I3."
    assert f"Not tested in this run: {UNTESTED}." in found.details
    assert "<title>1\N{NO-BREAK SPACE}theorem was refuted: I2" in page


def without(report: Report, *words: str) -> Report:
    kept = [s for s in report.statements if s.verdict not in words]
    return replace(report, statements=tuple(kept))


def test_headlines_in_words(report_folder: Path) -> None:
    report = read_report(report_folder)
    undecided = headline(without(report, "refuted"))
    assert undecided.verdict == "undecided"
    assert "but 1\N{NO-BREAK SPACE}theorem is undecided" in undecided.text
    agreed = headline(without(report, "refuted", "undecided", "not tested"))
    assert agreed.verdict == "consistent"
    assert agreed.text.startswith("Nothing was refuted: ")
    assert "to the resolution in the table" in agreed.details[0]
    assert headline(replace(report, statements=())).text == "No theorem was tested"
    stopped = replace(report, run=replace(run(), interrupted=True))
    assert "stopped before its end" in headline(stopped).details[-1]
    assert "All 19 numbers of the figures that are held against theory agree." in headline(report).details
    worse = replace(report.figures[0].checks[0], verdict="outside")
    figure = replace(report.figures[0], checks=(worse, *report.figures[0].checks[1:]))
    changed = headline(replace(report, figures=(figure, *report.figures[1:])))
    assert any("held against theory, 1 outside their interval" in s for s in changed.details)


def test_the_report_is_rebuilt_from_files_whole_or_not_at_all(
    report_folder: Path, page: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = report_folder / "report.html"
    with pytest.raises(SystemExit) as end:
        main(["report", str(report_folder)])
    assert end.value.code == 0
    assert target.read_text(encoding="utf-8") == page
    before = sorted(report_folder.iterdir())

    def fail(*arguments: object, **named: object) -> None:
        raise OSError("no space left")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_text", fail)
        with pytest.raises(OSError, match="no space left"):
            write_report(report_folder)
    assert target.read_text(encoding="utf-8") == page
    assert sorted(report_folder.iterdir()) == before


def test_folders_that_hold_no_report_are_refused(tmp_path: Path, report_folder: Path) -> None:
    with pytest.raises(InvalidFieldError, match=r"must hold verdicts\.json or figures"):
        read_report(tmp_path)
    (tmp_path / "verdicts.json").write_text("{", encoding="utf-8")
    with pytest.raises(InvalidFieldError, match="must be JSON"):
        read_report(tmp_path)
    (tmp_path / "verdicts.json").write_text('[{"id": "I2"}]', encoding="utf-8")
    with pytest.raises(InvalidFieldError, match="of this version"):
        read_report(tmp_path)
    for text in ("[1]", "7", "[[]]"):
        (tmp_path / "verdicts.json").write_text(text, encoding="utf-8")
        with pytest.raises(
            InvalidFieldError, match=r"of this version \(a list of verdicts in verdicts\.json"
        ):
            read_report(tmp_path)
    with pytest.raises(InvalidFieldError, match="must be a folder; run"):
        read_report(tmp_path / "verdicts.json")
    (tmp_path / "verdicts.json").write_text(json.dumps([record("I2")]), encoding="utf-8")
    assert read_report(tmp_path).run is None
    assert "has no record of a run" in render(read_report(tmp_path))
    drawn = report_folder / "figure-6.json"
    (tmp_path / drawn.name).write_bytes(drawn.read_bytes())
    with pytest.raises(InvalidFieldError, match=r"figure-6\.png beside its record"):
        read_report(tmp_path)
    (tmp_path / drawn.name).write_text("[1]", encoding="utf-8")
    with pytest.raises(InvalidFieldError, match="the record of a figure"):
        read_report(tmp_path)


@pytest.mark.parametrize("id", list(THEOREMS))
def test_formulas_are_drawn_and_fit(id: str) -> None:
    svg = str(formula_svg(THEOREMS[id].latex))
    sizes = re.findall(r'viewBox="0 0 ([\d.]+) ([\d.]+)" style="width:([\d.]+)em', svg)
    assert sizes
    assert all(float(em) <= 40 for _, _, em in sizes)
    paths = re.findall(r'<path d="([^"]+)"', svg)
    assert len(paths) == len(sizes)
    for path, (width, height, _) in zip(paths, sizes, strict=True):
        assert re.fullmatch(r"[MLQCZ0-9. -]+", path)
        numbers = [float(n) for n in re.findall(r"-?\d+\.\d+", path)]
        assert max(numbers[::2]) <= float(width) + 1
        assert min(numbers[1::2]) >= -1
        assert max(numbers[1::2]) <= float(height) + 1


def test_specifications_in_a_line() -> None:
    hursts = [{"width": 4, "beta": 0.5, "weights": f"fbm:0.{k}"} for k in range(1, 9)]
    assert specification_line(hursts) == "res-3, width 4, β 0.5, weights fbm:0.1 to fbm:0.8 (8 values)"
    laws = [{"weights": f"{name}:1"} for name in "abcdefg"]
    assert specification_line(laws).count(",") == 7
    depths = [{"width": 4, "depth": [1000, 10], "alpha": 0.1, "block": "res-1"}]
    assert specification_line(depths) == "res-1, width 4, depth 10, 1000, α 0.1"


def test_colours_have_contrast(page: str) -> None:
    """Text of every colour on every ground that it meets, in light and in dark: 4.5 at least (WCAG AA)."""
    blocks = re.findall(r":root \{(.*?)\n? *\}", page, re.S)[:2]
    assert len(blocks) == 2
    for block in blocks:
        colours = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})\b", block))
        pairs = [(text, "ground") for text in ("ink", "soft", "link")]
        pairs += [("ink", "raised"), ("ink", "code")]
        for word in ("consistent", "refuted", "undecided", "untested"):
            pairs += [(word, f"{word}-ground"), (word, "ground")]
        for text, ground in pairs:
            assert contrast(colours[text], colours[ground]) >= 4.5, (text, ground)


def contrast(one: str, other: str) -> float:
    def luminance(colour: str) -> float:
        parts = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("interrupted", [False, True])
def test_reproduce_ends_with_the_path_of_the_report(
    interrupted: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from montecarlo.verification import chosen_experiments

    def sample(names: tuple[str, ...], desk: DrawingDesk, *, out: str, **given: Any) -> None:
        desk.draw(figures.sample_figure("convergence", out=out, seed=given["seed"]))

    def verify(ids: object, **given: Any) -> tuple[Any, bool]:
        assert given["quick"] is False
        experiments = chosen_experiments(["I3"])[:2]

        def stop(verdict: object) -> None:
            if interrupted:
                raise KeyboardInterrupt

        try:
            return run_experiments(experiments, seed=given["seed"], on_verdict=stop), False
        except VerificationInterrupted as end:
            return end.verification, True

    monkeypatch.setattr(_reproduce, "sample_all", sample)
    monkeypatch.setattr(_reproduce, "run_verify", verify)
    if interrupted:
        monkeypatch.setattr("os._exit", lambda code: (_ for _ in ()).throw(SystemExit(code)))
    with pytest.raises(SystemExit) as end:
        main(["reproduce", "--out", str(tmp_path), "--seed", "4"])
    assert end.value.code == (130 if interrupted else 0)
    assert capsys.readouterr().out.splitlines()[-1] == str(tmp_path / "report.html")
    report = read_report(tmp_path)
    assert report.run is not None
    assert (report.run.seed, report.run.interrupted) == (4, interrupted)
    assert len(report.verdicts) == 2
    assert {v.verdict for v in report.verdicts} == (
        {"consistent", "undecided"} if interrupted else {"consistent"}
    )
    assert "I3" in (tmp_path / "summary.md").read_text(encoding="utf-8")
    assert (tmp_path / "report.html").read_text(encoding="utf-8") == render(report)
