"""Transformers with every matrix drawn, in plain numpy: what the token engine is held against."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import erf

from montecarlo import Transformer

Array = npt.NDArray[np.float64]

_STEP = 1e-6  # of central differences, relative to the stream: an error of about 1e-9

_ACTIVATIONS = {
    "identity": lambda x: x,
    "relu": lambda x: np.maximum(x, 0.0),
    "leaky-relu": lambda x: np.where(x > 0.0, x, 0.01 * x),
    "tanh": np.tanh,
    "silu": lambda x: 0.5 * x * (1.0 + np.tanh(0.5 * x)),
    "gelu-tanh": lambda x: 0.5 * x * (1.0 + np.tanh(math.sqrt(2.0 / math.pi) * (x + 0.044715 * x**3))),
    "gelu": lambda x: 0.5 * x * (1.0 + erf(x / math.sqrt(2.0))),
}


@dataclass
class Seen:
    """What is seen of many networks; the first axis is theirs."""

    streams: list[Array]
    """X at layers 0..L, each (networks, tokens, width)."""
    mixing: list[Array]
    """A of each layer, (networks, heads, tokens, tokens); so are the logits."""
    logits: list[Array]


class ExplicitNetworks:
    """Networks with their matrices, as a function of layer 0.

    With `mixed=False` heads forget to mix their values: W_O meets V's Gram matrix instead of ``A V``'s.
    """

    def __init__(self, net: Transformer, networks: int, seed: int, *, mixed: bool = True) -> None:
        self.net, self.networks, self.mixed = net, networks, mixed
        self.rng = np.random.default_rng(seed)
        self.relative = self.normals(net.position_std, 32, net.heads) if net.position == "relative" else None
        self.layers = [self._layer() for _ in range(net.depth)]

    def normals(self, std: float, *shape: int) -> Array:
        return std * self.rng.normal(size=(self.networks, *shape))

    def _layer(self) -> dict[str, Array]:
        net, draw = self.net, self.normals
        d, inner, groups = net.width, net.heads * net.head_dim, net.kv_heads_given * net.head_dim
        w = {
            "q": draw(net.query_std, d, inner),
            "k": draw(net.key_std, d, groups),
            "v": draw(net.value_std, d, groups),
            "up": draw(net.up_std, d, net.units),
            "gate": draw(net.gate_deviation, d, net.units),
            "down": draw(net.down_std, net.units, d),
            "q bias": draw(net.qkv_bias_std, 1, inner),
            "k bias": draw(net.qkv_bias_std, 1, groups),
            "v bias": draw(net.qkv_bias_std, 1, groups),
            "o bias": draw(net.output_bias_std, 1, d),
            "up bias": draw(net.up_bias_std, 1, net.units),
            "gate bias": draw(net.up_bias_std, 1, net.units),
            "down bias": draw(net.down_bias_std, 1, d),
        }
        return w if net.output_std is None else w | {"o": draw(net.output_std, inner, d)}

    def embedding(self) -> Array:
        net, n, d = self.net, self.net.tokens, self.net.width
        x = self.normals(net.token_std, n, d)
        if net.patch_dim is not None:
            patches = self.normals(1.0, n - 1, net.patch_dim)
            x[:, 1:] = patches @ self.normals(net.token_std, net.patch_dim, d)
        if net.position == "learned":
            x = x + self.normals(net.position_std, n, d)
        if net.position == "sinusoidal":
            angles = np.arange(n)[:, None] / 10_000.0 ** (2 * (np.arange(d) // 2) / d)
            x = x + np.where(np.arange(d) % 2 == 0, np.sin(angles), np.cos(angles))
        x = x + self.normals(net.segment_std, 1, d)
        return self.normalise(x) if net.embedding_norm else x

    def normalise(self, x: Array) -> Array:
        if self.net.norm == "none":
            return x
        if self.net.norm == "layer":
            x = x - x.mean(axis=-1, keepdims=True)
        return x / np.sqrt((x**2).mean(axis=-1, keepdims=True) + self.net.norm_eps)

    def _heads(self, x: Array, k: int, name: str) -> Array:
        """Return queries, keys or values, (networks, heads, tokens, head width)."""
        net, w = self.net, self.layers[k]
        y = x @ w[name] + w[f"{name} bias"]
        y = y.reshape(*y.shape[:2], -1, net.head_dim).swapaxes(1, 2)
        return np.repeat(y, net.heads // y.shape[1], axis=1)

    def logits(self, x: Array, k: int) -> Array:
        net = self.net
        q, key = self._heads(x, k, "q"), self._heads(x, k, "k")
        if net.qk_norm:
            q, key = (z / np.sqrt((z**2).mean(axis=-1, keepdims=True) + net.norm_eps) for z in (q, key))
        if net.position == "rotary":
            q, key = self._turned(q), self._turned(key)
        logits = net.logit_scale * q @ key.swapaxes(-1, -2)
        if net.logit_cap is not None:
            logits = net.logit_cap * np.tanh(logits / net.logit_cap)
        if self.relative is not None:
            logits = logits + self.relative[:, buckets(net.tokens)].transpose(0, 3, 1, 2)
        return logits

    def _turned(self, z: Array) -> Array:
        half = self.net.head_dim // 2
        angles = np.arange(self.net.tokens)[:, None] * self.net.rotary_base ** (-np.arange(half) / half)
        turned = (z[..., :half] + 1j * z[..., half:]) * np.exp(1j * angles)
        return np.concatenate([turned.real, turned.imag], axis=-1)

    def attention(self, x: Array, k: int, seen: Seen) -> Array:
        net, w = self.net, self.layers[k]
        n, v = net.tokens, self._heads(x, k, "v")
        logits = self.logits(x, k)
        if net.attention == "uniform":
            a = np.full((self.networks, net.heads, n, n), 1.0 / n)
        else:
            allowed = np.tril(np.ones((n, n), bool)) if net.attention == "causal" else np.ones((n, n), bool)
            shown = np.where(allowed, logits, -np.inf)
            a = np.exp(shown - shown.max(axis=-1, keepdims=True))
            a = a / a.sum(axis=-1, keepdims=True)
        seen.mixing.append(a)
        seen.logits.append(logits)
        z = a @ v if self.mixed else v
        z = z.swapaxes(1, 2).reshape(self.networks, n, -1)
        return (z @ w["o"] if "o" in w else z) + w["o bias"]

    def mlp(self, x: Array, k: int) -> Array:
        w, sigma = self.layers[k], _ACTIVATIONS[self.net.activation]
        up = x @ w["up"] + w["up bias"]
        hidden = sigma(x @ w["gate"] + w["gate bias"]) * up if self.net.gated else sigma(up)
        return hidden @ w["down"] + w["down bias"]

    def _added(self, x: Array, branch: Array, k: int) -> Array:
        net = self.net
        if net.placement == "peri":
            branch = self.normalise(branch)
        x = net.skip * x + net.alphas[k] * branch
        return self.normalise(x) if net.placement == "post" else x

    def forward(self, x: Array) -> Seen:
        net = self.net
        seen = Seen([x], [], [])
        for k in range(net.depth):
            inside = (lambda y: y) if net.placement == "post" else self.normalise
            if net.attention != "none":
                x = self._added(x, self.attention(inside(x), k, seen), k)
            if net.units:
                x = self._added(x, self.mlp(inside(x), k), k)
            seen.streams.append(x)
        return seen

    def tangent_path(self, x: Array) -> Array:
        """Return log ‖J_{k←0} T‖/‖T‖ by central differences, (networks, L + 1)."""
        t = self.rng.normal(size=x.shape) * np.sqrt((x**2).mean())
        ends = [self.forward(x + side * _STEP * t).streams for side in (1.0, -1.0)]
        norms = np.array([np.linalg.norm(a - b, axis=(1, 2)) for a, b in zip(*ends, strict=True)])
        return np.log(norms / (2.0 * _STEP * np.linalg.norm(t, axis=(1, 2)))).T


def buckets(n: int) -> npt.NDArray[np.int64]:
    """T5's: sixteen of each direction, eight of them exact, the others logarithmic up to 128."""
    found = np.zeros((n, n), np.int64)
    for i in range(n):
        for j in range(n):
            distance = abs(j - i)
            far = min(8 + int(math.log(max(distance, 1) / 8) / math.log(16) * 8), 15)
            found[i, j] = (distance if distance < 8 else far) + 16 * (j > i)
    return found


