"""``largedepth theorems``: a table on 80 columns, full records, JSON, and unknown ids."""

import json

import pytest
from command import command

from theory.catalogue import THEOREMS, blocks_of, markdown_table


def run(*arguments):
    return command("theorems", *arguments)


def test_table_has_a_line_a_theorem_on_80_columns():
    code, out, err = run()
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[0].split() == ["id", "title", "source", "regime"]
    assert [line.split()[0] for line in lines[1 : 1 + len(THEOREMS)]] == list(THEOREMS)
    for line, theorem in zip(lines[1:], THEOREMS.values(), strict=False):
        assert theorem.title in line
        assert theorem.source in line
        assert line.endswith(theorem.regime)


@pytest.mark.parametrize("id", THEOREMS)
def test_record_in_full_on_80_columns(id):
    code, out, _ = run(id)
    assert code == 0
    theorem = THEOREMS[id]
    assert max(map(len, out.splitlines())) <= 80
    words = " ".join(out.split())
    for text in (
        theorem.title,
        theorem.name,
        theorem.statement,
        theorem.latex,
        theorem.proof,
        theorem.quantity,
    ):
        assert " ".join(text.split()) in words
    for hypothesis in theorem.hypotheses:
        assert f"- {hypothesis.text}" in words
    assert all(f"theory.{name}" in words for name in theorem.predicted)


def test_json_is_the_list_of_records():
    code, out, _ = run("--json")
    assert code == 0
    assert json.loads(out) == [theorem.record() for theorem in THEOREMS.values()]
    code, out, _ = run("i2", "duality", "I2", "--json")
    assert [record["id"] for record in json.loads(out)] == ["I2", "I4"]
    assert {"id", "statement", "source", "regime", "latex", "hypotheses"} <= set(json.loads(out)[0])


def test_claims_of_a_paper():
    code, out, err = run("--paper", "2210.00688")
    assert (code, err) == (0, "")
    assert max(map(len, out.splitlines())) <= 80
    words = " ".join(out.split())
    claims = [
        claim for theorem in THEOREMS.values() for claim in theorem.claims
        if claim.paper and claim.paper.arxiv == "2210.00688"
    ]  # fmt: skip
    assert len(claims) >= 4
    for claim in claims:
        assert claim.says.rstrip(".") in words
        assert f"{claim.relation}: {claim.ours}" in words
    ids = [record["id"] for record in json.loads(run("--paper", "2210.00688", "--json")[1])]
    assert ids == list(dict.fromkeys(claim.theorem for claim in claims))


def test_claims_are_in_the_record_in_full():
    words = " ".join(run("N3")[1].split())
    (claim,) = THEOREMS["N3"].claims
    assert claim.paper.citation in words
    assert f"corrects: {claim.ours}" in words


@pytest.mark.parametrize("block", ["res-1", "post-activation"])
def test_filters_by_block_and_regime(block):
    records = json.loads(run("--block", block, "--json")[1])
    assert [record["id"] for record in records] == [id for id, t in THEOREMS.items() if block in blocks_of(t)]
    exact = json.loads(run("--block", block, "--regime", "exact", "--json")[1])
    assert exact == [record for record in records if record["regime"] == "exact"] != []
    code, out, _ = run("I2", "P1", "--block", block, "--regime", "exact")
    assert code == 0
    assert ("I2  mean" in out) == (block == "res-1")


def test_markdown_is_the_table_of_the_catalogue():
    assert run("--markdown") == (0, markdown_table(), "")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("I12",), ("ID I12", "I1")),
        (("I2", "secnd-moment"), ("ID secnd-moment", "I2")),
        (("zzz", "--json"), ("ID zzz", "F4b")),
        (("",), ("ID ", "F4b")),
        (("--json", "--markdown"), ("--markdown", "drop one")),
        (("I2", "--markdown"), ("ID I2", "--json")),
        (("--jsn",), ("--jsn", "--json")),
        (("--paper", "2206"), ("--paper 2206", "2206.06929")),
        (("--block", "res-4"), ("--block res-4", "res-3")),
        (("--regime", "deep"), ("--regime deep", "large depth")),
        (("--block", "res-3", "--markdown"), ("--block", "--json")),
    ],
)
def test_bad_input_is_one_line(arguments, words):
    code, out, err = run(*arguments)
    assert code == 2
    assert out == ""
    assert len(err.strip().splitlines()) == 1
    for word in words:
        assert word in err


def test_help_needs_no_heavy_import():
    import subprocess
    import sys

    code = (
        "import sys\nfrom largedepth.__main__ import main\n"
        "try: main(['theorems', '--help'])\nexcept SystemExit as end: assert end.code == 0\n"
        "assert not {'numpy', 'scipy', 'theory', 'montecarlo'} & set(sys.modules), sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


@pytest.mark.parametrize("paper", ["arXiv:2210.00688", "2210.00688v2", "https://arxiv.org/abs/2210.00688v1"])
def test_a_paper_is_known_by_all_its_names(paper):
    assert run("--paper", paper) == run("--paper", "2210.00688")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("J1", "--paper", "arXiv:2206.02768"), "no claim of arXiv:2206.02768 is on J1"),
        (
            ("J1", "--block", "res-3", "--regime", "large depth"),
            "no theorem of J1 passes --block res-3, --reg",
        ),
    ],
)
def test_nothing_is_said_in_words(arguments, words):
    code, out, err = run(*arguments)
    assert (code, out) == (0, "")
    assert words in err
    assert json.loads(run(*arguments, "--json")[1]) == []
