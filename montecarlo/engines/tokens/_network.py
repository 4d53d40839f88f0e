"""The token engine's kernel: transformers one after the other, layer by layer, memory flat in depth."""

from __future__ import annotations

import math

import numpy as np

from montecarlo.common._jit import allocating_helper, helper, kernel
from montecarlo.engines.tokens._attention import perform_attention
from montecarlo.engines.tokens._draws import fill_normals, word_of
from montecarlo.engines.tokens._matrices import Matrix, add_gram, fold
from montecarlo.engines.tokens._mlp import add_bias, perform_mlp
from montecarlo.engines.tokens._powers import BRANCH, STREAM, Powers, held, log_of, split, two_to
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
    tokens_held,
)
from montecarlo.kernels._records import DRAW, address_of
from montecarlo.kernels._room import zeros
from montecarlo.networks._transformer_words import (
    BUCKETS,
    CAUSAL,
    LEARNED,
    NO_ATTENTION,
    NO_NORM,
    PERI,
    POST,
    RELATIVE,
    UNIFORM,
)
from montecarlo.streams._keys import TOKENS_PATCH, TOKENS_RELATIVE, TOKENS_START, TOKENS_TANGENT

_ZERO = np.uint64(0)
_ONE = np.uint64(1)
_FOUR = np.uint64(4)
_EIGHT = np.uint64(8)
_CHUNK = np.uint64(CHUNK)
_BUCKETS = np.uint64(BUCKETS)
_TOKENS_WITHIN, _TANGENTS_WITHIN = 2.0**250, 2.0**40
"""Sums of squares that are left as they are, and so are their inverses."""


