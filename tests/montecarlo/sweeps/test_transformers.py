"""Sweeps of transformers: the rows of `simulate_tokens`, and one clear line for a bad file."""

import numpy as np
import pytest

from montecarlo import Transformer, simulate_tokens
from montecarlo.executors import ThreadExecutor
from montecarlo.store import Store
from montecarlo.sweeps import SweepFileError, run_sweep

GOOD = """
seed = 7
replicas = 6
[transformer]
preset = "gpt2"
width = 8
heads = 2
hidden-width = 8
tokens = 3
tangent = true
attention-columns = true
[grid]
depth = [1, 2]
alpha = [0.5, 1.0]
"""
SMALL = {"width": 8, "heads": 2, "hidden_width": 8, "tokens": 3}


def test_points_are_presets_with_fields_and_columns(read):
    points = read(GOOD).points
    assert [point.run.specification for point in points] == [
        Transformer.preset("gpt2", **SMALL, depth=depth, alpha=alpha)
        for depth in (1, 2)
        for alpha in (0.5, 1.0)
    ]
    assert {"log_tangent_path", "attention_entropy"} < set(points[0].run.cells)
    assert "token_cosine_path" not in points[0].run.cells


def test_rows_are_those_of_simulate_tokens_and_continue(read, tmp_path):
    sweep, store = read(GOOD), Store.open(tmp_path / "out")
    with ThreadExecutor(1) as executor:
        run_sweep(read(GOOD.replace("replicas = 6", "replicas = 2")), store, executor)
        assert run_sweep(sweep, store, executor).complete
    for point in sweep.points:
        own = simulate_tokens(
            point.run.specification, replicas=6, seed=7, tangent=True, attention=True, threads=1
        )
        rows = store.read(point.run.key, 0, 6)
        assert set(rows) == set(own.columns)
        for column, values in rows.items():
            np.testing.assert_array_equal(values, own[column])


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('preset = "gpt2"\n', "", ("norm", "[transformer]", "preset = 'gpt2'")),
        ('"gpt2"', '"gpt3"', ("transformer.preset", "gpt2")),
        ("tokens = 3", 'tokens = "x"', ("transformer.tokens = 'x'", "whole number")),
        ("tangent = true", "tangent = 1", ("transformer.tangent = 1", "true or false")),
        ("alpha = [0.5", "alfa = [0.5", ("grid.alfa", "alpha")),
        ("[grid]", "[network]\nwidth = 4\n[grid]", ("network", "beside [transformer]")),
        ("seed = 7", "seed = -1", ("seed = -1",)),
    ],
)
def test_bad_files_get_one_line(read, old, new, words):
    assert old in GOOD
    with pytest.raises(SweepFileError) as error:
        read(GOOD.replace(old, new, 1))
    for word in words:
        assert word in str(error.value)
    assert "\n" not in str(error.value)


def test_rows_of_nan_are_counted(read, tmp_path):
    text = GOOD.replace("depth = [1, 2]", "depth = [12]").replace("attention-columns = true\n", "")
    text = text.replace("[grid]", 'norm = "none"\ngated = true\nattention = "none"\ntoken-std = 1e9\n[grid]')
    sweep, store = read(text), Store.open(tmp_path / "out")
    with ThreadExecutor(1) as executor:
        result = run_sweep(sweep, store, executor)
    rows = [store.read(point.run.key, 0, 6)["log_rms_path"] for point in sweep.points]
    assert result.nonfinite == np.isnan(np.concatenate(rows)).any(axis=1).sum() > 0
