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
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from theory.common._cached_property import cached_property
from theory.common._validate import FloatArray

_STEP = 0.4
_TAIL = 6.5  # deviations of Z: 1e-10
_SMALL = 20.0  # e^{-20} = 2e-9, what is left out where the integrands grow
LARGEST_DEVIATION = 30.0
"""Of logits: points grow with it and planes with its square; beyond it a row has one weight of about 1."""


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


def _windows(x: FloatArray, shifts: FloatArray, values: Callable[[FloatArray], FloatArray]) -> FloatArray:
    """Return `values` at x + shift for all of both, which come last, for points x of a line."""
    if shifts.size > 1 and math.isclose(shifts[1] - shifts[0], _STEP):
        # Shifts by whole steps of x: the sums are the points of one longer line.
        line = x[0] + shifts[0] + _STEP * np.arange(x.size + shifts.size - 1)
        return np.lib.stride_tricks.sliding_window_view(values(line), shifts.size, axis=-1)
    return np.stack([values(x + shift) for shift in shifts], axis=-1)


def _smoothed(x: FloatArray, deviation: float, order: int) -> FloatArray:
    """Return E g_k(x + deviation·Z), k = 0..order, shape (order + 1, x), for points x of a line."""
    z, weight = _normal_rule(deviation)
    return _windows(x, deviation * z, lambda y: _exponentials(y, order)) @ weight


class SoftmaxRows:
    """
    Moments of one row of softmax weights, and of two.

    Parameters
    ----------
    deviation : float
        σ of the logits of either row, from 0 to 30.
    correlation : float
        ρ, from −1 to 1, of the two logits of one token.
    most : int
        Largest number of tokens that a row sees.

    Raises
    ------
    ValueError
        If the deviation is beyond 30.

    Examples
    --------
    >>> rows = SoftmaxRows(1.0, 0.5, 8)
    >>> print(f"{rows.one(4).overlap:.6f} {rows.two(4, 0).overlap:.6f} {rows.two(4, 2).overlap:.6f}")
    0.391971 0.315818 0.212899
    >>> print(f"{rows.entropy(4):.6f} {SoftmaxRows(0.0, 0.0, 4).entropy(4):.6f}")
    1.114317 1.386294
    """

    def __init__(self, deviation: float, correlation: float, most: int) -> None:
        if not deviation <= LARGEST_DEVIATION:
            raise ValueError(
                f"logits of deviation {deviation:.4g}: must be at most {LARGEST_DEVIATION:g}; give smaller "
                "weights of queries and keys, or a norm before the attention"
            )
        self._deviation, self._correlation, self._most = deviation, correlation, most
        self._x = _line(deviation, most)
        self._known: dict[int, tuple[FloatArray, ...]] = {}

    @cached_property
    def _single(self) -> FloatArray:
        """ψ_0, ..., ψ_4 on the line."""
        return _smoothed(self._x, self._deviation, 4)

    @cached_property
    def _logit(self) -> FloatArray:
        """E ℓ g_1(x + ℓ) on the line."""
        z, weight = _normal_rule(self._deviation)
        return _exponentials(self._x[:, None] + self._deviation * z, 1)[1] @ (weight * self._deviation * z)

    @cached_property
    def _plane(self) -> dict[tuple[int, int], FloatArray]:
        """E g_k(x + ℓ) g_j(y + ℓ') on the plane, by what the two logits share."""
        size = min(abs(self._correlation), 1.0)
        shared, own = self._deviation * math.sqrt(size), self._deviation * math.sqrt(1.0 - size)
        z, weight = _normal_rule(shared)
        first = _windows(self._x, shared * z, lambda y: _smoothed(y, own, 2))
        second = first if self._correlation >= 0 else first[:, :, ::-1]  # nodes are symmetric
        return {
            (k, j): (first[k] * weight) @ second[j].T
            for k, j in ((0, 0), (1, 1), (2, 1), (1, 2), (2, 2))
        }  # fmt: skip

    def one(self, seen: int) -> RowMoments:
        """Return the moments of a row with itself, of m = `seen` tokens."""
        m = seen
        if m == 1 or self._deviation == 0.0:
            return RowMoments(1.0 / m, (1.0 - 1.0 / m) / m)
        psi = self._single
        rest = psi[0] ** (m - 1)
        squares, cubes, fourths = (m * _STEP * float(psi[k] @ rest) / math.gamma(k) for k in (2, 3, 4))
        pairs = m * (m - 1) * _STEP * float(psi[2] ** 2 @ psi[0] ** (m - 2)) / 6.0
        return RowMoments(squares, squares - 2.0 * cubes + fourths + pairs)

    def entropy(self, seen: int) -> float:
        """Return E −Σ_j A_j log A_j, in natural units: log m for equal weights."""
        m = seen
        if m == 1 or self._deviation == 0.0:
            return math.log(m)
        psi_0 = self._single[0]
        # log S = ∫ (e^{-t} − e^{-tS}) dt/t (Frullani), and the mean of Σ A_j ℓ_j.
        log_sum = _STEP * float(np.sum(_exponentials(self._x, 0)[0] - psi_0**m))
        return log_sum - m * _STEP * float(self._logit @ psi_0 ** (m - 1))

    def two(self, seen: int, extra: int) -> RowMoments:
        """Return the moments of two rows: both see m = `seen` tokens, the second one `extra` more."""
        m = seen
        if self._deviation == 0.0:
            return RowMoments(1.0 / (m + extra), (1.0 - 1.0 / m) / (m + extra))
        if m not in self._known:
            self._known[m] = self._shared(m)
        alone = self._single[0] ** extra
        overlap, rest = (float(part @ alone) for part in self._known[m])
        return RowMoments(overlap, rest if m > 1 else 0.0)

    def _shared(self, m: int) -> tuple[FloatArray, FloatArray]:
        """Return the overlap and the response as functions of y, the first row's integral done."""
        psi, area = self._plane, _STEP * _STEP
        power = psi[0, 0] ** max(m - 2, 0)
        rest = power * psi[0, 0] if m > 1 else power
        overlap = m * area * np.einsum("xy,xy->y", psi[1, 1], rest)
        single = psi[1, 1] - psi[2, 1] - psi[1, 2] + psi[2, 2]
        response = m * area * np.einsum("xy,xy->y", single, rest)
        if m > 1:
            response = response + m * (m - 1) * area * np.einsum("xy,xy,xy->y", psi[1, 1], psi[1, 1], power)
        return overlap, response