@allocating_helper
def build_stream(sizes):
    """Return room for a stream."""
    m, columns, stride = sizes.vectors, sizes.columns, sizes.stride
    wide = m + 4
    stream = Stream(
        zeros(wide * stride, np.float64), zeros(wide * stride, np.float64), zeros(wide * wide, np.float64),
        zeros(8 * wide * wide, np.float64), zeros(m * columns, np.float64), zeros(m * columns, np.float64),
        zeros(m * columns, np.float64), zeros(m * columns, np.float32), zeros(m * columns, np.float32),
        zeros(m, np.float64), Powers(zeros(3, np.int64), zeros(3, np.int64)),
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
        end = i + 1 if words.attention == CAUSAL else sizes.tokens
        for j in range(end):
            work.mask[i * n + j] = 1.0
            if words.attention == UNIFORM:
                work.mixing[i * columns + j] = 1.0 / sizes.tokens
                if m > n:
                    work.mixing[(n + i) * columns + n + j] = 1.0 / sizes.tokens
    return work


@helper
def _fill_embedding_gram(network, batch, unit, stream, work):
    """Store the Gram matrix of the tokens' embeddings over the width and a unit, given the patches."""
    sizes, scales = network.sizes, network.scales
    columns, tokens = np.uint64(sizes.columns), np.uint64(sizes.tokens)
    token, position, segment = scales.token / unit, scales.position / unit, scales.segment / unit
    gram, square = stream.input, token * token
    for i in range(_ZERO, np.uint64(gram.size)):
        gram[i] = 0.0
    own = position * position if network.words.position == LEARNED else 0.0
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
    add_bias(gram, tokens, columns, segment * segment)


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
def _start_power(network, powers):
    """Set the powers of layer 0; return what it is held over."""
    scales = network.scales
    largest = max(scales.token, scales.segment)
    if network.words.position == LEARNED:
        largest = max(largest, scales.position)
    if network.tables.sinusoids.size > 0:
        largest = max(largest, 1.0)
    _, power = split(largest)
    powers.tokens[STREAM], powers.tangents[STREAM] = power, 0
    return two_to(power)


@helper
def start(network, batch, stream, work):
    """Draw layer 0, with an isotropic tangent of all tokens where there is one."""
    sizes, words = network.sizes, network.words
    m, n, columns = np.uint64(sizes.vectors), np.uint64(sizes.rows), np.uint64(sizes.columns)
    stride, tokens = np.uint64(sizes.stride), np.uint64(sizes.tokens)
    unit = _start_power(network, stream.powers)
    _fill_embedding_gram(network, batch, unit, stream, work)
    cholesky(stream.input, stream.factor, m, columns)
    role = word_of(np.uint32(0), TOKENS_START)
    finite = draw_images(network, batch, role, stream.factor, True, stream.x, STREAM, stream, work)
    if network.tables.sinusoids.size > 0:
        for i in range(_ZERO, n * stride):
            stream.x[i] += network.tables.sinusoids[i] / unit
    if words.embedding_norm:
        normalise(network, stream.x, STREAM, stream)
    if m > n:
        for i in range(_ZERO, m * columns):
            stream.factor[i] = 0.0
        for i in range(_ZERO, tokens):
            stream.factor[(n + i) * columns + n + i] = 1.0
        role = word_of(np.uint32(0), TOKENS_TANGENT)
        finite &= draw_images(network, batch, role, stream.factor, True, stream.branch, BRANCH, stream, work)
        stream.powers.tangents[STREAM] = 0
        for i in range(n * stride, m * stride):
            stream.x[i] = stream.branch[i]
    if words.position == RELATIVE:
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
def record(network, k, stream, row, observed):
    """Store what is seen of layer k; return whether the stream is finite."""
    sizes = network.sizes
    unit = log_of(stream.powers.tokens[STREAM])
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
            observed.token_log_rms[row, k, i] = 0.5 * math.log(mean) + unit if mean > 0.0 else -np.inf
    if not (math.isfinite(trace) and held(stream.powers)):
        return False
    pairs = sizes.tokens * (sizes.tokens - 1) // 2
    mean = trace / (np.float64(sizes.width) * np.float64(sizes.tokens))
    observed.log_rms[row, k] = 0.5 * math.log(mean) + unit if mean > 0.0 else -np.inf
    observed.cosine[row, k] = cosines / pairs if pairs > 0 else np.nan
    observed.rank[row, k] = (
        trace / math.sqrt(square) * (trace / math.sqrt(square)) if square > 0.0 else np.nan
    )
    if observed.tangent.shape[0] > 0:
        total = 0.0
        for i in range(n, m):
            total += gram[i * wide + i]
        log_norm = 0.5 * math.log(total) if total > 0.0 else -np.inf
        observed.tangent[row, k] = log_norm + log_of(stream.powers.tangents[STREAM])
        return total < np.inf
    return True


@helper
def rescale(sizes, stream, first, end, powers, within):
    """Bring rows of the stream near 1 by a power of two if they are far from it."""
    wide, stride, total = np.uint64(sizes.vectors) + _FOUR, np.uint64(sizes.stride), 0.0
    for i in range(first, end):
        total += stream.gram[i * wide + i]
    if not 0.0 < total < np.inf or 1.0 / within < total < within:
        return
    exponent = np.int64(math.frexp(math.sqrt(total))[1])
    scale = two_to(-exponent)
    for i in range(first * stride, end * stride):
        stream.x[i] *= scale
    powers[STREAM] += exponent
    measure(sizes, stream.x, stream)


@helper
def add(network, k, stream):
    """Add the branch, with the norms behind it."""
    sizes = network.sizes
    if network.words.placement == PERI:
        normalise(network, stream.branch, BRANCH, stream)
    add_branch(network, network.tables.alphas[k], stream)
    if network.words.placement == POST:
        normalise(network, stream.x, STREAM, stream)
    measure(sizes, stream.x, stream)
    rescale(sizes, stream, _ZERO, np.uint64(sizes.rows), stream.powers.tokens, _TOKENS_WITHIN)


@helper
def run_network(network, batch, row, stream, work, observed):
    """Go through the layers; NaN from the layer on where a network leaves the numbers that are held."""
    sizes, words, scales = network.sizes, network.words, network.scales
    n, m = np.uint64(sizes.rows), np.uint64(sizes.vectors)
    inner = NO_NORM if words.placement == POST else words.norm
    finite = start(network, batch, stream, work)
    measure(sizes, stream.x, stream)
    k = 0
    while True:
        finite = finite and record(network, k, stream, row, observed)
        if k == sizes.depth or not finite:
            break
        # Whatever a branch is, nothing comes of it where its factor is zero.
        unseen = network.tables.alphas[k] == 0.0
        if words.attention > NO_ATTENTION:
            bias = find_input(network, inner, scales.qkv_bias, stream)
            fine = tokens_held(sizes, stream.input, bias, False)
            fine &= perform_attention(network, batch, k, bias, stream, work, row, observed)
            finite &= fine or unseen
            add(network, k, stream)
        if sizes.hidden > 0:
            bias = find_input(network, inner, scales.up_bias, stream)
            fine = tokens_held(sizes, stream.input, bias, words.gated)
            fine &= perform_mlp(network, batch, np.uint32(k), bias, stream, work)
            finite &= fine or unseen
            add(network, k, stream)
        rescale(sizes, stream, n, m, stream.powers.tangents, _TANGENTS_WITHIN)
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
