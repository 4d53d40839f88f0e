"""Several inputs and tangents through one Gaussian network: sixteen networks in lanes, forward only.

Images come from Gram matrices (`montecarlo.engines.gaussian._gram`).

Every vector has its own power of two a network: images of a matrix are linear, so only activations that are
not homogeneous see it, and an input's exponent alone. Norms take an input's off it; tangents behind one are
what its derivative makes of them, relative to the input that they are attached to.
"""

from __future__ import annotations

import math

import numpy as np
from numba import types

from montecarlo.common._jit import helper, kernel
from montecarlo.engines.gaussian._gram import (
    apply,
    build_gram,
    build_shape,
    diagonal_of_gram,
    factor,
    fill_vectors,
    rest_of_gram,
)
from montecarlo.engines.gaussian._input_activations import bend, bend_free
from montecarlo.engines.gaussian._input_norms import normalise
from montecarlo.engines.gaussian._input_records import ROWS, VECTORS, Network, build_state, build_work
from montecarlo.engines.gaussian._input_start import start
from montecarlo.engines.gaussian._records import Batch, is_matrix
from montecarlo.kernels._lanes import NETWORKS
from montecarlo.kernels._records import CONSTANTS, DRAW, Sigma, address_of, alpha_of
from montecarlo.kernels._state import LARGEST, SCALAR_FUNCTION
from montecarlo.kernels._words import ACTIVATION, BIAS, BRANCH_NORM, LINEAR_V, LINEAR_W, NORM, STREAM_NORM
from montecarlo.streams._keys import ROLE_IMAGE_BIAS, ROLE_IMAGE_V, ROLE_IMAGE_W

_V = np.uint32(ROLE_IMAGE_V << 28)
_W = np.uint32(ROLE_IMAGE_W << 28)
_BIAS = np.uint32(ROLE_IMAGE_BIAS << 28)
_ZERO = np.uint64(0)
_ONE = np.uint64(1)
_SIXTEEN = np.uint64(NETWORKS)
_LN2 = math.log(2.0)
_LARGE = LARGEST**2  # squared norms; with them in range no product of Gram entries can overflow
_SMALL = 1.0 / _LARGE

_RUN_BLOCK = types.void(SCALAR_FUNCTION, SCALAR_FUNCTION, CONSTANTS, DRAW, VECTORS, ROWS)


@helper
def rescale(state, shape, gram):
    """Keep the squared norms of all vectors between 2**-80 and 2**80; mark lanes that are not finite as
    dead, and zero them.
    """
    mantissas, alive, count, size = state.mantissas, state.alive, shape.count, shape.size
    outside = False
    for v in range(_ZERO, count):
        for lane in range(_ZERO, _SIXTEEN):
            outside |= not (_SMALL < gram.entries[(v * count + v) * _SIXTEEN + lane] < _LARGE)
    if not outside:
        return
    for v in range(_ZERO, count):
        for lane in range(_ZERO, _SIXTEEN):
            if _SMALL < gram.entries[(v * count + v) * _SIXTEEN + lane] < _LARGE:
                continue
            peak = 0.0
            for j in range(_ZERO, shape.rows):
                entry = abs(mantissas[v * size + j * _SIXTEEN + lane])
                if not entry < np.inf:
                    alive[lane] = False
                peak = max(peak, entry)
            if peak > 0.0 and alive[lane]:
                shift = math.frexp(peak)[1]
                state.exponents[v * _SIXTEEN + lane] += shift
                for j in range(_ZERO, shape.rows):
                    i = v * size + j * _SIXTEEN + lane
                    mantissas[i] = math.ldexp(mantissas[i], -shift)
    for lane in range(_ZERO, _SIXTEEN):
        if not alive[lane]:
            for v in range(_ZERO, count):
                for j in range(_ZERO, shape.rows):
                    mantissas[v * size + j * _SIXTEEN + lane] = 0.0
    diagonal_of_gram(mantissas, shape, gram)


@helper
def perform(network, batch, k, state, gram, work, complete):
    """Perform a sentence, and add a_k times what it leaves to b times the state.

    `complete` says that `gram` is the whole matrix of the state, of which the diagonal is known in any case.
    A matrix at the end adds its images at once where they are in the frames of the states.
    """
    constants, alpha = network.constants, alpha_of(network.constants, k)
    sentence, shape = constants.sentence, network.shape
    end = sentence.size - np.int64(sentence[sentence.size - 1] == STREAM_NORM)
    for i in range(_ZERO, shape.count * _SIXTEEN):
        work.frames[i] = state.exponents[i]
    raw, biased, moved, added = True, False, False, False
    for position in range(end):
        word = sentence[position]
        if is_matrix(word):
            added = position == end - 1 and not moved
            if added:
                shrink(constants, state)
            matrix(network, batch, k, word, raw, complete, added, state, gram, work)
        elif word == BIAS:
            layer_role = np.uint32(np.uint32(k) | _BIAS)
            fill_vectors(batch.address, layer_role, network.inner.groups, _ONE, work.bias)
            biased = True
        else:
            if raw:
                for i in range(_ZERO, np.uint64(state.mantissas.size)):
                    work.image[i] = state.mantissas[i]
            if word in (NORM, BRANCH_NORM):
                normalise(constants, shape, network.vectors.owners, work.image, work.frames)
                moved = True
            elif math.isnan(network.sigma.negative_slope) or biased:
                bend(network, work, biased)
            else:
                bend_free(network, work.image)
            biased = biased and word != ACTIVATION
        raw &= word == BIAS
    if not added:
        shrink(constants, state)
        add(shape, alpha, state, work)
    if end < sentence.size:
        normalise(constants, shape, network.vectors.owners, state.mantissas, state.exponents)


