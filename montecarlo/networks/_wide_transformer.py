"""A transformer in the plain numbers of the wide recursion of tokens, and what it predicts."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from montecarlo.networks._transformer import Transformer

if TYPE_CHECKING:
    from theory import TokenAttention, TokenLayers, TokenMlp, WideTokens

Array = npt.NDArray[np.float64]


def predict_tokens(transformer: Transformer) -> WideTokens:
    """Return the wide limit of a transformer's tokens, tangents and attention along depth (T4b).

    Networks are off by O(1/d) in mean, and by what heads of finite width and unequal tokens are worth; see
    `theory.wide_tokens`. It takes milliseconds a layer.

    Parameters
    ----------
    transformer : Transformer
        The specification.

    Returns
    -------
    theory.WideTokens
        Its `log_rms`, `cosine` and `log_tangent` are natural logs and means beside the columns of
        `simulate_tokens`.

    Raises
    ------
    ValueError
        Where the recursion leaves its range: logits of a deviation beyond 30 at some layer, or tokens that
        are 0 in front of a norm without ε.

    Examples
    --------
    >>> path = predict_tokens(Transformer.preset("gpt2"))
    >>> print(f"{path.log_rms[-1]:.3f} {path.cosine[-1]:.3f} {path.log_tangent[-1]:.3f}")
    -1.168 0.659 2.436
    """
    from theory import wide_tokens

    gram, means = embedding_gram(transformer)
    return wide_tokens(gram, layers=token_layers(transformer), means=means)


def embedding_gram(transformer: Transformer) -> tuple[Array, Array]:
    """Return E x_i · x_j/d at layer 0, and the mean coordinate of each token, which only sinusoids have.

    Parameters
    ----------
    transformer : Transformer
        The specification.

    Returns
    -------
    tuple of ndarray of float64 (tokens, tokens) and (tokens,)

    Examples
    --------
    >>> embedding_gram(Transformer.preset("bert", tokens=2))[0].round(3)
    array([[1.   , 0.333],
           [0.333, 1.   ]])
    """
    net, n = transformer, transformer.tokens
    own = np.full(n, net.token_std**2)
    if net.patch_dim is not None:
        own[1:] *= net.patch_dim
    gram = np.diag(own + (net.position_std**2 if net.position == "learned" else 0.0)) + net.segment_std**2
    means = np.zeros(n)
    if net.position == "sinusoidal":
        vectors = _sinusoids(n, net.width)
        gram, means = gram + vectors @ vectors.T / net.width, vectors.mean(1)
    if net.embedding_norm and net.norm != "none":
        if net.norm == "layer":
            gram, means = gram - np.outer(means, means), np.zeros(n)
        r = np.sqrt(np.diag(gram) + net.norm_eps)
        gram, means = gram / np.outer(r, r), means / r
    return gram, means


def _sinusoids(tokens: int, width: int) -> Array:
    """Return the position vectors of 2017, (tokens, width)."""
    j = np.arange(width)
    angles = np.arange(tokens)[:, None] / 10_000.0 ** (2 * (j // 2) / width)
    return np.where(j % 2 == 0, np.sin(angles), np.cos(angles))


def token_layers(transformer: Transformer) -> TokenLayers:
    """Return the layers as the wide recursion takes them.

    Parameters
    ----------
    transformer : Transformer
        The specification.

    Returns
    -------
    theory.TokenLayers

    Examples
    --------
    >>> layers = token_layers(Transformer.preset("gpt2"))
    >>> round(layers.attention.logit_deviation, 4), layers.attention.mask
    (0.3072, 'causal')
    """
    from theory import TokenLayers

    net = transformer
    return TokenLayers(
        depth=net.depth,
        attention=_attention(net),
        mlp=_mlp(net),
        norm="none" if net.norm == "none" else net.placement,  # type: ignore[arg-type]
        centred=net.norm == "layer",
        norm_eps=net.norm_eps if net.norm != "none" else 0.0,
        alpha=net.alphas,
        skip=net.skip,
    )


def _attention(net: Transformer) -> TokenAttention | None:
    from theory import TokenAttention

    if net.attention == "none":
        return None
    d, h = net.width, net.head_dim
    value = d * net.value_std**2
    out = 1.0 if net.output_std is None else net.heads * h * net.output_std**2
    qk = d * net.query_std * net.key_std
    words: dict[str, Any] = {"gain": value * out, "output_bias": net.output_bias_std**2}
    if value > 0:
        words["value_bias"] = net.qkv_bias_std**2 / value
    if net.attention == "uniform":
        return TokenAttention(logit_deviation=0.0, **words)
    deviation = abs(net.logit_scale) * math.sqrt(h) * (1.0 if net.qk_norm else qk)
    if qk > 0:
        words["query_bias"] = net.qkv_bias_std**2 / qk
    if net.position == "rotary":
        words["rotary"] = tuple(net.rotary_base ** (-np.arange(h // 2) / (h // 2)))
    if net.position == "relative":
        words["position_deviation"] = net.position_std
    return TokenAttention(
        logit_deviation=deviation, mask="causal" if net.attention == "causal" else "full",
        logit_cap=net.logit_cap, normalised_queries=net.qk_norm, **words,
    )  # fmt: skip


def _mlp(net: Transformer) -> TokenMlp | None:
    from theory import TokenMlp

    if net.units == 0:
        return None
    d = net.width
    outer = d * net.up_std**2
    activation, derivative = _ACTIVATIONS.get(net.activation, (net.activation, None))
    return TokenMlp(
        input_variance=d * net.gate_deviation**2 if net.gated else outer,
        gain=net.units * net.down_std**2,
        activation=activation,
        derivative=derivative,
        gate_variance=outer if net.gated else None,
        input_bias=net.up_bias_std**2,
        output_bias=net.down_bias_std**2,
    )


# What theory does not know by name.

_CUBIC = 0.044715
_ROOT = math.sqrt(2.0 / math.pi)


def _sigmoid(x: Array) -> Array:
    return 0.5 * (1.0 + np.tanh(0.5 * x))


def _silu(x: Array) -> Array:
    return x * _sigmoid(x)


def _silu_slope(x: Array) -> Array:
    s = _sigmoid(x)
    return s * (1.0 + x * (1.0 - s))


def _gelu_tanh(x: Array) -> Array:
    return 0.5 * x * (1.0 + np.tanh(_ROOT * (x + _CUBIC * x**3)))


def _gelu_tanh_slope(x: Array) -> Array:
    t = np.tanh(_ROOT * (x + _CUBIC * x**3))
    return 0.5 * (1.0 + t) + 0.5 * x * (1.0 - t * t) * _ROOT * (1.0 + 3.0 * _CUBIC * x * x)


_ACTIVATIONS: dict[str, tuple[Any, Any]] = {
    "silu": (_silu, _silu_slope),
    "gelu-tanh": (_gelu_tanh, _gelu_tanh_slope),
}
