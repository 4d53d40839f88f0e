"""
The exact law of log(‖h_L‖/‖h_0‖) with schedules, factors of the stream and hidden widths (G1; *derived*).

`‖h_L‖²/‖h_0‖² = Π R_k`, R_k independent, `R = (b + a√(G/d) Z)² + a² (G/d) χ²_{d−1}`, MG ~ χ²_N, N ~ Bin(M,
1/2). As Z is symmetric, ½ log R is log|b| beside the ½ log R of a plain layer (I6) with a/|b| for its
scaling.

A schedule has as many laws as it has values a/|b|. Beyond `_DIRECT` of them the largest are taken one by one
and the rest by interpolation: log φ, the logarithm of a layer's characteristic function, is analytic in
log(a/|b|), and interpolating it at Chebyshev points gives a sum over these points with weights in the place
of counts.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats
from scipy.stats.distributions import rv_frozen

from theory.common import _validate
from theory.common._cached_property import cached_property
from theory.common._layers import scalings, skips
from theory.common._validate import FloatArray
from theory.independent.exact_law._layer import LayerLaw, layer_law
from theory.independent.exact_law._layer_sum import LayerSum
from theory.independent.exact_law._mixture import Mixture
from theory.schedules import _moments

_DIRECT = 32
_LARGEST = 10
_CHEBYSHEV = 16


@dataclass(frozen=True, kw_only=True)
class ScheduleNormLaw:
    """
    Exact law of log(‖h_L‖/‖h_0‖), natural logarithm, for schedules a_k, b_k and hidden width M (G1;
    *derived*).

    Res-3 blocks with Gaussian weights and independent layers, no limit taken; `ExactNormLaw` is the case b =
    1, M = d, one a. By duality also the law of log(‖p_0‖/‖p_L‖).

    Parameters
    ----------
    width, depth : int
        d and L, at least 1.
    alpha : float or array_like (depth,)
        a_k >= 0, one for all layers or one each; not all 0.
    hidden_width : int, optional
        M >= 1, the width by default.
    skip : float or array_like (depth,), optional
        b_k, of any sign but not 0; 1 by default.

    Raises
    ------
    ValueError
        If an argument is out of range; if a b_k is 0, where ‖h_k‖ = 0 has probability 2^{-M}.

    Notes
    -----
    Time: 0.01 to 0.3 s for each different a/|b|, at most 32 of them. A constant schedule takes what
    `ExactNormLaw` takes.

    Examples
    --------
    >>> law = ScheduleNormLaw(width=6, depth=3, hidden_width=32, alpha=[0.9, 0.6, 0.5], skip=[1.0, -1.0, 1.0])
    >>> print(f"{law.mean():.6f} {law.std():.6f} {law.cdf(0.0):.6f}")
    0.223068 0.304358 0.221565
    """

    width: int
    depth: int
    alpha: npt.ArrayLike
    hidden_width: int | None = None
    skip: npt.ArrayLike = 1.0

    def __post_init__(self) -> None:
        set_field = object.__setattr__
        set_field(self, "width", int(_validate.width(self.width)))
        set_field(self, "depth", int(_validate.depth(self.depth, minimum=1)))
        set_field(self, "hidden_width", _moments._hidden_width(self.hidden_width, self.width))
        a, b = scalings(self.alpha, self.depth), skips(self.skip, self.depth)
        if np.any(b == 0):
            layer = int(np.flatnonzero(b == 0)[0]) + 1
            raise ValueError(
                f"skip=0 at layer {layer}: must not be 0, the norm vanishes there with probability 2^-M; "
                "give another factor, or use schedule_second_moment"
            )
        if not np.any(a > 0):
            raise ValueError("alpha=0: must be > 0 at some layer; give the factors before the branches")
        set_field(self, "alpha", tuple(a.tolist()))
        set_field(self, "skip", tuple(b.tolist()))

    @cached_property
    def _ratios(self) -> FloatArray:
        ratios = np.asarray(self.alpha) / np.abs(np.asarray(self.skip))
        return ratios[ratios > 0]

    @cached_property
    def shift(self) -> float:
        """Σ log|b_k|, where the atom is: no unit is active in any layer."""
        return math.fsum(np.log(np.abs(np.asarray(self.skip))))

    @property
    def atom(self) -> float:
        """
        Mass of the atom, 2^{-M} for each layer with a > 0.

        Examples
        --------
        >>> ScheduleNormLaw(width=5, depth=2, alpha=0.5, hidden_width=1).atom
        0.25
        """
        return 2.0 ** -(float(self.hidden_width or 1) * self._ratios.size)

    def cdf(self, x: npt.ArrayLike) -> float | FloatArray:
        """
        Return P(log(‖h_L‖/‖h_0‖) <= x), the atom included; x of any shape.

        Examples
        --------
        >>> law = ScheduleNormLaw(width=5, depth=1, alpha=0.5, hidden_width=1)
        >>> print(f"{law.cdf(-1e-12):.6f} {law.cdf(0.0):.6f}")
        0.182365 0.682365
        """
        return _validate.plain(self._parts.cdf(self._points(x)))

    def sf(self, x: npt.ArrayLike) -> float | FloatArray:
        """Return P(log(‖h_L‖/‖h_0‖) > x)."""
        return _validate.plain(1.0 - self._parts.cdf(self._points(x)))

    def pdf(self, x: npt.ArrayLike) -> float | FloatArray:
        """Return the density of the continuous part, which integrates to 1 − atom."""
        return _validate.plain(self._parts.pdf(self._points(x)))

    def ppf(self, q: npt.ArrayLike) -> float | FloatArray:
        """
        Return quantiles: the smallest x with P(X <= x) >= q; infinite at q = 0 and 1.

        Raises
        ------
        ValueError
            If a probability is outside [0, 1].
        """
        wanted = _validate.level("q", q, fix="give probabilities")
        return _validate.plain(self._parts.ppf(wanted) + self.shift)

    def median(self) -> float:
        """Return the median."""
        return float(self.ppf(0.5))

    def mean(self) -> float:
        """Return E log(‖h_L‖/‖h_0‖)."""
        return self._sum.mean + self.shift

    def var(self) -> float:
        """Return the variance of log(‖h_L‖/‖h_0‖)."""
        return self._sum.variance

    def std(self) -> float:
        """Return the standard deviation of log(‖h_L‖/‖h_0‖)."""
        return math.sqrt(self.var())

    def rvs(self, *, size: int | tuple[int, ...], random_state: np.random.Generator) -> FloatArray:
        """Return random numbers of the law, by inversion, from a numpy generator."""
        return np.asarray(self.ppf(random_state.random(size)))

    @cached_property
    def error(self) -> float:
        """
        Absolute error of `cdf`, estimated by a second computation with other panels, points and period.

        Examples
        --------
        >>> ScheduleNormLaw(width=40, depth=2, alpha=[0.5, 0.3]).error < 1e-9
        True
        """
        other = Mixture.build(self._layers(_CHEBYSHEV + 6, order=20, refine=1.3), 1.17)
        probes = self._sum.mean + 8.0 * self.std() * np.linspace(-1.0, 1.0, 1001)
        difference = float(np.max(np.abs(self._parts.cdf(probes) - other.cdf(probes))))
        return 2.0 * difference + self._parts.truncation + 3e-13

    def _points(self, x: npt.ArrayLike) -> FloatArray:
        points = np.asarray(x, np.float64)
        if np.any(np.isnan(points)):
            raise ValueError("x=nan: must be a number, infinite ones included; drop missing values first")
        return points - self.shift

    @cached_property
    def _sum(self) -> LayerSum:
        return self._layers(_CHEBYSHEV)

    @cached_property
    def _parts(self) -> Mixture:
        return Mixture.build(self._sum)

    def _layers(self, points: int, **options: float) -> LayerSum:
        ratios, counts = _grouped(self._ratios, int(self.hidden_width or 1), points)

        def law(ratio: float) -> LayerLaw:
            return layer_law(self.width, ratio, hidden_width=self.hidden_width, **options)  # type: ignore[arg-type]

        return LayerSum(laws=tuple(law(ratio) for ratio in ratios), counts=counts)


def _grouped(
    ratios: FloatArray, hidden_width: int, points: int
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return the values at which laws are computed, and weights that add to the number of layers."""
    values, counts = np.unique(ratios, return_counts=True)
    # With few units the atom matters, and needs whole counts.
    if values.size <= _DIRECT or hidden_width * (ratios.size - 1) < 60:
        return tuple(values.tolist()), tuple(counts.tolist())
    head, tail = values[-_LARGEST:], np.log(values[:-_LARGEST])
    # Interpolation in x = log ratio mapped to [−1, 1], by the discrete orthogonality of Chebyshev
    # polynomials.
    nodes = np.cos(np.pi * (np.arange(points) + 0.5) / points)
    middle, half = 0.5 * (tail[0] + tail[-1]), 0.5 * (tail[-1] - tail[0])
    order = np.arange(points)
    at_nodes = np.cos(np.outer(order, np.arccos(nodes)))
    at_tail = np.cos(np.outer(order, np.arccos(np.clip((tail - middle) / half, -1.0, 1.0))))
    share = np.where(order == 0, 1.0, 2.0)[:, None] / points
    weights = (share * at_nodes).T @ (at_tail @ counts[:-_LARGEST])
    return (
        (*head.tolist(), *np.exp(middle + half * nodes).tolist()),
        (*counts[-_LARGEST:].tolist(), *weights.tolist()),
    )


