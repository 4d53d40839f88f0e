"""
Law of the cosine of two inputs at fixed width (C1; *derived*), from the Fokker-Planck equation of their
angle.

The coordinate is `ζ = −log tan(θ/4)`: linear in the angle at θ = π, ζ = 0, where it is reflected, and
−log(θ/4) at small ones, where the noise of the angle is proportional to it. Cells of one length h in ζ are
the states of a birth and death process whose rates come from the diffusion's own scale function and speed
measure,

    rate(i → i+1) = 1/(∫_cell m · ∫_{node i}^{node i+1} s'),   m = 2d e^{(d−2)Q}/(1 − 2cκ),   s' =
    e^{−(d−2)Q},

so they are non-negative and right next to the reflection, at every width. Mass is conserved; the error is a
series in h², which Richardson extrapolation removes.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from theory.common import _validate
from theory.common._tabulated_law import TabulatedLaw
from theory.common._validate import FloatArray
from theory.diffusion._fokker_planck import propagate
from theory.diffusion._mean_field import cosine_flow
from theory.inputs._angle_diffusion import scale_exponent, spread

_POINTS, _WEIGHTS = np.polynomial.legendre.leggauss(8)
_REACH = 8.0
"""Deviations of log θ on either side that the window holds."""
_FEWEST_STEPS = 32
_MOST_CELLS = 200_000
_LARGEST = 300.0
"""Of an exponent."""


def cosine_diffusion_law(
    *, width: int, cosine: float, time: float = 1.0, tolerance: float = 1e-6
) -> TabulatedLaw:
    """
    Return the limit law of the cosine of the hidden states of two inputs of res-3 at α = 1/√L (C1;
    *derived*).

    For every width d >= 2, any hidden width, any schedule with Σ a_k² → t and max a_k → 0. The cosine of
    finite networks is off by O(1/L) in mean; S5 is the limit d → ∞.

    Parameters
    ----------
    width : int
        d >= 2.
    cosine : float
        Cosine of the inputs, in [−1, 1); at 1 they are one input.
    time : float, optional
        Depth-time t = Σ a_k²; 1, the last layer of α = 1/√L, by default.
    tolerance : float, optional
        Largest estimated error of the distribution function, 1e-6 by default; at least 1e-10.

    Returns
    -------
    TabulatedLaw
        Law of the cosine, with pdf, cdf, ppf, mean, var, expect, rvs; its attribute `error` is the estimate.

    Raises
    ------
    ValueError
        If an argument is out of range.
    ArithmeticError
        If the tolerance needs more than 200,000 cells.

    Examples
    --------
    >>> law = cosine_diffusion_law(width=5, cosine=0.3)
    >>> print(f"{law.mean():.5f} {law.var():.5f}")
    0.33472 0.11579
    """
    d = int(_validate.width(width, minimum=2))
    fix = "give the cosine of two inputs that differ"
    c = float(_validate.real("cosine", cosine, above=-1, closed_above=True, below=1, fix=fix))
    t = float(_validate.real("time", time, above=0, fix="give the depth-time, 1 for the whole network"))
    goal = float(
        _validate.real("tolerance", tolerance, above=1e-10, closed_above=True, below=1, fix="give 1e-6")
    )
    angle = _angle(c)
    # Starting at π instead shifts the distribution function by about d(π − θ)²/(2t).
    at_end = d * (math.pi - angle) ** 2 < 0.2 * goal * t
    return _Problem(width=d, angle=math.pi if at_end else angle, time=t).solve(goal)


def _angle(cosine: float) -> float:
    """Return arccos, with relative precision for small angles."""
    return 2 * math.asin(math.sqrt(0.5 * (1 - cosine)))


def _coordinate(theta: npt.ArrayLike) -> FloatArray:
    """Return ζ of an angle."""
    return -np.log(np.tan(0.25 * np.asarray(theta, dtype=np.float64)))


def _cosine_of(zeta: FloatArray) -> FloatArray:
    return np.cos(4 * np.arctan(np.exp(-zeta)))


class _Problem:
    """One start, time and width: its window and the solutions on grids."""

    def __init__(self, *, width: int, angle: float, time: float) -> None:
        self.width, self.time = width, time
        self.start = max(0.0, float(_coordinate(angle)))
        # In ζ the variance is at most 1/d a unit of time, and S5 drifts faster than any finite width does.
        deviation = math.sqrt(time / width)
        wide = _angle(float(cosine_flow(cosine=math.cos(angle), time=time)))
        ahead = max(self.start, float(_coordinate(wide)) if wide > 0 else 0.0)
        self.high = ahead + 0.5 * time / width + _REACH * deviation
        self.low = self.start - _REACH * deviation
        if self.low < 0.1 * self.high:
            self.low = 0.0
        self.cell = min(deviation / 6, 2 / width, self.high / 100)

    def edges(self) -> tuple[FloatArray, int]:
        """Return edges of cells in ζ and the index of the one that is the start."""
        h, origin = self.cell, self.start
        below = math.ceil((origin - self.low) / h - 1e-9)
        if self.low == 0.0:
            h = origin / below if below else h
        edges = origin + h * np.arange(-below, math.ceil((self.high - origin) / h) + 1)
        if self.low == 0.0:
            edges[0] = 0.0
        return edges.astype(np.float64), below

    def _exponent(self, zeta: FloatArray) -> FloatArray:
        """Return (d − 2) Q."""
        quarter = np.arctan(np.exp(-zeta))
        # π − 4 arctan e^{−ζ} is 2 gd ζ, gd the Gudermann function.
        return (self.width - 2) * scale_exponent(4 * quarter, 4 * np.arctan(np.tanh(0.5 * zeta)))

    def rates(self, edges: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the rates at which mass leaves each cell to larger and to smaller ζ."""
        nodes = 0.5 * (edges[1:] + edges[:-1])
        reference = self._exponent(edges[1:-1])[:, None] if self.width > 2 else 0.0
        speeds, scales = [], []
        for low, high in ((edges[:-2], nodes[:-1]), (nodes[:-1], edges[1:-1]), (edges[1:-1], nodes[1:]),
                          (nodes[1:], edges[2:])):  # fmt: skip
            half = 0.5 * (high - low)[:, None]
            zeta = low[:, None] + half * (1 + _POINTS)
            theta = 4 * np.arctan(np.exp(-zeta))
            slope = 2 * np.sin(0.5 * theta)  # −dθ/dζ
            relative = self._exponent(zeta) - reference if self.width > 2 else np.zeros_like(zeta)
            # Beside the reflection wide networks' scale leaves the floats, in cells that they never see.
            relative = np.clip(relative, -_LARGEST, _LARGEST)
            weight = half * _WEIGHTS * slope
            speeds.append((weight * np.exp(relative) * 2 * self.width / spread(theta)).sum(axis=1))
            scales.append((weight * np.exp(-relative)).sum(axis=1))
        gap = scales[1] + scales[2]
        up, down = np.zeros(nodes.shape), np.zeros(nodes.shape)
        up[:-1] = 1 / (gap * (speeds[0] + speeds[1]))
        down[1:] = 1 / (gap * (speeds[2] + speeds[3]))
        return up, down

    def distribution(self, edges: FloatArray, start: int, steps: int) -> FloatArray:
        """Return the distribution function at the edges."""
        up, down = self.rates(edges)
        mass = np.zeros(edges.size - 1)
        # Half on each side of the edge: an error of order h² like all the others.
        mass[max(0, start - 1)] += 0.5
        mass[start] += 0.5
        final = propagate(mass, up=up, down=down, time=self.time, steps=steps)[-1]
        return np.concatenate(([0.0], np.cumsum(final)))

    def solve(self, tolerance: float) -> TabulatedLaw:
        """Return the law, on grids that are refined until the error is small enough."""
        edges, start = self.edges()
        steps = _FEWEST_STEPS
        coarse = self.distribution(edges, start, steps)
        while True:
            steps *= 2
            finer = self.distribution(edges, start, steps)
            change, coarse = float(np.abs(finer - coarse).max()), finer
            if change < tolerance / 10:
                break
        grids, levels = [(edges, start)], [coarse]
        while True:
            while len(levels) < 3:
                edges, start = grids[-1]
                if 2 * edges.size > _MOST_CELLS:
                    raise ArithmeticError(
                        f"tolerance={tolerance:g}: needs more than {_MOST_CELLS} cells; give a larger one"
                    )
                halved = np.empty(2 * edges.size - 1)
                halved[::2], halved[1::2] = edges, 0.5 * (edges[1:] + edges[:-1])
                grids.append((halved, 2 * start))
                levels.append(self.distribution(halved, 2 * start, steps))
            second = (4 * levels[1][::2] - levels[0]) / 3
            fourth = (4 * levels[2][::2] - levels[1]) / 3
            sixth = (16 * fourth[::2] - second) / 15
            error = max(float(np.abs(sixth - fourth[::2]).max()), float(np.abs(sixth - second).max()) / 16)
            if error < tolerance:
                return self._law(grids[0][0], sixth, error)
            del levels[0], grids[0]

    def _law(self, edges: FloatArray, cdf: FloatArray, error: float) -> TabulatedLaw:
        """Return the law of cos θ, increasing in ζ."""

        def slope(c: FloatArray) -> FloatArray:
            theta = np.arccos(np.clip(c, -1.0, 1.0))
            with np.errstate(divide="ignore"):
                return 1 / (2 * np.sin(0.5 * theta) * np.sin(theta))

        def coordinate(c: FloatArray) -> FloatArray:
            with np.errstate(divide="ignore"):
                return _coordinate(2 * np.arcsin(np.sqrt(0.5 * (1 - np.clip(c, -1.0, 1.0)))))

        return TabulatedLaw(
            edges, cdf, from_coordinate=_cosine_of, to_coordinate=coordinate, slope=slope, error=error
        )
