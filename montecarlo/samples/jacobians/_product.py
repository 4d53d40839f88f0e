"""A product of square matrices as Q 2^e T, so that depth costs neither range nor small singular values.

``J = F_L ⋯ F_1`` is kept as an orthogonal Q, an upper triangular T whose rows have entries of order one, and
a power of two a row. A layer takes the QR decomposition of F Q, whose triangle multiplies ``2^e T`` row by
row in each row's own frame. The rows that are left are orthogonalised by Jacobi's rotations, their sizes
carried as logarithms: small singular values keep their digits beside large ones (J. Demmel and K. Veselić,
SIAM J. Matrix Anal. Appl. 13 (1992) 1204).

Matrices are stored column by column: row j of an array is column j of the matrix.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numba import types

from montecarlo.common._jit import allocating_helper, helper, inline

_ZERO = np.uint64(0)
_ONE = np.uint64(1)
_EIGHT = np.uint64(8)
_LN2 = math.log(2.0)
_SWEEPS = 60
_ORTHOGONAL = 1e-15
_NOTHING = np.int64(-(2**60))
"""Exponent of a row of zeros."""


class Product(NamedTuple):
    """A product, and room to multiply it."""

    basis: Any
    """Q, column by column."""
    factor: Any
    """F Q, then its Householder vectors below the diagonal and R above it, column by column."""
    diagonal: Any
    """That of R."""
    triangle: Any
    """T, row by row."""
    exponents: Any
    """e."""
    frames: Any
    """Exponents of the next T."""
    log_diagonal: Any
    """log |r_ii| of the product's own QR decomposition."""
    logs: Any
    """Logs of the lengths of rows."""


@allocating_helper
def build_product(width):
    """Return room for a product of matrices of a width."""
    return Product(
        np.empty((width, width)), np.empty((width, width)), np.empty(width), np.empty((width, width)),
        np.empty(width, np.int64), np.empty(width, np.int64), np.empty(width), np.empty(width),
    )  # fmt: skip


@helper
def start_product(product, width):
    """Begin with the identity."""
    for i in range(_ZERO, width):
        for j in range(_ZERO, width):
            product.basis[i, j] = 1.0 if i == j else 0.0
            product.triangle[i, j] = 1.0 if i == j else 0.0
        product.exponents[i] = 0
        product.log_diagonal[i] = 0.0


@inline
def dot(x, i, y, j, first, width):
    """Return the product of rows of two arrays from a place on, in eight sums that are folded in a tree."""
    s0 = s1 = s2 = s3 = s4 = s5 = s6 = s7 = 0.0
    k = first
    while k + _EIGHT <= width:
        s0 += x[i, k] * y[j, k]
        s1 += x[i, k + _ONE] * y[j, k + _ONE]
        s2 += x[i, k + np.uint64(2)] * y[j, k + np.uint64(2)]
        s3 += x[i, k + np.uint64(3)] * y[j, k + np.uint64(3)]
        s4 += x[i, k + np.uint64(4)] * y[j, k + np.uint64(4)]
        s5 += x[i, k + np.uint64(5)] * y[j, k + np.uint64(5)]
        s6 += x[i, k + np.uint64(6)] * y[j, k + np.uint64(6)]
        s7 += x[i, k + np.uint64(7)] * y[j, k + np.uint64(7)]
        k += _EIGHT
    total = ((s0 + s1) + (s2 + s3)) + ((s4 + s5) + (s6 + s7))
    while k < width:
        total += x[i, k] * y[j, k]
        k += _ONE
    return total


@helper
def reflect(product, width):
    """Take the QR decomposition of `factor` in place; return the sign of its determinant.

    Every column is reflected, hence the sign is that of the product of the entries that reflections begin at.
    """
    a, diagonal = product.factor, product.diagonal
    sign = 1.0
    for j in range(_ZERO, width):
        first = a[j, j]
        length = math.sqrt(dot(a, j, a, j, j, width))
        if length == 0.0:
            diagonal[j] = 0.0
            sign = 0.0
            continue
        if not length < np.inf:
            return np.nan
        diagonal[j] = -math.copysign(length, first)
        sign *= math.copysign(1.0, first)
        a[j, j] = first - diagonal[j]
        half = length * (length + abs(first))
        for i in range(j + _ONE, width):
            scale = dot(a, i, a, j, j, width) / half
            for k in range(j, width):
                a[i, k] -= scale * a[j, k]
    return sign


@helper
def turn_basis(product, width):
    """Set Q to the orthogonal factor that `reflect` left."""
    q, a, diagonal = product.basis, product.factor, product.diagonal
    for i in range(_ZERO, width):
        for k in range(_ZERO, width):
            q[i, k] = 1.0 if i == k else 0.0
    for back in range(_ZERO, width):
        j = width - _ONE - back
        if diagonal[j] == 0.0:
            continue
        half = -diagonal[j] * a[j, j]
        for i in range(j, width):  # columns before the j-th have zeros from there on
            scale = dot(q, i, a, j, j, width) / half
            for k in range(j, width):
                q[i, k] -= scale * a[j, k]


