"""Claims of publications: every theorem has one, each is filled, and the page is the generated one."""

import runpy
from dataclasses import replace
from pathlib import Path

import pytest

from theory.catalogue import BLOCKS, CLAIMS, RELATIONS, THEOREMS, blocks_of, claim_counts, state_of_theory

DOCS = Path(__file__).parents[3] / "docs"


def test_every_theorem_has_its_claims_and_every_claim_its_theorem():
    assert {claim.theorem for claim in CLAIMS} == set(THEOREMS)
    for id, theorem in THEOREMS.items():
        assert theorem.claims == tuple(claim for claim in CLAIMS if claim.theorem == id)
        assert theorem.claims


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.theorem)
def test_claims_are_filled(claim):
    for text in (claim.says, claim.ours):
        assert text.strip() == text != ""
        assert text.endswith(".")
        assert "  " not in text
        assert not set(text) & set('"“”')  # never a quotation
    assert claim.relation in RELATIONS
    assert (claim.relation == "new") == (claim.paper is None) == (claim.basis == "none")
    assert (claim.theirs == "") == (claim.paper is None)


def test_papers_are_told_apart_and_have_ids():
    papers = {claim.paper for claim in CLAIMS if claim.paper is not None}
    ids = [paper.arxiv for paper in papers if paper.arxiv]
    assert len(set(ids)) == len(ids)
    assert len({(paper.authors, paper.year, paper.title) for paper in papers}) == len(papers)
    assert {paper.arxiv for paper in papers} >= {"2206.06929", "2210.00688"}
    assert all(1980 <= paper.year <= 2026 for paper in papers)


@pytest.mark.parametrize(
    ("source", "relations"),
    [
        ("MFBV", {"tests", "sharpens", "proves"}),
        ("MFBV, sharpened", {"sharpens"}),
        ("MFBV, experiments", {"proves"}),
    ],
)
def test_the_source_of_a_record_is_among_its_claims(source, relations):
    chosen = [theorem for theorem in THEOREMS.values() if theorem.source == source]
    assert chosen
    for theorem in chosen:
        ours = [claim for claim in theorem.claims if claim.paper and claim.paper.arxiv == "2206.06929"]
        assert {claim.relation for claim in ours} & relations, theorem.id


def test_what_others_state_is_not_called_new():
    for theorem in THEOREMS.values():
        if theorem.source != "derived":
            assert all(claim.paper is not None for claim in theorem.claims), theorem.id


def test_every_theorem_is_claimed_of_some_block():
    found = {id: blocks_of(theorem) for id, theorem in THEOREMS.items()}
    assert all(found.values())
    assert {block for blocks in found.values() for block in blocks} == set(BLOCKS)
    assert found["I6"] == ("res-2", "res-3")
    assert found["F4"] == ("res-1",)
    assert blocks_of(replace(THEOREMS["P1"], hypotheses=THEOREMS["S1"].hypotheses)) == ("res-1",)


def test_the_page_is_the_one_that_is_written():
    written = runpy.run_path(str(DOCS / "theory" / "write_state.py"))
    page = written["page"]()
    assert (DOCS / "theory" / "state.md").read_text(encoding="utf-8") == page
    rows = [line for line in page.splitlines() if line.startswith("| ") and "`largedepth verify" in line]
    assert len(rows) == len(CLAIMS)
    assert all(row.replace(r"\|", "").count("|") == 5 for row in rows)
    stored = written["verdicts"]()
    assert {verdict.split(";")[0] for verdict in stored.values()} == {"consistent"}
    assert set(stored) <= set(THEOREMS)
    assert written["proofs"]()["I4"] == "independent.md#proof-i4"


def test_verdicts_and_proofs_stand_beside_the_claims():
    page = state_of_theory({"I4": "refuted; 2 %"}, {"I4": "x.md#y"})
    (row,) = [line for line in page.splitlines() if "verify I4`" in line]
    assert "refuted; 2 %" in row
    assert "[proof](x.md#y)" in row
    (other,) = [line for line in page.splitlines() if "verify I5`" in line]
    assert "no stored verdict" in other
    assert "proof" not in other


def test_counts_add_up():
    published = [claim for claim in CLAIMS if claim.paper is not None]
    text = claim_counts(CLAIMS)
    assert f"{len(published)} claims" in text
    assert f"{len(CLAIMS) - len(published)} claims are new" in text
