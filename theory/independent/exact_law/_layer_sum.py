"""Which independent layers are summed: a few laws, each with the number of layers that have it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from theory.common._cached_property import cached_property
from theory.independent.exact_law._layer import LayerLaw

Array = NDArray[np.float64]
Complex = NDArray[np.complex128]

_SMALL = 1e-14


@dataclass(frozen=True, kw_only=True, eq=False)
class LayerSum:
    """Independent layers of one hidden width, of which `counts` have each of the laws.

    Attributes
    ----------
    laws : tuple of LayerLaw
        Laws of ½ log R; all have the same atom p.
    counts : tuple of float
        Layers of each law, their sum the depth L. Numbers that are not whole, even negative ones, are weights
        of an interpolation of log φ between laws.
    """

    laws: tuple[LayerLaw, ...]
    counts: tuple[float, ...]

    @property
    def depth(self) -> float:
        """L."""
        return sum(self.counts)

    @property
    def atom(self) -> float:
        """Atom p = 2^{-M} of one layer."""
        return self.laws[0].atom

    @property
    def hidden_width(self) -> int:
        """M."""
        return self.laws[0].hidden_width

    @cached_property
    def mean(self) -> float:
        """Mean of the sum."""
        return sum(count * law.mean for law, count in zip(self.laws, self.counts, strict=True))

    @cached_property
    def variance(self) -> float:
        """Variance of the sum."""
        return sum(count * law.variance for law, count in zip(self.laws, self.counts, strict=True))

    @cached_property
    def single(self) -> float:
        """p^{L−1}, factor of Σ (continuous part of one layer) in the law; 0 where it is not worth taking out.

        Examples
        --------
        >>> from theory.independent.exact_law._layer import layer_law
        >>> one = layer_law(1, 0.5)
        >>> LayerSum(laws=(one,), counts=(3,)).single, LayerSum(laws=(one,), counts=(100,)).single
        (0.25, 0.0)
        """
        power = 2.0 ** (-float(self.hidden_width) * (self.depth - 1.0))
        return power if self.depth * power > _SMALL else 0.0

    def at_least_two(self, continuous: list[Array] | list[Complex]) -> Array | Complex:
        """Sum over the choices of two layers or more of Π p (others) · Π ψ (chosen).

        Parameters
        ----------
        continuous : list of ndarray (points,)
            ψ of each law.

        Returns
        -------
        ndarray (points,)
            Π (p + ψ) − p^L − p^{L−1} Σ ψ, without the cancellation; for whole counts.

        Examples
        --------
        >>> from theory.independent.exact_law._layer import layer_law
        >>> two = LayerSum(laws=(layer_law(1, 0.5), layer_law(1, 1.0)), counts=(1, 1))
        >>> two.at_least_two([np.array([0.5]), np.array([0.25])])
        array([0.125])
        """
        none, one = 1.0, 0.0 * continuous[0]
        more = one.copy()
        for psi, count in zip(continuous, self.counts, strict=True):
            for _ in range(round(count)):
                more = more * (self.atom + psi) + one * psi
                one = one * self.atom + none * psi
                none *= self.atom
        return more

    def log_moment(self, theta: float) -> float:
        """Logarithm of E exp(θ (sum − its mean)); infinite where it overflows."""
        total = 0.0
        for law, count in zip(self.laws, self.counts, strict=True):
            # Rounding leaves negative weights of 1e-18 in the tails, which e^{θx} would magnify.
            weight = np.maximum(law.weights, 0.0)
            exponent = theta * (law.nodes - law.mean)
            if float(np.max(exponent)) > 600.0 or -theta * law.mean > 600.0:
                return float("inf")
            growth = float(np.sum(weight * np.expm1(exponent)))
            growth += law.atom * float(np.expm1(-theta * law.mean))
            total += count * float(np.log1p(growth))
        return total
