"""Philox4x32-10, the counter-based generator behind every random number of the project.

Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3" (SC'11): ten rounds of two
32 x 32 -> 64-bit products on a 128-bit counter, under a 64-bit key. A word is a pure function of
(counter, key): no state, hence the same numbers in any order, thread or process.

Vectorisation. The counter words travel in 64-bit lanes whose upper halves are garbage between rounds.
The masks below compile to nothing (`vpmuludq` reads the low halves only), so a round costs two
multiplications, two shifts and two three-way XORs a lane. With 32-bit lanes LLVM spends twice the time
on widening and narrowing.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from montecarlo.common._jit import inline, kernel

ROUNDS = 10
MULTIPLIERS = (0xD2511F53, 0xCD9E8D57)
WEYL = (0x9E3779B9, 0xBB67AE85)

_MULTIPLIER_0 = np.uint64(MULTIPLIERS[0])
_MULTIPLIER_1 = np.uint64(MULTIPLIERS[1])
_WEYL_0 = np.uint32(WEYL[0])
_WEYL_1 = np.uint32(WEYL[1])
_LOW = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)


@inline
def _round(c0, c1, c2, c3, k0, k1):
    product_0 = np.uint64((c0 & _LOW) * _MULTIPLIER_0)
    product_1 = np.uint64((c2 & _LOW) * _MULTIPLIER_1)
    return (product_1 >> _HALF) ^ c1 ^ k0, product_1, (product_0 >> _HALF) ^ c3 ^ k1, product_0


@inline
def philox(c0, c1, c2, c3, k0, k1):
    """Return the four 32-bit words of one counter (four uint32) under one key (two uint32)."""
    c0 = np.uint64(c0)
    c1 = np.uint64(c1)
    c2 = np.uint64(c2)
    c3 = np.uint64(c3)
    # Written out: LLVM vectorises the loop over counters only if no loop over rounds stands inside it.
    c0, c1, c2, c3 = _round(c0, c1, c2, c3, np.uint64(k0), np.uint64(k1))
    k0 = np.uint32(k0 + _WEYL_0)
    k1 = np.uint32(k1 + _WEYL_1)
    c0, c1, c2, c3 = _round(c0, c1, c2, c3, np.uint64(k0), np.uint64(k1))
    k0 = np.uint32(k0 + _WEYL_0)
    k1 = np.uint32(k1 + _WEYL_1)
    c0, c1, c2, c3 = _round(c0, c1, c2, c3, np.uint64(k0), np.uint64(k1))
    k0 = np.uint32(k0 + _WEYL_0)
    k1 = np.uint32(k1 + _WEYL_1)
    c0, c1, c2, c3 = _round(c0, c1, c2, c3, np.uint64(k0), np.uint64(k1))
    k0 = np.uint32(k0 + _WEYL_0)
    k1 = np.uint32(k1 + _WEYL_1)
    c0, c1, c2, c3 = _round(c0, c1, c2, c3, np.uint64(k0), np.uint64(k1))
    k0 = np.uint32(k0 + _WEYL_0)
    k1 = np.uint32(k1 + _WEYL_1)
    c0, c1, c2, c3 = _round(c0, c1, c2, c3, np.uint64(k0), np.uint64(k1))
    k0 = np.uint32(k0 + _WEYL_0)
    k1 = np.uint32(k1 + _WEYL_1)
    c0, c1, c2, c3 = _round(c0, c1, c2, c3, np.uint64(k0), np.uint64(k1))
    k0 = np.uint32(k0 + _WEYL_0)
    k1 = np.uint32(k1 + _WEYL_1)
    c0, c1, c2, c3 = _round(c0, c1, c2, c3, np.uint64(k0), np.uint64(k1))
    k0 = np.uint32(k0 + _WEYL_0)
    k1 = np.uint32(k1 + _WEYL_1)
    c0, c1, c2, c3 = _round(c0, c1, c2, c3, np.uint64(k0), np.uint64(k1))
    k0 = np.uint32(k0 + _WEYL_0)
    k1 = np.uint32(k1 + _WEYL_1)
    c0, c1, c2, c3 = _round(c0, c1, c2, c3, np.uint64(k0), np.uint64(k1))
    return np.uint32(c0), np.uint32(c1), np.uint32(c2), np.uint32(c3)


@kernel
def _fill_words(k0, k1, c1, c2, c3, out):
    n = np.uint64(out.size // 4)
    for i in range(np.uint64(0), n):
        w0, w1, w2, w3 = philox(np.uint32(i), c1, c2, c3, k0, k1)
        out[i] = w0
        out[n + i] = w1
        out[np.uint64(2) * n + i] = w2
        out[np.uint64(3) * n + i] = w3


def words(
    key: tuple[int, int], n_counters: int, *, high: tuple[int, int, int] = (0, 0, 0)
) -> npt.NDArray[np.uint32]:
    """Return the Philox4x32-10 words of the counters ``(0..n_counters-1, *high)``.

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
    array of uint32, shape (4, n_counters)
        Word ``w`` of counter ``i`` at ``[w, i]``: planar, because interleaved stores are ten times slower.

    Examples
    --------
    The known answer of Random123 for counter 0 and key 0:

    >>> [f"{w:08x}" for w in words((0, 0), 1)[:, 0]]
    ['6627e8d5', 'e169c58d', 'bc57ac4c', '9b00dbd8']
    """
    out = np.empty(4 * n_counters, np.uint32)
    _fill_words(
        np.uint32(key[0]), np.uint32(key[1]), np.uint32(high[0]), np.uint32(high[1]), np.uint32(high[2]), out
    )
    return out.reshape(4, n_counters)
