"""A layer of the radial engine on the way back: gradients of sixteen networks, on given draws.

In the frame of ``e = h_0/‖h_0‖``, of the direction u_k of the part of h_k orthogonal to it, and of two
vectors across both, the read-out gradient is ``p_L = (q_0, q_1, q_2, 0)`` and what has been added to it
``(δ_0, δ_1, δ_2, δ_3)``. With a norm before the branch, ``p_k = p_L + κ δ``, where κ keeps δ near one; with
one on the stream p_L leaves no part as it is, and δ is the gradient itself, p_k = δ.

A layer back (N6c, N9, N10 iii): forward, the step was ``a ξ = σ (Z₁ e + Z₂ u_k + √χ² n)``, so u_{k+1} lies in
the plane of u_k and n, ``u_k = cosψ u_{k+1} + sinψ m`` and ``n = sinψ u_{k+1} - cosψ m``, where m is uniform
across e and u_{k+1}. Given ξ = Vσ(z), the part of Vᵀp along σ(z) is p·ξ/‖σ(z)‖, and all else of it is fresh:
behind N active units its square is ``Q = (p·ξ)²/‖σ(z)‖² + ‖p‖² χ²_{N-1}/M``. Wᵀ makes of it a fresh normal
vector, of which a norm keeps the part across h_k: that is added, with the factor a √Q/‖h_k‖.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import types
from numba.extending import intrinsic

from montecarlo.common._jit import JIT_OFF, allocating_helper
from montecarlo.engines.radial._step import OUTER, UNIFORM
from montecarlo.kernels._lane_arithmetic import ArrayRows, Rows, root, where_positive
from montecarlo.kernels._lanes import NETWORKS
from montecarlo.kernels._room import ones, zeros


class Way(NamedTuple):
    """The way back in numbers."""

    skip: float
    kept: float
    """Factor of δ in a layer: 1 before the branch, the skip factor on the stream."""
    lift: float
    """Of steps in units, where δ has none of its own."""
    pull: float
    """1 where the part of Vᵀp along σ(z) matters, else 0."""
    first: float
    """1 where p_L is a part of the gradient, else 0."""
    outer: float
    uniform: float
    width: float
    weight_v: float
    """What the squares of weight gradients lack."""
    weight_w: float
    gate: float
    plane: float
    """1 where the width has so many dimensions, else 0: two, three and four."""
    third: float
    fourth: float


@allocating_helper
def build_way(step, constants):
    """Return the way back in numbers."""
    d, units = np.float64(constants.width), np.float64(constants.hidden_width)
    outer, uniform = 1.0 if step.norm == OUTER else 0.0, 1.0 if step.norm == UNIFORM else 0.0
    lift = 2.0 ** np.float64(step.unit) if outer > 0.0 and step.tiny else 1.0
    across = d if outer > 0.0 else 1.0
    gate = 1.0 / units if step.halves and uniform == 0.0 else 1.0
    return Way(
        step.skip, step.skip if outer > 0.0 else 1.0, lift,
        1.0 if step.halves and uniform == 0.0 else 0.0, 1.0 - outer, outer, uniform, d, across * units,
        across * d, gate, 1.0 if d > 1.0 else 0.0, 1.0 if d > 2.0 else 0.0, 1.0 if d > 3.0 else 0.0,
    )  # fmt: skip


class Walked(NamedTuple):
    """What the way back needs of a chunk of layers, a number a lane and layer."""

    h0: Any
    """The direction of h_k, along e and u_k."""
    h1: Any
    size: Any
    """‖h_k‖, by which a norm before the branch divides, in units and times κ; else 1."""
    across: Any
    """The part along u_k in the frame of the steps."""
    factor: Any
    """`Step.factors`."""
    units_square: Any
    """χ²_N; 1 where no unit is active or none is switched off."""
    log_length: Any
    """log ‖h_k‖/‖h_0‖ of a stream without its norm."""


@allocating_helper
def build_walked(layers):
    """Return room for some layers."""
    n = np.uint64(layers) * np.uint64(NETWORKS)
    return Walked(
        zeros(n, np.float64), zeros(n, np.float64), ones(n, np.float64), zeros(n, np.float64),
        zeros(n, np.float64), ones(n, np.float64), zeros(n, np.float64),
    )  # fmt: skip


class Gradient(NamedTuple):
    """The gradients of sixteen networks; see the module."""

    q0: Any
    q1: Any
    q2: Any
    d0: Any
    d1: Any
    d2: Any
    d3: Any
    kappa: Any
    log_kappa: Any
    origin: Any
    """h_0 along e, in units and times κ."""
    v_square: Any
    """Of the last layer's weight gradients, in units."""
    w_square: Any
    gate_square: Any
    """That of the factor a_k."""
    exponents: Any
    """Powers of two that δ has been divided by, where it is the gradient itself."""


