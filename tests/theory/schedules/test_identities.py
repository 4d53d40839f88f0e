"""G5 and G6: Euler's identity in every network, and DeepNorm's constants."""

import math

import numpy as np
import pytest
from explicit_blocks import explicit_networks

import theory


def test_one_homogeneous_layers_keep_the_overlap():
    sample = explicit_networks(
        np.random.default_rng(0),
        nets=50,
        width=4,
        depth=4,
        alpha=0.7,
        hidden_width=6,
        skip=[1.0, -0.5, 0.0, 2.0],
    )
    partner, ratio = theory.euler_overlap(homogeneous="layer")
    assert (partner, ratio) == ("p_{k+1}·h_{k+1}", 1.0)
    assert sample.overlap[0] == pytest.approx(ratio * sample.overlap[1], abs=1e-12)
    bound = theory.log_gradient_lower_bound(
        log_hidden_ratio=0.5 * np.log(sample.hidden / sample.start),
        cosine=sample.overlap[1] / np.sqrt(sample.hidden),
    )
    assert np.all(0.5 * np.log(sample.gradient) >= bound - 1e-12)


@pytest.mark.parametrize("kind", ["pre", "layer", "peri"])
def test_branches_behind_a_norm_leave_h_out(kind):
    h0 = np.array([1.0, -1.0, 2.0, -2.0])  # centred, as the layer norm sees it
    sample = explicit_networks(
        np.random.default_rng(1), nets=50, width=4, depth=1, alpha=0.7, kind=kind, activation="gelu", h0=h0,
        skip=0.5, p_last=np.array([1.0, 0.0, 0.0, 0.0]),
    )  # fmt: skip
    _, ratio = theory.euler_overlap(homogeneous="branch-0", skip=0.5)
    assert sample.overlap[0] == pytest.approx(ratio * h0[0], abs=1e-12)


def test_norms_on_the_stream_see_the_direction_alone():
    sample = explicit_networks(np.random.default_rng(2), nets=50, width=4, depth=2, alpha=0.7, kind="post")
    assert sample.overlap[0] == pytest.approx(theory.euler_overlap(homogeneous="layer-0")[1], abs=1e-12)


def test_a_norm_on_the_stream_of_tanh_branches_does_not():
    sample = explicit_networks(
        np.random.default_rng(2), nets=50, width=4, depth=2, alpha=0.7, kind="post", activation="tanh"
    )
    assert np.max(np.abs(sample.overlap[0])) > 0.1


def test_unknown_kinds_are_refused():
    with pytest.raises(
        ValueError, match=r"homogeneous='branch-1': must be one of branch-0, layer, layer-0; .*biases"
    ):
        theory.euler_overlap(homogeneous="branch-1")
    with pytest.raises(ValueError, match=r"cosine=1\.5: must be"):
        theory.log_gradient_lower_bound(log_hidden_ratio=0.0, cosine=1.5)


@pytest.mark.parametrize("layers", [1, 4, 1000])
def test_deepnorm_is_a_post_norm_network_of_smaller_scaling(layers):
    block = theory.deepnorm(layers=layers)
    x, branch = np.array([1.0, -2.0, 0.5]), np.array([0.3, 0.1, -0.7])
    raw, ours = block.stream * x + block.weights**2 * branch, x + block.alpha * branch
    assert raw / np.linalg.norm(raw) == pytest.approx(ours / np.linalg.norm(ours), rel=1e-14)
    assert block.total == pytest.approx(1 / (4 * math.sqrt(2 * layers)), rel=1e-14)
    twice = theory.deepnorm(layers=2 * layers)
    assert math.log(twice.alpha / block.alpha) / math.log(2) == pytest.approx(-block.exponent, rel=1e-12)


def test_deepnorm_keeps_the_direction():
    block = theory.deepnorm(layers=4)
    exact = theory.mean_cosine(width=6, depth=block.depth, alpha=block.alpha, hidden_width=10)
    assert exact == pytest.approx(math.exp(-5 * block.total / 24), abs=1e-4)
    assert exact == pytest.approx(0.98179, abs=1e-5)
