"""Samples of transformers: rows, columns, conversions, files, and identities that hold in every network."""

import math
import os
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from token_cases import CASES, make

from montecarlo import (
    InvalidFieldError,
    TokenRequest,
    Transformer,
    read_token_sample,
    simulate,
    simulate_tokens,
    tokens_to_file,
)
from montecarlo.networks._transformer_words import TOKEN_ACTIVATIONS
from montecarlo.runs import running
from montecarlo.samples.tokens._run import TokenRun
from montecarlo.store import Store
from montecarlo.streams import STREAM_FORMAT

ROOT = Path(__file__).parents[3]
ALL = {"tangent": True, "attention": True, "per_token": True}

FROZEN = {
    "plain": (
        "0.03723397 0.9378483 -0.2685648 0.3420009 2.310585 2.072097 0 1.548451 0.07186355 "
        "0.1345115 2.040752 3.146205 -0.3058556 1.106596 -0.1846935 0.3952029"
    ),
    "rotary, gate, grouped keys": (
        "0.03723397 1.460065 -0.2685648 0.4360986 2.310585 1.568687 0 2.09946 0.1137792 "
        "0.02954058 1.9744 2.853105 -0.3058556 1.549738 -0.1846935 0.6391128"
    ),
    "narrow factors of wide heads": (
        "0.03723397 1.149593 -0.2685648 0.3431066 2.310585 2.282124 0 2.299685 0.2265129 "
        "0.4461301 1.317709 0.7333343 -0.3058556 1.299676 -0.1846935 0.4063738"
    ),
}


def gram(sample):
    """Return the Gram matrices over the width, (networks, layers, tokens, tokens)."""
    size = np.exp(sample["token_log_rms_path"])
    n = size.shape[2]
    cosine = np.ones((*size.shape, n))
    i, j = np.triu_indices(n, 1)
    cosine[:, :, i, j] = cosine[:, :, j, i] = sample["token_cosine_path"]
    return cosine * size[..., None] * size[..., None, :]


@pytest.fixture(scope="module")
def sample():
    return simulate_tokens(make(), replicas=12, seed=3, **ALL)


