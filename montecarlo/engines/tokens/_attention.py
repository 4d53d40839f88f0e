"""Attention, a head at a time: logits and mixed values from Gram factors, never from matrices.

Columns of a head's queries are independent normal vectors with the covariance of the tokens: ``Q = C_q G``
with ``C_q`` the factor of that Gram matrix and G of independent normals; so are keys and values. Only
``G_q G_kᵀ`` and ``G_v G_vᵀ`` matter: where a head has more coordinates than there are vectors, G_k and
G_v are replaced by Bartlett's triangular factors, and G_q by as many columns, which has the same law since
the rows of G_k span a subspace that is independent of G_q. Rotary positions and norms of queries need the
coordinates themselves.
"""

from __future__ import annotations

import math

import numpy as np

from montecarlo.common._jit import helper
from montecarlo.engines.tokens._activations import exponential_64
from montecarlo.engines.tokens._draws import fill_chis, fill_normals, word_of
from montecarlo.engines.tokens._matrices import Matrix, add_gram, fold, multiply
from montecarlo.engines.tokens._mlp import scale_output, scaled_factor
from montecarlo.engines.tokens._powers import BRANCH, INPUT, split, two_to
from montecarlo.engines.tokens._stream import cholesky, draw_images
from montecarlo.networks._transformer_words import CAUSAL, RELATIVE, ROTARY, UNIFORM
from montecarlo.streams._keys import (
    TOKENS_KEY,
    TOKENS_KEY_CHI,
    TOKENS_OUTPUT,
    TOKENS_QUERY,
    TOKENS_VALUE,
    TOKENS_VALUE_CHI,
)

_ZERO = np.uint64(0)
_ONE = np.uint64(1)
_HARD = 2.0**45  # logit, beyond which rounding is 2**-8 and soon of order 1
_LARGEST = 1e300  # logit: where there are larger ones all are divided, and weights are 0 and 1 as before


@helper
def draw_factor(sizes, batch, role, chi_role, layer, head, degrees, bartlett, work):
    """Store in `work.drawn` normals (vectors, factors), or Bartlett's factor of as many degrees.

    Both are the same for the first rows whatever rows follow.
    """
    m, n, w = np.uint64(sizes.vectors), np.uint64(sizes.rows), np.uint64(sizes.factors)
    stride = np.uint64(sizes.factor_stride)
    first = np.uint64(head) * np.uint64(sizes.head_width)
    layer_role = word_of(layer, role)
    fill_normals(batch, layer_role, first, w, (n, m), work.counters, work.normals, stride)
    drawn, normals = work.drawn, work.normals
    for i in range(_ZERO, m * stride):
        drawn[i] = np.float64(normals[i])
    if w < stride:
        for i in range(_ZERO, m):
            for j in range(w, stride):
                drawn[i * stride + j] = 0.0
    if bartlett:
        fill_chis(batch, word_of(layer, chi_role), first, m, np.int64(degrees), work.chis)
        for i in range(_ZERO, m):
            drawn[i * stride + i] = work.chis[i]
            for j in range(np.uint64(i + _ONE), stride):
                drawn[i * stride + j] = 0.0


