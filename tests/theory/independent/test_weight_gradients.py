import math

import numpy as np
import pytest

import theory


@pytest.mark.parametrize(("h0", "depth"), [([0.8], 1), ([0.8], 4), ([0.83, -0.31], 1), ([0.83, -0.31], 2)])
@pytest.mark.parametrize(("activation", "gain"), [("relu", 0.5), ("identity", 1.0)])
def test_every_rademacher_network_at_every_layer(rademacher_networks, h0, depth, activation, gain):
    p_last = np.arange(1.0, len(h0) + 1)
    net = rademacher_networks(h0=h0, p_last=p_last, depth=depth, alpha=0.7, activation=activation)
    scale = (np.square(h0)).sum() * (p_last**2).sum()
    predicted = theory.weight_gradient_second_moment(depth=depth, alpha=0.7, gain=gain)
    np.testing.assert_allclose(net.gradient_v.mean(0) / scale, predicted, rtol=1e-12)
    np.testing.assert_allclose(net.gradient_w.mean(0) / scale, predicted, rtol=1e-12)


@pytest.mark.parametrize("depth", [1, 10, 10**6])
@pytest.mark.parametrize("alpha", [1e-18, 1e-3, 2.0])
def test_is_the_derivative_of_the_second_moment(depth, alpha):
    # Σ_k E‖∂/∂V_k‖² = (a/2) d/da E‖h_L‖² for a branch homogeneous in a
    slope = theory.log_hidden_second_moment(depth=depth - 1, alpha=alpha)
    got = theory.log_weight_gradient_second_moment(depth=depth, alpha=alpha)
    assert got - slope == pytest.approx(math.log(0.5) + 2 * math.log(alpha), rel=1e-9)


def test_no_layer_is_refused():
    with pytest.raises(ValueError, match="depth=0"):
        theory.weight_gradient_second_moment(depth=0, alpha=1)


def test_no_scaling_means_no_gradient():
    assert theory.log_weight_gradient_second_moment(depth=3, alpha=0) == -math.inf
