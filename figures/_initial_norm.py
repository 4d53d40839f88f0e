"""The law of ‖h_0‖²/d for Gaussian weights, as a Gauss rule of few nodes.

``h_0 = A x`` with x uniform on [0, c]^n and the entries of √n A standard normal: given x, ``‖h_0‖²/d`` is
``(‖x‖²/n) χ²_d/d``. Its moments are rational, hence exact, and the Gauss rule of m nodes has the first 2m of
them right: averages of smooth functions converge geometrically in m.
"""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


def initial_mean_square_rule(
    *, width: int, input_dim: int, input_scale: float, nodes: int
) -> tuple[Array, Array]:
    """Return nodes and weights of the Gauss rule of ‖h_0‖²/d.

    Parameters
    ----------
    width, input_dim : int
        d and n.
    input_scale : float
        c, the upper end of the entries of x.
    nodes : int
        m, up to about 12: beyond, float64 cannot tell the moments apart.

    Returns
    -------
    nodes, weights : ndarray of shape (m,)
        Increasing nodes, weights that add up to 1.

    Examples
    --------
    >>> S, weight = initial_mean_square_rule(width=40, input_dim=64, input_scale=3.0, nodes=5)
    >>> print(f"{weight @ S:.12f}")  # c²/3
    3.000000000000
    """
    last = 2 * nodes
    raw = [x * chi for x, chi in zip(_input_moments(input_dim, last), _chi_moments(width, last), strict=True)]
    centre = raw[1]
    central = [
        sum((math.comb(k, j) * raw[j] * (-centre) ** (k - j) for j in range(k + 1)), Fraction(0))
        for k in range(last + 1)
    ]
    spread = math.sqrt(central[2])
    standard = np.array([float(moment) / spread**k for k, moment in enumerate(central)])
    # Golub and Welsch (1969): the Jacobi matrix from the Cholesky factor of the Hankel matrix.
    index = np.arange(nodes + 1)
    factor = np.linalg.cholesky(standard[index[:, None] + index]).T
    ratio = np.diag(factor, 1) / np.diag(factor)[:-1]
    diagonal = np.diff(ratio, prepend=0.0)
    beside = np.diag(factor)[1:nodes] / np.diag(factor)[: nodes - 1]
    places, vectors = np.linalg.eigh(np.diag(diagonal) + np.diag(beside, 1) + np.diag(beside, -1))
    return input_scale**2 * (float(centre) + spread * places), vectors[0] ** 2


def _input_moments(input_dim: int, last: int) -> list[Fraction]:
    """Return ``E (Σ u_i²/n)^k`` for k up to `last`, u_i uniform on [0, 1]: ``E u^{2k} = 1/(2k + 1)``."""
    one = [Fraction(1, (2 * k + 1) * math.factorial(k)) for k in range(last + 1)]
    # Power n of the generating function by the differential equation f^n: one pass instead of n products.
    power = [Fraction(1)]
    for k in range(1, last + 1):
        terms = ((input_dim * j - (k - j)) * one[j] * power[k - j] for j in range(1, k + 1))
        power.append(sum(terms, Fraction(0)) / k)
    return [power[k] * math.factorial(k) / Fraction(input_dim) ** k for k in range(last + 1)]


def _chi_moments(width: int, last: int) -> list[Fraction]:
    """Return ``E (χ²_d/d)^k``."""
    moments = [Fraction(1)]
    for k in range(last):
        moments.append(moments[-1] * Fraction(width + 2 * k, width))
    return moments
