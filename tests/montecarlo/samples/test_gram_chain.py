"""The chain of Gram matrices for several inputs: identities, its law against images and matrices."""

import math

import numpy as np
import pytest

from montecarlo import Activation, InvalidFieldError, ResNet, simulate_inputs
from montecarlo.estimates import same_law

TRIO = np.array([[3.0, 1.5, 0.3], [1.5, 2.0, -0.4], [0.3, -0.4, 1.0]])
NETWORKS = [
    {"block": "res-3"},
    {"block": "res-2", "activation": "tanh", "bias_std": 0.7},
    {"block": "res-2", "activation": "leaky-relu"},
]
NAMES = [" ".join(str(x) for x in net.values()) for net in NETWORKS]
of_every_kind = pytest.mark.parametrize("fields", NETWORKS, ids=NAMES)
NETS = 3000


def sampled(net, *, seed=3, replicas=NETS, engine="gram", gram=TRIO, **given):
    return simulate_inputs(net, gram, replicas=replicas, seed=seed, engine=engine, threads=1, **given)


def statistics(sample):
    """Columns that see norms, angles and how they go together, at the last layer."""
    norms, cosines = sample.log_norm[:, -1], sample.cosine[:, -1]
    return {
        "norm": norms[:, 0],
        "second norm": norms[:, 2],
        "norms": norms[:, 0] - norms[:, 1],
        "cosine": cosines[:, 0, 1],
        "second cosine": cosines[:, 1, 2],
        "norm and cosine": norms[:, 0] + 2 * cosines[:, 0, 1],
        "three": cosines[:, 0, 1] * cosines[:, 0, 2] - cosines[:, 1, 2],
    }


def assert_one_law(left, right):
    left, right = statistics(left), statistics(right)
    for name, column in left.items():
        assert not same_law(column, right[name], false_alarm=1e-6 / len(left)).refuted, name


@of_every_kind
@pytest.mark.parametrize(("threads", "block_size"), [(1, 1), (2, 7), (2, None)])
def test_rows_depend_on_seed_and_replica_alone(fields, threads, block_size):
    net = ResNet(width=5, depth=4, alpha=0.4, **fields)
    whole = sampled(net, replicas=20, tangents=[1])
    parts = simulate_inputs(
        net, TRIO, replicas=12, seed=3, tangents=[1], first_replica=8, layers=[0, 3, 4], engine="gram",
        threads=threads, block_size=block_size,
    )  # fmt: skip
    np.testing.assert_array_equal(parts.log_norm, whole.log_norm[8:, [0, 3, 4]])
    np.testing.assert_array_equal(parts.cosine, whole.cosine[8:, [0, 3, 4]])
    assert whole.n_nonfinite == 0


def test_the_start_is_the_given_matrix():
    start = sampled(ResNet(width=4, depth=1, alpha=0.4), replicas=3, layers=[0])
    norms = np.sqrt(np.diag(TRIO))
    np.testing.assert_allclose(start.log_norm[:, 0], np.tile(np.log(norms), (3, 1)), atol=1e-14)
    np.testing.assert_allclose(
        start.cosine[:, 0], np.tile(TRIO / np.outer(norms, norms), (3, 1, 1)), atol=1e-14
    )


@pytest.mark.statistical
@of_every_kind
@pytest.mark.parametrize("width", [3, 4, 9])  # no direction across the vectors; fewer than vectors; more
def test_both_engines_have_one_law(fields, width):
    # False alarm 1e-6 for each pair of samples.
    net = ResNet(width=width, depth=5, alpha=0.5, **fields)
    assert_one_law(sampled(net), sampled(net, engine="gaussian", seed=4))


@pytest.mark.statistical
def test_a_wrong_scaling_is_noticed():
    net, wrong = (ResNet(width=4, depth=5, alpha=a) for a in (0.5, 0.6))
    with pytest.raises(AssertionError):
        assert_one_law(sampled(net), sampled(wrong, engine="gaussian", seed=4))


@pytest.mark.statistical
def test_tangents_have_one_law():
    net = ResNet(width=4, depth=5, alpha=0.5, block="res-2", activation="gelu", bias_std=0.3)
    assert_one_law(sampled(net, tangents=[0]), sampled(net, engine="gaussian", seed=4, tangents=[0]))


