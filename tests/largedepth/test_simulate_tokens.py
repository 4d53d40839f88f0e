"""``simulate-tokens``: the contract's columns, overrides, and one line for each bad option."""

import io

import numpy as np
import pandas as pd
import pytest
from command import command

from montecarlo import Transformer, simulate_tokens

SMALL = ("--width", 16, "--depth", 2, "--heads", 2, "--tokens", 3, "--hidden-width", 8, "--replicas", 4)


def test_the_contracts_columns_are_lists_in_a_file(tmp_path):
    path = tmp_path / "t.parquet"
    done = command(
        "simulate-tokens", "--preset", "gpt2", *SMALL, "--seed", 1, "--tangent", "--attention", "--out", path
    )
    assert done.returncode == 0, done.stderr
    table = pd.read_parquet(path)
    net = Transformer.preset("gpt2", width=16, depth=2, heads=2, tokens=3, hidden_width=8)
    sample = simulate_tokens(net, replicas=4, seed=1, tangent=True, attention=True)
    assert table["replica"].tolist() == [0, 1, 2, 3]
    for name in ("log_rms_path", "cosine_path", "log_tangent_path"):
        np.testing.assert_array_equal(np.stack(table[name].to_list()), sample[name])
    entropies = np.array([np.stack(list(row)) for row in table["attention_entropy"]])
    np.testing.assert_array_equal(entropies, sample["attention_entropy"])
    again = command("simulate-tokens", "--preset", "gpt2", *SMALL, "--seed", 1, "--out", path)
    assert again.returncode == 2
    assert "--out" in again.stderr


def test_without_a_file_layers_are_rows_on_stdout():
    done = command("simulate-tokens", "--preset", "llama", *SMALL, "--no-gated", "--attention-kind", "full")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "replica,layer,log_rms_path,cosine_path,effective_rank_path"
    assert len(lines) == 1 + 4 * 3


def test_a_custom_one_needs_all_fields():
    done = command("simulate-tokens", "--preset", "custom", *SMALL)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    for option in ("norm", "placement", "attention-kind", "position", "activation", "query-std", "token-std"):
        assert f"--{option}" in done.stderr, "all of them at once"
    stds = [
        word for name in ("query", "key", "value", "up", "down", "token") for word in (f"--{name}-std", 0.1)
    ]
    done = command(
        "simulate-tokens", "--preset", "custom", *SMALL, "--norm", "rms", "--placement", "pre",
        "--attention-kind", "uniform", "--position", "none", "--activation", "relu", "--output-std", "0.1",
        *stds,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--preset", "gpt3"), "--preset gpt3: must be one of"),
        (("--preset", "gpt2", "--attention-kind", "sparse"), "--attention-kind sparse: must be one of"),
        (("--preset", "gpt2", "--heads", "7"), "--heads 7: must divide --width 768"),
        (("--preset", "gpt2", "--up-std", "x"), "--up-std x: must be a number"),
        (("--preset", "gpt2", "--out", "t.csv"), "must end in .parquet"),
        (
            ("--preset", "gpt2", "--attention-kind", "none", "--attention", "--out", "none/t.parquet"),
            "--out none/t.parquet: must",
        ),
        (
            ("--preset", "gpt2", "--attention-kind", "uniform", "--logit-cap", "5"),
            "and --attention-kind uniform has none; give --attention-kind causal, say",
        ),
        (("--preset", "gpt2", "--rotary-base", "5"), "and --position learned has none"),
        (
            ("--preset", "gpt2", "--gated", "--hidden-width", "0"),
            "--gated: must be False with --hidden-width 0",
        ),
    ],
)
def test_a_bad_option_is_one_line(arguments, words):
    done = command("simulate-tokens", *arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert words in done.stderr


@pytest.mark.parametrize("option", ["--attention", "--per-token"])
def test_lists_need_parquet(option):
    done = command("simulate-tokens", "--preset", "gpt2", *SMALL, option)
    assert done.returncode == 2
    assert done.stdout == ""
    assert f"{option}: needs Parquet" in done.stderr
    assert "give --out t.parquet" in done.stderr


def test_networks_without_numbers_are_an_error_that_says_where():
    """Gates square the ratio of two tokens at every layer; what was sampled is printed all the same."""
    gates = ("--preset", "gpt2", *SMALL, "--norm", "none", "--gated", "--attention-kind", "none")
    done = command("simulate-tokens", *gates, "--token-std", "1e9", "--depth", "12")
    assert done.returncode == 2
    table = pd.read_csv(io.StringIO(done.stdout))
    first = table[table["log_rms_path"].isna()]["layer"].min()
    assert len(table) == 4 * 13
    assert first > 1
    assert f"of 4 networks too unlike in size for float32, from layer {first} on" in done.stderr
    assert "give --norm rms, or a smaller depth" in done.stderr
    zeros = command("simulate-tokens", "--preset", "gpt2", *SMALL, "--token-std", 0, "--position-std", 0)
    assert zeros.returncode == 2
    assert "--token-std 0.0: leaves tokens of zeros" in zeros.stderr
    assert "give --token-std 0.02" in zeros.stderr
    # Others go on, wherever their streams are.
    far = command(
        "simulate-tokens", "--preset", "gpt2", *SMALL, "--norm", "none", "--skip", 9, "--depth", "600"
    )
    assert far.returncode == 0, far.stderr
    path = pd.read_csv(io.StringIO(far.stdout))["log_rms_path"]
    assert np.isfinite(path).all()
    assert path.max() > 2500.0
