"""A law on panels with the methods of a frozen scipy law."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from theory.common import _validate
from theory.common._validate import FloatArray
from theory.independent.exact_law._panels import PanelLaw

_BISECTIONS = 62


@dataclass(frozen=True, kw_only=True, eq=False)
class PanelDistribution:
    """
    Law with an atom, at 0 or at −∞, and a density on panels (N1).

    Attributes
    ----------
    panels : PanelLaw
        The density and the mass of the atom.
    atom_at : float
        0, or −inf where the atom is a norm of 0 in logarithms.

    Examples
    --------
    >>> from theory.normalised import _walk
    >>> law = _walk.NormalisedWalk(width=4, depth=2, alpha=1.0, hidden_width=1).log_norm_law()
    >>> law.atom, float(law.ppf(0.0)), round(float(law.sf(0.0)), 3)
    (0.25, -inf, 0.557)
    """

    panels: PanelLaw
    atom_at: float = 0.0

    @property
    def atom(self) -> float:
        """Mass of the atom."""
        return self.panels.atom

    def cdf(self, x: npt.ArrayLike) -> float | FloatArray:
        """Return P(X <= x)."""
        points = np.asarray(x, np.float64)
        if np.any(np.isnan(points)):
            raise ValueError("x=nan: must be a number, infinite ones included; drop missing values first")
        inside = np.clip(points, self.panels.edges[0], self.panels.edges[-1])
        value = self.panels.continuous_cdf(inside) + np.where(points >= self.atom_at, self.atom, 0.0)
        return _validate.plain(np.clip(value, 0.0, 1.0))

    def sf(self, x: npt.ArrayLike) -> float | FloatArray:
        """Return P(X > x)."""
        return _validate.plain(1.0 - np.asarray(self.cdf(x)))

    def pdf(self, x: npt.ArrayLike) -> float | FloatArray:
        """Return the density of the continuous part, which integrates to 1 − atom."""
        return _validate.plain(self.panels.continuous_pdf(np.asarray(x, np.float64)))

    def ppf(self, q: npt.ArrayLike) -> float | FloatArray:
        """Return quantiles: the smallest x with P(X <= x) >= q; infinite at q = 0 and 1."""
        wanted = _validate.level("q", q, fix="give probabilities")
        low = np.full(wanted.shape, self.panels.edges[0])
        high = np.full(wanted.shape, self.panels.edges[-1])
        for _ in range(_BISECTIONS):
            middle = 0.5 * (low + high)
            up = np.asarray(self.cdf(middle)) < wanted
            low, high = np.where(up, middle, low), np.where(up, high, middle)
        below = float(self.panels.continuous_cdf(np.array(0.0)))
        at_atom = (
            (wanted > below) & (wanted <= below + self.atom) if self.atom_at == 0 else wanted <= self.atom
        )
        out = np.where(at_atom & (self.atom > 0), self.atom_at, high)
        return _validate.plain(np.where(wanted == 0, -np.inf, np.where(wanted == 1, np.inf, out)))

    def median(self) -> float:
        """Return the median."""
        return float(self.ppf(0.5))

    def mean(self) -> float:
        """Return E X; without an atom at −∞."""
        return self.panels.mean if self.atom_at == 0 else self.panels.mean / (1 - self.atom)

    def var(self) -> float:
        """Return the variance of X; without an atom at −∞."""
        if self.atom_at == 0:
            return self.panels.variance
        centred = self.panels.nodes - self.mean()
        return float(np.sum(self.panels.weights * centred**2)) / (1 - self.atom)

    def std(self) -> float:
        """Return the standard deviation of X."""
        return float(np.sqrt(self.var()))

    def rvs(self, *, size: int | tuple[int, ...], random_state: np.random.Generator) -> FloatArray:
        """Return random numbers of the law, by inversion, from a numpy generator."""
        return np.asarray(self.ppf(random_state.random(size)))