def observe(
    net: Transformer, networks: int, seed: int, *, tangent: bool = False, mixed: bool = True
) -> dict[str, Array]:
    """Return the columns of `simulate_tokens` with `attention` and `per_token`, from explicit matrices."""
    drawn = ExplicitNetworks(net, networks, seed, mixed=mixed)
    x = drawn.embedding()
    seen = drawn.forward(x)
    i, j = np.triu_indices(net.tokens, 1)
    gram = np.array([y @ y.swapaxes(1, 2) for y in seen.streams]).swapaxes(0, 1) / net.width
    square = np.einsum("rkii->rki", gram)
    cosine = gram[:, :, i, j] / np.sqrt(square[:, :, i] * square[:, :, j])
    columns = {
        "log_rms_path": 0.5 * np.log(square.mean(axis=2)),
        "cosine_path": cosine.mean(axis=2),
        "effective_rank_path": square.sum(axis=2) ** 2 / (gram**2).sum(axis=(2, 3)),
        "token_log_rms_path": 0.5 * np.log(square),
        "token_cosine_path": cosine,
    }
    if tangent:
        columns["log_tangent_path"] = drawn.tangent_path(x)
    if seen.mixing:
        a, logits = (np.array(part).swapaxes(0, 1) for part in (seen.mixing, seen.logits))
        with np.errstate(divide="ignore", invalid="ignore"):
            columns["attention_entropy"] = -np.where(a > 0.0, a * np.log(a), 0.0).sum(axis=-1).mean(axis=-1)
        whole = np.ones((net.tokens, net.tokens), bool)  # a weight may be too small for a number
        allowed = np.broadcast_to(np.tril(whole) if net.attention == "causal" else whole, a.shape)
        mean = np.where(allowed, logits, 0.0).sum(axis=-1, keepdims=True) / allowed.sum(
            axis=-1, keepdims=True
        )
        squares = np.where(allowed, logits - mean, 0.0) ** 2
        deviation = np.sqrt(squares.sum(axis=(-1, -2)) / allowed.sum(axis=(-1, -2)))
        columns["logit_deviation"] = deviation if net.attention != "uniform" else 0.0 * deviation
    return columns
