import numpy as np
import pytest

import theory


def pairs(first, last):
    """Ratio and difference of squared norms of every network, in canonical order."""
    rows = np.stack([(last**2).sum(-1), ((last - first) ** 2).sum(-1)], 1).round(9)
    return rows[np.lexsort(rows.T)]


@pytest.mark.parametrize(("x", "depth"), [([0.8], 4), ([0.83, -0.31], 1), ([0.83, -0.31], 2)])
def test_gradients_of_all_rademacher_networks_are_the_hidden_states_permuted(rademacher_networks, x, depth):
    net = rademacher_networks(h0=x, p_last=x, depth=depth, alpha=0.7)
    hidden, gradient = pairs(net.h[:, 0], net.h[:, -1]), pairs(net.p[:, -1], net.p[:, 0])
    np.testing.assert_allclose(hidden, gradient, atol=1e-8)


def test_ties_break_the_duality(rademacher_networks):
    net = rademacher_networks(h0=[1.0, 1.0], p_last=[1.0, 1.0], depth=1, alpha=0.7)
    hidden, gradient = pairs(net.h[:, 0], net.h[:, -1]), pairs(net.p[:, -1], net.p[:, 0])
    assert np.abs(hidden - gradient).max() > 0.1
    assert theory.gradient_duality(block="res-3", activation="relu", tie_free=False) is None


@pytest.mark.parametrize("activation", ["relu", "identity"])
@pytest.mark.parametrize(("x", "depth"), [([0.8], 3), ([0.83, -0.31], 1)])
def test_gradients_with_bias_are_hidden_states_without(rademacher_networks, activation, x, depth):
    size = {"h0": x, "p_last": x, "depth": depth, "alpha": 0.7, "activation": activation}
    biased, plain = rademacher_networks(**size, bias_std=0.57), rademacher_networks(**size)
    copies = 2 ** (len(x) * depth)
    hidden = np.repeat(pairs(plain.h[:, 0], plain.h[:, -1]), copies, axis=0)
    np.testing.assert_allclose(hidden, pairs(biased.p[:, -1], biased.p[:, 0]), atol=1e-8)
    answer = theory.gradient_duality(block="res-2", activation=activation, bias_std=0.57)
    assert answer == "hidden-without-bias"


def test_res_1_with_relu_is_not_dual():
    # the branch mixes both coordinates of the hidden state, the mask keeps one of the gradient
    V = np.array([[[a, b], [c, d]] for a in (-1, 1) for b in (-1, 1) for c in (-1, 1) for d in (-1, 1)])
    x = np.array([0.83, -0.31])
    mask = (x > 0).astype(float)
    hidden = x + 0.5 * np.einsum("nij,j->ni", V, mask * x)
    gradient = x + 0.5 * mask * np.einsum("nji,j->ni", V, x)
    assert (hidden**2).sum(1).mean() != pytest.approx((gradient**2).sum(1).mean(), rel=0.01)
    assert theory.gradient_duality(block="res-1", activation="relu") is None


@pytest.mark.parametrize(
    ("block", "activation", "layers", "answer"),
    [
        ("res-1", "identity", "independent", "hidden"),
        ("res-1", "identity", "reversible", "hidden"),
        ("res-1", "identity", "other", None),
        ("res-2", "tanh", "independent", None),
        ("res-3", "relu", "reversible", None),
    ],
)
def test_scope(block, activation, layers, answer):
    assert theory.gradient_duality(block=block, activation=activation, layers=layers) == answer


def test_columns_map_back_and_forth():
    assert all(theory.dual_column(theory.dual_column(c)) == c for c in theory.DUAL_COLUMNS)
    assert all(theory.dual_column(c) != c for c in theory.DUAL_COLUMNS)
    with pytest.raises(ValueError, match="log_hidden_ratio"):
        theory.dual_column("replica")


def test_bias_outside_res_2_is_refused():
    with pytest.raises(ValueError, match="only res-2"):
        theory.gradient_duality(block="res-3", activation="relu", bias_std=1)