@helper
def multiply_triangle(product, width):
    """Multiply ``2^e T`` by the R that `reflect` left."""
    a, diagonal, t = product.factor, product.diagonal, product.triangle
    exponents = product.exponents
    for i in range(_ZERO, width):
        frame = exponents[i] if diagonal[i] != 0.0 else _NOTHING
        for l in range(i + _ONE, width):
            if a[l, i] != 0.0:
                frame = max(frame, exponents[l])
        own = 0.0
        if frame > _NOTHING:
            own = math.ldexp(diagonal[i], int(max(exponents[i] - frame, np.int64(-2000))))
        for k in range(i, width):
            t[i, k] *= own
        for l in range(i + _ONE, width):
            if frame == _NOTHING or exponents[l] < frame - 1080 or a[l, i] == 0.0:
                continue
            entry = math.ldexp(a[l, i], int(exponents[l] - frame))
            for k in range(l, width):  # rows below are still those of the layer before
                t[i, k] += entry * t[l, k]
        exponents[i] = settle_row(t, i, frame, width)


@inline
def settle_row(t, i, frame, width):
    """Scale a row to a largest entry between 1/2 and 1; return its exponent."""
    peak = 0.0
    for k in range(i, width):
        peak = max(peak, abs(t[i, k]))
    if peak == 0.0:
        return _NOTHING
    if 0.03125 < peak < 32.0:
        return frame
    places = math.frexp(peak)[1]
    for k in range(i, width):
        t[i, k] = math.ldexp(t[i, k], int(-places))
    return frame + places


@helper
def absorb(product, width, turning, complete):
    """Multiply a product by the factor F from the left; return the sign of det(F Q), NaN if F is not finite.

    `factor` holds F Q where the basis is turning, and F itself where it is not: there the law of F is that of
    ``Qᵀ F Q``, and Q is left out. Without `complete` only the diagonal is kept.
    """
    sign = reflect(product, width)
    if math.isnan(sign):
        return sign
    for i in range(_ZERO, width):
        product.log_diagonal[i] += math.log(abs(product.diagonal[i]))
    if complete:
        multiply_triangle(product, width)
    if turning:
        turn_basis(product, width)
    return sign


@helper
def log_singular_values(product, width, out):
    """Store the logs of the product's singular values, in descending order."""
    t, logs = product.triangle, product.logs
    for i in range(_ZERO, width):
        for k in range(_ZERO, i):
            t[i, k] = 0.0
        logs[i] = product.exponents[i] * _LN2 if product.exponents[i] > _NOTHING else -np.inf
        unit_row(t, i, logs, width)
    for _ in range(_SWEEPS):
        turned = False
        for i in range(_ZERO, width):
            for j in range(i + _ONE, width):
                if logs[i] >= logs[j]:
                    turned |= rotate(t, i, j, logs, width)
                else:
                    turned |= rotate(t, j, i, logs, width)
        if not turned:
            break
    for i in range(_ZERO, width):
        value = logs[i]
        place = i
        while place > _ZERO and out[place - _ONE] < value:
            out[place] = out[place - _ONE]
            place -= _ONE
        out[place] = value


@inline
def unit_row(t, i, logs, width):
    """Scale a row to length one and add the log of its length."""
    length = math.sqrt(dot(t, i, t, i, _ZERO, width))
    if length == 0.0:
        logs[i] = -np.inf
        return
    logs[i] += math.log(length)
    for k in range(_ZERO, width):
        t[i, k] /= length


@inline
def rotate(t, i, j, logs, width):
    """Make two rows orthogonal, row i being the longer; return whether they were not."""
    if logs[j] == -np.inf:
        return False
    cosine = dot(t, i, t, j, _ZERO, width)
    if abs(cosine) <= _ORTHOGONAL * math.sqrt(np.float64(width)):
        return False
    ratio = math.exp(logs[j] - logs[i])
    gap = (1.0 - ratio) * (1.0 + ratio) / (2.0 * abs(cosine))
    # the tangent of the angle is ratio * q: q has no underflow
    q = -math.copysign(1.0, cosine) / (gap + math.sqrt(ratio * ratio + gap * gap))
    tangent = ratio * q
    c = 1.0 / math.sqrt(1.0 + tangent * tangent)
    for k in range(_ZERO, width):
        x, y = t[i, k], t[j, k]
        t[i, k] = c * (x - tangent * ratio * y)
        t[j, k] = c * (y + q * x)
    unit_row(t, i, logs, width)
    unit_row(t, j, logs, width)
    return True


class Rows(NamedTuple):
    """What the kernels write, a row a network; without singular values, an array of no columns."""

    sign: Any
    log_diagonal: Any
    log_singular: Any


_MATRIX = types.float64[:, ::1]
ROWS = types.NamedTuple([types.float64[::1], _MATRIX, _MATRIX], Rows)


@helper
def record(product, sign, width, rows, row):
    """Write a network's row."""
    rows.sign[row] = sign
    failed = math.isnan(sign)
    for i in range(_ZERO, width):
        rows.log_diagonal[row, i] = np.nan if failed else product.log_diagonal[i]
    if rows.log_singular.shape[1] == 0:
        return
    if failed:
        rows.log_singular[row, :] = np.nan
    else:
        log_singular_values(product, width, rows.log_singular[row])
