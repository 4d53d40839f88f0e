"""Laws of the token engine against networks with every matrix drawn, word by word; wrong words are refuted.

False alarm: at most 1e-6 over the whole file, shared by all statistics of all cases.
"""

import dataclasses

import numpy as np
import pytest
from explicit_tokens import observe
from token_cases import CASES, make, statistics

from montecarlo import simulate_tokens
from montecarlo.estimates import same_law

pytestmark = pytest.mark.statistical

NETWORKS = 2500
FALSE_ALARM = 1e-6 / (len(CASES) * 20)


def drawn(case, **fields):
    net = make(case, **fields)
    sample = simulate_tokens(
        net, replicas=NETWORKS, seed=21, tangent=True, attention=net.attention != "none", per_token=True
    )
    assert sample.n_nonfinite == 0
    return sample


def refuted(ours, theirs):
    """Return the statistics whose laws differ."""
    left, right = statistics(ours), statistics(theirs)
    assert list(left) == list(right)
    assert len(left) <= 20
    return [name for name in left if same_law(left[name], right[name], false_alarm=FALSE_ALARM).refuted]


@pytest.fixture(scope="module")
def plain():
    return drawn("plain").columns


@pytest.mark.parametrize("case", CASES)
def test_joint_laws_are_those_of_explicit_matrices(case):
    theirs = observe(make(case), NETWORKS, seed=5, tangent=True)
    assert not refuted(drawn(case).columns, theirs)


@pytest.mark.parametrize(
    "wrong",
    [
        {"attention": "full"},
        {"attention_scale": 1.0},
        {"attention": "uniform"},
        {"placement": "peri"},
        {"query_std": 1.0},
        {"up_std": 0.27},
        {"qkv_bias_std": 0.7},
    ],
    ids=str,
)
def test_wrong_words_are_refuted(plain, wrong):
    theirs = observe(make(**wrong), NETWORKS, seed=6, tangent=True)
    assert refuted(plain, theirs)


def test_a_layer_norm_that_does_not_centre_is_refuted():
    off_centre = {"position": "sinusoidal", "token_std": 0.3}
    theirs = observe(make(norm="rms", **off_centre), NETWORKS, seed=6, tangent=True)
    assert refuted(drawn("plain", **off_centre).columns, theirs)


def test_heads_that_do_not_mix_are_refuted(plain):
    theirs = observe(make(), NETWORKS, seed=6, tangent=True, mixed=False)
    assert refuted(plain, theirs)


def test_more_coordinates_of_heads_than_there_are_are_refuted():
    net = make("narrow factors of wide heads")
    wider = dataclasses.replace(net, head_width=14, attention_scale=net.logit_scale)
    theirs = observe(wider, NETWORKS, seed=6, tangent=True)
    assert refuted(drawn("narrow factors of wide heads").columns, theirs)


def test_the_statistics_see_a_tangent_that_forgets_the_softmax():
    # The growth of tangents with A held fixed is that of networks with equal logits and the same A: uniform.
    ours = drawn("plain", attention="uniform").columns
    theirs = observe(make(attention="full"), NETWORKS, seed=6, tangent=True)
    assert any(name.startswith("tangent") for name in refuted(ours, theirs))
    assert np.isfinite(ours["log_tangent_path"]).all()