@helper
def matrix(network, batch, k, word, raw, complete, added, state, gram, work):
    """Draw the images of the vectors, or add a_k times them to the states."""
    met = network.inner if word == LINEAR_V and LINEAR_W in network.constants.sentence else network.shape
    rows = network.inner if word == LINEAR_W else network.shape
    if not raw:
        diagonal_of_gram(work.image, met, gram)
    if not (raw and complete):
        rest_of_gram(state.mantissas if raw else work.image, met, gram)
    factor(gram, met, (alpha_of(network.constants, k) if added else 1.0) / met.root_d)
    layer_role = np.uint32(np.uint32(k) | (_V if word == LINEAR_V else _W))
    fill_vectors(batch.address, layer_role, rows.groups, rows.count, work.normals)
    apply(work.normals, rows, gram, added, state.mantissas if added else work.image)


@helper
def shrink(constants, state):
    """Multiply the states with the skip factor."""
    if constants.skip != 1.0:
        for i in range(_ZERO, np.uint64(state.mantissas.size)):
            state.mantissas[i] *= constants.skip


@helper
def add(shape, alpha, state, work):
    """Add images times a_k to the states, each in its frame."""
    for v in range(_ZERO, shape.count):
        for lane in range(_ZERO, _SIXTEEN):
            i = v * _SIXTEEN + lane
            shift = min(max(work.frames[i] - state.exponents[i], -1000), 1000)
            work.up[i] = math.ldexp(alpha, int(shift))
        for j in range(_ZERO, shape.rows * _SIXTEEN):
            lane = np.uint64(j & np.uint64(15))
            state.mantissas[v * shape.size + j] += (
                work.up[v * _SIXTEEN + lane] * work.image[v * shape.size + j]
            )


@helper
def record(batch, state, shape, gram, position, out):
    """Store log-norms and cosines of the sixteen networks in their rows of the output."""
    count, entries = shape.count, gram.entries
    for lane in range(_ZERO, _SIXTEEN):
        row = np.uint64(batch.row + lane)
        if row >= np.uint64(out.log_norm.shape[0]):
            continue
        for v in range(_ZERO, count):
            square = entries[(v * count + v) * _SIXTEEN + lane]
            log_norm = 0.5 * math.log(square) if square > 0.0 else -np.inf
            out.log_norm[row, position, v] = log_norm + state.exponents[v * _SIXTEEN + lane] * _LN2
            out.cosine[row, position, v, v] = 1.0 if square > 0.0 else np.nan
            for w in range(_ZERO, v):
                norms = math.sqrt(square * entries[(w * count + w) * _SIXTEEN + lane])
                c = entries[(v * count + w) * _SIXTEEN + lane] / norms
                c = min(max(c, -1.0), 1.0) if norms > 0.0 else np.nan
                out.cosine[row, position, v, w] = c
                out.cosine[row, position, w, v] = c


@helper
def forward(network, batch, state, gram, work, out):
    """Go through the layers up to the last one that is recorded."""
    layers, position = network.vectors.layers, 0
    for k in range(network.constants.depth + 1):
        diagonal_of_gram(state.mantissas, network.shape, gram)
        rescale(state, network.shape, gram)
        wanted = layers[position] == k
        if wanted:
            rest_of_gram(state.mantissas, network.shape, gram)
            record(batch, state, network.shape, gram, position, out)
            position += 1
        if position == layers.size:
            break
        perform(network, batch, k, state, gram, work, wanted)
    for lane in range(_ZERO, _SIXTEEN):
        row = np.uint64(batch.row + lane)
        if not state.alive[lane] and row < np.uint64(out.log_norm.shape[0]):
            out.log_norm[row] = np.nan
            out.cosine[row] = np.nan


@kernel(signature=_RUN_BLOCK)
def run_block(value, slope, constants, draw, vectors, out):
    """Sample the networks of a block on a common set of vectors."""
    shape = build_shape(vectors.mixing.shape[0], constants.width)
    inner = build_shape(vectors.mixing.shape[0], constants.hidden_width)
    network = Network(constants, Sigma(value, slope, constants.negative_slope), shape, inner, vectors)
    state, gram, work = build_state(shape), build_gram(shape), build_work(shape, inner)
    ahead = np.uint64(draw.first_replica % _SIXTEEN)  # networks of the first batch before the block
    for done in range(_ZERO, ahead + np.uint64(out.log_norm.shape[0]), _SIXTEEN):
        row = np.uint64(done - ahead)
        batch = Batch(address_of(draw, row), row)
        start(network, batch, state, work)
        forward(network, batch, state, gram, work, out)
