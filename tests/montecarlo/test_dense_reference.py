"""The dense engine against the recursion of theory.md, section 1, in float64 numpy with explicit matrices.

The reference keeps every matrix and forms every weight gradient as the outer product it is; its
hand-written backward pass is itself checked by finite differences.
"""

import functools
import itertools
import math
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import special

import montecarlo
from montecarlo import LOG_RATIOS, Activation, ResNet, weights
from montecarlo._activations import BUILT_IN
from montecarlo.laws import LAWS

simulate = functools.partial(montecarlo.simulate, engine="dense")

pytestmark = pytest.mark.usefixtures("warm_kernels")

WIDTHS = (1, 3, 8, 9, 130)
TOLERANCE = 2e-5
SMOOTH = {
    "gelu": (
        lambda x: x * special.ndtr(x),
        lambda x: special.ndtr(x) + x * np.exp(-x * x / 2) / math.sqrt(2 * math.pi),
    ),
    "identity": (lambda x: x, np.ones_like),
    "sin": (np.sin, np.cos),
    "softplus": (lambda x: np.logaddexp(0.0, x), special.expit),
    "tanh": (np.tanh, lambda x: 1.0 - np.tanh(x) ** 2),
}  # fmt: skip
KINKED = {
    "leaky-relu": (lambda x: np.where(x > 0, x, 0.01 * x), lambda x: np.where(x > 0, 1.0, 0.01)),
    "relu": (lambda x: np.maximum(x, 0.0), lambda x: np.where(x > 0, 1.0, 0.0)),
}
ACTIVATIONS = SMOOTH | KINKED
NETWORKS = [("res-3", "relu")] + [
    (block, name) for block in ("res-1", "res-2") for name in sorted(ACTIVATIONS)
]


@dataclass(frozen=True)
class Reference:
    """One network, every quantity explicit; p_L is the read-out row."""

    h: list
    p: list
    gradient_v: list
    gradient_w: list
    least_back: float  # smallest norm over layers of the active part of Vᵀp, over its typical size
    clearance: float  # smallest |pre-activation| over its typical size, that of h: how far from a kink

    @property
    def condition(self):
        """How much the cancellation in a state or a difference can magnify the rounding of a product."""

        def spread(states):
            sizes = [np.linalg.norm(x) for x in states]
            steps = [np.linalg.norm(b - a) for a, b in itertools.pairwise(states)]
            change = np.linalg.norm(states[-1] - states[0])
            return max(max(sizes) / min(sizes), sum(steps) / change if sum(steps) > 0.0 else 1.0)

        with np.errstate(divide="ignore"):
            return max(spread(self.h), spread(self.p))

    def columns(self):
        def log_norm(x):
            norm = float(np.linalg.norm(x))
            return math.log(norm) if norm > 0.0 else -math.inf

        h, p = self.h, self.p
        start, end = log_norm(h[0]), log_norm(p[-1])
        return {
            "log_hidden_ratio": log_norm(h[-1]) - start,
            "log_hidden_difference": log_norm(h[-1] - h[0]) - start,
            "log_gradient_ratio": log_norm(p[0]) - end,
            "log_gradient_difference": log_norm(p[0] - p[-1]) - end,
            "log_hidden_path": np.array([log_norm(x) - start for x in h]),
            "log_gradient_path": np.array([log_norm(x) - end for x in p]),
            "log_weight_gradient_v": np.array([log_norm(x) - start - end for x in self.gradient_v]),
            "log_weight_gradient_w": np.array([log_norm(x) - start - end for x in self.gradient_w]),
        }


def forward(w, sigma, h):
    """Return the states h_0 ... h_L and the pre-activations."""
    states, pre_activations = [h], []
    for k in range(len(w.V)):
        z = states[-1] if w.W is None else w.W[k] @ states[-1] + (0.0 if w.b is None else w.b[k])
        pre_activations.append(z)
        states.append(states[-1] + w.alpha * w.V[k] @ sigma(z))
    return states, pre_activations


