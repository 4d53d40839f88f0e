"""Networks of the block language in float64 numpy, for one replica: what engines are compared with.

Forward as one reads the specification, backward by central differences.
"""

import math

import numpy as np
from plain_networks import ACTIVATIONS

from montecarlo import simulate, weights

STEP = 1e-6


def normalised(net, x):
    kind = net.normalisation.kind
    if kind == "tanh":
        return np.tanh(net.normalisation.gamma * x)
    if kind == "layer":
        x = x - x.mean()
    return x / math.sqrt(np.mean(x * x) + net.norm_eps)


def states(net, w, h, first=0):
    """Return h_first ... h_L of the specification as one reads it."""
    sigma = ACTIVATIONS[net.activation][0]
    place = net.norm.partition("-")[0]
    path = [h]
    for k in range(first, net.depth):
        g = normalised(net, h) if place in ("pre", "peri") else h
        if w.W is not None:
            g = w.W[k] @ g + (0.0 if w.b is None else w.b[k])
        if w.signs is not None:
            g = w.signs[k] * g
        g = sigma(w.V[k] @ g) if net.block == "post-activation" else w.V[k] @ sigma(g)
        h = w.skip * h + w.alphas[k] * (normalised(net, g) if place == "peri" else g)
        if place == "post":
            h = normalised(net, h)
        path.append(h)
    return path


def slopes(array, evaluate):
    """Return the gradient of ``evaluate()`` in the entries of an array, by central differences."""
    result = np.empty_like(array)
    step = STEP * math.sqrt(np.mean(array * array))
    for index in np.ndindex(array.shape):
        saved = array[index]
        array[index] = saved + step
        above = evaluate()
        array[index] = saved - step
        result[index] = (above - evaluate()) / (2.0 * step)
        array[index] = saved
    return result


def expected(net, replica, seed):
    """Return all columns of one network."""
    w = weights(net, replica=replica, seed=seed)
    h_0 = w.A @ w.x
    path = states(net, w, h_0)

    def output(k=0, h=h_0):
        return w.readout @ states(net, w, h, k)[-1]

    def gradient(k):
        h = path[k].copy()
        return slopes(h, lambda: output(k, h))

    p = [*(gradient(k) for k in range(net.depth)), w.readout]
    start, end = np.linalg.norm(h_0), np.linalg.norm(w.readout)

    def log(x, scale):
        norm = float(np.linalg.norm(x))
        return math.log(norm / scale) if norm > 0.0 else -math.inf

    columns = {
        "log_hidden_ratio": log(path[-1], start),
        "log_hidden_difference": log(path[-1] - h_0, start),
        "log_gradient_ratio": log(p[0], end),
        "log_gradient_difference": log(p[0] - p[-1], end),
        "log_hidden_path": [log(h, start) for h in path],
        "log_gradient_path": [log(x, end) for x in p],
        "log_weight_gradient_v": [log(slopes(v, output), start * end) for v in w.V],
        "log_gate_gradient": [log(slope, start * end) for slope in slopes(w.alphas, output)],
    }
    if w.W is not None:
        columns["log_weight_gradient_w"] = [log(slopes(m, output), start * end) for m in w.W]
    return columns


def assert_agrees(net, *, engine, replica=0, seed=3, tolerance=1e-4):
    """Compare every column of one replica."""
    sample = simulate(
        net, replicas=replica + 1, seed=seed, threads=1, engine=engine, trajectories=True,
        weight_gradients=True, gate_gradients=True,
    )  # fmt: skip
    columns = expected(net, replica, seed)
    assert set(columns) == set(sample.columns)
    # A gate's gradient is a product of two vectors, whose terms may cancel: their size is that of W's.
    pair = (c.pop("log_gate_gradient") for c in (sample.columns, columns))
    gates = [np.exp(column) for column in pair]
    gates[0] = gates[0][replica]
    np.testing.assert_allclose(*gates, rtol=tolerance, atol=tolerance * np.max(gates), err_msg="gates")
    for name, column in sample.columns.items():
        np.testing.assert_allclose(column[replica], columns[name], rtol=0.0, atol=tolerance, err_msg=name)
