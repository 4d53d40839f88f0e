"""How fast the exact law of a critical net (I6) approaches its limit (I8), without simulation."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from theory.common import _validate
from theory.independent.exact_law._law import ExactNormLaw

Array = NDArray[np.float64]

_POINTS = 8001


@dataclass(frozen=True, kw_only=True)
class ConvergenceInLaw:
    """Distances, depth by depth, between the exact law at α = L^{-1/2} and the Gaussian limit.

    Attributes
    ----------
    width : int
        d.
    depths : tuple of int
        L, increasing.
    kolmogorov : tuple of float
        sup |F_L − F|, one a depth; a probability.
    wasserstein : tuple of float
        ∫ |F_L − F| dx (Wasserstein-1), one a depth; natural-log units of ‖h_L‖/‖h_0‖.
    kolmogorov_order, wasserstein_order : float
        Fitted order q in L^{-q}: minus the least-squares slope of log distance on log L.
    """

    width: int
    depths: tuple[int, ...]
    kolmogorov: tuple[float, ...]
    wasserstein: tuple[float, ...]

    @property
    def kolmogorov_order(self) -> float:
        """Order of the Kolmogorov distance in 1/L."""
        return _order(self.depths, self.kolmogorov)

    @property
    def wasserstein_order(self) -> float:
        """Order of the Wasserstein-1 distance in 1/L."""
        return _order(self.depths, self.wasserstein)


def distances_to_limit(*, width: int, depth: int) -> tuple[float, float]:
    """Distances of the law of log(‖h_L‖/‖h_0‖) to its limit at α = L^{-1/2} (I6 against I8, *derived*).

    The limit is N((1/2 − 1/d)/2, 1/(2d)) in natural logarithms of the ratio (I8 is for the squared ratio,
    twice that). Exact up to the error of the exact law, about 1e-12: nothing is simulated.

    Parameters
    ----------
    width : int
        d >= 1.
    depth : int
        L >= 1.

    Returns
    -------
    kolmogorov, wasserstein : float
        sup |F_L − F| and ∫ |F_L − F| dx, the supremum over 8001 points and both sides of the atom (relative
        error below 1e-5).

    Raises
    ------
    ValueError
        If an argument is out of range.

    Examples
    --------
    >>> kolmogorov, wasserstein = distances_to_limit(width=40, depth=1000)
    >>> print(f"{kolmogorov:.3e} {wasserstein:.3e}")
    2.488e-04 6.021e-05
    """
    law = ExactNormLaw(width=width, depth=depth, alpha=_validated_depth(depth) ** -0.5)
    centre, spread = 0.5 * (0.5 - 1.0 / law.width), math.sqrt(0.5 / law.width)
    low, high = np.asarray(law.ppf([1e-11, 1.0 - 1e-11])).tolist()
    low, high = min(low, centre - 7.0 * spread), max(high, centre + 7.0 * spread)
    kolmogorov = wasserstein = 0.0
    # Below 0 and above 0 apart: between them F_L jumps by the atom.
    for start, stop, jump in ((low, min(0.0, high), law.atom), (max(0.0, low), high, 0.0)):
        if start >= stop:
            continue
        x = np.linspace(start, stop, _POINTS)
        exact = np.array(law.cdf(x))
        if stop == 0.0:
            exact[-1] -= jump
        gap = np.abs(exact - special.ndtr((x - centre) / spread))
        kolmogorov = max(kolmogorov, float(np.max(gap)))
        wasserstein += float(np.trapezoid(gap, x))
    return kolmogorov, wasserstein


def convergence_in_law(
    *, width: int, depths: Sequence[int] = (10, 100, 1000, 10_000, 100_000, 1_000_000)
) -> ConvergenceInLaw:
    """Distances to the critical limit over depths, and their fitted orders (I6 against I8, *derived*).

    Theory says order 1 in 1/L, in both distances and at every width.

    Parameters
    ----------
    width : int
        d >= 1.
    depths : sequence of int, default 10, 100, ..., 1,000,000
        At least two different depths. Below 10 the distances are not yet in the asymptotic regime.

    Returns
    -------
    ConvergenceInLaw

    Raises
    ------
    ValueError
        If there are fewer than two different depths, or an argument is out of range.

    Examples
    --------
    >>> result = convergence_in_law(width=40, depths=(100, 1000, 10_000))
    >>> print(f"{result.kolmogorov_order:.2f} {result.wasserstein_order:.2f}")
    1.00 1.00
    """
    distinct = sorted({_validated_depth(depth) for depth in depths})
    if len(distinct) < 2:
        raise ValueError(f"depths={tuple(depths)}: must hold two different depths; give such as (100, 1000)")
    distances = [distances_to_limit(width=width, depth=depth) for depth in distinct]
    return ConvergenceInLaw(
        width=int(_validate.width(width)),
        depths=tuple(distinct),
        kolmogorov=tuple(d[0] for d in distances),
        wasserstein=tuple(d[1] for d in distances),
    )


def _validated_depth(depth: int) -> int:
    return int(_validate.depth(depth, minimum=1))


def _order(depths: tuple[int, ...], distances: tuple[float, ...]) -> float:
    return -float(np.polynomial.polynomial.polyfit(np.log(depths), np.log(distances), 1)[1])
