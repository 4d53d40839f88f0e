"""`simulate_inputs` on norms, hidden widths, skips, schedules and post-activation blocks.

Two inputs and a tangent of the first, against explicit matrices; the tangents of these are central
differences. A false alarm of 1e-6 over all comparisons; the seeds may be changed once, with a reason.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from plain_networks import ACTIVATIONS

from montecarlo import ResNet, simulate_inputs
from montecarlo.estimates import same_law

pytestmark = [pytest.mark.usefixtures("warm_kernels"), pytest.mark.statistical]

GRAM = np.array([[4.0, 1.0, 0.5], [1.0, 3.0, -0.2], [0.5, -0.2, 1.0]])
NETS = [
    {"norm": "pre-rms", "hidden_width": 9},
    {"norm": "peri-layer", "block": "res-2", "activation": "tanh", "bias_std": 0.3, "hidden_width": 3},
    {"norm": "post-layer", "skip": 0.8, "schedule": (1.0, 0.5, 2.0)},
    {"norm": "pre-tanh:0.7", "block": "res-1", "activation": "gelu"},
    {"block": "post-activation", "activation": "tanh", "skip": 1.2},
]
ROWS = 8000
FALSE_ALARM = 1e-6 / (len(NETS) * 6)
STEP = 1e-4


def normalised(net, x):
    kind = net.normalisation.kind
    if kind == "tanh":
        return np.tanh(net.normalisation.gamma * x)
    if kind == "layer":
        x = x - x.mean(axis=2, keepdims=True)
    return x / np.sqrt(np.mean(x * x, axis=2, keepdims=True))


def explicit(net, seed):
    """Return the vectors h, h' and J t of networks with matrices of their own, shape (n, 3, d)."""
    rng = np.random.default_rng(seed)
    d, M = net.width, net.inner_width
    place, sigma = net.norm.partition("-")[0], ACTIVATIONS[net.activation][0]
    frame = np.linalg.qr(rng.standard_normal((ROWS, d, d)))[0]
    x, y, t = np.einsum("vk,nik->vni", np.linalg.cholesky(GRAM), frame[:, :, :3])
    h = np.stack([x, y, x + STEP * t, x - STEP * t], axis=1)
    for k in range(net.depth):
        a = net.scaling * (1.0 if net.factors is None else net.factors[k])
        V = rng.standard_normal((ROWS, d, M)) / math.sqrt(M)
        W = rng.standard_normal((ROWS, M, d)) / math.sqrt(d)
        b = net.bias_std * rng.standard_normal((ROWS, 1, M))
        g = normalised(net, h) if place in ("pre", "peri") else h
        if net.has_w:
            g = np.einsum("nij,nvj->nvi", W, g) + b
        outer = net.block == "post-activation"
        g = np.einsum("nij,nvj->nvi", V, g if outer else sigma(g))
        g = sigma(g) if outer else g
        h = net.skip * h + a * (normalised(net, g) if place == "peri" else g)
        h = normalised(net, h) if place == "post" else h
    return np.stack([h[:, 0], h[:, 1], (h[:, 2] - h[:, 3]) / (2.0 * STEP)], axis=1)


def statistics(vectors):
    norms = np.linalg.norm(vectors, axis=2)
    cosines = np.einsum("nvi,nwi->nvw", vectors, vectors) / (norms[:, :, None] * norms[:, None, :])
    return np.log(norms), cosines


@pytest.mark.parametrize("fields", NETS, ids=str)
def test_inputs_and_tangents_have_the_law_of_matrices(fields):
    net = ResNet(width=5, depth=3, alpha=0.7, **fields)
    sample = simulate_inputs(net, GRAM, tangents=[0], layers=[3], replicas=ROWS, seed=12)
    log_norm, cosine = statistics(explicit(net, 13))
    for v in range(3):
        found = sample.log_norm[:, 0, v]
        if not (net.norm.startswith("post") and v < 2):  # of one length
            assert not same_law(found, log_norm[:, v], false_alarm=FALSE_ALARM).refuted
        w = (v + 1) % 3
        if net.norm.startswith("post") and (v, w) == (2, 0):  # orthogonal: its rounding has no law
            continue
        assert not same_law(sample.cosine[:, 0, v, w], cosine[:, v, w], false_alarm=FALSE_ALARM).refuted
    wrong = statistics(explicit(ResNet(width=5, depth=3, alpha=0.9, **fields), 14))
    pairs = ((sample.log_norm[:, 0, 2], wrong[0][:, 2]), (sample.cosine[:, 0, 0, 1], wrong[1][:, 0, 1]))
    assert any(same_law(found, other, false_alarm=FALSE_ALARM).refuted for found, other in pairs)


def test_a_norm_forgets_the_length_of_an_input():
    """A factor 2**200 of one input and of its tangent: only the stream keeps it."""
    net = ResNet(width=6, depth=4, alpha=0.7, norm="post-rms")
    sample = simulate_inputs(net, GRAM[:1, :1], replicas=5, seed=1)
    large = simulate_inputs(net, 2.0**400 * GRAM[:1, :1], replicas=5, seed=1)
    plain, scaled = sample.log_norm[:, 1:, 0], large.log_norm[:, 1:, 0]
    np.testing.assert_allclose(scaled, plain, rtol=1e-12)
    np.testing.assert_allclose(plain, 0.5 * math.log(6.0), rtol=1e-12)
