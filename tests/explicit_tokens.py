"""Transformers with every matrix drawn, in plain numpy: what the token engine is held against."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import erf

from montecarlo.networks._transformer import Transformer

Array = npt.NDArray[np.float64]

_STEP = 1e-5  # of central differences: an error of about 1e-9 relative


def _sigmoid(x: Array) -> Array:
    return 0.5 * (1.0 + np.tanh(0.5 * x))


_ACTIVATIONS = {
    "identity": lambda x: x,
    "relu": lambda x: np.maximum(x, 0.0),
    "leaky-relu": lambda x: np.where(x > 0.0, x, 0.01 * x),
    "tanh": np.tanh,
    "silu": lambda x: x * _sigmoid(x),
    "gelu-tanh": lambda x: 0.5 * x * (1.0 + np.tanh(math.sqrt(2.0 / math.pi) * (x + 0.044715 * x**3))),
    "gelu": lambda x: 0.5 * x * (1.0 + erf(x / math.sqrt(2.0))),
}


@dataclass
class Observed:
    """What is seen of one network."""

    streams: list[Array]
    """X at layers 0..L."""
    tangent_norms: list[float]
    """‖J_{k←0} T‖/‖T‖ at layers 0..L."""
    attentions: list[list[Array]]
    """A of each layer and head."""
    logits: list[list[Array]]


class ExplicitNetwork:
    """One network: its matrices, and its stream at every layer as a function of layer 0.

    With `mixed=False` heads forget to mix their values: W_O meets V's Gram matrix instead of ``A V``'s.
    """

    def __init__(self, net: Transformer, rng: np.random.Generator, *, mixed: bool = True) -> None:
        self.net, self.mixed = net, mixed
        self.rng = rng
        d, dh, hidden = net.width, net.head_dim, net.units
        self.relative = (
            rng.normal(0.0, net.position_std or 1.0, (32, net.heads))
            if (net.position == "relative")
            else None
        )
        self.layers = []
        for _ in range(net.depth):
            w = {}
            inner = net.heads * dh
            groups = net.kv_heads_given * dh
            w["q"] = rng.normal(0.0, 1.0, (d, inner)) * net.query_std
            w["k"] = rng.normal(0.0, 1.0, (d, groups)) * net.key_std
            w["v"] = rng.normal(0.0, 1.0, (d, groups)) * net.value_std
            for name, size in (("bq", inner), ("bk", groups), ("bv", groups)):
                w[name] = rng.normal(0.0, 1.0, size) * net.qkv_bias_std
            w["o"] = None if net.output_std is None else rng.normal(0.0, 1.0, (inner, d)) * net.output_std
            w["bo"] = rng.normal(0.0, 1.0, d) * net.output_bias_std
            w["up"] = rng.normal(0.0, 1.0, (d, hidden)) * net.up_std
            w["gate"] = rng.normal(0.0, 1.0, (d, hidden)) * net.gate_deviation
            w["bup"], w["bgate"] = rng.normal(0.0, 1.0, (2, hidden)) * net.up_bias_std
            w["down"] = rng.normal(0.0, 1.0, (hidden, d)) * net.down_std
            w["bdown"] = rng.normal(0.0, 1.0, d) * net.down_bias_std
            self.layers.append(w)

    def embedding(self) -> Array:
        net, rng = self.net, self.rng
        n, d = net.tokens, net.width
        x = rng.normal(0.0, 1.0, (n, d)) * net.token_std
        if net.patch_dim is not None:
            matrix = rng.normal(0.0, 1.0, (net.patch_dim, d)) * net.token_std
            x[1:] = rng.normal(0.0, 1.0, (n - 1, net.patch_dim)) @ matrix
        if net.position == "learned":
            x = x + rng.normal(0.0, 1.0, (n, d)) * net.position_std
        if net.position == "sinusoidal":
            angles = np.arange(n)[:, None] / 10_000.0 ** (2 * (np.arange(d) // 2) / d)
            x = x + np.where(np.arange(d) % 2 == 0, np.sin(angles), np.cos(angles))
        x = x + rng.normal(0.0, 1.0, d) * net.segment_std
        return self.normalise(x) if net.embedding_norm else x

    def normalise(self, x: Array) -> Array:
        if self.net.norm == "none":
            return x
        if self.net.norm == "layer":
            x = x - x.mean(axis=-1, keepdims=True)
        return x / np.sqrt((x**2).mean(axis=-1, keepdims=True) + self.net.norm_eps)

    def attention(self, x: Array, k: int) -> tuple[Array, list[Array], list[Array]]:
        net, w = self.net, self.layers[k]
        n, dh = net.tokens, net.head_dim
        q, key, v = x @ w["q"] + w["bq"], x @ w["k"] + w["bk"], x @ w["v"] + w["bv"]
        heads, mixing, all_logits = [], [], []
        for h in range(net.heads):
            g = h // (net.heads // net.kv_heads_given)
            qh, kh, vh = (
                q[:, h * dh : (h + 1) * dh],
                key[:, g * dh : (g + 1) * dh],
                v[:, g * dh : (g + 1) * dh],
            )
            if net.qk_norm:
                qh, kh = (z / np.sqrt((z**2).mean(axis=1, keepdims=True) + net.norm_eps) for z in (qh, kh))
            if net.position == "rotary":
                qh, kh = self.turned(qh), self.turned(kh)
            logits = net.logit_scale * qh @ kh.T
            if net.logit_cap is not None:
                logits = net.logit_cap * np.tanh(logits / net.logit_cap)
            if self.relative is not None:
                logits = logits + self.relative[self.buckets(), h]
            a = np.full((n, n), 1.0 / n)
            if net.attention != "uniform":
                allowed = (
                    np.tril(np.ones((n, n), bool)) if net.attention == "causal" else np.ones((n, n), bool)
                )
                a = np.where(
                    allowed, np.exp(logits - np.where(allowed, logits, -np.inf).max(1, keepdims=True)), 0
                )
                a = a / a.sum(axis=1, keepdims=True)
            mixing.append(a)
            all_logits.append(logits)
            heads.append(a @ vh if self.mixed else vh)
        z = np.concatenate(heads, axis=1)
        return (z if w["o"] is None else z @ w["o"]) + w["bo"], mixing, all_logits

    def turned(self, z: Array) -> Array:
        half = self.net.head_dim // 2
        angles = np.arange(len(z))[:, None] * self.net.rotary_base ** (-np.arange(half) / half)
        first, second = z[:, :half], z[:, half:]
        return np.concatenate(
            [
                first * np.cos(angles) - second * np.sin(angles),
                second * np.cos(angles) + first * np.sin(angles),
            ],
            1,
        )

    def buckets(self) -> npt.NDArray[np.int64]:
        """T5's buckets of both directions, sixteen each: eight exact, the rest logarithmic up to 128."""
        n = self.net.tokens
        found = np.zeros((n, n), np.int64)
        for i in range(n):
            for j in range(n):
                distance = abs(j - i)
                near = (
                    distance if distance < 8 else min(8 + int(math.log(distance / 8) / math.log(16) * 8), 15)
                )
                found[i, j] = near + (16 if j > i else 0)
        return found

    def mlp(self, x: Array, k: int) -> Array:
        w, sigma = self.layers[k], _ACTIVATIONS[self.net.activation]
        up = x @ w["up"] + w["bup"]
        hidden = sigma(x @ w["gate"] + w["bgate"]) * up if self.net.gated else sigma(up)
        return hidden @ w["down"] + w["bdown"]

    def add(self, x: Array, branch: Array, k: int) -> Array:
        net = self.net
        if net.placement == "peri":
            branch = self.normalise(branch)
        x = net.skip * x + net.alphas[k] * branch
        return self.normalise(x) if net.placement == "post" else x

    def forward(self, x: Array) -> tuple[list[Array], list[list[Array]], list[list[Array]]]:
        net = self.net
        streams, attentions, logits = [x], [], []
        for k in range(net.depth):
            inside = (lambda y: y) if net.placement == "post" else self.normalise
            if net.attention != "none":
                branch, mixing, these = self.attention(inside(x), k)
                attentions.append(mixing)
                logits.append(these)
                x = self.add(x, branch, k)
            if net.units:
                x = self.add(x, self.mlp(inside(x), k), k)
            streams.append(x)
        return streams, attentions, logits


def observe(
    net: Transformer, rng: np.random.Generator, *, tangent: bool = False, mixed: bool = True
) -> Observed:
    """Draw a network and look at it."""
    network = ExplicitNetwork(net, rng, mixed=mixed)
    x = network.embedding()
    streams, attentions, logits = network.forward(x)
    norms: list[float] = []
    if tangent:
        t = rng.normal(size=x.shape)
        t /= np.linalg.norm(t)
        h = _STEP * np.linalg.norm(x)
        ahead, behind = (network.forward(x + side * h * t)[0] for side in (1.0, -1.0))
        norms = [float(np.linalg.norm(a - b)) / (2.0 * h) for a, b in zip(ahead, behind, strict=True)]
    return Observed(streams, norms, attentions, logits)
