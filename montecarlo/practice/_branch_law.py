"""The law of one promised branch, given the state before it: logs of its norm, through their moments.

With Gaussian V the branch f = a V σ(z) has ‖f‖² = a² ‖σ(z)‖² χ²_d/d with an independent χ²_d, and its
direction is uniform on the sphere; with Gaussian W the z are independent N(0, s) whatever the state, s =
‖h‖²/d without a norm and 1 behind one (plus the biases' variance). So log ‖f‖² minus the log of its mean
has a law that knows neither the state nor the block (G1, N1): for ReLU ‖σ(z)‖² = s χ²_N with N ~ Bin(M,
1/2), exactly; for other activations it is taken as a Gamma number of the same mean and variance, which is
right to first order in 1/M. Without W, ‖σ(h)‖² is known, and the law is that of χ²_d.

Sums of such logs are tested through their exponential moments. For each λ, exp(λ Σ y − n ψ(λ)) with ψ(λ) =
log E e^{λy} is a martingale from 1, whatever the block, and an average over inputs of one network is
dominated by one input (Jensen). So the average over a grid of λ of both signs exceeds 1/δ ever, at whatever
time one looks, with probability at most δ (Ville).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
import numpy.typing as npt
from scipy.special import gammaln

FLOOR = 6.0  # rows lie above −FLOOR, so that a branch without an active unit is a row
_GRID = np.concatenate([0.25 * 2.0 ** np.arange(0, 10.5, 0.5), -0.25 * 2.0 ** np.arange(0, 10.5, 0.5)])
Rows = npt.NDArray[np.float64]


@dataclass(frozen=True)
class BranchLaw:
    """Law of y = log(‖f‖²/E‖f‖²) of one input and one block, floored at −FLOOR.

    Parameters
    ----------
    width : int
        d of χ²_d; 0 for a branch whose norm is fixed.
    units : int
        M for ReLU units behind W, 0 for units that are known.
    spread : float
        Var σ²/(M (E σ²)²) of other activations behind W, 0 for none.
    """

    width: int
    units: int = 0
    spread: float = 0.0

    def log_moments(self, powers: Rows) -> Rows:
        """Return log E e^{λy} for each λ, or an upper bound of it that the floor's mass makes."""
        return np.array([_log_moment(self.width, self.units, self.spread, float(x)) for x in powers])

    @cached_property
    def mean(self) -> float:
        """E y, by the derivative of the moments at 0."""
        step = 1e-4
        up, down = self.log_moments(np.array([step, -step]))
        return float(up - down) / (2 * step)

    @cached_property
    def grid(self) -> tuple[Rows, Rows]:
        """The λ that are of use, and ψ there."""
        psi = self.log_moments(_GRID)
        useful = np.isfinite(psi) & (psi < 60.0)
        return _GRID[useful], psi[useful]

    def log_evidence(self, total: float, n: int) -> float:
        """Return the natural log of the average martingale against this law at n rows of this sum.

        Examples
        --------
        >>> law = BranchLaw(width=64, units=256)
        >>> rows = np.log(np.random.default_rng(1).chisquare(64, 40) / 64)
        >>> law.log_evidence(float(rows.sum()), 40) < 3
        True
        >>> law.log_evidence(float(rows.sum() + 40 * 0.4), 40) > 20
        True
        """
        powers, psi = self.grid
        return _log_sum(powers * total - n * psi) - math.log(len(_GRID))


def _log_sum(logs: Rows) -> float:
    return float(np.logaddexp.reduce(logs))


@lru_cache(maxsize=4096)
def _log_moment(width: int, units: int, spread: float, power: float) -> float:
    outer = _log_chi_moment(width, power) if width else 0.0
    if spread > 0.0:
        return outer + _log_gamma_moment(1.0 / spread, power)
    if units:
        return _log_binomial_moment(width, units, power)
    return outer


def _log_chi_moment(width: int, power: float) -> float:
    """Return log E (χ²_d/d)^λ, infinite from −d/2 on."""
    return _log_gamma_moment(width / 2.0, power)


def _log_gamma_moment(shape: float, power: float) -> float:
    if power <= -0.9 * shape:
        return math.inf
    return float(gammaln(shape + power) - gammaln(shape) - power * math.log(shape))


def _log_binomial_moment(width: int, units: int, power: float) -> float:
    """Return log E of (2 χ²_N χ²_d/(M d))^λ for N ~ Bin(M, 1/2), floored where N is small.

    For λ < 0 the units up to four |λ|, where moments are large or infinite, count as if at the floor.
    """
    n = np.arange(units + 1)
    weights = gammaln(units + 1) - gammaln(n + 1) - gammaln(units - n + 1) - units * math.log(2.0)
    outer = _log_chi_moment(width, power)
    low = n <= 4.0 * max(-power, 0.0)
    low[0] = True
    inner = np.full(units + 1, math.inf)
    kept = ~low
    inner[kept] = (
        gammaln(n[kept] / 2 + power) - gammaln(n[kept] / 2) + power * math.log(4.0 / units) if power else 0.0
    )
    main = _log_sum(weights[kept] + inner[kept]) + outer if kept.any() else -math.inf
    floor = _log_sum(weights[low]) + (FLOOR * -power if power < 0 else 0.0)
    if power > 0:
        floor = (
            _log_sum(weights[low] + power * np.log(np.maximum(n[low] / units * 2, math.exp(-FLOOR)))) + outer
        )
    return float(np.logaddexp(main, floor))