@allocating_helper
def build_gradient():
    """Return room for gradients."""
    n = NETWORKS
    return Gradient(
        zeros(n, np.float64), zeros(n, np.float64), zeros(n, np.float64), zeros(n, np.float64),
        zeros(n, np.float64), zeros(n, np.float64), zeros(n, np.float64), ones(n, np.float64),
        zeros(n, np.float64), zeros(n, np.float64), zeros(n, np.float64), zeros(n, np.float64),
        zeros(n, np.float64), zeros(n, np.int64),
    )  # fmt: skip


def _total(*parts):
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    return total


def _dot(x, y):
    return _total(*(a * b for a, b in zip(x, y, strict=True)))


def _layer_back(way, walked, draws, back, gradient):
    """Go back through a layer; `walked`, `draws` and `back` are its rows."""
    # The turn of the frame.
    sigma, rest = root(walked.factor * draws.active_square), root(draws.rest_square)
    turned, reach = way.skip * walked.across + way.plane * sigma * draws.z2, sigma * rest
    size = root(turned * turned + reach * reach)
    cosine = where_positive(size, turned / size, 1.0)
    sine = where_positive(size, reach / size, 0.0)
    m = (way.third * back.m1, way.fourth * back.m2, root(back.m_square))
    size = root(_dot(m, m))
    inverse = where_positive(size, 1.0 / size, 0.0)
    m = tuple(part * inverse for part in m)
    q2, d2, d3 = gradient.q2, gradient.d2, gradient.d3
    q_m, d_m = q2 * m[0], d2 * m[0] + d3 * m[1]
    q1, d1 = gradient.q1, gradient.d1
    q = (sine * q1 - cosine * q_m, q2 - q_m * m[0], q_m * m[1], q_m * m[2])
    d = (sine * d1 - cosine * d_m, d2 - d_m * m[0], d_m * m[1] - d3, d_m * m[2])
    q1, d1 = cosine * q1 + sine * q_m, cosine * d1 + sine * d_m
    # What the branch returns.
    q0, d0 = gradient.q0, gradient.d0
    p0, p1 = way.first * q0 + gradient.kappa * d0, way.first * q1 + gradient.kappa * d1
    p = tuple(way.first * a + gradient.kappa * b for a, b in zip(q, d, strict=True))
    square = _total(p0 * p0, p1 * p1, _dot(p, p))
    met = draws.z1 * p0 + way.plane * draws.z2 * p1 + rest * p[0]
    met = met * met
    active = draws.active_square
    left = square - way.uniform * (met * active / way.width)
    left = where_positive(left, left, 0.0)
    pulled = where_positive(active, way.pull * met, 0.0)
    inside = where_positive(
        way.uniform, active * left * back.hidden_square / walked.units_square,
        pulled + square * back.hidden_square,
    )  # fmt: skip
    inside = walked.factor * inside
    gradient.put("v_square", way.weight_v * walked.factor * left * active)
    gradient.put("w_square", way.weight_w * inside)
    gradient.put("gate_square", way.gate * met * active)
    # The frame again, f along what p_L has across h_0 and h_k.
    q2 = root(_dot(q, q))
    inverse = where_positive(q2, 1.0 / q2, 0.0)
    q = tuple(part * inverse for part in q)
    d2 = _dot(q, d)
    d = tuple(b - d2 * a for a, b in zip(q, d, strict=True))
    d3 = root(_dot(d, d))
    # The step.
    step = root(inside) * way.lift / walked.size
    along = way.outer * (d0 * walked.h0 + d1 * walked.h1)
    across = step * (way.plane * back.g_plane)
    last = way.kept * d3 + step * (way.fourth * back.g2)
    gradient.put("q1", q1)
    gradient.put("q2", q2)
    gradient.put("d0", way.kept * (d0 - along * walked.h0) - across * walked.h1)
    gradient.put("d1", way.kept * (d1 - along * walked.h1) + across * walked.h0)
    gradient.put("d2", way.kept * d2 + step * (way.third * back.g1))
    gradient.put("d3", root(last * last + step * step * back.g_square))


def _layer_back_python(row, way, walked, draws, back, gradient):
    rows = [ArrayRows(record, row) for record in (walked, draws, back)]
    with np.errstate(divide="ignore", invalid="ignore"):
        _layer_back(way, rows[0], rows[1], rows[2], ArrayRows(gradient, 0))


def _layer_back_compiled(typingctx, row, way, walked, draws, back, gradient):
    """Go back through the layer of a row of a chunk."""

    def codegen(context, builder, sig, args):
        first = args[0].type(0)
        for half in range(2):
            rows = [
                Rows(context, builder, kind, value, row, half)
                for kind, value, row in zip(
                    sig.args[1:], args[1:], (args[0], args[0], args[0], args[0], first), strict=True
                )
            ]
            _layer_back(rows[0], rows[1], rows[2], rows[3], rows[4])
        return context.get_dummy_value()

    return types.void(types.uint64, way, walked, draws, back, gradient), codegen


layer_back: Any = _layer_back_python if JIT_OFF else intrinsic(_layer_back_compiled)