def reference(w, activation):
    sigma, slope = ACTIVATIONS[activation] if isinstance(activation, str) else activation
    h, z = forward(w, sigma, w.A @ w.x)
    p, gradient_v, gradient_w, least_back = [w.readout], [], [], math.inf
    for k in reversed(range(len(w.V))):
        gradient_v.insert(0, w.alpha * np.outer(p[0], sigma(z[k])))
        back = slope(z[k]) * (w.V[k].T @ p[0])
        if slope(z[k]).any():
            least_back = min(
                least_back,
                float(
                    np.linalg.norm(back)
                    / np.linalg.norm(slope(z[k]))
                    * math.sqrt(len(back))
                    / np.linalg.norm(p[0])
                ),
            )
        if w.W is None:
            p.insert(0, p[0] + w.alpha * back)
        else:
            gradient_w.insert(0, w.alpha * np.outer(back, h[k]))
            p.insert(0, p[0] + w.alpha * w.W[k].T @ back)
    sizes = [
        max(np.linalg.norm(x), np.linalg.norm(y)) / math.sqrt(len(x)) for x, y in zip(z, h[:-1], strict=True)
    ]
    clearance = min(float(np.abs(x).min()) / size for x, size in zip(z, sizes, strict=True))
    return Reference(h, p, gradient_v, gradient_w, least_back, clearance)


@functools.lru_cache(maxsize=16)
def reference_of(net, replica, seed, activation=None):
    return reference(weights(net, replica=replica, seed=seed), activation or net.activation)


def is_comparable(exact, kinked):
    """Whether float32 products determine the logs to 1e-5.

    Narrow networks can cancel by chance (with signs for weights even exactly), and a kink between the
    float32 and the float64 pre-activation changes a gradient by a finite amount: 1e-5 of the neighbourhood
    is a hundred times the rounding.
    """
    determined = exact.condition < 60.0 and exact.least_back > 0.02
    return determined and exact.clearance > (1e-5 if kinked else 1e-2 / len(exact.h[0]) ** 4)


def assert_agrees(net, *, replicas, seed, activation=None, tolerance=TOLERANCE):
    """Compare every column of every comparable replica; return how many these were."""
    sample = simulate(net, replicas=replicas, seed=seed, threads=1, trajectories=True, weight_gradients=True)
    compared = 0
    for replica in range(replicas):
        expected = reference_of(net, replica, seed, activation)
        if not is_comparable(expected, activation is not None or net.activation in KINKED):
            continue
        compared += 1
        columns = expected.columns()
        for name, column in sample.columns.items():
            np.testing.assert_allclose(
                column[replica], columns[name], rtol=0.0, atol=tolerance, err_msg=f"{name} {replica}"
            )
    return compared


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("law", sorted(LAWS))
@pytest.mark.parametrize(("block", "activation"), NETWORKS)
def test_agrees_with_the_plain_recursion(block, activation, law, width):
    net = ResNet(
        width=width, depth=4 if width > 100 else 9, beta=0.4, block=block, activation=activation, weights=law,
        bias_std=0.3 if block == "res-2" else 0.0, input_dim=20,
    )  # fmt: skip
    replicas = {1: 12, 130: 1}.get(width, 3)
    assert assert_agrees(net, replicas=replicas, seed=6) >= (2 if width == 1 else min(replicas, 2))


@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_blocks_with_inner_weights_work_without_biases(activation):
    net = ResNet(width=7, depth=9, beta=0.4, block="res-2", activation=activation)
    assert assert_agrees(net, replicas=3, seed=1) == 3


def test_relu_blocks_2_and_3_are_the_same_network():
    res_2, res_3 = (
        simulate(ResNet(width=7, depth=9, beta=0.4, block=block), replicas=5, seed=1)
        for block in ("res-2", "res-3")
    )
    for name in LOG_RATIOS:
        assert np.array_equal(res_2[name], res_3[name])


@settings(max_examples=60)
@given(
    network=st.sampled_from(NETWORKS),
    law=st.sampled_from(sorted(LAWS)),
    width=st.integers(2, 40),
    depth=st.integers(1, 30),
    beta=st.floats(0.2, 2.0),
    bias_std=st.floats(0.01, 2.0),
    input_dim=st.integers(1, 70),
    seed=st.integers(0, 2**64),
)
def test_agrees_for_any_specification(network, law, width, depth, beta, bias_std, input_dim, seed):
    block, activation = network
    net = ResNet(
        width=width, depth=depth, beta=beta, block=block, activation=activation, weights=law,
        bias_std=bias_std if block == "res-2" else 0.0, input_dim=input_dim,
    )  # fmt: skip
    assume(assert_agrees(net, replicas=1, seed=seed, tolerance=1e-4) == 1)


def test_typical_error_is_far_below_the_tolerance():
    net = ResNet(width=40, depth=60, beta=0.5, weights="uniform")
    sample = simulate(net, replicas=8, seed=2, threads=1)
    expected = [reference_of(net, i, 2).columns() for i in range(8)]
    errors = [abs(sample[name][i] - expected[i][name]) for i in range(8) for name in LOG_RATIOS]
    assert np.median(errors) < 1e-6