@pytest.mark.parametrize("name", FROZEN)
def test_rows_have_not_changed(name):
    assert STREAM_FORMAT == 1, "freeze the new rows here"
    rows = TokenRun.find(make(name), 3, TokenRequest(**ALL)).sample(5, 2)
    found = [column.ravel()[i] for column in rows.values() for i in (0, -1)]
    np.testing.assert_allclose(found, [*map(float, FROZEN[name].split())], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("case", CASES)
def test_rows_depend_on_the_specification_the_seed_and_the_replica_alone(case):
    net = make(case)
    asked = {**ALL, "attention": net.attention != "none"}
    all_of = simulate_tokens(net, replicas=6, seed=3, threads=1, block_size=6, **asked)
    for request in ({}, asked):
        part = simulate_tokens(net, replicas=3, seed=3, first_replica=2, threads=2, block_size=1, **request)
        for name, column in part.columns.items():
            np.testing.assert_array_equal(column, all_of[name][2:5])
    high = simulate_tokens(net, replicas=1, seed=3, first_replica=2 + 2**32)
    assert high["log_rms_path"][0, -1] != all_of["log_rms_path"][2, -1] or net.placement == "post"
    assert (high["cosine_path"] != all_of["cosine_path"][2]).any()


def test_a_deeper_network_begins_with_the_shallower_one(sample):
    deeper = simulate_tokens(make(depth=4), replicas=12, seed=3, **ALL)
    for name in ("log_rms_path", "log_tangent_path", "token_cosine_path"):
        np.testing.assert_array_equal(deeper[name][:, :3], sample[name])


def test_columns_agree_with_each_other(sample):
    g = gram(sample)
    trace = np.einsum("rkii->rk", g)
    np.testing.assert_allclose(sample["log_rms_path"], 0.5 * np.log(trace / 3.0), atol=1e-12)
    np.testing.assert_allclose(sample["cosine_path"], sample["token_cosine_path"].mean(axis=2), atol=1e-12)
    np.testing.assert_allclose(sample["effective_rank_path"], trace**2 / (g**2).sum(axis=(2, 3)), rtol=1e-9)
    assert (sample["log_tangent_path"][:, 0] == 0.0).all()
    # A token that attends to 1, 2, 3 tokens.
    assert (sample["attention_entropy"] < (math.log(2.0) + math.log(3.0)) / 3.0).all()


def test_uniform_attention_leaves_centred_tokens_where_they_are():
    net = make(attention="uniform", norm="none", hidden_width=0, depth=5)
    centred = np.eye(3) - 1.0 / 3.0
    g = centred @ gram(simulate_tokens(net, replicas=5, seed=3, per_token=True)) @ centred
    np.testing.assert_allclose(g, np.repeat(g[:, :1], 6, axis=1), atol=1e-6)


def test_tangents_of_vanishing_branches_are_powers_of_the_skip_factor_beyond_float_range():
    net = make(norm="none", attention="none", hidden_width=4, alpha=0.0, skip=0.25, depth=700)
    sample = simulate_tokens(net, replicas=2, seed=3, tangent=True)
    expected = np.log(0.25) * np.arange(701)
    np.testing.assert_allclose(sample["log_tangent_path"], [expected] * 2, atol=1e-9)
    np.testing.assert_allclose(
        sample["log_rms_path"] - sample["log_rms_path"][:, :1], [expected] * 2, atol=1e-9
    )


@pytest.mark.parametrize("activation", ["relu", "leaky-relu", "identity"])
@pytest.mark.parametrize("factor", [1024.0, 1.0 / 1024.0])
def test_factors_of_all_of_a_homogeneous_layer_are_factors_of_its_stream(activation, factor):
    """``b X + a f(X)`` is b times ``X + (a/b) f(X)``, exactly where b is a power of two."""
    words = {"norm": "none", "attention": "uniform", "activation": activation, "depth": 400}
    asked = {"replicas": 3, "seed": 3, "tangent": True, "per_token": True}
    near = simulate_tokens(make(**words, alpha=0.2), **asked)
    far = simulate_tokens(make(**words, alpha=0.2 * factor, skip=factor), **asked)
    grown = 2.0 * np.log(factor) * np.arange(401)
    assert abs(grown[-1]) > 5000.0
    for name in ("log_rms_path", "log_tangent_path"):
        np.testing.assert_allclose(far[name], near[name] + grown, atol=1e-9)
    np.testing.assert_allclose(
        far["token_log_rms_path"], near["token_log_rms_path"] + grown[:, None], atol=1e-9
    )
    np.testing.assert_allclose(far["cosine_path"], near["cosine_path"], atol=1e-9)


@pytest.mark.parametrize("size", [1e-300, 1e-40, 1e12])
def test_networks_of_relu_do_not_know_the_size_of_their_tokens(size):
    words = {"norm": "none", "attention": "uniform", "activation": "relu", "depth": 3}
    one, other = (simulate_tokens(make(**words, token_std=std), replicas=4, seed=1) for std in (1.0, size))
    grown = [sample["log_rms_path"] - sample["log_rms_path"][:, :1] for sample in (one, other)]
    np.testing.assert_allclose(*grown, atol=1e-5)
    np.testing.assert_allclose(other["cosine_path"], one["cosine_path"], atol=1e-5)


@pytest.mark.parametrize("activation", TOKEN_ACTIVATIONS)
def test_without_norms_everything_is_finite_at_depth(activation):
    """Softmax of growing logits becomes the largest one; activations become ReLU, or ±1, or linear."""
    for words in ({}, {"skip": 0.5, "alpha": 0.1}, {"output_bias_std": 0.5, "up_bias_std": 0.5}):
        net = make(norm="none", activation=activation, depth=300, **words)
        sample = simulate_tokens(net, replicas=2, seed=3, **ALL)
        for name, column in sample.columns.items():
            assert np.isfinite(column).all() or name == "logit_deviation", (name, words)
        size, tangent = sample["log_rms_path"], sample["log_tangent_path"]
        if "skip" not in words:
            assert (size[:, -1] > 150.0).all()
            # Beyond float range the deviation of logits is infinite, not unknown.
            assert not np.isnan(sample["logit_deviation"]).any()
        if not words:
            # A softmax that is the largest logit moves nothing: tokens and their tangents grow alike.
            assert (abs(np.diff(tangent - size, axis=1))[:, 100:] < 1.0).all()


def test_a_layer_behind_a_norm_does_not_see_a_large_stream():
    """Steps of order 1 on a stream beyond float range: nothing is left of them but the skip factor."""
    sample = simulate_tokens(make(skip=10.0, depth=500), replicas=3, seed=3, **ALL)
    steps = np.diff(sample["log_rms_path"])[:, 20:]
    np.testing.assert_allclose(steps, 2.0 * math.log(10.0), atol=1e-9)
    np.testing.assert_allclose(np.diff(sample["log_tangent_path"])[:, 20:], 2.0 * math.log(10.0), atol=1e-6)
    assert np.isfinite(sample["attention_entropy"]).all()


def test_large_logits_behind_a_causal_mask_are_no_numbers_of_a_token_before_it():
    """Products with tokens behind the mask may be far larger than the others'."""
    sample = simulate_tokens(make(query_std=200.0, key_std=200.0, depth=4), replicas=40, seed=3, **ALL)
    assert sample.n_nonfinite == 0
    assert all(np.isfinite(column).all() for column in sample.columns.values())
    assert (sample["attention_entropy"][:, 1:].mean() < 0.05).all()


def test_gates_without_norms_are_marked_where_tokens_come_apart():
    """Their products square the ratio of two tokens at every layer, until float32 does not hold both."""
    net = make(norm="none", gated=True, attention="none", token_std=1e6, depth=12)
    sample = simulate_tokens(net, replicas=6, seed=3, tangent=True, per_token=True)
    lost = np.isnan(sample["log_rms_path"])
    assert lost[:, -1].all()
    assert (np.diff(lost.astype(int)) >= 0).all()
    assert sample.n_nonfinite == 6
    last = (~lost).sum(axis=1) - 1
    size = sample["token_log_rms_path"][np.arange(6), last]
    assert (np.ptp(size, axis=1) > 50.0 * math.log(2.0)).all()
    for name in ("log_tangent_path", "token_cosine_path"):
        np.testing.assert_array_equal(np.isnan(sample[name]).reshape(6, 13, -1).all(axis=2), lost)


def test_one_token_has_no_cosine():
    sample = simulate_tokens(make(tokens=1), replicas=2, seed=3, **ALL)
    assert np.isnan(sample["cosine_path"]).all()
    np.testing.assert_allclose(sample["effective_rank_path"], 1.0)
    assert (sample["attention_entropy"] == 0.0).all()


def test_a_store_keeps_rows(tmp_path, sample):
    with running(store=Store.open(tmp_path / "rows")) as inside:
        drawn = simulate_tokens(make(), replicas=12, seed=3, **ALL)
        found = simulate_tokens(make(), replicas=12, seed=3, **ALL)
        assert inside.networks_found == 12
    for name, column in sample.columns.items():
        np.testing.assert_array_equal(column, drawn[name])
        np.testing.assert_array_equal(column, found[name])


def test_files_are_continued_and_others_are_kept(tmp_path, sample):
    path, request = tmp_path / "t.parquet", TokenRequest(**ALL)
    tokens_to_file(make(), path, replicas=5, seed=3, request=request)
    more = tokens_to_file(make(), path, replicas=12, seed=3, request=request)
    again = read_token_sample(path)
    assert again.transformer == make()
    for name, column in sample.columns.items():
        np.testing.assert_array_equal(column, more[name])
        np.testing.assert_array_equal(column, again[name])
    assert len(tokens_to_file(make(), path, replicas=2, seed=3, request=request)) == 2
    with pytest.raises(InvalidFieldError, match="holds something else"):
        tokens_to_file(make(), path, replicas=2, seed=4, request=request)
    tokens_to_file(make(), path, replicas=2, seed=4, request=request, overwrite=True)
    assert read_token_sample(path).seed == 4


def test_conversions(sample):
    table = sample.to_pandas()
    assert list(table) == [
        "replica", "layer", "log_rms_path", "cosine_path", "effective_rank_path", "log_tangent_path",
    ]  # fmt: skip
    assert len(table) == 12 * 3
    assert sample.labels.variables["attention_entropy"][0] == ("replica", "block", "head")
    one = table[(table.replica == 7) & (table.layer == 2)]
    assert one.cosine_path.item() == sample["cosine_path"][7, 2]


def test_samples_are_pooled_in_order(sample):
    first = simulate_tokens(make(), replicas=5, seed=3, **ALL)
    rest = simulate_tokens(make(), replicas=7, seed=3, first_replica=5, **ALL)
    np.testing.assert_array_equal((first + rest)["cosine_path"], sample["cosine_path"])
    with pytest.raises(ValueError, match="follow each other"):
        rest + first
    with pytest.raises(ValueError, match="must agree"):
        first + simulate_tokens(make(), replicas=7, seed=3, first_replica=5)
    with pytest.raises(KeyError, match="there are log_rms_path"):
        first["cosine"]


def test_what_cannot_be_observed_is_refused():
    with pytest.raises(InvalidFieldError, match="cannot be observed"):
        simulate_tokens(make(attention="none", hidden_width=4), replicas=1, seed=1, attention=True)
    with pytest.raises(InvalidFieldError, match="must be a Transformer"):
        simulate_tokens("gpt2", replicas=1, seed=1)  # type: ignore[arg-type]
    with pytest.raises(InvalidFieldError, match="simulate_tokens"):
        simulate(Transformer.preset("gpt2"), replicas=1, seed=1)  # type: ignore[arg-type]


def test_plain_python_draws_the_same_rows():
    code = (
        "from token_cases import make\n"
        "from montecarlo import TokenRequest\n"
        "from montecarlo.samples.tokens._run import TokenRun\n"
        "for name in ('plain', 'rotary, gate, grouped keys', 'narrow factors of wide heads'):\n"
        "    rows = TokenRun.find(make(name), 3, TokenRequest(True, True, True)).sample(5, 2)\n"
        "    print(*(repr(float(c.ravel()[i])) for c in rows.values() for i in (0, -1)))\n"
    )
    environment = os.environ | {"NUMBA_DISABLE_JIT": "1", "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}"}
    command = [sys.executable, "-W", "ignore", "-c", code]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    for line, numbers in zip(done.stdout.splitlines(), FROZEN.values(), strict=True):
        found = [*map(float, line.split())]
        np.testing.assert_allclose(found, [*map(float, numbers.split())], rtol=1e-4, atol=1e-5)


def test_runs_travel():
    run = TokenRun.find(Transformer.preset("gpt2"), 3, TokenRequest())
    again = pickle.loads(pickle.dumps(run))
    assert again == run
    assert again.key == run.key
    assert run.record["kind"] == "tokens"
    assert run.seconds < 0.1
