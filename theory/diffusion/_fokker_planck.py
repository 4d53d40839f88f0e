"""
Conservative Fokker-Planck solver for the mean square S of a hidden state.

The equation is `dS = ρ(S) dt + 2√(Sρ(S)/d) dB`. In `y = log S`, with `g = ρ(S)/S`, Itô gives
`dy = (1 − 2/d) g dt + 2√(g/d) dB`: a Brownian motion with drift, run at the speed g. Its density p obeys

    ∂p/∂t = −∂/∂y [ (1 − 2/d) u − (2/d) ∂u/∂y ],   u = g p,

so drift and diffusion of u are constants whatever the activation.

Space: finite volumes, no flux through the ends. Cells are equally long in a coordinate ζ: log S if ρ(0) = 0,
else `S = S_c sinh²(ζ/2)`, which resolves the reflection at S = 0 where the noise is that of √S. Each cell
is a state of a birth and death process, so mass is conserved; the error is a series in h², which Richardson
extrapolation over h, h/2 and h/4 removes up to h⁶.

Time: the [4/5] Padé approximation of exp, of order 9 and L-stable (the start is a point mass), in partial
fractions: one real-time step is a few tridiagonal solves.
"""

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from scipy import linalg

from theory.common._validate import FloatArray

# Beyond this cell Péclet number central fluxes would give negative rates; upwind ones replace them.
_PECLET = 2.0
# Up to this width fitted fluxes are better: exact next to S = 0, and the Péclet number is small.
_FITTED_WIDTH = 10


class Coordinate:
    """The coordinate ζ: log S, or 2 asinh √(S/scale) where a positive scale is given."""

    def __init__(self, scale: float) -> None:
        self.scale = scale

    def log_of(self, zeta: FloatArray) -> FloatArray:
        """Return log S; −∞ at ζ = 0 on the second coordinate."""
        if self.scale == 0:
            return zeta
        with np.errstate(divide="ignore"):
            return math.log(self.scale) + 2 * np.log(np.sinh(0.5 * zeta))

    def of_log(self, y: FloatArray) -> FloatArray:
        """Return ζ at y = log S."""
        if self.scale == 0:
            return y
        return 2 * np.arcsinh(np.exp(0.5 * (y - math.log(self.scale))))

    def slope(self, y: FloatArray) -> FloatArray:
        """Return dζ/dy."""
        if self.scale == 0:
            return np.ones_like(y)
        return 1 / np.sqrt(1 + np.exp(math.log(self.scale) - y))


def _bernoulli(x: FloatArray, *, fitted: bool) -> FloatArray:
    """Return the weight of a flux at Péclet number x: x/(e^x − 1), or 1 − x/2 continued upwind."""
    if fitted:
        small = np.abs(x) < 1e-8
        return np.where(small, 1 - 0.5 * x, x / np.expm1(np.where(small, 1.0, x)))
    return np.where(np.abs(x) <= _PECLET, 1 - 0.5 * x, np.maximum(-x, 0.0))


def rates(
    edges: FloatArray, *, coordinate: Coordinate, rho: Callable[[FloatArray], FloatArray], width: int
) -> tuple[FloatArray, FloatArray]:
    """
    Return the rates at which mass leaves each cell upwards and downwards.

    Parameters
    ----------
    edges : ndarray of float64
        Cell edges in ζ, increasing.
    coordinate : Coordinate
        What ζ is.
    rho : callable
        ρ as a function of S > 0.
    width : int
        Width d.

    Returns
    -------
    up, down : ndarray of float64
        Non-negative rates for each cell; 0 at the ends of the grid.

    Examples
    --------
    >>> up, down = rates(np.array([0.0, 0.1, 0.2]), coordinate=Coordinate(0), rho=lambda s: s, width=2)
    >>> bool(up[0] > 0), float(up[1]), float(down[0])
    (True, 0.0, 0.0)
    """
    y = coordinate.log_of(0.5 * (edges[1:] + edges[:-1]))
    at_edges = coordinate.log_of(edges)
    # Width of a cell in S over S: the node holds the mean density of S, which is right up to S = 0.
    size = np.exp(at_edges[1:] - y) - np.exp(at_edges[:-1] - y)
    speed = rho(np.exp(y)) * np.exp(-y) * (2 / width) / size
    gap = np.diff(y)
    peclet = (0.5 * width - 1) * gap
    fitted = width <= _FITTED_WIDTH
    up, down = np.zeros(y.shape), np.zeros(y.shape)
    up[:-1] = speed[:-1] * _bernoulli(-peclet, fitted=fitted) / gap
    down[1:] = speed[1:] * _bernoulli(peclet, fitted=fitted) / gap
    return up, down


# Poles in the upper half plane and residues (doubled off the real axis) of the [4/5] Padé approximation of
# exp. Computed with 60 digits: roots of the denominator in double precision would cost 1e-12 of mass a step.
_PADE = (
    (6.2867047517292766452 + 0j, -273.34328946592193689 + 0j),
    (5.7009532986717894192 + 3.2102656003085498884j, 299.99689319509385325 + 136.08455904404537416j),
    (3.6556943254635722582 + 6.543736899360077294j, -31.653603729171916359 - 48.251291564488761436j),
)


def propagate(
    mass: FloatArray, *, up: FloatArray, down: FloatArray, time: float, steps: int
) -> npt.NDArray[np.float64]:
    """
    Return the masses of the cells after each of `steps` equal steps of depth-time.

    Parameters
    ----------
    mass : ndarray of float64
        Masses at the start.
    up, down : ndarray of float64
        Rates of `rates`.
    time : float
        Depth-time of all steps together.
    steps : int
        Number of steps.

    Returns
    -------
    ndarray of float64
        Shape (steps, cells); every row has the total mass of the start to about 1e-15.

    Raises
    ------
    ArithmeticError
        If rounding loses more than 1e-8 of the mass in a step.

    Examples
    --------
    >>> up, down = np.array([1.0, 0.0, 0.0]), np.array([0.0, 1.0, 0.0])
    >>> masses = propagate(np.array([1.0, 0.0, 0.0]), up=up, down=down, time=1.0, steps=2)
    >>> bool(abs(masses[-1, 0] - (1 + np.exp(-2)) / 2) < 1e-8)
    True
    """
    h = time / steps
    gttrf, gttrs = linalg.get_lapack_funcs(("gttrf", "gttrs"), dtype=np.complex128)
    factors = []
    for pole, residue in _PADE:
        diagonal = -h * (up + down) - pole
        *factor, info = gttrf(h * up[:-1].astype(complex), diagonal, h * down[1:].astype(complex))
        if info != 0:
            raise ArithmeticError(f"steps={steps}: the tridiagonal matrix is singular; use other steps")
        factors.append((factor, residue))
    rows = np.empty((steps, mass.size))
    current = mass.astype(complex)
    for row in rows:
        total = np.zeros(mass.size)
        for factor, residue in factors:
            total += (residue * gttrs(*factor, current)[0]).real
        # Rounding in the elimination leaks 1e-13 of the mass a step, more on fine grids; put it back.
        leak = mass.sum() / total.sum()
        if not abs(leak - 1) < 1e-8:
            raise ArithmeticError(f"steps={steps}: mass changes by {leak - 1:.1e}; use fewer cells")
        total *= leak
        row[:] = total
        current = total.astype(complex)
    return rows
