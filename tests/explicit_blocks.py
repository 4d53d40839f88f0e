"""Networks with explicit matrices and a backward pass by hand, in numpy alone: what theory is held against.

Blocks ``h' = b h + a V σ(W n(h))``, with a norm before the branch (``pre``, ``layer``), before and around it
(``peri``), on the stream (``post``), tanh before it (``dyt``), or none; and ``post-activation``, ``h' = b h +
aσ(Vh)``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import special

FUNCTIONS = {
    "relu": (lambda x: np.maximum(x, 0.0), lambda x: (x > 0).astype(float)),
    "tanh": (np.tanh, lambda x: 1 / np.cosh(x) ** 2),
    "gelu": (
        lambda x: x * special.ndtr(x),
        lambda x: special.ndtr(x) + x * np.exp(-x * x / 2) / math.sqrt(2 * math.pi),
    ),
}


@dataclass(frozen=True)
class Networks:
    """Squares, one a network; ``value``, ``weight`` and ``gate`` also one a layer (networks, layers)."""

    start: np.ndarray
    hidden: np.ndarray
    difference: np.ndarray
    centred: np.ndarray
    cosine: np.ndarray
    mean: np.ndarray
    tangent: np.ndarray
    tangent_difference: np.ndarray
    gradient: np.ndarray
    gradient_difference: np.ndarray
    overlap: np.ndarray
    value: np.ndarray
    weight: np.ndarray
    gate: np.ndarray


def _dots(a, b):
    return np.einsum("ni,ni->n", a, b)


def _norm(h, kind):
    """n(h) and its derivative, which is symmetric."""
    d = h.shape[1]
    if kind == "layer":
        h = h - h.mean(1, keepdims=True)
    size = np.sqrt(_dots(h, h))[:, None]
    unit = h / size

    def derivative(v):
        if kind == "layer":
            v = v - v.mean(1, keepdims=True)
        return math.sqrt(d) / size * (v - unit * _dots(unit, v)[:, None])

    return math.sqrt(d) * unit, derivative


def _draw(rng, shape, law):
    return rng.choice([-1.0, 1.0], shape) if law == "rademacher" else rng.standard_normal(shape)


def isotropic(rng, nets, width):
    """Uniform directions on the unit sphere (nets, width)."""
    x = rng.standard_normal((nets, width))
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def explicit_networks(
    rng,
    *,
    nets,
    width,
    depth,
    alpha,
    hidden_width=None,
    kind="none",
    activation="relu",
    skip=1.0,
    input_scale=1.0,
    gain=1.0,
    law=("gaussian", "gaussian"),
    h0=None,
    tangent=None,
    p_last=None,
):
    """Draw networks; `law` is that of W and of V, `h0`, `tangent` and `p_last` (nets, width) or (width,)."""
    d, M = width, width if hidden_width is None else hidden_width
    a, b, s = (np.broadcast_to(x, depth) for x in (alpha, skip, input_scale))
    sigma, slope = FUNCTIONS[activation]
    first = np.eye(d)[0] * math.sqrt(d) if h0 is None else np.asarray(h0, float)
    h = np.broadcast_to(first, (nets, d)).copy()
    T = isotropic(rng, nets, d) if tangent is None else np.broadcast_to(tangent, (nets, d)).copy()
    t0, h_0, back = T, h, []
    for k in range(depth):
        tape = {}
        x = h
        if kind in ("pre", "layer", "peri"):
            x, tape["in"] = _norm(h, "layer" if kind == "layer" else "rms")
        elif kind == "dyt":
            x = np.tanh(gain * h)
            factor = gain * (1 - x * x)
            tape["in"] = lambda v, factor=factor: factor * v
        W = _draw(rng, (nets, d if kind == "post-activation" else M, d), law[0]) * (s[k] / math.sqrt(d))
        u = np.einsum("nij,nj->ni", W, x)
        tape["W"], tape["x"], tape["slope"], g = W, x, slope(u), sigma(u)
        tape["g"] = g
        dx = tape["in"](T) if "in" in tape else T
        dg = tape["slope"] * np.einsum("nij,nj->ni", W, dx)
        if kind == "post-activation":
            y, dy = g, dg
        else:
            V = _draw(rng, (nets, d, M), law[1]) / math.sqrt(M)
            tape["V"] = V
            y, dy = np.einsum("nij,nj->ni", V, g), np.einsum("nij,nj->ni", V, dg)
        if kind == "peri":
            y, tape["out"] = _norm(y, "rms")
            dy = tape["out"](dy)
        tape["y"], tape["h"] = y, h
        h, T = b[k] * h + a[k] * y, b[k] * T + a[k] * dy
        if kind == "post":
            h, tape["post"] = _norm(h, "rms")
            T = tape["post"](T)
        back.append(tape)
    p = isotropic(rng, nets, d) if p_last is None else np.broadcast_to(p_last, (nets, d)).copy()
    p_L, h_L = p, h
    value, weight, gate = (np.zeros((nets, depth)) for _ in range(3))
    for k in range(depth - 1, -1, -1):
        tape = back[k]
        if "post" in tape:
            p = tape["post"](p)
        gate[:, k] = _dots(p, tape["y"]) ** 2
        q = tape["out"](p) if "out" in tape else p
        if "V" in tape:
            value[:, k] = a[k] ** 2 * _dots(q, q) * _dots(tape["g"], tape["g"])
            q = np.einsum("nij,ni->nj", tape["V"], q)
        q = tape["slope"] * q
        weight[:, k] = a[k] ** 2 * _dots(q, q) * _dots(tape["x"], tape["x"])
        q = np.einsum("nij,ni->nj", tape["W"], q)
        if "in" in tape:
            q = tape["in"](q)
        p = b[k] * p + a[k] * q
    centred = h_L - h_L.mean(1, keepdims=True)
    start = _dots(h_0, h_0)
    return Networks(
        start=start,
        hidden=_dots(h_L, h_L),
        difference=_dots(h_L - np.prod(b) * h_0, h_L - np.prod(b) * h_0),
        centred=_dots(centred, centred),
        cosine=_dots(h_L, h_0) / np.sqrt(start * _dots(h_L, h_L)),
        mean=h_L.mean(1),
        tangent=_dots(T, T),
        tangent_difference=_dots(T - t0, T - t0),
        gradient=_dots(p, p) / _dots(p_L, p_L),
        gradient_difference=_dots(p - p_L, p - p_L) / _dots(p_L, p_L),
        overlap=np.stack([_dots(p, h_0), _dots(p_L, h_L)]),
        value=value,
        weight=weight,
        gate=gate,
    )


def standard_errors(sample, mean):
    """Distance of a sample mean from `mean` in standard errors; 5.5 of them are 4e-8 by chance."""
    return abs(sample.mean() - mean) / (sample.std() / math.sqrt(sample.size))


def kolmogorov(sample, law):
    """Kolmogorov distance over the bound that it passes with probability 4e-8 (Dvoretzky and others)."""
    x = np.sort(sample)
    cdf = np.asarray(law.cdf(x))
    ranks = np.arange(x.size + 1) / x.size
    distance = max(np.max(ranks[1:] - cdf), np.max(cdf - ranks[:-1]))
    return distance / math.sqrt(math.log(2 / 4e-8) / (2 * x.size))
