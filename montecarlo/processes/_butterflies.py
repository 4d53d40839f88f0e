"""Butterflies of a real inverse FFT of radix 2, 3, 4 and 5, on whatever adds and multiplies.

A pass of radix r (Swarztrauber's FFTPACK) turns r packed half-complex rows ``x_0 ... x_{r-1}`` of m numbers
each, ``Re 0, Re 1, Im 1, ...``, into r rows ``y_0 ... y_{r-1}``. Of the rows x, the even ones go up in
frequency and the odd ones down: `folded` meets the two ends. The first number of a row is real (`head`), and
so is the last one where m is even (`tail`); those between are pairs, multiplied by roots of unity afterwards.

The order of the operations is that of pocketfft, which scipy calls: bit for bit the same transforms.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

_SQRT_2 = np.float32(1.4142135623730951)
_COS_3, _SIN_3 = np.float32(-0.5), np.float32(0.8660254037844386)
_COS_5, _SIN_5 = np.float32(0.30901699437494745), np.float32(0.9510565162951535)
_COS_5_2, _SIN_5_2 = np.float32(-0.8090169943749475), np.float32(0.5877852522924731)

Rows = Callable[[int], Any]
"""The number, or the pair, of row b at hand."""


class Pair(NamedTuple):
    """A complex number."""

    real: Any
    imag: Any

    def plus(self, other: Pair) -> Pair:
        """Return the sum."""
        return Pair(self.real + other.real, self.imag + other.imag)

    def minus(self, other: Pair) -> Pair:
        """Return the difference."""
        return Pair(self.real - other.real, self.imag - other.imag)

    def plus_i(self, other: Pair) -> Pair:
        """Return the sum with i times the other."""
        return Pair(self.real - other.imag, self.imag + other.real)

    def minus_i(self, other: Pair) -> Pair:
        """Return the difference from i times the other."""
        return Pair(self.real + other.imag, self.imag - other.real)

    def scaled(self, factor: Any) -> Pair:
        """Return a real multiple."""
        return Pair(factor * self.real, factor * self.imag)

    def turned(self, root: Pair) -> Pair:
        """Return the product with a root of unity."""
        return Pair(
            root.real * self.real - root.imag * self.imag, root.real * self.imag + root.imag * self.real
        )


def folded(up: Pair, down: Pair) -> tuple[Pair, Pair]:
    """Return sum and difference of a pair and the conjugate of its mirror image."""
    return (
        Pair(up.real + down.real, up.imag - down.imag),
        Pair(up.real - down.real, up.imag + down.imag),
    )


class Butterfly(NamedTuple):
    """The parts of a pass: each from the rows at hand to the r results."""

    head: Callable[[Rows, Rows], list[Any]]
    """Of the first and the last numbers of the rows; the results' first numbers."""
    tail: Callable[[Rows, Rows], list[Any]] | None
    """The same for the results' last numbers, where the rows' length may be even."""
    middle: Callable[[Rows, Rows], list[Pair]]
    """Of the pairs here and of those at the mirrored place."""


def _head_2(first: Rows, last: Rows) -> list[Any]:
    return [first(0) + last(1), first(0) - last(1)]


def _tail_2(first: Rows, last: Rows) -> list[Any]:
    return [np.float32(2.0) * last(0), np.float32(-2.0) * first(1)]


def _middle_2(here: Rows, there: Rows) -> list[Pair]:
    return list(folded(here(0), there(1)))


def _head_3(first: Rows, last: Rows) -> list[Any]:
    x, t = first(0), last(1) + last(1)
    c, p = x + _COS_3 * t, (_SIN_3 + _SIN_3) * first(2)
    return [x + t, c - p, c + p]


def _middle_3(here: Rows, there: Rows) -> list[Pair]:
    x, (t, d) = here(0), folded(here(2), there(1))
    c, p = x.plus(t.scaled(_COS_3)), d.scaled(_SIN_3)
    return [x.plus(t), c.plus_i(p), c.minus_i(p)]


def _head_4(first: Rows, last: Rows) -> list[Any]:
    s, d = first(0) + last(3), first(0) - last(3)
    t, e = last(1) + last(1), first(2) + first(2)
    return [s + t, d - e, s - t, d + e]


def _tail_4(first: Rows, last: Rows) -> list[Any]:
    s, d = last(0) + last(2), last(0) - last(2)
    t, e = first(3) + first(1), first(3) - first(1)
    return [s + s, _SQRT_2 * (d - t), e + e, -_SQRT_2 * (d + t)]


def _middle_4(here: Rows, there: Rows) -> list[Pair]:
    s, d = folded(here(0), there(3))
    t, e = folded(here(2), there(1))
    return [s.plus(t), d.plus_i(e), s.minus(t), d.minus_i(e)]


def _head_5(first: Rows, last: Rows) -> list[Any]:
    x, t, u = first(0), last(1) + last(1), last(3) + last(3)
    d, e = first(2) + first(2), first(4) + first(4)
    c, p = x + _COS_5 * t + _COS_5_2 * u, d * _SIN_5 + e * _SIN_5_2
    b, q = x + _COS_5_2 * t + _COS_5 * u, d * _SIN_5_2 - e * _SIN_5
    return [x + t + u, c - p, b - q, b + q, c + p]


def _middle_5(here: Rows, there: Rows) -> list[Pair]:
    x, (t, d), (u, e) = here(0), folded(here(2), there(1)), folded(here(4), there(3))
    c = x.plus(t.scaled(_COS_5)).plus(u.scaled(_COS_5_2))
    b = x.plus(t.scaled(_COS_5_2)).plus(u.scaled(_COS_5))
    p = d.scaled(_SIN_5).plus(e.scaled(_SIN_5_2))
    q = d.scaled(_SIN_5_2).minus(e.scaled(_SIN_5))
    return [x.plus(t).plus(u), c.plus_i(p), b.plus_i(q), b.minus_i(q), c.minus_i(p)]


BUTTERFLIES = {
    2: Butterfly(_head_2, _tail_2, _middle_2),
    3: Butterfly(_head_3, None, _middle_3),
    4: Butterfly(_head_4, _tail_4, _middle_4),
    5: Butterfly(_head_5, None, _middle_5),
}
"""By radix."""
