"""The exact law of log(‖h_L‖/‖h_0‖) for res-3 with Gaussian weights (I6), at any width, depth and scaling."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from theory.common import _validate
from theory.common._cached_property import cached_property
from theory.independent.exact_law import _radial_moments
from theory.independent.exact_law._draws import log_norm_draws
from theory.independent.exact_law._layer import LayerLaw, layer_law
from theory.independent.exact_law._layer_sum import LayerSum
from theory.independent.exact_law._mixture import Mixture

Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class ExactNormLaw:
    """Exact law of log(‖h_L‖/‖h_0‖), natural logarithm: res-3, independent Gaussian weights (I6, *derived*).

    Every answer is for the finite net, no limit is taken; it is right for every width and depth, and wrong
    for weights that are not Gaussian (the law then depends on the direction of h_0) or not independent over
    layers. By duality (I4) it is also the law of log(‖p_0‖/‖p_L‖). The law is a density and, at 0, an atom
    of mass `atom`; at small d·L the density is (logarithmically) infinite at 0.

    Parameters
    ----------
    width : int
        d >= 1.
    depth : int
        L >= 1. Time does not grow with it: a million layers cost what a hundred cost.
    alpha : float
        Factor of the residual branch, from 1e-100 to 1e100 (`depth**-0.5` is the critical scaling).

    Raises
    ------
    ValueError
        If an argument is out of range.

    Notes
    -----
    Method: density of one layer on graded panels by quadratures that converge geometrically, its
    characteristic function by Filon's rule, the power L through log1p, inversion by FFT on a period set by
    Chernoff's bound. `error` measures the absolute error of the cdf: 3e-13 to 1e-11 for d·L >= 64 up to a
    million layers (2e-10 at d = 10,000, where rounding takes over for α far above 1000), at most about 2e-7
    where d·L is smaller, worst at d = 1, L = 2 and α near 0.02. A law takes 0.01 to 0.4 s, the longest where
    d·L is small.

    Examples
    --------
    >>> law = ExactNormLaw(width=40, depth=1000, alpha=1000**-0.5)
    >>> print(f"{law.mean():.6f} {law.std():.6f} {law.cdf(0.0):.6f} {law.ppf(0.5):.6f}")
    0.237440 0.111791 0.016828 0.237432
    """

    width: int
    depth: int
    alpha: float

    def __post_init__(self) -> None:
        fix = "give the factor before the residual branch, such as depth**-0.5"
        object.__setattr__(self, "width", int(_validate.width(self.width)))
        object.__setattr__(self, "depth", int(_validate.depth(self.depth, minimum=1)))
        alpha = _validate.real(
            "alpha", self.alpha, above=1e-100, below=1e100, closed_above=True, closed_below=True, fix=fix
        )
        object.__setattr__(self, "alpha", float(alpha))

    @property
    def atom(self) -> float:
        """Probability 2^{-dL} that the ratio is exactly 1: no unit is active in any layer.

        Examples
        --------
        >>> ExactNormLaw(width=2, depth=3, alpha=0.5).atom
        0.015625
        """
        return 2.0 ** -(float(self.width) * self.depth)

    @property
    def lyapunov(self) -> float:
        """Lyapunov exponent E ½ log R: growth of log‖h‖ a layer, in natural-log units (I6, *derived*).

        Its absolute error is about 1e-15 of the standard deviation of one layer's growth.

        Examples
        --------
        >>> print(f"{ExactNormLaw(width=1, depth=1, alpha=1.0).lyapunov:.7f}")
        -0.0460947
        """
        return self._layer.mean

    @cached_property
    def error(self) -> float:
        """Absolute error of `cdf`, estimated a posteriori; asking costs once more the time of the law.

        The law is computed a second time with other panels, a finer quadrature over the active norm and a
        longer period; twice the largest difference is added to Chernoff's bound on what lies outside the
        period, to the mass that the layers' quadratures leave out, to the truncation of the trigonometric
        series and to the effect of the defect of E R against its closed form (I7). An estimate, not a
        proof.

        Examples
        --------
        >>> ExactNormLaw(width=10, depth=100, alpha=0.1).error < 1e-11
        True
        """
        finer = layer_law(self.width, self.alpha, order=20, refine=1.3)
        other = Mixture.build(LayerSum(laws=(finer,), counts=(self.depth,)), 1.17)
        spread = np.linspace(-1.0, 1.0, 1001)
        probes = np.concatenate(
            [
                self.mean() + 8.0 * self.std() * spread,
                self.std() * np.sign(spread) * 10.0 ** (-12.0 * np.abs(spread)),
            ]
        )
        difference = float(np.max(np.abs(self._parts.cdf(probes) - other.cdf(probes))))
        shift = math.sqrt(self.depth) * self._layer.moment_defect
        return 2.0 * difference + self._parts.truncation + shift + 3e-13 + 4e-18 * self.depth

    def cdf(self, x: ArrayLike) -> Array | np.float64:
        """Probability that log(‖h_L‖/‖h_0‖) <= x, the atom at 0 included (I6, *derived*).

        Parameters
        ----------
        x : array_like
            Natural logarithms of the ratio, any shape; infinite values allowed.

        Returns
        -------
        ndarray, the shape of `x` (a NumPy float for a scalar)
            Absolute error at most `error`.

        Examples
        --------
        >>> law = ExactNormLaw(width=1, depth=2, alpha=0.5)
        >>> law.cdf([-1e-12, 0.0]).round(6)
        array([0.378911, 0.628911])
        """
        return self._parts.cdf(_points("x", x))[()]

    def sf(self, x: ArrayLike) -> Array | np.float64:
        """Probability that log(‖h_L‖/‖h_0‖) > x, which is 1 − cdf(x) (I6, *derived*).

        Parameters
        ----------
        x : array_like
            Natural logarithms of the ratio, any shape.

        Returns
        -------
        ndarray, the shape of `x` (a NumPy float for a scalar)
            Absolute, not relative, error at most `error`.

        Examples
        --------
        >>> print(f"{ExactNormLaw(width=3, depth=2000, alpha=2000**-0.25).sf(0.0):.3f}")  # I11
        0.915
        """
        return (1.0 - self._parts.cdf(_points("x", x)))[()]

    def pdf(self, x: ArrayLike) -> Array | np.float64:
        """Density of the continuous part of log(‖h_L‖/‖h_0‖); it integrates to 1 − `atom` (I6, *derived*).

        Parameters
        ----------
        x : array_like
            Natural logarithms of the ratio, any shape.

        Returns
        -------
        ndarray, the shape of `x` (a NumPy float for a scalar)
            Per natural-log unit. At x = 0 it may be infinite in truth (one active unit in the whole net has
            probability d L 2^{-dL}) and is then a large finite number.

        Examples
        --------
        >>> law = ExactNormLaw(width=40, depth=1000, alpha=1000**-0.5)
        >>> print(f"{law.pdf(law.mean()) * law.std():.6f}")  # a Gaussian has 0.398942
        0.398961
        """
        return self._parts.pdf(_points("x", x))[()]

    def ppf(self, q: ArrayLike) -> Array | np.float64:
        """Quantile: the smallest x with cdf(x) >= q, in natural-log units (I6, *derived*).

        Parameters
        ----------
        q : array_like
            Probabilities in [0, 1], any shape; 0 and 1 give −∞ and ∞ (the ratio takes all positive values).

        Returns
        -------
        ndarray, the shape of `q` (a NumPy float for a scalar)
            Exactly 0 for a q that the jump at the atom covers. In the tails the error of x is `error` over
            the density.

        Raises
        ------
        ValueError
            If a probability is outside [0, 1].

        Examples
        --------
        >>> law = ExactNormLaw(width=1, depth=1, alpha=0.5)
        >>> law.ppf([0.1, 0.5, 0.9]).round(6)
        array([-0.286091,  0.      ,  0.23242 ])
        """
        wanted = _validate.level("q", q, fix="give probabilities")
        return self._parts.ppf(wanted)[()]

    def interval(self, confidence: float) -> tuple[float, float]:
        """Central interval that holds log(‖h_L‖/‖h_0‖) with the given probability (I6, *derived*).

        Parameters
        ----------
        confidence : float
            Between 0 and 1, both excluded.

        Returns
        -------
        low, high : float
            The quantiles of (1 ∓ confidence)/2, in natural-log units.

        Raises
        ------
        ValueError
            If `confidence` is not inside (0, 1).

        Examples
        --------
        >>> low, high = ExactNormLaw(width=40, depth=1000, alpha=1000**-0.5).interval(0.95)
        >>> print(f"{low:.4f} {high:.4f}")
        0.0184 0.4566
        """
        inside = float(
            _validate.real("confidence", confidence, above=0, below=1, fix="give a probability such as 0.95")
        )
        low, high = np.asarray(self.ppf([0.5 - 0.5 * inside, 0.5 + 0.5 * inside])).tolist()
        return low, high

    def mean(self) -> float:
        """E log(‖h_L‖/‖h_0‖) = L × `lyapunov`, in natural-log units (I6, *derived*).

        Examples
        --------
        >>> print(f"{ExactNormLaw(width=4, depth=10**6, alpha=1e-3).mean():.6f}")  # I8: (1/2 − 1/4)/2
        0.125000
        """
        return self.depth * self._layer.mean

    def var(self) -> float:
        """Variance of log(‖h_L‖/‖h_0‖), in squared natural-log units (I6, *derived*).

        Examples
        --------
        >>> print(f"{ExactNormLaw(width=4, depth=10**6, alpha=1e-3).var():.6f}")  # I8: (2/4)/4
        0.125000
        """
        return self.depth * self._layer.variance

    def std(self) -> float:
        """Standard deviation of log(‖h_L‖/‖h_0‖), in natural-log units (I6, *derived*).

        Examples
        --------
        >>> print(f"{ExactNormLaw(width=2, depth=100, alpha=0.1).std():.4f}")
        0.5023
        """
        return math.sqrt(self.var())

    def log_norm_moment(self, order: int) -> float:
        """Logarithm of E (‖h_L‖/‖h_0‖)^{2·order} = (E R^order)^L, in closed form (I7, *derived*).

        Parameters
        ----------
        order : int
            m >= 1; 1 is the second moment of I2.

        Returns
        -------
        float
            Natural logarithm, since the moment itself overflows easily; no quadrature is involved.

        Raises
        ------
        ValueError
            If `order` is not a whole number of at least 1.

        Examples
        --------
        >>> law = ExactNormLaw(width=4, depth=1, alpha=1.0)
        >>> print(f"{math.exp(law.log_norm_moment(1)):.6f} {math.exp(law.log_norm_moment(2)):.6f}")
        1.500000 3.343750
        """
        return float(
            _radial_moments.log_norm_moment(order=order, width=self.width, depth=self.depth, alpha=self.alpha)
        )

    def norm_moment(self, order: int) -> float:
        """E (‖h_L‖/‖h_0‖)^{2·order}, in closed form; infinite where it overflows (I7, *derived*).

        Parameters
        ----------
        order : int
            m >= 1.

        Returns
        -------
        float
            `exp(log_norm_moment(order))`.

        Examples
        --------
        >>> print(f"{ExactNormLaw(width=7, depth=2, alpha=1.0).norm_moment(1):.6f}")  # (1 + a²/2)^L
        2.250000
        """
        log_moment = self.log_norm_moment(order)
        return math.exp(log_moment) if log_moment < 709.0 else math.inf

    def rvs(
        self, size: int | tuple[int, ...] | None = None, *, rng: np.random.Generator
    ) -> Array | np.float64:
        """Draw log(‖h_L‖/‖h_0‖) straight from I6's R, by none of the formulas that the other methods use.

        Parameters
        ----------
        size : int or tuple of int, optional
            Shape of the result; a single number by default.
        rng : numpy.random.Generator
            Source of randomness.

        Returns
        -------
        ndarray of shape `size` (a NumPy float by default)
            Natural logarithms. Costs size × depth draws of four variables.

        Raises
        ------
        ValueError
            If `rng` is not a Generator.

        Examples
        --------
        >>> draws = ExactNormLaw(width=1, depth=1, alpha=0.5).rvs(1000, rng=np.random.default_rng(1))
        >>> print(f"{(draws == 0).mean():.2f}")  # the atom weighs 1/2
        0.51
        """
        if not isinstance(rng, np.random.Generator):
            raise ValueError(f"rng={rng!r}: must be a numpy Generator; give numpy.random.default_rng(seed)")
        shape = (size,) if isinstance(size, int) else (size or ())
        draws = log_norm_draws(self.width, self.depth, self.alpha, math.prod(shape), rng)
        return draws.reshape(shape)[()]

    @cached_property
    def _layer(self) -> LayerLaw:
        return layer_law(self.width, self.alpha)

    @cached_property
    def _parts(self) -> Mixture:
        return Mixture.build(LayerSum(laws=(self._layer,), counts=(self.depth,)))


def _points(field: str, x: ArrayLike) -> Array:
    points = np.asarray(x, dtype=np.float64)
    if np.any(np.isnan(points)):
        raise ValueError(f"{field}=nan: must be a number, infinite ones included; drop missing values first")
    return points
