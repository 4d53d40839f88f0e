"""J0: an isotropic tangent that does not depend on the network grows forward as a gradient grows backward.

‖J v‖ and ‖Jᵀ p‖ have one law, and so have ‖J v - v‖ and ‖Jᵀ p - p‖.

Forward with explicit matrices in numpy, backward by the Gaussian engine, which has none. The false alarm is
1e-6 for the twenty comparisons of right laws together.
"""

import numpy as np
import pytest

from montecarlo import ResNet, simulate
from montecarlo.estimates import same_law

pytestmark = [pytest.mark.usefixtures("warm_kernels"), pytest.mark.statistical]

SEED = 20241101
REPLICAS = 12_000
FALSE_ALARM = 1e-6 / 20
TANH = {"block": "res-2", "activation": "tanh"}
FIELDS = {"width": 4, "hidden_width": 7, "depth": 6, "alpha": 0.7, "input_dim": 5}
NETWORKS = [
    ResNet(**FIELDS, norm=norm, **others)
    for norm, others in (
        ("none", {"skip": 0.8, "schedule": "power:0.5"}),
        ("pre-rms", {}),
        ("pre-layer", {"schedule": "power:0.5"}),
        ("post-rms", TANH),
        ("post-layer", {"skip": 0.7}),
        ("peri-rms", TANH),
        ("peri-layer", {**TANH, "bias_std": 0.4}),
        ("pre-rms", {**TANH, "norm_eps": 0.3}),
        ("pre-tanh:0.7", {}),
    )
]


def normalised(net, x, t):
    """Return the norm of vectors and its derivative along tangents."""
    norm = net.normalisation
    if norm.kind == "tanh":
        value = np.tanh(norm.gamma * x)
        return value, norm.gamma * (1.0 - value**2) * t
    if norm.kind == "layer":
        x, t = (a - a.mean(axis=1, keepdims=True) for a in (x, t))
    root = np.sqrt(np.mean(x * x, axis=1, keepdims=True) + net.norm_eps)
    n = x / root
    return n, (t - n * np.mean(n * t, axis=1, keepdims=True)) / root


def bent(net, x, t):
    """Return the activation of vectors and its derivative along tangents."""
    if net.activation == "tanh":
        value = np.tanh(x)
        return value, (1.0 - value**2) * t
    return np.maximum(x, 0.0), (x > 0.0) * t


def tangent_growth(net, *, along_the_start=False):
    """Return log ‖J v‖/‖v‖ and log ‖J v - v‖/‖v‖ of networks with matrices."""
    rng = np.random.default_rng(SEED)
    d, M, place = net.width, net.inner_width, net.norm.partition("-")[0]

    def normal(*shape):
        return rng.standard_normal((REPLICAS, *shape))

    x = rng.uniform(size=(REPLICAS, net.input_dim, 1))
    h = (normal(d, net.input_dim) @ x)[..., 0] / np.sqrt(net.input_dim)
    t = v = h.copy() if along_the_start else normal(d)
    for a in net.scaling * (np.ones(net.depth) if net.factors is None else net.factors):
        g, s = normalised(net, h, t) if place in ("pre", "peri") else (h, t)
        w = normal(M, d) / np.sqrt(d)
        g, s = ((w @ y[..., None])[..., 0] for y in (g, s))
        g, s = bent(net, g + net.bias_std * normal(M), s)
        w = normal(d, M) / np.sqrt(M)
        g, s = ((w @ y[..., None])[..., 0] for y in (g, s))
        g, s = normalised(net, g, s) if place == "peri" else (g, s)
        h, t = net.skip * h + a * g, net.skip * t + a * s
        h, t = normalised(net, h, t) if place == "post" else (h, t)
    size = np.linalg.norm(v, axis=1)
    return [np.log(np.linalg.norm(y, axis=1) / size) for y in (t, t - v)]


def gradient_growth(net):
    sample = simulate(net, replicas=REPLICAS, seed=SEED, engine="gaussian")
    return [sample["log_gradient_ratio"], sample["log_gradient_difference"]]


@pytest.mark.parametrize("net", NETWORKS, ids=repr)
def test_tangents_grow_as_gradients_do(net):
    for forward, backward in zip(tangent_growth(net), gradient_growth(net), strict=True):
        test = same_law(forward, backward, false_alarm=FALSE_ALARM)
        assert not test.refuted, str(test)


@pytest.mark.parametrize("norm", ["pre-rms", "pre-layer"])
def test_a_tangent_that_knows_the_network_is_refuted(norm):
    net = ResNet(**FIELDS, norm=norm)
    forward, backward = tangent_growth(net, along_the_start=True), gradient_growth(net)
    assert same_law(forward[0], backward[0], false_alarm=FALSE_ALARM).refuted


def test_another_length_of_a_norm_is_refuted():
    right, wrong = (ResNet(**FIELDS, norm="pre-rms", norm_eps=eps) for eps in (0.0, 0.3))
    forward, backward = tangent_growth(wrong), gradient_growth(right)
    assert same_law(forward[1], backward[1], false_alarm=FALSE_ALARM).refuted
