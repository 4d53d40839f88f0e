"""The token engine's kernel: transformers one after the other, layer by layer, memory flat in depth."""

from __future__ import annotations

import math

import numpy as np

from montecarlo.common._jit import allocating_helper, helper, kernel
from montecarlo.engines.tokens._attention import perform_attention
from montecarlo.engines.tokens._draws import fill_normals, word_of
from montecarlo.engines.tokens._matrices import Matrix, add_gram, fold
from montecarlo.engines.tokens._mlp import add_bias, perform_mlp
from montecarlo.engines.tokens._records import (
    CHUNK,
    OBSERVED,
    SCALES,
    SIZES,
    TABLES,
    WORDS,
    Network,
    Stream,
    Work,
)
from montecarlo.engines.tokens._stream import (
    add_branch,
    cholesky,
    draw_images,
    find_input,
    measure,
    normalise,
)
from montecarlo.kernels._records import DRAW, address_of
from montecarlo.kernels._room import zeros
from montecarlo.streams._keys import TOKENS_PATCH, TOKENS_RELATIVE, TOKENS_START, TOKENS_TANGENT

_ZERO = np.uint64(0)
_ONE = np.uint64(1)
_FOUR = np.uint64(4)
_EIGHT = np.uint64(8)
_CHUNK = np.uint64(CHUNK)
_LN2 = 0.6931471805599453
_BUCKETS = np.uint64(32)
_LEAST = 2.0**-200
"""Mean square of a token, below which hidden units of the smaller entries underflow in float32."""


@allocating_helper
def build_stream(sizes):
    """Return room for a stream."""
    m, columns, stride = sizes.vectors, sizes.columns, sizes.stride
    wide = m + 4
    stream = Stream(
        zeros(wide * stride, np.float64), zeros(wide * stride, np.float64), zeros(wide * wide, np.float64),
        zeros(8 * wide * wide, np.float64), zeros(m * columns, np.float64), zeros(m * columns, np.float64),
        zeros(m * columns, np.float64), zeros(m * columns, np.float32), zeros(m * columns, np.float32),
    )  # fmt: skip
    for j in range(sizes.width):
        stream.x[m * stride + j] = 1.0
        stream.branch[m * stride + j] = 1.0
    return stream


