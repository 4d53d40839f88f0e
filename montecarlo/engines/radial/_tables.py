"""Tables for exact samplers: Walker's alias method for the binomial, Marsaglia-Tsang constants for
chi-squares.
"""

from __future__ import annotations

import functools

import numpy as np
import numpy.typing as npt

POPCOUNT_LIMIT = 64
"""Up to so many units the number of active ones is a count of random bits."""


@functools.lru_cache(maxsize=64)
def alias_table(units: int) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.uint32], int]:
    """Return (outcomes, thresholds, bits) of the alias table of Binomial(units, 1/2).

    Column c (the upper `bits` bits of a word) gives ``outcomes[2 c]`` if another word is at most
    ``thresholds[c]``, else ``outcomes[2 c + 1]``. The probabilities are those of the binomial up to 2**-32 in
    total variation; outcomes with probability below 1e-18 are left out.

    Examples
    --------
    >>> outcomes, thresholds, bits = alias_table(100)
    >>> len(thresholds) == 2**bits
    True
    """
    from scipy import stats  # half a second that `import montecarlo` need not wait for

    # Beyond ten standard deviations lies less than 1e-22.
    reach = int(np.ceil(5.0 * np.sqrt(units))) + 1
    support = np.arange(max(0, units // 2 - reach), min(units, (units + 1) // 2 + reach) + 1)
    probabilities = stats.binom.pmf(support, units, 0.5)
    probabilities /= probabilities.sum()
    bits = int(np.ceil(np.log2(len(support))))
    columns = 1 << bits
    scaled = np.zeros(columns)
    scaled[: len(support)] = probabilities * columns
    outcomes = np.zeros((columns, 2), np.int32)
    outcomes[: len(support)] = support[:, None]
    outcomes[len(support) :] = support[len(support) // 2]
    thresholds = np.full(columns, 0xFFFFFFFF, np.uint32)
    small = [c for c in range(columns) if scaled[c] < 1.0]
    large = [c for c in range(columns) if scaled[c] >= 1.0]
    while small and large:
        low, high = small.pop(), large.pop()
        thresholds[low] = min(int(scaled[low] * 2.0**32), 0xFFFFFFFF)
        outcomes[low, 1] = outcomes[high, 0]
        scaled[high] -= 1.0 - scaled[low]
        (small if scaled[high] < 1.0 else large).append(high)
    return outcomes.ravel(), thresholds, bits


@functools.lru_cache(maxsize=64)
def chi_square_table(degrees: int) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Return Marsaglia and Tsang's (d, c) for chi-squares with 0 ... `degrees` degrees of freedom, float32.

    "A simple method for generating gamma variables" (2000): shape k = degrees/2, d = k - 1/3, c = 1/√(9 d);
    entries below two degrees are zero, since those variates are 0 and the square of a normal.
    """
    n = np.arange(degrees + 1)
    d = np.where(n >= 2, 0.5 * n - 1.0 / 3.0, 0.0)
    c = np.where(n >= 2, 1.0 / np.sqrt(9.0 * np.maximum(d, 0.5)), 0.0)
    return d.astype(np.float32), c.astype(np.float32)
