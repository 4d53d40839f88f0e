"""P1, P2, P3: post-activation networks, drawn by d normals a layer (exact: V h is isotropic given h).

Bounds of false alarm 4e-8 a comparison.
"""

import math

import numpy as np
import pytest
from explicit_blocks import explicit_networks, standard_errors
from hypothesis import given
from hypothesis import strategies as st

import theory

H0 = np.array([-1.0, 0.0, 1.0, 2.0, 3.0])
MEAN, SPREAD = float(H0.mean()), float(H0.var())
COSINE = MEAN / math.sqrt(MEAN**2 + SPREAD)


def networks(rng, *, nets, depth, alpha):
    """States divided by their norms, and logarithms of the norms."""
    h, logs = np.tile(H0, (nets, 1)), np.zeros(nets)
    for _ in range(depth):
        size = np.sqrt((h * h).mean(1, keepdims=True))
        h, logs = h / size, logs + np.log(size[:, 0])
        h = h + alpha * np.maximum(rng.standard_normal(h.shape), 0)
    return h, logs


@pytest.mark.statistical
def test_the_critical_scaling_is_one():
    h, logs = networks(np.random.default_rng(31), nets=3000, depth=1000, alpha=1e-3)
    h = h * np.exp(logs)[:, None]
    state = theory.post_activation_flow(mean=MEAN, variance=SPREAD)
    # The bias is O(1/L): 0.05 % at L = 1000, taken off in both directions.
    assert (
        abs(h.mean(1).mean() / state.mean - 1) < 5e-4 + 5.5 * h.mean(1).std() / math.sqrt(3000) / state.mean
    )
    assert standard_errors(h.mean(1), MEAN * math.exp(1 / math.sqrt(2 * math.pi))) > 5.5
    assert (
        standard_errors(h.mean(1), theory.post_activation_flow(mean=MEAN, variance=SPREAD, time=1.25).mean)
        > 5.5
    )
    assert (h * h).mean() == pytest.approx(state.mean_square, rel=5e-3)
    centred = (h - h.mean(1, keepdims=True)).mean(0)
    assert centred == pytest.approx(H0 - MEAN, abs=5.5 * 0.02 / math.sqrt(3000) + 1e-3)


@pytest.mark.statistical
def test_growth_at_one_half_is_normal():
    depth = 1600
    h, logs = networks(np.random.default_rng(32), nets=2500, depth=depth, alpha=depth**-0.5)
    growth = logs + 0.5 * np.log((h * h).mean(1)) - 0.5 * math.log(np.mean(H0 * H0))
    mean = theory.post_activation_log_growth(width=5, depth=depth, alpha=depth**-0.5, cosine=COSINE)
    law = theory.post_activation_law(width=5, cosine=COSINE)
    drift = theory.post_activation_rate(beta=0.5) * math.sqrt(depth)
    assert mean == pytest.approx(drift + float(law.mean()), rel=1e-12)
    bias = 0.03  # O(L^{-1/2}), measured 0.03 at L = 400
    sample = growth - drift
    assert abs(sample.mean() - law.mean()) < bias + 5.5 * law.std() / 50
    assert abs(sample.mean() - law.mean() + math.log(0.5 + 0.5 * COSINE)) > bias + 5.5 * law.std() / 50
    assert abs(growth.mean() - 0.5 * math.sqrt(depth)) > 1  # m = 1/2
    assert sample.var() == pytest.approx(float(law.var()), rel=5.5 * math.sqrt(2 / 2500) + 0.02)


def test_gradients_explode_with_the_states():
    sample = explicit_networks(
        np.random.default_rng(33), nets=40, width=5, depth=4, alpha=0.8, kind="post-activation", h0=H0
    )
    assert sample.overlap[0] == pytest.approx(sample.overlap[1], abs=1e-11)
    bound = theory.log_gradient_lower_bound(
        log_hidden_ratio=0.5 * np.log(sample.hidden / sample.start),
        cosine=sample.overlap[1] / np.sqrt(sample.hidden),
    )
    assert np.all(0.5 * np.log(sample.gradient) >= bound - 1e-12)
    assert not np.all(0.5 * np.log(sample.gradient) >= bound + 0.7)


@given(st.floats(-3, 3), st.floats(1e-3, 4), st.floats(0, 1.5), st.floats(0, 1.5))
def test_the_flow_is_a_flow(mean, variance, first, second):
    half = theory.post_activation_flow(mean=mean, variance=variance, time=first)
    there = theory.post_activation_flow(mean=half.mean, variance=variance, time=second)
    whole = theory.post_activation_flow(mean=mean, variance=variance, time=first + second)
    assert there.mean == pytest.approx(whole.mean, rel=1e-9, abs=1e-9)
    root = math.sqrt(variance)
    formula = root * math.sinh((first + second) / math.sqrt(2 * math.pi) + math.asinh(mean / root))
    assert whole.mean == pytest.approx(formula, rel=1e-9, abs=1e-9)


def test_other_activations_by_an_ode():
    relu = theory.post_activation_flow(mean=0.3, variance=0.5)
    as_function = theory.post_activation_flow(mean=0.3, variance=0.5, activation=lambda x: np.maximum(x, 0.0))
    assert as_function.mean == pytest.approx(relu.mean, rel=1e-8)
    still = theory.post_activation_flow(mean=0.3, variance=0.5, activation="tanh")
    assert still.mean == pytest.approx(0.3, abs=1e-9)  # odd: no drift at β = 1
    assert theory.activation_drift("relu", mean_square=4.0) == pytest.approx(
        2 / math.sqrt(2 * math.pi), rel=1e-12
    )


def test_the_constant_direction_grows_exponentially():
    state = theory.post_activation_flow(mean=2.0, variance=0.0)
    assert state.mean == pytest.approx(2 * math.exp(1 / math.sqrt(2 * math.pi)), rel=1e-12)
    assert theory.post_activation_flow(mean=-2.0, variance=0.0).mean == pytest.approx(
        -2 * math.exp(-1 / math.sqrt(2 * math.pi)), rel=1e-12
    )


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: theory.post_activation_law(width=5, cosine=-1.0),
            "cosine=-1: must be .* > -1 and <= 1; give",
        ),
        (lambda: theory.post_activation_rate(beta=1.0), "beta=1: must be"),
        (lambda: theory.post_activation_flow(mean=0.0, variance=-1.0), "variance=-1: must be"),
        (
            lambda: theory.post_activation_log_growth(width=0, depth=1, alpha=1.0, cosine=0.0),
            "width=0: must be",
        ),
    ],
)
def test_bad_input_is_refused_in_one_line(call, message):
    with pytest.raises(ValueError, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)
