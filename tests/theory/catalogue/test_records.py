"""Every record of the catalogue is complete, unique and names what exists."""

import inspect
import json
import re

import pytest
from matplotlib.mathtext import MathTextParser

import theory
from theory.catalogue import THEOREMS, find_theorem, markdown_table

STATEMENTS = (
    [f"I{n}" for n in range(1, 12)]
    + [f"S{n}" for n in range(1, 7)]
    + [f"O{n}" for n in range(1, 5)]
    + [f"F{n}" for n in range(1, 5)]
    + [f"N{n}" for n in range(1, 13)]
    + [f"G{n}" for n in range(1, 8)]
    + [f"P{n}" for n in range(1, 4)]
    + [f"J{n}" for n in range(5)]
    + [f"C{n}" for n in range(1, 5)]
    + [f"T{n}" for n in range(1, 5)]
)
EACH = pytest.mark.parametrize("theorem", THEOREMS.values(), ids=THEOREMS)


def test_every_statement_is_there_once_and_in_order():
    assert [id for id, theorem in THEOREMS.items() if theorem.extends is None] == STATEMENTS
    for name in ("name", "title", "statement", "latex"):
        assert len({getattr(theorem, name) for theorem in THEOREMS.values()}) == len(THEOREMS)


def test_complements_follow_the_statement_that_they_complete():
    last = ""
    for id, theorem in THEOREMS.items():
        assert theorem.id == id
        if theorem.extends is None:
            last = id
        else:
            assert theorem.extends == last
            assert id.startswith(last)
            assert id[len(last) :].isalpha()


@EACH
def test_texts_are_filled_and_fit(theorem):
    for name in ("statement", "latex", "source", "proof", "quantity", "title"):
        text = getattr(theorem, name)
        assert text.strip() == text != ""
        assert "  " not in text, name
    assert theorem.statement.endswith(".")
    assert theorem.proof.endswith(".")
    assert len(theorem.title) <= 40
    assert theorem.name == theorem.name.casefold().replace(" ", "-")
    assert theorem.hypotheses
    texts = [hypothesis.text for hypothesis in theorem.hypotheses]
    assert len(set(texts)) == len(texts)
    assert not any(text.endswith(".") for text in texts)


@EACH
def test_predictions_are_public_and_documented_with_the_statement(theorem):
    assert theorem.predicted
    for name in theorem.predicted:
        function = getattr(theory, name)
        assert callable(function)
        assert name in theory.__dict__
    # At least one of them, or its module, says which statement it computes.
    root = theorem.extends or theorem.id
    sources = [inspect.getsource(inspect.getmodule(getattr(theory, name))) for name in theorem.predicted]
    assert any(re.search(rf"\b{root}\b", source) for source in sources)


@EACH
def test_latex_renders(theorem):
    parser = MathTextParser("path")
    parser.parse(f"${theorem.latex}$")
    assert theorem.latex.count(r"\left") == theorem.latex.count(r"\right")


def test_broken_latex_would_be_noticed():
    with pytest.raises(ValueError, match=r"(?s)Expected|Unknown"):
        MathTextParser("path").parse(r"$\frac{1}{2$")


@EACH
def test_resolutions_are_as_fine_as_the_kind_asks(theorem):
    size = theorem.resolution
    assert size.value > 0
    if theorem.kind == "equality":
        assert size.scale == "relative"
        assert size.value <= 0.01
    if theorem.kind == "rate":
        assert size.scale == "absolute"
        assert size.value <= 0.05
    if theorem.kind in ("law", "limit law"):
        assert size.scale == "distribution"
        assert size.value <= 0.03
    assert (theorem.kind == "inequality") >= (theorem.regime == "inequality")
    assert (theorem.regime == "exact") == (theorem.kind in ("equality", "law"))


def test_records_are_json():
    records = [theorem.record() for theorem in THEOREMS.values()]
    again = json.loads(json.dumps(records, ensure_ascii=False))
    assert again == records
    assert again[1]["id"] == "I2"
    assert again[1]["resolution"] == {"value": 0.01, "scale": "relative"}
    assert all(isinstance(text, str) for record in again for text in record["hypotheses"])


@EACH
def test_found_by_id_and_by_name(theorem):
    for key in (theorem.id, theorem.id.lower(), theorem.name, theorem.name.upper(), f" {theorem.id} "):
        assert find_theorem(key) is theorem


@pytest.mark.parametrize(
    ("key", "near"),
    [("I12", "I1"), ("secnd-moment", "I2"), ("F44", "F4"), ("dualty", "I4"), ("", "I1"), ("?", "F4b")],
)
def test_unknown_id_names_the_nearest(key, near):
    with pytest.raises(ValueError, match="ID=") as error:
        find_theorem(key)
    message = str(error.value)
    assert len(message.splitlines()) == 1
    assert near in message.split(";")[1]


def test_markdown_has_a_line_a_theorem_and_three_cells():
    lines = markdown_table().splitlines()
    assert len(lines) == 2 + len(THEOREMS)
    for line in lines:
        assert line.replace(r"\|", "").count("|") == 4
