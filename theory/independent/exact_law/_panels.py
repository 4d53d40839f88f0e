"""A law on the line as an atom at 0 and a density in piecewise Legendre series, on panels that are bisected
until the series have converged.

Such panels follow any singularity of the density: they are graded dyadically towards it where its weight
matters, and cost nothing where it does not.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.polynomial import legendre
from numpy.typing import NDArray

from theory.common._cached_property import cached_property

Array = NDArray[np.float64]

ORDER = 16
_MAX_BISECTIONS = 60


@dataclass(frozen=True, kw_only=True, eq=False)
class PanelLaw:
    """Law of x: mass `atom` at 0 and a density in piecewise Legendre series.

    Attributes
    ----------
    atom : float
        Probability of x = 0.
    edges : ndarray (panels + 1,)
        Increasing ends of the panels.
    coefficients : ndarray (panels, order)
        Legendre coefficients of the density on each panel; its total mass is 1 − atom.
    defect : float
        |mass found − (1 − atom)| before it was normalised away: a check on the quadratures.
    """

    atom: float
    edges: Array
    coefficients: Array
    defect: float

    @cached_property
    def half(self) -> Array:
        """Half widths of the panels (panels,)."""
        return 0.5 * np.diff(self.edges)

    @cached_property
    def middle(self) -> Array:
        """Centres of the panels (panels,)."""
        return 0.5 * (self.edges[1:] + self.edges[:-1])

    @cached_property
    def nodes(self) -> Array:
        """Gauss nodes of all panels (panels, order)."""
        return self.middle[:, None] + self.half[:, None] * _gauss(self.coefficients.shape[1])[0]

    @cached_property
    def weights(self) -> Array:
        """Probability carried by each node (panels, order); they sum to 1 − atom."""
        order = self.coefficients.shape[1]
        points, gauss = _gauss(order)
        density = self.coefficients @ legendre.legvander(points, order - 1).T
        return density * gauss * self.half[:, None]

    @cached_property
    def mean(self) -> float:
        """E x."""
        return float(np.sum(self.weights * self.nodes))

    @cached_property
    def variance(self) -> float:
        """Var x."""
        centred = self.nodes - self.mean
        return float(np.sum(self.weights * centred**2)) + self.atom * self.mean**2

    @cached_property
    def _integral(self) -> tuple[Array, Array]:
        """Legendre series of the integral from the left end of each panel, and the mass before each panel."""
        series = np.zeros((len(self.half), self.coefficients.shape[1] + 1))
        series[:, :] = legendre.legint(self.coefficients, lbnd=-1, axis=1) * self.half[:, None]
        mass = 2.0 * self.half * self.coefficients[:, 0]
        return series, np.concatenate([[0.0], np.cumsum(mass)])

    def continuous_cdf(self, x: Array) -> Array:
        """Mass of the continuous part below x, from 0 to 1 − atom (any shape)."""
        series, before = self._integral
        panel, u = self._locate(x)
        inside = before[panel] + _clenshaw(series, panel, u)
        return np.where(x < self.edges[0], 0.0, np.where(x > self.edges[-1], before[-1], inside))

    def continuous_pdf(self, x: Array) -> Array:
        """Density of the continuous part (any shape); very large, not infinite, where it is singular."""
        panel, u = self._locate(x)
        inside = (x >= self.edges[0]) & (x <= self.edges[-1])
        return np.where(inside, np.maximum(_clenshaw(self.coefficients, panel, u), 0.0), 0.0)

    def _locate(self, x: Array) -> tuple[NDArray[np.intp], Array]:
        panel = np.clip(np.searchsorted(self.edges, x, side="right") - 1, 0, len(self.half) - 1)
        return panel, np.clip((x - self.middle[panel]) / self.half[panel], -1.0, 1.0)


def build_panels(
    density: Callable[[Array], Array],
    edges: Array,
    *,
    atom: float,
    order: int = ORDER,
    noise: float = 1e-15,
) -> PanelLaw:
    """Bisect panels until the Legendre series of a density have converged on each.

    Parameters
    ----------
    density : callable
        Vectorised density of the continuous part (any shape).
    edges : ndarray (panels + 1,)
        First panels, graded so that no peak hides between nodes.
    atom : float
        Mass at 0; the density is scaled to the rest.
    order : int, default 16
        Gauss nodes a panel.
    noise : float, default 1e-15
        Relative rounding of the density, which no bisection removes.

    Returns
    -------
    PanelLaw

    Examples
    --------
    >>> law = build_panels(lambda x: np.exp(-x), np.array([0.0, 1.0, 40.0]), atom=0.0)
    >>> print(f"{law.mean:.12f} {law.variance:.12f} {law.defect < 1e-14}")
    1.000000000000 1.000000000000 True
    """
    points, _ = _gauss(order)
    transform = _legendre_transform(order)
    left, right = edges[:-1], edges[1:]
    kept: list[tuple[Array, Array, Array]] = []
    for bisection in range(_MAX_BISECTIONS + 1):
        half = 0.5 * (right - left)
        nodes = 0.5 * (right + left)[:, None] + half[:, None] * points
        coefficients = density(nodes) @ transform
        tail = (np.abs(coefficients[:, -1]) + np.abs(coefficients[:, -2])) * half
        done = tail <= np.maximum(1e-17, noise * np.abs(coefficients[:, 0]) * half)
        if bisection == _MAX_BISECTIONS:
            done[:] = True
        kept.append((left[done], right[done], coefficients[done]))
        left, right = left[~done], right[~done]
        if len(left) == 0:
            break
        centre = 0.5 * (left + right)
        left, right = np.concatenate([left, centre]), np.concatenate([centre, right])
    starts = np.concatenate([k[0] for k in kept])
    ends = np.concatenate([k[1] for k in kept])
    coefficients = np.concatenate([k[2] for k in kept])
    by_place = np.argsort(starts)
    coefficients = coefficients[by_place]
    found = np.append(starts[by_place], ends[by_place][-1])
    mass = float(np.sum(coefficients[:, 0] * np.diff(found)))
    return PanelLaw(
        atom=atom,
        edges=found,
        coefficients=coefficients * ((1.0 - atom) / mass),
        defect=abs(mass - (1.0 - atom)),
    )


@lru_cache(maxsize=8)
def _gauss(order: int) -> tuple[Array, Array]:
    return legendre.leggauss(order)


@lru_cache(maxsize=8)
def _legendre_transform(order: int) -> Array:
    """Matrix (order nodes, order coefficients) from values at Gauss nodes to Legendre coefficients."""
    points, gauss = _gauss(order)
    return gauss[:, None] * legendre.legvander(points, order - 1) * (np.arange(order) + 0.5)


def _clenshaw(series: Array, row: NDArray[np.intp], u: Array) -> Array:
    """Value at u of the Legendre series in the given rows of `series`."""
    after = np.zeros_like(u)
    now = np.zeros_like(u)
    for n in range(series.shape[1] - 1, 0, -1):
        after, now = now, series[row, n] + (2 * n + 1) / (n + 1) * u * now - (n + 1) / (n + 2) * after
    return series[row, 0] + u * now - 0.5 * after