@pytest.mark.parametrize("block", ["res-1", "res-2"])
@pytest.mark.parametrize("slope", [None, 0.2])
def test_a_users_own_activation(block, slope):
    if slope is None:
        bent = Activation("bent", lambda x: 0.5 * x + math.sin(x) / 3.0, lambda x: 0.5 + math.cos(x) / 3.0)
        plain = (lambda x: 0.5 * x + np.sin(x) / 3.0, lambda x: 0.5 + np.cos(x) / 3.0)
    else:
        bent = Activation(
            "bent", lambda x: x if x > 0.0 else 0.2 * x, lambda x: 1.0 if x > 0.0 else 0.2, negative_slope=0.2
        )
        plain = (lambda x: np.where(x > 0, x, 0.2 * x), lambda x: np.where(x > 0, 1.0, 0.2))
    net = ResNet(width=10, depth=9, beta=0.4, block=block, activation=bent)
    assert assert_agrees(net, replicas=3, seed=4, activation=plain) == 3


def test_an_activation_with_a_value_at_zero():
    wave = Activation("cosine", lambda x: math.cos(x) + 0.0, lambda x: -math.sin(x))
    net = ResNet(width=10, depth=9, beta=0.4, block="res-2", activation=wave, bias_std=0.2)
    assert assert_agrees(net, replicas=3, seed=4, activation=(np.cos, lambda x: -np.sin(x))) == 3


@pytest.mark.parametrize("activation", sorted(SMOOTH))
@pytest.mark.parametrize("block", ["res-1", "res-2"])
def test_backward_pass_of_the_reference_by_finite_differences(block, activation):
    net = ResNet(
        width=5, depth=4, beta=0.3, block=block, activation=activation,
        bias_std=0.5 if block == "res-2" else 0.0,
    )  # fmt: skip
    w = weights(net, replica=0, seed=9)
    sigma = SMOOTH[activation][0]
    exact, step = reference(w, activation), 1e-5

    def output(h=None):
        return w.readout @ forward(w, sigma, w.A @ w.x if h is None else h)[0][-1]

    def differences(array, evaluate):
        result = np.empty_like(array)
        for index in np.ndindex(array.shape):
            saved = array[index]
            array[index] = saved + step
            above = evaluate()
            array[index] = saved - step
            result[index] = (above - evaluate()) / (2 * step)
            array[index] = saved
        return result

    h_0 = w.A @ w.x
    np.testing.assert_allclose(differences(h_0, lambda: output(h_0)), exact.p[0], rtol=1e-6, atol=1e-8)
    for k in range(net.depth):
        np.testing.assert_allclose(differences(w.V[k], output), exact.gradient_v[k], rtol=1e-6, atol=1e-8)
        if block == "res-2":
            np.testing.assert_allclose(differences(w.W[k], output), exact.gradient_w[k], rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("block", ["res-1", "res-3"])
def test_paths_end_where_the_columns_say(block):
    net = ResNet(width=12, depth=30, beta=0.5, block=block)
    sample = simulate(net, replicas=20, seed=3, trajectories=True, weight_gradients=True)
    hidden, gradient = sample["log_hidden_path"], sample["log_gradient_path"]
    assert hidden.shape == gradient.shape == (20, 31)
    assert np.array_equal(hidden[:, -1], sample["log_hidden_ratio"])
    assert np.array_equal(gradient[:, 0], sample["log_gradient_ratio"])
    assert not hidden[:, 0].any()
    assert not gradient[:, -1].any()
    assert sample["log_weight_gradient_v"].shape == (20, 30)
    assert ("log_weight_gradient_w" in sample.columns) == (block != "res-1")


def test_columns_are_those_asked_for():
    net = ResNet(width=4, depth=3, beta=0.5)
    assert list(simulate(net, replicas=2, seed=1).columns) == list(LOG_RATIOS)
    bare = simulate(net, replicas=2, seed=1, gradients="none")
    assert list(bare.columns) == ["log_hidden_ratio", "log_hidden_difference"]
    assert (
        "log_gradient_path"
        not in simulate(net, replicas=2, seed=1, gradients="none", trajectories=True).columns
    )
    full = simulate(net, replicas=2, seed=1, weight_gradients=True)
    assert set(LOG_RATIOS) < set(full.columns)


def test_activations_known_by_name_are_all_compared():
    assert set(ACTIVATIONS) == set(BUILT_IN)