class Explicit:
    """The last layer of networks of explicit matrices, with the two arrays of a joint sample."""

    def __init__(self, net, *, nets, seed):
        rng = np.random.default_rng(seed)
        d, M = net.width, net.inner_width
        h = np.zeros((nets, 3, d)) + np.linalg.cholesky(TRIO) @ np.eye(3, d)
        factors = np.ones(net.depth) if net.factors is None else net.factors
        for k in range(net.depth):
            x = h
            if net.norm == "pre-rms":
                x = h / np.sqrt(np.mean(h * h, axis=2, keepdims=True) + net.norm_eps)
            W = rng.standard_normal((nets, d, M)) / math.sqrt(d)
            V = rng.standard_normal((nets, M, d)) / math.sqrt(M)
            h = net.skip * h + net.scaling * factors[k] * np.maximum(x @ W, 0.0) @ V
        gram = h @ np.swapaxes(h, 1, 2)
        norms = np.sqrt(np.einsum("naa->na", gram))
        self.log_norm = np.log(norms)[:, None]
        self.cosine = (gram / norms[:, :, None] / norms[:, None, :])[:, None]


@pytest.mark.statistical
@pytest.mark.parametrize(
    "fields",
    [
        {"hidden_width": 7, "skip": 0.7},
        {"hidden_width": 2, "schedule": "power:0.5"},
        {"norm": "pre-rms", "hidden_width": 3},
        {"norm": "pre-rms", "norm_eps": 0.5},
    ],
    ids=str,
)
def test_the_chain_has_the_law_of_explicit_matrices(fields):
    net = ResNet(width=4, depth=3, alpha=0.6, **fields)
    sample = sampled(net, engine="auto")
    assert_one_law(sample, Explicit(net, nets=NETS, seed=5))


def test_equal_inputs_stay_nearly_equal_and_norms_may_be_anything():
    gram = np.array([[1.0, 1.0], [1.0, 1.0]])
    net = ResNet(width=3, depth=2000, alpha=1.5)
    sample = simulate_inputs(net, gram * 1e-200, replicas=4, seed=1, engine="gram", layers=[0, 2000])
    assert np.isfinite(sample.log_norm).all()
    assert np.ptp(sample.log_norm[:, 1], axis=1).max() < 1e-9
    assert (sample.cosine > 1 - 1e-12).all()
    assert np.abs(sample.log_norm[:, 1]).max() > 40


@pytest.mark.parametrize("engine", ["gram", "gaussian"])
def test_a_network_that_leaves_the_finite_numbers_is_marked(engine):
    power = Activation("power", lambda x: x**9, lambda x: 9.0 * x**8)
    net = ResNet(width=3, depth=40, alpha=10.0, block="res-2", activation=power)
    sample = simulate_inputs(net, np.eye(2), replicas=3, seed=1, engine=engine)
    assert sample.n_nonfinite == 3
    assert np.isnan(sample.log_norm).all()
    assert np.isnan(sample.cosine).all()


@pytest.mark.parametrize("fields", [{}, {"hidden_width": 8}, {"norm": "pre-rms", "schedule": "power:1"}])
def test_auto_takes_images(fields):
    net = ResNet(width=5, depth=3, alpha=0.4, **fields)
    np.testing.assert_array_equal(
        sampled(net, replicas=4, engine="auto").log_norm,
        sampled(net, replicas=4, engine="gaussian").log_norm,
    )


@pytest.mark.parametrize(
    ("fields", "given", "words"),
    [
        ({"block": "res-1"}, {"engine": "gram"}, ("block='res-1'", "matrix W")),
        ({"norm": "pre-layer"}, {"engine": "gram"}, ("norm='pre-layer'", "pre-rms")),
        ({"norm": "peri-rms"}, {"engine": "gram"}, ("norm='peri-rms'",)),
        ({"norm": "pre-rms"}, {"engine": "gram", "tangents": [0]}, ("tangents=[0]", "inputs alone")),
        ({"width": 2}, {"engine": "gram", "inputs": np.ones((3, 3))}, ("3 vectors", "engine='gaussian'")),
        ({}, {"engine": "dense"}, ("engine='dense'", "gram")),
        ({"block": "balanced"}, {"engine": "auto"}, ("block='balanced'",)),
    ],
)
def test_refusals_are_one_line(fields, given, words):
    net = ResNet(**{"width": 5, "depth": 3, "alpha": 0.4} | fields)
    with pytest.raises(InvalidFieldError) as error:
        simulate_inputs(net, **{"inputs": TRIO, "replicas": 2, "seed": 1} | given)
    for word in words:
        assert word in str(error.value)
    assert "\n" not in str(error.value)
