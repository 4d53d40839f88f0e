import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import theory


@given(st.floats(0.501, 0.999))
def test_fractional_orders_run_from_nothing_to_the_smooth_end(hurst):
    order = theory.convergence_order("fractional", hurst=hurst)
    assert order.beta == theory.critical_scaling(hurst)
    assert order.strong == pytest.approx(2 * hurst - 1)
    assert order.strong < theory.convergence_order("smooth").strong == 1


def test_independent_layers():
    order = theory.convergence_order("independent")
    assert (order.beta, order.strong, order.weak) == (theory.critical_scaling(), 0.5, 1.0)


@pytest.mark.parametrize(
    ("weights", "hurst", "match"),
    [
        ("fractional", None, "hurst=None"),
        ("smooth", 0.7, r"hurst=0\.7"),
        ("fractional", 0.4, r"hurst=0\.4"),
        ("rough", None, "weights='rough'"),
    ],
)
def test_what_has_no_order_is_refused(weights, hurst, match):
    with pytest.raises(ValueError, match=match):
        theory.convergence_order(weights, hurst=hurst)


@given(st.floats(0.51, 0.99), st.integers(1, 40))
def test_young_error_falls_at_the_strong_order(hurst, width):
    size = {"width": width, "hurst": hurst}
    ratio = theory.young_log_error(depth=1000, **size) / theory.young_log_error(depth=4000, **size)
    assert math.log(ratio) / math.log(4) == pytest.approx(
        theory.convergence_order("fractional", hurst=hurst).strong
    )


@pytest.mark.statistical
@pytest.mark.parametrize("hurst", [0.65, 0.8])
@pytest.mark.parametrize("width", [1, 3])
def test_young_error_of_coupled_networks(fractional_paths, hurst, width):
    # depths 64 and 256 on one path; 5.5 standard errors (false alarm 4e-8 each), 12 % for the next order of
    # depth 64; the exponent of Brownian paths must be refuted
    rng = np.random.default_rng(41)
    n, fine, coarse = 2000, 256, 64
    noise = fractional_paths(rng, (n, width, width), fine, hurst) / math.sqrt(width)
    logs = {}
    for depth in (fine, coarse):
        # increments over a longer step: self-similarity puts both at α = L^{-H}
        step = noise.reshape(depth, fine // depth, n, width, width).sum(1) * fine**-hurst
        h = np.eye(1, width).repeat(n, axis=0)
        for k in range(depth):
            h = h + np.einsum("nij,nj->ni", step[k], h)
        logs[depth] = 0.5 * np.log((h**2).sum(1))
    gap = logs[coarse] - logs[fine]
    predicted = theory.young_log_error(width=width, depth=coarse, hurst=hurst) - theory.young_log_error(
        width=width, depth=fine, hurst=hurst
    )
    allowed = 5.5 * gap.std() / math.sqrt(n) + 0.12 * abs(predicted)
    assert abs(gap.mean() - predicted) < allowed
    for mutant in (2 * predicted, 0.5 * predicted):
        assert abs(gap.mean() - mutant) > allowed


def test_no_young_limit_below_one_half():
    with pytest.raises(ValueError, match=r"hurst=0\.5"):
        theory.young_log_error(width=1, depth=1, hurst=0.5)
