"""A network with a norm and a tangent of it, in a handful of numbers: gradients by duality.

For a read-out row of uniform direction, independent of the network, ‖p_0‖/‖p_L‖ has the law of ‖J v‖ and
‖p_0 - p_L‖/‖p_L‖ that of ‖J v - v‖, where J is the Jacobian and v a uniform unit vector (J0). So the state h
and its tangent T = J v are followed (N6c, N9, N10 iii) in an orthonormal frame: two vectors that span h_0 and
v, two for what h and T have besides, and two for what a layer adds.

With z normal, n_1 and n_2 normal vectors of the width and N active units, a branch behind a ReLU has the
images ``u = √(χ²_N/M) n_1`` of a state of length √d and ``w = (z n_1 + √χ²_{N-1} n_2)/√M`` of a tangent of
that length across it; a linear one has n_1 and n_2. A norm before the branch divides the tangent's part
across h by ‖h‖/√d and drops the one along; behind the branch or on the stream it does the same there. The
length of h_0 is that of the row's own network, all else is drawn afresh.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numba import types

from montecarlo.common._jit import allocating_helper, helper, kernel
from montecarlo.engines.radial._draws import TABLES, build_draws, draw_active, exact_chi_square
from montecarlo.engines.radial._start import LAST_LAYER, log_start
from montecarlo.engines.radial._step import OUTER, UNIFORM, has_w, norm_of
from montecarlo.kernels._records import CONSTANTS, DRAW, address_of, alpha_of
from montecarlo.kernels._room import zeros
from montecarlo.streams._keys import ROLE_RADIAL_NORMALS, ROLE_RADIAL_WORDS
from montecarlo.streams._normals import box_muller
from montecarlo.streams._philox import philox

_NORMALS = np.uint32(ROLE_RADIAL_NORMALS << 28)
_WORDS = np.uint32(ROLE_RADIAL_WORDS << 28)
_OTHERS = np.uint32(0x80000000)  # counters of networks beside those of the hidden columns
_FAR = 20  # bits between the counters at which proposals of different chi-squares are redone
_FRAME = 6
_RUN_TANGENTS = types.void(CONSTANTS, TABLES, DRAW, types.float64[:, ::1])


class Tangent(NamedTuple):
    """A state, its tangent and room for a layer; vectors in the frame."""

    h: Any
    t: Any
    u: Any
    w: Any
    beside: Any
    moved: Any
    """T - v along the first two vectors of the frame."""
    normals: Any
    words: Any


@allocating_helper
def build_tangent():
    """Return room for a network and its tangent."""
    return Tangent(
        zeros(_FRAME, np.float64), zeros(_FRAME, np.float64), zeros(_FRAME, np.float64),
        zeros(_FRAME, np.float64), zeros(_FRAME, np.float64), zeros(2, np.float64), zeros(16, np.float64),
        zeros(8, np.uint32),
    )  # fmt: skip


@helper
def fill(address, layer, tangent):
    """Draw sixteen normals and eight words."""
    k0, k1, low, high = address
    for i in range(4):
        counter = np.uint32(_OTHERS + np.uint32(i))
        w0, w1, w2, w3 = philox(counter, np.uint32(layer | _NORMALS), low, high, k0, k1)
        a, b = box_muller(w0, w1)
        c, d = box_muller(w2, w3)
        tangent.normals[4 * i] = a
        tangent.normals[4 * i + 1] = b
        tangent.normals[4 * i + 2] = c
        tangent.normals[4 * i + 3] = d
    for i in range(2):
        counter = np.uint32(_OTHERS + np.uint32(i))
        w0, w1, w2, w3 = philox(counter, np.uint32(layer | _WORDS), low, high, k0, k1)
        tangent.words[4 * i] = w0
        tangent.words[4 * i + 1] = w1
        tangent.words[4 * i + 2] = w2
        tangent.words[4 * i + 3] = w3


@helper
def chi_square(address, layer, tangent, which, degrees):
    """Return one of four chi-squares of a layer."""
    x = tangent.normals[12 + which]
    if degrees < 2:
        return x * x if degrees == 1 else 0.0
    shape = 0.5 * np.float64(degrees) - 1.0 / 3.0
    first = np.uint32(_OTHERS + np.uint32(np.uint32(which + 1) << np.uint32(_FAR)))
    scale = 1.0 / math.sqrt(9.0 * shape)
    return exact_chi_square(address, first, layer, shape, scale, x, tangent.words[which])


@helper
def length(x, first):
    """Return the norm of the entries of a vector from one on."""
    total = 0.0
    for j in range(first, _FRAME):
        total += x[j] * x[j]
    if 1e-280 < total < 1e280:
        return math.sqrt(total)
    total = 0.0  # squares out of float range, behind a tiny or a huge input
    for j in range(first, _FRAME):
        total = math.hypot(total, x[j])
    return total


@helper
def start(address, tangent, outer, log_first):
    """Begin at h_0 and a uniform v; a norm on the stream keeps directions alone."""
    fill(address, LAST_LAYER, tangent)
    for j in range(_FRAME):
        tangent.h[j] = 0.0
        tangent.t[j] = 0.0
    tangent.h[0] = 1.0 if outer else math.exp(log_first)
    tangent.moved[0] = 0.0
    tangent.moved[1] = 0.0


@helper
def direct(address, tangent, width, outer):
    """Turn v; return its parts along h_0 and across."""
    along = tangent.normals[0]
    across = math.sqrt(chi_square(address, LAST_LAYER, tangent, 0, width - 1))
    size = math.hypot(along, across)
    tangent.t[0] = 0.0 if outer else along / size
    tangent.t[1] = across / size
    return along / size, across / size


@helper
def draw_branch(address, layer, constants, tables, halves, draws, tangent):
    """Draw the images of a branch in units of what W meets; see the module."""
    fill(address, layer, tangent)
    d, units = constants.width, constants.hidden_width
    image, slant, beside = 1.0, 0.0, 1.0
    if halves:
        draws.w1[0] = tangent.words[4]
        draws.w2[0] = tangent.words[5]
        draw_active(np.uint64(1), units, tables, draws)
        active = np.int64(draws.active[0])
        root = math.sqrt(np.float64(units))
        image = math.sqrt(chi_square(address, layer, tangent, 0, active)) / root
        slant = tangent.normals[9] / root if active > 0 else 0.0
        beside = math.sqrt(chi_square(address, layer, tangent, 1, active - 1)) / root
    u, w = tangent.u, tangent.w
    for j in range(_FRAME):
        first, second = 0.0, 0.0
        if j < min(d, 4):
            first, second = tangent.normals[j], tangent.normals[4 + j]
        elif j == 4:
            first = math.sqrt(chi_square(address, layer, tangent, 2, d - 4))
            second = tangent.normals[8] if d > 4 else 0.0
        else:
            second = math.sqrt(chi_square(address, layer, tangent, 3, d - 5))
        u[j] = image * first
        w[j] = slant * first + beside * second


@helper
def turn(x, frame, size):
    """Return the part of a vector along another of that size."""
    total = 0.0
    for j in range(_FRAME):
        total += (frame[j] / size) * x[j]
    return total


@helper
def reframe(tangent):
    """Turn the last four vectors of the frame into the two that h and T need."""
    h, t = tangent.h, tangent.t
    along = length(h, 2)
    tilt = 0.0
    if along > 0.0:
        for j in range(2, _FRAME):
            tilt += (h[j] / along) * t[j]
        for j in range(2, _FRAME):
            t[j] -= tilt * (h[j] / along)
    across = length(t, 2)
    for j in range(2, _FRAME):
        h[j] = 0.0
        t[j] = 0.0
    h[2] = along
    t[2] = tilt
    t[3] = across


@helper
def move(tangent, alpha, norm, width):
    """Add a branch behind a norm to the stream, and its derivative to the tangent."""
    h, t, u, w = tangent.h, tangent.t, tangent.u, tangent.w
    size = length(h, 0)
    along = turn(t, h, size)
    for j in range(_FRAME):
        tangent.beside[j] = t[j] - along * (h[j] / size)
    ratio, factor = length(tangent.beside, 0) / size, alpha
    if norm == UNIFORM:
        reach = length(u, 0)
        if reach == 0.0:
            return
        slip = turn(w, u, reach)
        for j in range(_FRAME):
            w[j] -= slip * (u[j] / reach)
        factor *= math.sqrt(np.float64(width)) / reach
    for j in range(_FRAME):
        h[j] += factor * u[j]
        change = factor * ratio * w[j]
        t[j] += change
        if j < 2:
            tangent.moved[j] += change
    reframe(tangent)


@helper
def turn_stream(tangent, alpha, skip, width):
    """Go through a layer whose stream is normalised, in units of √d; return the tangent's log-growth."""
    h, t, u, w = tangent.h, tangent.t, tangent.u, tangent.w
    factor = alpha / math.sqrt(np.float64(width))
    for j in range(_FRAME):
        h[j] = skip * h[j] + factor * u[j]
        t[j] = skip * t[j] + factor * w[j]
    reframe(tangent)
    size = length(h, 0)
    if size == 0.0:
        return -np.inf
    along = turn(t, h, size)
    for j in range(_FRAME):
        h[j] /= size
        t[j] -= along * h[j]
    growth = length(t, 0)
    if growth == 0.0:
        return -np.inf
    for j in range(_FRAME):
        t[j] /= growth
    return math.log(growth) - math.log(size)