@helper
def _turn(network, vectors):
    """Turn pairs of coordinates of every token by its angles; a tangent by those of its token."""
    sizes, tables = network.sizes, network.tables
    n, stride = np.uint64(sizes.rows), np.uint64(sizes.factor_stride)
    half = np.uint64(sizes.head_width // 2)
    for i in range(_ZERO, np.uint64(sizes.vectors)):
        angle = (i if i < n else i - n) * half
        row = i * stride
        for j in range(_ZERO, half):
            c, s = tables.cosines[angle + j], tables.sines[angle + j]
            first, second = vectors[row + j], vectors[row + half + j]
            vectors[row + j] = first * c - second * s
            vectors[row + half + j] = second * c + first * s


@helper
def _normalise_heads(network, eps, vectors):
    """Normalise every query or key over its coordinates, tangents with them."""
    sizes = network.sizes
    m, n, stride = np.uint64(sizes.vectors), np.uint64(sizes.rows), np.uint64(sizes.factor_stride)
    width = np.float64(sizes.head_width)
    for i in range(_ZERO, n):
        row, tangent = i * stride, (n + i) * stride
        square = product = 0.0
        for j in range(_ZERO, stride):
            square += vectors[row + j] * vectors[row + j]
            product += vectors[row + j] * vectors[tangent + j] if m > n else 0.0
        mean = square / width + eps
        r = 1.0 / math.sqrt(mean) if mean != 0.0 else 0.0
        if m > n:
            along = r * r * product / width
            for j in range(_ZERO, stride):
                vectors[tangent + j] = r * (vectors[tangent + j] - along * vectors[row + j])
        for j in range(_ZERO, stride):
            vectors[row + j] *= r


@helper
def _prepare(network, eps, factor, drawn, out):
    """Store the queries or keys of a head, in coordinates where these matter."""
    sizes, words = network.sizes, network.words
    m, columns, stride = np.uint64(sizes.vectors), np.uint64(sizes.columns), np.uint64(sizes.factor_stride)
    multiply(
        Matrix(factor, _ZERO, columns), Matrix(drawn, _ZERO, stride), Matrix(out, _ZERO, stride), m, m,
        stride, True,
    )  # fmt: skip
    if words.qk_norm:
        _normalise_heads(network, eps, out)
    if words.position == ROTARY:
        _turn(network, out)


@helper
def find_logits(network, head, logit_scale, far, work):
    """Store the logits of a head in `work.logits`, those of tangents below: their first derivatives.

    Return whether float64 holds them.
    """
    sizes, scales, words = network.sizes, network.scales, network.words
    m, n, columns = np.uint64(sizes.vectors), np.uint64(sizes.rows), np.uint64(sizes.columns)
    logits, tokens = work.logits, np.uint64(sizes.tokens)
    stride = np.uint64(sizes.factor_stride)
    for i in range(_ZERO, m):
        for j in range(_ZERO, stride):
            work.transposed[j * columns + i] = work.keys[i * stride + j]
    multiply(
        Matrix(work.queries, _ZERO, stride), Matrix(work.transposed, _ZERO, columns),
        Matrix(logits, _ZERO, columns), m, stride, columns, False,
    )  # fmt: skip
    largest = 0.0
    if far:
        for i in range(_ZERO, m * columns):
            largest = max(largest, abs(logits[i]))
    fits = logit_scale * largest < _LARGEST
    logit_scale = logit_scale if fits else _LARGEST / largest
    for i in range(_ZERO, n * columns):
        logits[i] *= logit_scale
    if m > n:
        for i in range(_ZERO, n):
            for j in range(_ZERO, n):
                place = (n + i) * columns + j
                logits[place] = logit_scale * logits[place] + logits[i * columns + n + j]
    cap = scales.logit_cap
    if cap > 0.0:
        for i in range(_ZERO, n):
            for j in range(_ZERO, n):
                y = math.tanh(logits[i * columns + j] / cap)
                logits[i * columns + j] = cap * y
                if m > n:
                    logits[(n + i) * columns + j] *= 1.0 - y * y
    if words.position == RELATIVE:
        heads = np.uint64(sizes.heads)
        for i in range(_ZERO, tokens):
            for j in range(_ZERO, tokens):
                bucket = np.uint64(network.tables.buckets[i * tokens + j])
                logits[i * columns + j] += work.relative[bucket * heads + np.uint64(head)]
    return fits


@helper
def mix(network, work):
    """Store ``[[A, 0], [Ȧ, A]]`` in `work.mixing`, from the logits.

    Ȧ_ij = A_ij (ℓ̇_ij - Σ_k A_ik ℓ̇_ik). Where logits are beyond `_HARD` the softmax is the largest one, and
    changes of them move nothing: of weights between 0 and 1 the rounding of logits would decide.
    """
    sizes = network.sizes
    m, n, columns = np.uint64(sizes.vectors), np.uint64(sizes.rows), np.uint64(sizes.columns)
    tokens = np.uint64(sizes.tokens)
    logits, mixing, mask = work.logits, work.mixing, work.mask
    causal = network.words.attention == CAUSAL
    for i in range(_ZERO, tokens):
        end = np.uint64(i + _ONE) if causal else tokens
        row = i * columns
        largest, lowest = -np.inf, np.inf
        for j in range(_ZERO, end):
            largest = max(largest, logits[row + j])
            lowest = min(lowest, logits[row + j])
        for j in range(_ZERO, n):
            # Above 0 behind the mask alone, where an exponential that is not finite would not become 0.
            difference = min(logits[row + j] - largest, 0.0)
            mixing[row + j] = exponential_64(difference) * mask[i * n + j]
        total = 0.0
        for j in range(_ZERO, end):
            total += mixing[row + j]
        inverse = 1.0 / total
        for j in range(_ZERO, n):
            mixing[row + j] *= inverse
        if m > n:
            tangent = (n + i) * columns
            slope = 0.0
            moves = 1.0 if lowest > -_HARD and largest < _HARD else 0.0
            for j in range(_ZERO, end):
                slope += mixing[row + j] * logits[tangent + j]
            for j in range(_ZERO, n):
                mixing[tangent + j] = moves * (mixing[row + j] * (logits[tangent + j] - slope))
                mixing[tangent + n + j] = mixing[row + j]


@helper
def observe_head(network, far, fits, work, layer, head, row, observed):
    """Store the entropy and the deviation of logits of a head."""
    sizes = network.sizes
    columns, tokens = np.uint64(sizes.columns), np.uint64(sizes.tokens)
    words = network.words
    entropy = squares = largest = 0.0
    if far:
        for i in range(_ZERO, tokens):
            for j in range(_ZERO, np.uint64(i + _ONE) if words.attention == CAUSAL else tokens):
                largest = max(largest, abs(work.logits[i * columns + j]))
    unit = two_to(split(largest)[1])
    pairs = 0
    for i in range(_ZERO, tokens):
        end = np.uint64(i + _ONE) if words.attention == CAUSAL else tokens
        mean = 0.0
        for j in range(_ZERO, end):
            a = work.mixing[i * columns + j]
            entropy -= a * math.log(a) if a > 0.0 else 0.0
            mean += work.logits[i * columns + j] / unit / np.float64(end)
        for j in range(_ZERO, end):
            difference = work.logits[i * columns + j] / unit - mean
            squares += difference * difference
        pairs += np.int64(end)
    observed.entropy[row, layer, head] = entropy / np.float64(tokens)
    deviation = unit * math.sqrt(squares / pairs) if fits else np.inf
    observed.deviation[row, layer, head] = deviation if words.attention > UNIFORM else 0.0


@helper
def perform_attention(network, batch, k, bias, stream, work, row, observed):
    """Store the branch of the attention, whose input has the Gram matrix `stream.input`."""
    sizes, words, scales = network.sizes, network.words, network.scales
    m, n, columns = np.uint64(sizes.vectors), np.uint64(sizes.rows), np.uint64(sizes.columns)
    stride = np.uint64(sizes.factor_stride)
    layer = np.uint32(k)
    gram, factor, other = stream.input, stream.factor, stream.other
    finite = cholesky(gram, factor, m, columns)
    softmax = words.attention > UNIFORM
    powers = stream.powers
    power = powers.tokens[INPUT]
    # Of logits that are products of tokens; norms of queries have no power.
    logit_scale = scales.logit_scale if words.qk_norm else scales.logit_scale * two_to(np.int64(2) * power)
    eps = scales.eps * two_to(-np.int64(2) * power)
    far = power != 0
    group = sizes.heads // sizes.kv_heads
    bartlett_keys = words.bartlett and words.position != ROTARY and not words.qk_norm
    room = np.uint64(work.concatenated.size) // m
    filled, fits = _ZERO, True
    for head in range(sizes.heads):
        if softmax:
            if head % group == 0:
                draw_factor(
                    sizes, batch, TOKENS_KEY, TOKENS_KEY_CHI, layer, head // group, sizes.head_width,
                    bartlett_keys, work,
                )  # fmt: skip
                finite &= scaled_factor(gram, factor, scales.key, bias, n, columns, other)
                _prepare(network, eps, other, work.drawn, work.keys)
            draw_factor(sizes, batch, TOKENS_QUERY, 0, layer, head, 0, False, work)
            finite &= scaled_factor(gram, factor, scales.query, bias, n, columns, other)
            _prepare(network, eps, other, work.drawn, work.queries)
            fits = find_logits(network, head, logit_scale, far, work)
            mix(network, work)
        if observed.entropy.shape[0] > 0:
            observe_head(network, far, fits, work, k, head, row, observed)
        if head % group == 0 or not words.has_output:
            finite &= scaled_factor(gram, factor, scales.value, bias, n, columns, other)
            if not words.has_output:
                break
            draw_factor(
                sizes, batch, TOKENS_VALUE, TOKENS_VALUE_CHI, layer, head // group, sizes.head_width,
                words.bartlett, work,
            )  # fmt: skip
            multiply(
                Matrix(other, _ZERO, columns), Matrix(work.drawn, _ZERO, stride),
                Matrix(work.values, _ZERO, stride), m, m, stride, True,
            )  # fmt: skip
        multiply(
            Matrix(work.mixing, _ZERO, columns), Matrix(work.values, _ZERO, stride),
            Matrix(work.concatenated, filled, room), m, m, stride, False,
        )  # fmt: skip
        filled += stride
        if filled + stride > room or head + 1 == sizes.heads:
            add_gram(Matrix(work.concatenated, _ZERO, room), m, filled, stream.sums)
            filled = _ZERO
    if not words.has_output:
        for i in range(_ZERO, m * columns):
            work.logits[i] = other[i]
        multiply(
            Matrix(work.mixing, _ZERO, columns), Matrix(work.logits, _ZERO, columns),
            Matrix(factor, _ZERO, columns), m, m, columns, False,
        )  # fmt: skip
        powers.tokens[BRANCH], powers.tangents[BRANCH] = powers.tokens[INPUT], powers.tangents[INPUT]
        role = word_of(layer, TOKENS_VALUE)
        finite &= draw_images(network, batch, role, factor, False, stream.branch, BRANCH, stream, work)
        return finite
    fold(stream.sums, m, Matrix(gram, _ZERO, columns))
    finite &= scale_output(network, scales.output, scales.output_bias, gram, stream)
    role = word_of(layer, TOKENS_OUTPUT)
    return finite & draw_images(network, batch, role, factor, True, stream.branch, BRANCH, stream, work)
