"""Float32 standard normals from pairs of 32-bit words: Box-Muller on branch-free polynomials.

The radius is ``sqrt(-2 log u)`` with ``u = (w + 1/2) / 2**31``, w the upper 31 bits of the first word. Near
u = 1 the float32 grid would make small radii coarse (steps of 1e-3), so ``1 - u`` is formed from the
integer there and the same polynomial takes it: the relative error of a radius stays below 4e-7
everywhere. The angle takes the second word: 30 bits place it in a quarter turn, centred, so that the
law is exactly symmetric under sign flips and exchange of the two variates.

Range and resolution
--------------------
The largest ``|z|`` is ``sqrt(2 log 2**32) = 6.6604``; the mass beyond it, 2.7e-11, is missing. Radii are a
function of 31 bits, so a tail event of probability p is resolved to about ``2**-31 / p`` relative. The
largest step between neighbouring radii is 0.18, at the far end (the mass of one of the 2**31 cells).

The polynomials are weighted minimax fits by Lawson's algorithm; their relative errors are 6e-9 (log),
5e-9 (sine) and 5e-11 (cosine), below float32 rounding.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from montecarlo.common._jit import fma, inline, kernel
from montecarlo.common._scalars import as_bits
from montecarlo.streams._philox import philox

LARGEST_NORMAL = 6.6605
"""Upper bound of ``|z|`` for the normals of this module: sqrt(2 log 2**32), rounded up."""

_F = np.float32
_LN2 = _F(0.6931471805599453)
_SQRT_HALF_BITS = np.int32(0x3F3504F3)
_NEAR_ONE = _F(0.7071067811865476 * 2.0**31)

# log(1 + f) = f - f²/2 + f³ Q(f) on [√½ - 1, √2 - 1]
_Q0, _Q1, _Q2, _Q3 = _F(0.333333317), _F(-0.250008211), _F(0.200012267), _F(-0.166233565)
_Q4, _Q5, _Q6, _Q7 = _F(0.142017625), _F(-0.131601951), _F(0.127615504), _F(-0.0763442991)
# sin(πt/2) / t and cos(πt/2) as polynomials in t² for |t| <= 1/2
_S0, _S1, _S2, _S3 = _F(1.570796322), _F(-0.6459634786), _F(0.07968022806), _F(-0.00460217699)
_C0, _C1, _C2 = _F(1.0), _F(-1.233700541), _F(0.2536692039)
_C3, _C4 = _F(-0.02086007132), _F(0.0009036317016)


@inline
def box_muller(radius_word, angle_word):
    """Return two independent standard normals (float32) from two uniform words (uint32)."""
    k = np.int32(np.uint32(radius_word >> np.uint32(1)))
    v = _F(k) + _F(0.5)
    complement = _F(np.int32(np.int32(0x7FFFFFFF) - k)) + _F(0.5)
    near_one = v > _NEAR_ONE
    offset = np.int32(as_bits(np.float32(v), np.int32) - _SQRT_HALF_BITS)
    exponent = np.int32(offset >> np.int32(23))
    mantissa = as_bits(np.int32(np.int32(offset & np.int32(0x007FFFFF)) + _SQRT_HALF_BITS), np.float32)
    f = -complement * _F(2.0**-31) if near_one else mantissa - _F(1.0)
    e = _F(0.0) if near_one else _F(np.int32(exponent - np.int32(31)))
    q = fma(_Q7, f, _Q6)
    q = fma(q, f, _Q5)
    q = fma(q, f, _Q4)
    q = fma(q, f, _Q3)
    q = fma(q, f, _Q2)
    q = fma(q, f, _Q1)
    q = fma(q, f, _Q0)
    q = fma(q, f, _F(-0.5))
    log_u = fma(e, _LN2, fma(f * f, q, f))
    radius = np.sqrt(_F(-2.0) * log_u)

    # The two lowest bits become 10: the centre of the cell, so that t and -t are equally likely.
    centred = np.int32(np.uint32(np.uint32(angle_word << np.uint32(2)) | np.uint32(2)))
    t = _F(centred) * _F(2.0**-32)
    t2 = t * t
    sine = t * fma(fma(fma(_S3, t2, _S2), t2, _S1), t2, _S0)
    cosine = fma(fma(fma(fma(_C4, t2, _C3), t2, _C2), t2, _C1), t2, _C0)
    swap = np.uint32(angle_word & np.uint32(0x40000000)) != np.uint32(0)
    sign = np.uint32(angle_word & np.uint32(0x80000000))
    signed_radius = as_bits(np.uint32(as_bits(np.float32(radius), np.uint32) ^ sign), np.float32)
    first = sine if swap else cosine
    second = cosine if swap else sine
    return signed_radius * first, signed_radius * second


@kernel
def _fill_normals(k0, k1, c1, c2, c3, out):
    n = np.uint64(out.size // 4)
    for i in range(np.uint64(0), n):
        w0, w1, w2, w3 = philox(np.uint32(i), c1, c2, c3, k0, k1)
        z0, z1 = box_muller(w0, w1)
        z2, z3 = box_muller(w2, w3)
        out[i] = z0
        out[n + i] = z1
        out[np.uint64(2) * n + i] = z2
        out[np.uint64(3) * n + i] = z3


@kernel
def _fill_box_muller(radius_words, angle_words, out):
    n = np.uint64(radius_words.size)
    for i in range(np.uint64(0), n):
        z0, z1 = box_muller(radius_words[i], angle_words[i])
        out[i] = z0
        out[n + i] = z1


def normals(
    key: tuple[int, int], n_counters: int, *, high: tuple[int, int, int] = (0, 0, 0)
) -> npt.NDArray[np.float32]:
    """Return the standard normals of the counters ``(0..n_counters-1, *high)``, four a counter.

    Parameters
    ----------
    key : tuple of two int
        The key, two 32-bit words.
    n_counters : int
        Number of consecutive counters, at most 2**32.
    high : tuple of three int, optional
        The three upper words of every counter.

    Returns
    -------
    array of float32, shape (4, n_counters)

    Examples
    --------
    >>> z = normals((1, 2), 250_000)
    >>> f"{z.mean():.2f} {z.std():.2f} {abs(z).max() < LARGEST_NORMAL}"
    '0.00 1.00 True'
    """
    out = np.empty(4 * n_counters, np.float32)
    _fill_normals(
        np.uint32(key[0]), np.uint32(key[1]), np.uint32(high[0]), np.uint32(high[1]), np.uint32(high[2]), out
    )
    return out.reshape(4, n_counters)


def normals_of_words(
    radius_words: npt.NDArray[np.uint32], angle_words: npt.NDArray[np.uint32]
) -> npt.NDArray[np.float32]:
    """Return the pairs of normals that given words turn into, shape (2, n).

    Parameters
    ----------
    radius_words, angle_words : array of uint32, shape (n,)
        The first word fixes the radius, the second one the angle.

    Examples
    --------
    The smallest word gives the largest radius:

    >>> z = normals_of_words(np.array([0], np.uint32), np.array([0], np.uint32))
    >>> round(float(np.hypot(*z)[0]), 3)
    6.66
    """
    out = np.empty(2 * radius_words.size, np.float32)
    _fill_box_muller(radius_words.astype(np.uint32), angle_words.astype(np.uint32), out)
    return out.reshape(2, -1)
