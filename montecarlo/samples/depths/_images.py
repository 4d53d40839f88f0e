"""Coupled depths of Gaussian res-1 networks by images: sixteen networks in lanes, no matrix is drawn.

One fresh Gaussian matrix Ξ belongs to each layer of the deepest network. A network that is r times shallower
has ``√d V = (Ξ_1 + ... + Ξ_r) / √r`` in the layer that spans the same time, so that each matrix acts on the
current σ(h) of all depths at once: their images are ``ξ C`` (`montecarlo.engines.gaussian._gram`). A
shallower network keeps its σ(h) until its layer ends, and adds the images to its state one by one.

States are plain float64: where there is a limit at large depth they stay in range. A network that leaves it
all the same has infinite or NaN rows, which the caller marks.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numba import types

from montecarlo.common._jit import helper, kernel, merged
from montecarlo.engines.gaussian._gram import (
    Shape,
    apply,
    build_gram,
    build_shape,
    factor,
    fill_vectors,
)
from montecarlo.engines.gaussian._records import Batch
from montecarlo.kernels._lanes import NETWORKS, dot, fill_normals
from montecarlo.kernels._records import CONSTANTS, DRAW, Constants, address_of
from montecarlo.kernels._room import zeros
from montecarlo.kernels._state import SCALAR_FUNCTION, draw_input
from montecarlo.streams._blocks import Table
from montecarlo.streams._keys import ROLE_IMAGE_START, ROLE_IMAGE_V

_V = np.uint32(ROLE_IMAGE_V << 28)
_START = np.uint32(ROLE_IMAGE_START << 28)
_ZERO = np.uint64(0)
_ONE = np.uint64(1)
_SIXTEEN = np.uint64(NETWORKS)


class Depths(NamedTuple):
    """The networks, shallow first."""

    ratios: Any
    """Layers of the deepest network that one layer spans, each a multiple of the next; the last is 1."""
    scales: Any
    """α over the root of that."""


class Rows(NamedTuple):
    """What the kernel writes, a row a replica; see `montecarlo.CoupledSample`."""

    strong: Any
    end: Any
    ratio: Any
    cosine: Any


_RUN_BLOCK = types.void(
    SCALAR_FUNCTION, CONSTANTS, DRAW, types.NamedTuple([types.int64[::1], types.float64[::1]], Depths),
    types.NamedUniTuple(types.float64[:, ::1], 4, Rows),
)  # fmt: skip


class Network(NamedTuple):
    """One specification at all depths."""

    value: Any
    constants: Constants
    shape: Shape
    depths: Depths


class Work(NamedTuple):
    """States of all depths, and room to work in."""

    state: Any
    image: Any
    normals: Any
    start: Any
    gap: Any
    fresh: Any
    input: Any
    squares: Any
    """Of the gaps between neighbouring depths, sixteen lanes each, and the largest so far."""
    largest: Any
    norms: Any
    ends: Any
    products: Any


@helper
def draw_starts(network, batch, work):
    """Store h_0 = A x of sixteen networks: normal given x, with variance ``‖x‖²/n`` an entry."""
    address, shape, x = batch.address, network.shape, work.input
    n_in = np.uint64(x.size)
    fill_normals(address, _START, shape.groups, Table(work.fresh, _ZERO))
    for lane in range(_ZERO, _SIXTEEN):
        draw_input(address.k0, address.k1, np.uint32(address.low + np.uint32(lane)), address.high, x, n_in)
        total = 0.0
        for j in range(_ZERO, n_in):
            total += np.float64(x[j]) * np.float64(x[j])
        scale = network.constants.input_scale * math.sqrt(total / np.float64(n_in))
        for j in range(_ZERO, shape.rows):
            work.start[j * _SIXTEEN + lane] = scale * np.float64(work.fresh[j * _SIXTEEN + lane])
    for v in range(_ZERO, shape.count):
        for i in range(_ZERO, shape.size):
            work.state[v * shape.size + i] = work.start[i]
        for lane in range(_ZERO, _SIXTEEN):
            work.largest[v * _SIXTEEN + lane] = 0.0


@helper
def activate(network, v, state, out):
    """Store ``scale σ(h)`` of one depth."""
    negative_slope, scale = network.constants.negative_slope, network.depths.scales[v]
    start = v * network.shape.size
    if math.isnan(negative_slope):
        for i in range(start, start + network.shape.rows * _SIXTEEN):
            out[i] = scale * network.value(state[i])
    else:
        for i in range(start, start + network.shape.rows * _SIXTEEN):
            x = state[i]
            out[i] = scale * (x if x > 0.0 else negative_slope * x)


@helper
def renew_gram(vectors, shape, stale, gram):
    """Store the rows of the Gram matrix of the vectors from `stale` on; those before have not changed."""
    for v in range(stale, shape.count):
        for w in range(_ZERO, np.uint64(v + _ONE)):
            entry = Table(gram.entries, (v * shape.count + w) * _SIXTEEN)
            dot(Table(vectors, v * shape.size), Table(vectors, w * shape.size), shape.rows, entry)


@helper
def compare(shape, v, work):
    """Store ``‖h^v − h^{v+1}‖²`` of the sixteen networks, and raise the largest so far to it."""
    first = v * shape.size
    second = np.uint64(v + _ONE) * shape.size
    for i in range(_ZERO, shape.rows * _SIXTEEN):
        work.gap[i] = work.state[first + i] - work.state[second + i]
    dot(work.gap, work.gap, shape.rows, Table(work.squares, v * _SIXTEEN))
    for lane in range(_ZERO, _SIXTEEN):
        i = v * _SIXTEEN + lane
        work.largest[i] = max(work.largest[i], work.squares[i])


@helper
def forward(network, batch, gram, work):
    """Go through the layers of the deepest network, and of the others with it."""
    shape, ratios = network.shape, network.depths.ratios
    for k in range(network.constants.depth):
        stale = _ZERO
        while k % ratios[stale] != 0:
            stale = np.uint64(stale + _ONE)
        for v in range(stale, shape.count):
            activate(network, v, work.state, work.image)
        renew_gram(work.image, shape, stale, gram)
        factor(gram, shape, 1.0 / shape.root_d)
        layer_role = np.uint32(np.uint32(k) | _V)
        fill_vectors(batch.address, layer_role, shape.groups, shape.count, work.normals)
        apply(work.normals, shape, gram, True, work.state)
        for v in range(_ZERO, np.uint64(shape.count - _ONE)):
            if (k + 1) % ratios[v] == 0:
                compare(shape, v, work)


@helper
def half_log(square, reference):
    """Return the natural log of a ratio of norms from their squares; -inf for an exact zero."""
    return -np.inf if square == 0.0 else 0.5 * math.log(square / reference)


@helper
def record(batch, shape, work, out):
    """Store the rows of the sixteen networks."""
    start, norms, ends, products = work.start, work.norms, work.ends, work.products
    dot(start, start, shape.rows, norms)
    for v in range(_ZERO, shape.count):
        state = Table(work.state, v * shape.size)
        dot(state, state, shape.rows, ends)
        dot(state, start, shape.rows, products)
        for lane in range(_ZERO, _SIXTEEN):
            row = np.uint64(batch.row + lane)
            if row >= np.uint64(out.ratio.shape[0]):
                continue
            out.ratio[row, v] = half_log(ends[lane], norms[lane])
            both = math.sqrt(ends[lane]) * math.sqrt(norms[lane])
            out.cosine[row, v] = min(max(products[lane] / both, -1.0), 1.0) if both > 0.0 else np.nan
            if np.uint64(v + _ONE) < shape.count:
                i = v * _SIXTEEN + lane
                out.strong[row, v] = half_log(work.largest[i], norms[lane])
                out.end[row, v] = half_log(work.squares[i], norms[lane])


@merged
def build_work(shape, n_in):
    """Return room to work in."""
    total, lanes = shape.count * shape.size, shape.count * _SIXTEEN
    return Work(
        zeros(total, np.float64), zeros(total, np.float64), zeros(total, np.float32),
        zeros(shape.size, np.float64), zeros(shape.size, np.float64), zeros(shape.size, np.float32),
        zeros(n_in, np.float32), zeros(lanes, np.float64), zeros(lanes, np.float64),
        zeros(NETWORKS, np.float64), zeros(NETWORKS, np.float64), zeros(NETWORKS, np.float64),
    )  # fmt: skip


@kernel(signature=_RUN_BLOCK)
def run_block(value, constants, draw, depths, out):
    """Sample the networks of a block at all depths, shallow first; the constants are the deepest one's."""
    shape = build_shape(depths.ratios.size, constants.width)
    network = Network(value, constants, shape, depths)
    gram, work = build_gram(shape), build_work(shape, constants.input_dim)
    ahead = np.uint64(draw.first_replica % _SIXTEEN)  # networks of the first batch before the block
    for done in range(_ZERO, ahead + np.uint64(out.ratio.shape[0]), _SIXTEEN):
        row = np.uint64(done - ahead)
        batch = Batch(address_of(draw, row), row)
        draw_starts(network, batch, work)
        forward(network, batch, gram, work)
        record(batch, shape, work, out)
