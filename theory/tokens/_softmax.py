"""
Moments of softmax weights of independent normal logits, by quadrature (for the wide recursion of tokens).

Logits ℓ_j = σZ_j, j = 1..m, weights A_j = e^{ℓ_j}/S; a common shift of all logits changes nothing. With
`S^{-K} = ∫ e^{Kx} exp(−e^x S) dx/Γ(K)` over the line, the m numbers come apart:

    E ∏ A_j^{k_j} = (1/Γ(K)) ∫ ∏ ψ_{k_j}(x) dx,    ψ_k(x) = E g_k(x + ℓ),  g_k(y) = exp(ky − e^y),  K = Σ k_j.

Two rows, of logits ℓ_j and ℓ'_j of correlation ρ for the same j, the second row with `extra` tokens more (a
causal mask): the same over the plane. The integrands are analytic within |Im y| < π/2: the trapezoidal rule
converges geometrically, in x and in Z.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from theory.common._validate import FloatArray

_STEP = 0.4
_TAIL = 6.5  # deviations of Z: 1e-10
_SMALL = 24.0  # e^{-24} = 4e-11, what is left out where the integrands grow


@dataclass(frozen=True)
class RowMoments:
    """
    Means over the weights A of one row, and over A, A' of two rows.

    Attributes
    ----------
    overlap : float
        E Σ_j A_j A'_j, over the tokens that both rows see; 1/m for equal weights.
    response : float
        E Σ_j A_j A'_j (1 − A_j − A'_j + Σ_k A_k A'_k): what `Σ dA_j dA'_j` is worth where the changes of the
        logits have covariance 1 for the same j.
    """

    overlap: float
    response: float


def _normal_rule(deviation: float) -> tuple[FloatArray, FloatArray]:
    """Return nodes and weights of Z, fine enough for g(x + deviation·Z)."""
    step = min(0.5, _STEP / deviation) if deviation > 0 else 2 * _TAIL
    half = math.ceil(_TAIL / step)
    z = np.asarray(step * np.arange(-half, half + 1), np.float64)
    weight = np.exp(-0.5 * z * z)
    return z, weight / weight.sum()


def _line(deviation: float, seen: int) -> FloatArray:
    """Return the points x of the trapezoidal rule."""
    reach = _TAIL * deviation
    return np.arange(-math.log(seen) - reach - _SMALL, reach + 5.0, _STEP)


def _exponentials(y: FloatArray, order: int) -> FloatArray:
    """Return g_0(y), ..., g_order(y), a new first axis."""
    e = np.exp(np.minimum(y, 60.0))
    powers = [np.exp(-e)]
    for _ in range(order):
        powers.append(powers[-1] * e)
    return np.stack(powers)


def _smoothed(x: FloatArray, deviation: float, order: int) -> FloatArray:
    """Return E g_k(x + deviation·Z), k = 0..order, shape (order + 1, *x.shape)."""
    z, weight = _normal_rule(deviation)
    return _exponentials(x[..., None] + deviation * z, order) @ weight


@lru_cache(maxsize=4096)
def one_row(deviation: float, seen: int) -> RowMoments:
    """
    Return the moments of a row with itself.

    Parameters
    ----------
    deviation : float
        σ >= 0 of the logits.
    seen : int
        m >= 1, tokens that the row sees.

    Returns
    -------
    RowMoments

    Examples
    --------
    >>> moments = one_row(1.0, 4)
    >>> print(f"{moments.overlap:.6f} {moments.response:.6f}")
    0.391971 0.165665
    >>> round(one_row(0.0, 4).overlap, 9)
    0.25
    """
    if seen == 1:
        return RowMoments(1.0, 0.0)
    if deviation == 0.0:
        return RowMoments(1.0 / seen, 1.0 / seen - 1.0 / seen**2)
    m = seen
    psi = _smoothed(_line(deviation, m), deviation, 4)
    rest = psi[0] ** (m - 1)
    squares, cubes, fourths = (m * _STEP * float(psi[k] @ rest) / math.gamma(k) for k in (2, 3, 4))
    pairs = m * (m - 1) * _STEP * float(psi[2] ** 2 @ psi[0] ** (m - 2)) / 6.0
    return RowMoments(squares, squares - 2.0 * cubes + fourths + pairs)


@lru_cache(maxsize=4096)
def row_entropy(deviation: float, seen: int) -> float:
    """
    Return E −Σ_j A_j log A_j, in natural units: log m for equal weights.

    Parameters
    ----------
    deviation : float
        σ >= 0 of the logits.
    seen : int
        m >= 1.

    Examples
    --------
    >>> print(f"{row_entropy(1.0, 4):.6f} {row_entropy(0.0, 4):.6f}")
    1.114317 1.386294
    """
    m = seen
    if m == 1 or deviation == 0.0:
        return math.log(m)
    x = _line(deviation, m)
    z, weight = _normal_rule(deviation)
    g = _exponentials(x[:, None] + deviation * z, 1)
    psi_0 = g[0] @ weight
    # log S = ∫ (e^{-t} − e^{-tS}) dt/t (Frullani), and the mean of Σ A_j ℓ_j.
    log_sum = _STEP * float(np.sum(_exponentials(x, 0)[0] - psi_0**m))
    mean_logit = m * _STEP * float((g[1] @ (weight * deviation * z)) @ psi_0 ** (m - 1))
    return log_sum - mean_logit


class TwoRows:
    """
    Moments of two rows of softmax weights.

    Parameters
    ----------
    deviation : float
        σ >= 0 of the logits of either row.
    correlation : float
        ρ, from −1 to 1, of two logits of one token.
    most : int
        Largest number of tokens that a row sees.

    Examples
    --------
    >>> rows = TwoRows(1.0, 0.5, 8)
    >>> print(f"{rows.moments(4, 0).overlap:.6f} {rows.moments(4, 2).overlap:.6f}")
    0.315818 0.212899
    """

    def __init__(self, deviation: float, correlation: float, most: int) -> None:
        self._flat = deviation == 0.0
        if self._flat:
            return
        x = _line(deviation, most)
        shared, own = math.sqrt(abs(correlation)), math.sqrt(1.0 - min(abs(correlation), 1.0))
        z, weight = _normal_rule(deviation * shared)
        move = deviation * shared * z
        first = _smoothed(x[:, None] + move, deviation * own, 2)
        second = _smoothed(x[:, None] + math.copysign(1.0, correlation) * move, deviation * own, 2)
        self._psi = {
            (k, j): (first[k] * weight) @ second[j].T
            for k, j in ((0, 0), (1, 1), (2, 1), (1, 2), (2, 2))
        }  # fmt: skip
        self._alone = _smoothed(x, deviation, 0)[0]
        self._known: dict[tuple[int, int], RowMoments] = {}

    def moments(self, seen: int, extra: int) -> RowMoments:
        """
        Return the moments.

        Parameters
        ----------
        seen : int
            m >= 1, tokens that both rows see, all that the first one sees.
        extra : int
            Tokens that the second row sees beside them.

        Returns
        -------
        RowMoments
        """
        m = seen
        if self._flat:
            overlap = 1.0 / (m + extra)
            return RowMoments(overlap, overlap * (1.0 - 1.0 / m))
        if (m, extra) not in self._known:
            self._known[m, extra] = self._moments(m, extra)
        return self._known[m, extra]

    def _moments(self, m: int, extra: int) -> RowMoments:
        psi, area = self._psi, _STEP * _STEP
        rest = psi[0, 0] ** (m - 1) * self._alone**extra
        if m == 1:
            return RowMoments(area * float(np.sum(psi[1, 1] * rest)), 0.0)
        overlap, first, second, fourth = (
            m * area * float(np.sum(psi[key] * rest)) for key in ((1, 1), (2, 1), (1, 2), (2, 2))
        )
        pairs = psi[1, 1] ** 2 * psi[0, 0] ** (m - 2) * self._alone**extra
        both = m * (m - 1) * area * float(np.sum(pairs))
        return RowMoments(overlap, overlap - first - second + fourth + both)