@allocating_helper
def build_work(sizes, words):
    """Return room to work in, and the attention that does not change."""
    m, n, columns = sizes.vectors, sizes.rows, sizes.columns
    size = m * sizes.factor_stride
    chunk = m * CHUNK
    singles = max(chunk, size)
    work = Work(
        zeros(max(CHUNK, sizes.factor_stride), np.float32), zeros(singles, np.float32),
        zeros(chunk, np.float32), zeros(chunk if words.gated else 0, np.float32),
        zeros(n * CHUNK if m > n else 0, np.float32), zeros(chunk, np.float64), zeros(size, np.float64),
        zeros(size, np.float64), zeros(size, np.float64), zeros(size, np.float64),
        zeros(sizes.factor_stride * columns, np.float64), zeros(m * columns, np.float64),
        zeros(m * columns, np.float64), zeros(n * n, np.float64), zeros(32 * sizes.heads, np.float64),
        zeros(m, np.float64),
        zeros(m * max(sizes.factor_stride, CHUNK // sizes.factor_stride * sizes.factor_stride), np.float64),
    )  # fmt: skip
    for i in range(sizes.tokens):
        end = i + 1 if words.attention == 3 else sizes.tokens
        for j in range(end):
            work.mask[i * n + j] = 1.0
            if words.attention == 1:
                work.mixing[i * columns + j] = 1.0 / sizes.tokens
                if m > n:
                    work.mixing[(n + i) * columns + n + j] = 1.0 / sizes.tokens
    return work


@helper
def _fill_embedding_gram(network, batch, stream, work):
    """Store the Gram matrix of the tokens' embeddings over the width, given the patches."""
    sizes, scales = network.sizes, network.scales
    columns, tokens = np.uint64(sizes.columns), np.uint64(sizes.tokens)
    gram, square = stream.input, scales.token * scales.token
    for i in range(_ZERO, np.uint64(gram.size)):
        gram[i] = 0.0
    own = scales.position * scales.position if network.words.position == 1 else 0.0
    for i in range(_ZERO, tokens):
        gram[i * columns + i] = square
    degrees = np.uint64(sizes.patch_dim)
    if degrees > _ZERO:
        _patches(network, batch, stream, work)
        for i in range(_ONE, tokens):
            for j in range(_ONE, tokens):
                gram[i * columns + j] = square * stream.gram[i * (np.uint64(sizes.vectors) + _FOUR) + j]
    for i in range(_ZERO, tokens):
        gram[i * columns + i] += own
    add_bias(gram, tokens, columns, scales.segment * scales.segment)


@helper
def _patches(network, batch, stream, work):
    """Store the Gram matrix of patches: independent standard normal vectors."""
    sizes = network.sizes
    m, n = np.uint64(sizes.vectors), np.uint64(sizes.rows)
    degrees, wide = np.uint64(sizes.patch_dim), m + _FOUR
    gram, layer_role = stream.gram, word_of(np.uint32(0), TOKENS_PATCH)
    for first in range(_ZERO, degrees, _CHUNK):
        count = min(_CHUNK, degrees - first)
        whole = (count + np.uint64(7)) // _EIGHT * _EIGHT
        fill_normals(batch, layer_role, first, count, (n, n), work.counters, work.normals, _CHUNK)
        for i in range(_ZERO, n):
            for j in range(_ZERO, whole):
                work.hidden[i * _CHUNK + j] = np.float64(work.normals[i * _CHUNK + j]) if j < count else 0.0
        add_gram(Matrix(work.hidden, _ZERO, _CHUNK), n, whole, stream.sums)
    fold(stream.sums, n, Matrix(gram, _ZERO, wide))


@helper
def start(network, batch, stream, work):
    """Draw layer 0, with an isotropic tangent of all tokens where there is one."""
    sizes, words = network.sizes, network.words
    m, n, columns = np.uint64(sizes.vectors), np.uint64(sizes.rows), np.uint64(sizes.columns)
    stride, tokens = np.uint64(sizes.stride), np.uint64(sizes.tokens)
    _fill_embedding_gram(network, batch, stream, work)
    cholesky(stream.input, stream.factor, m, columns)
    role = word_of(np.uint32(0), TOKENS_START)
    finite = draw_images(network, batch, role, stream.factor, True, stream.x, stream, work)
    if network.tables.sinusoids.size > 0:
        for i in range(_ZERO, n * stride):
            stream.x[i] += network.tables.sinusoids[i]
    if words.embedding_norm:
        normalise(network, stream.x, stream)
    if m > n:
        for i in range(_ZERO, m * columns):
            stream.factor[i] = 0.0
        for i in range(_ZERO, tokens):
            stream.factor[(n + i) * columns + n + i] = 1.0
        role = word_of(np.uint32(0), TOKENS_TANGENT)
        finite &= draw_images(network, batch, role, stream.factor, True, stream.branch, stream, work)
        for i in range(n * stride, m * stride):
            stream.x[i] = stream.branch[i]
    if words.position == 4:
        count = _BUCKETS * np.uint64(sizes.heads)
        for first in range(_ZERO, count, _CHUNK):
            part = min(_CHUNK, count - first)
            fill_normals(
                batch, word_of(np.uint32(0), TOKENS_RELATIVE), first, part, (_FOUR, _FOUR), work.counters,
                work.normals, _CHUNK,
            )  # fmt: skip
            for j in range(_ZERO, part):
                work.relative[first + j] = network.scales.position * np.float64(work.normals[j])
    return finite


@helper
def record(network, k, stream, exponent, row, observed):
    """Store what is seen of layer k; return whether the stream is finite."""
    sizes = network.sizes
    m, n, tokens = np.uint64(sizes.vectors), np.uint64(sizes.rows), np.uint64(sizes.tokens)
    wide, gram = m + _FOUR, stream.gram
    trace = square = cosines = 0.0
    for i in range(_ZERO, tokens):
        trace += gram[i * wide + i]
        for j in range(_ZERO, tokens):
            square += gram[i * wide + j] * gram[i * wide + j]
        for j in range(np.uint64(i + _ONE), tokens):
            norms = math.sqrt(gram[i * wide + i]) * math.sqrt(gram[j * wide + j])
            cosine = gram[i * wide + j] / norms if norms > 0.0 else np.nan
            cosine = cosine if math.isnan(cosine) else min(max(cosine, -1.0), 1.0)
            cosines += cosine
            if observed.token_cosine.shape[0] > 0:
                # The pairs in the order of the upper triangle, row by row.
                before = np.int64(i) * np.int64(tokens) - np.int64(i) * (np.int64(i) + 1) // 2
                observed.token_cosine[row, k, before + np.int64(j) - np.int64(i) - 1] = cosine
        if observed.token_log_rms.shape[0] > 0:
            mean = gram[i * wide + i] / np.float64(sizes.width)
            observed.token_log_rms[row, k, i] = 0.5 * math.log(mean) if mean > 0.0 else -np.inf
    if not math.isfinite(trace):
        return False
    pairs = sizes.tokens * (sizes.tokens - 1) // 2
    mean = trace / (np.float64(sizes.width) * np.float64(sizes.tokens))
    observed.log_rms[row, k] = 0.5 * math.log(mean) if mean > 0.0 else -np.inf
    observed.cosine[row, k] = cosines / pairs if pairs > 0 else np.nan
    observed.rank[row, k] = (
        trace / math.sqrt(square) * (trace / math.sqrt(square)) if square > 0.0 else np.nan
    )
    if observed.tangent.shape[0] > 0:
        total = 0.0
        for i in range(n, m):
            total += gram[i * wide + i]
        log_norm = 0.5 * math.log(total) if total > 0.0 else -np.inf
        observed.tangent[row, k] = log_norm + exponent * _LN2
        return total < np.inf
    return True


@helper
def rescale(sizes, stream):
    """Bring tangents into float range by a power of two, and return its exponent."""
    m, n, stride = np.uint64(sizes.vectors), np.uint64(sizes.rows), np.uint64(sizes.stride)
    wide, total = m + _FOUR, 0.0
    for i in range(n, m):
        total += stream.gram[i * wide + i]
    if not 0.0 < total < np.inf or 2.0**-40 < total < 2.0**40:
        return 0
    exponent = math.frexp(math.sqrt(total))[1]
    scale = math.ldexp(1.0, -exponent)
    for i in range(n * stride, m * stride):
        stream.x[i] *= scale
    return exponent


@helper
def add(network, k, stream):
    """Add the branch, with the norms behind it."""
    if network.words.placement == 2:
        normalise(network, stream.branch, stream)
    add_branch(network, network.tables.alphas[k], stream)
    if network.words.placement == 1:
        normalise(network, stream.x, stream)
    measure(network.sizes, stream.x, stream)


@helper
def held(network, k, stream):
    """Whether float32 holds the hidden units that the stream itself makes, if anything comes of them."""
    sizes = network.sizes
    wide, least = np.uint64(sizes.vectors) + _FOUR, _LEAST * np.float64(sizes.width)
    small = False
    for i in range(_ZERO, np.uint64(sizes.tokens)):
        small |= 0.0 < stream.gram[i * wide + i] < least
    return not small or network.scales.up_bias > 0.0 or network.tables.alphas[k] == 0.0


@helper
def run_network(network, batch, row, stream, work, observed):
    """Go through the layers; NaN from the layer on where a network leaves the numbers that are held."""
    sizes, words = network.sizes, network.words
    inner = 0 if words.placement == 1 else words.norm
    exponent = 0
    finite = start(network, batch, stream, work)
    measure(sizes, stream.x, stream)
    k = 0
    while True:
        finite = finite and record(network, k, stream, exponent, row, observed)
        if k == sizes.depth or not finite:
            break
        if words.attention > 0:
            find_input(network, inner, stream)
            finite &= perform_attention(network, batch, k, stream, work, row, observed)
            add(network, k, stream)
        if sizes.hidden > 0:
            finite &= inner > 0 or held(network, k, stream)
            find_input(network, inner, stream)
            finite &= perform_mlp(network, batch, np.uint32(k), stream, work)
            add(network, k, stream)
        if observed.tangent.shape[0] > 0:
            shift = rescale(sizes, stream)
            if shift != 0:
                exponent += shift
                measure(sizes, stream.x, stream)
        k += 1
    if not finite:
        blank(row, k, observed)
    if observed.tangent.shape[0] > 0:
        first = observed.tangent[row, 0]
        for j in range(observed.tangent.shape[1]):
            observed.tangent[row, j] -= first


@helper
def blank(row, k, observed):
    """Mark a network from layer k on."""
    observed.log_rms[row, k:] = np.nan
    observed.cosine[row, k:] = np.nan
    observed.rank[row, k:] = np.nan
    if observed.tangent.shape[0] > 0:
        observed.tangent[row, k:] = np.nan
    if observed.token_log_rms.shape[0] > 0:
        observed.token_log_rms[row, k:] = np.nan
        observed.token_cosine[row, k:] = np.nan
    if observed.entropy.shape[0] > 0:
        observed.entropy[row, max(k - 1, 0) :] = np.nan
        observed.deviation[row, max(k - 1, 0) :] = np.nan


@kernel(signature=(SIZES, WORDS, SCALES, TABLES, DRAW, OBSERVED))
def run_block(sizes, words, scales, tables, draw, observed):
    """Sample the transformers of a block."""
    network = Network(sizes, words, scales, tables)
    stream, work = build_stream(sizes), build_work(sizes, words)
    for row in range(observed.log_rms.shape[0]):
        run_network(network, address_of(draw, row), row, stream, work, observed)
