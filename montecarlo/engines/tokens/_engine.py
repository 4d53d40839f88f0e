"""The token engine: transformers with Gaussian weights, exact in law, without a weight matrix.

Images of a fresh Gaussian matrix on the n tokens of a network need their Gram matrix alone: with C its
Cholesky factor they are ``C ξ``, ξ of independent normals. So a layer draws the M hidden units and the d
coordinates of its branches for n tokens, and n × n matrices a head, where weights are of order d².
Tangents are more vectors in the same Gram matrix.
"""

from __future__ import annotations

import importlib
import math
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from montecarlo.engines.tokens._records import Observed, Scales, Sizes, Tables, Words
from montecarlo.kernels._records import Draw
from montecarlo.networks._transformer import Transformer
from montecarlo.networks._transformer_words import (
    ATTENTIONS,
    BUCKETS,
    FARTHEST,
    NORMS,
    PLACEMENTS,
    POSITIONS,
    TOKEN_ACTIVATIONS,
)
from montecarlo.streams import derive_key

_FOUR, _EIGHT = 4, 8
_SECONDS_A_UNIT = 0.7e-9  # a hidden unit of one token
_SECONDS_A_HEAD = 4e-9  # an entry of a head's n × n matrices

Array = npt.NDArray[np.float64]


def fill(transformer: Transformer, seed: int, first: int, columns: Mapping[str, Array]) -> None:
    """Fill columns of `montecarlo.TokenSample` with the rows of consecutive networks."""
    # Compiled on first use: `import montecarlo` must stay light.
    from montecarlo.engines.tokens._network import run_block

    words = _words(transformer)
    sizes = _sizes(transformer, words, tangent="log_tangent_path" in columns)
    paths = ("log_rms_path", "cosine_path", "effective_rank_path", "log_tangent_path")
    tables = ("attention_entropy", "logit_deviation", "token_log_rms_path", "token_cosine_path")
    observed = Observed(
        *(columns.get(name, np.zeros((0, 1))) for name in paths),
        *(columns.get(name, np.zeros((0, 1, 1))) for name in tables),
    )
    # All transformers share their numbers: shapes need no key of their own, positions tell units apart.
    draw = Draw.of(derive_key(seed, {"engine": "tokens"}), first)
    run_block(sizes, words, _scales(transformer), _tables(transformer, sizes), draw, observed)


def prepare() -> None:
    """Compile the kernel."""
    importlib.import_module("montecarlo.engines.tokens._network")


def seconds(transformer: Transformer, *, tangent: bool) -> float:
    """Return the rough time of a network on one core."""
    net = transformer
    vectors = (2 if tangent else 1) * (net.tokens + 3)
    units = net.units * (2 if net.gated else 1) + 3 * net.width
    units += 3 * net.heads * net.head_dim if net.position == "rotary" or net.qk_norm else 0
    a_unit = _SECONDS_A_UNIT * (0.5 + vectors / 32.0)
    heads = net.heads * (1.0 + vectors / 64.0) if net.attention != "none" else 0.0
    return net.depth * (vectors * units * a_unit + heads * vectors**2 * _SECONDS_A_HEAD + 1e-6) + 1e-6


def _whole(number: int, size: int) -> int:
    return -(-number // size) * size


def _words(net: Transformer) -> Words:
    coordinates = net.position == "rotary" or net.qk_norm
    narrow = 2 * _whole(net.tokens, _FOUR) <= net.head_dim  # whether a tangent is asked for or not
    return Words(
        NORMS[net.norm], PLACEMENTS[net.placement], net.embedding_norm, ATTENTIONS[net.attention],
        POSITIONS[net.position], TOKEN_ACTIVATIONS[net.activation], net.gated, net.output_std is not None,
        net.qk_norm, narrow and not coordinates,
    )  # fmt: skip


def _sizes(net: Transformer, words: Words, *, tangent: bool) -> Sizes:
    rows = _whole(net.tokens, _FOUR)
    vectors = 2 * rows if tangent else rows
    factors = vectors if words.bartlett else net.head_dim
    return Sizes(
        net.tokens, rows, vectors, _whole(vectors, _EIGHT), net.width, _whole(net.width, _EIGHT), net.depth,
        net.heads, net.kv_heads_given, net.head_dim, factors, _whole(factors, _EIGHT), net.units,
        net.patch_dim or 0,
    )  # fmt: skip


def _scales(net: Transformer) -> Scales:
    return Scales(
        net.norm_eps, net.skip, net.logit_scale, net.logit_cap or 0.0, net.query_std, net.key_std,
        net.value_std, net.output_std or 0.0, net.up_std, net.gate_deviation, net.down_std, net.qkv_bias_std,
        net.output_bias_std, net.up_bias_std, net.down_bias_std, net.token_std, net.position_std,
        net.segment_std,
    )  # fmt: skip


def _tables(net: Transformer, sizes: Sizes) -> Tables:
    n, rows, d = net.tokens, sizes.rows, net.width
    sinusoids = np.zeros((rows if net.position == "sinusoidal" else 0, sizes.stride))
    if sinusoids.size:
        j = np.arange(d)
        angles = np.arange(n)[:, None] / 10_000.0 ** (2 * (j // 2) / d)
        sinusoids[:n, :d] = np.where(j % 2 == 0, np.sin(angles), np.cos(angles))
    half = net.head_dim // 2 if net.position == "rotary" else 0
    angles = np.arange(rows)[:, None] * net.rotary_base ** (-np.arange(half) / max(half, 1))
    buckets = find_buckets(n) if net.position == "relative" else np.zeros(0, np.int64)
    return Tables(
        net.alphas, sinusoids.ravel(), np.cos(angles).ravel(), np.sin(angles).ravel(), buckets.ravel()
    )


def find_buckets(tokens: int) -> npt.NDArray[np.int64]:
    """Return T5's bucket of token i looking at token j, shape (tokens, tokens).

    Half of them are for tokens that come later; of each half, half are exact distances and the others grow
    logarithmically.

    Examples
    --------
    >>> find_buckets(20)[0, [0, 1, 7, 8, 12, 19]].tolist(), find_buckets(20)[19, 0]
    ([0, 17, 23, 24, 25, 26], np.int64(10))
    """
    half = BUCKETS // 2
    exact = half // 2
    offset = np.arange(tokens)[None, :] - np.arange(tokens)[:, None]
    distance = np.abs(offset)
    growth = np.log(np.maximum(distance, 1) / exact) / math.log(FARTHEST / exact)
    far = np.minimum(exact + (growth * (half - exact)).astype(np.int64), half - 1)
    return (np.where(distance < exact, distance, far) + half * (offset > 0)).astype(np.int64)