@helper
def logs(tangent, outer, log_size, along, across):
    """Return the two log-norms."""
    t, moved = tangent.t, tangent.moved
    if not outer:
        rest = length(t, 2)
        change = math.hypot(math.hypot(moved[0], moved[1]), rest)
        ratio = length(t, 0)
        return (
            math.log(ratio) if ratio > 0.0 else -np.inf,
            math.log(change) if change > 0.0 else (-np.inf if change == 0.0 else np.nan),
        )
    if log_size > 300.0:
        return log_size, log_size
    size = math.exp(log_size)
    change = math.hypot(math.hypot(size * t[0] - along, size * t[1] - across), size * length(t, 2))
    return log_size, math.log(change) if change > 0.0 else -np.inf


@kernel(signature=_RUN_TANGENTS)
def run_tangents(constants, tables, draw, rows):
    """Sample (log ‖J v‖, log ‖J v - v‖) of consecutive networks into `rows`, shape (n, 2)."""
    tangent, draws = build_tangent(), build_draws(1)
    x = zeros(constants.input_dim, np.float32)
    d, norm, halves = constants.width, norm_of(constants), has_w(constants)
    outer = norm == OUTER
    for row in range(rows.shape[0]):
        address = address_of(draw, row)
        log_first = log_start(address, constants, x)
        start(address, tangent, outer, log_first)
        along, across = direct(address, tangent, d, outer)
        log_size = 0.0
        if outer:
            log_size = math.log(across) if across > 0.0 else -np.inf
            log_size += 0.5 * math.log(np.float64(d)) - log_first
            tangent.t[1] = 1.0
        for k in range(constants.depth):
            alpha = alpha_of(constants, k)
            draw_branch(address, np.uint32(k), constants, tables, halves, draws, tangent)
            if outer:
                log_size += turn_stream(tangent, alpha, constants.skip, d)
                if log_size == -np.inf:
                    break
            else:
                move(tangent, alpha, norm, d)
        rows[row, 0], rows[row, 1] = logs(tangent, outer, log_size, along, across)