def schedule_limit_law(*, width: int, total: float, preserving: bool = False) -> rv_frozen:
    """
    Return the limit law of log(‖h_L‖/‖h_0‖) as max a_k → 0 and Σ a_k² → τ, whatever M is (G1; *derived*).

    Normal of mean τ(½ − 1/d)/2 and variance τ/(2d) for b = 1; where b_k² + a_k²/2 = 1, of mean −τ/(2d) and
    the same variance. Schedules whose largest a does not vanish, such as 1/(√k log k), have another limit:
    use `ScheduleNormLaw`.

    Parameters
    ----------
    width : int
        d >= 1.
    total : float
        τ > 0, the limit of Σ a_k² (of Σ a_k²/b_k² for other factors of the stream near 1).
    preserving : bool, optional
        Whether b_k² = 1 − a_k²/2; b = 1 by default.

    Returns
    -------
    frozen scipy.stats.norm

    Raises
    ------
    ValueError
        If `width` is not a whole number >= 1 or `total` not positive.

    Examples
    --------
    >>> law = schedule_limit_law(width=40, total=1.0)  # I8
    >>> round(float(law.mean()), 12), round(float(law.var()), 12)
    (0.2375, 0.0125)
    """
    d = float(_validate.width(width))
    tau = float(_validate.real("total", total, above=0, fix="give the limit of Σ a_k²"))
    mean = -0.5 * tau / d if preserving else 0.5 * tau * (0.5 - 1 / d)
    return stats.norm(mean, math.sqrt(0.5 * tau / d))
