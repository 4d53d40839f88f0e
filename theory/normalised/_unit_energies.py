"""
The energies of one layer's units behind a norm, A = Σσ(z_m)², B = Σσ²σ'² and D = Σσ'², as nodes (N6, N10).

For ReLU: N ~ Bin(M, ½), A ~ χ²_N, B = A, D = N.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy import special

from theory.common._activation_energy import activation_energy
from theory.common._activations import Activation, activation_function
from theory.common._gaussian_moments import slope_function
from theory.common._validate import FloatArray
from theory.normalised._cubature import shifted_sobol

_LOG2_CUBATURE = 7


def _gauss(diagonal: FloatArray, beside: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Golub and Welsch: nodes and weights of the law with this Jacobi matrix."""
    nodes, vectors = np.linalg.eigh(
        np.diag(diagonal) + np.diag(np.sqrt(beside), 1) + np.diag(np.sqrt(beside), -1)
    )
    return nodes, vectors[0] ** 2


def chi_square(freedom: float, points: int) -> tuple[FloatArray, FloatArray]:
    """
    Return a Gauss rule of χ² with any number > 0 of degrees of freedom (generalised Laguerre).

    Examples
    --------
    >>> nodes, weights = chi_square(5.0, 4)
    >>> print(f"{weights @ nodes:.9f} {weights @ nodes**2:.9f}")
    5.000000000 35.000000000
    """
    k = np.arange(points, dtype=np.float64)
    half = 0.5 * freedom
    nodes, weights = _gauss(2 * k + half, k[1:] * (k[1:] + half - 1))
    return 2 * np.maximum(nodes, 0.0), weights


@dataclass(frozen=True, eq=False)
class UnitEnergies:
    """
    Nodes of (A, B, D) with probabilities.

    Attributes
    ----------
    A, B, D : ndarray of float64 (nodes,)
        Σσ² > 0, Σσ²σ'² and Σσ'².
    weights : ndarray of float64 (nodes,)
        Probabilities; what they lack of 1 has no active unit.
    """

    A: FloatArray
    B: FloatArray
    D: FloatArray
    weights: FloatArray


def _relu_energies(M: int) -> UnitEnergies:
    """N ~ Bin(M, ½) by its own terms or by Krawtchouk's rule, A ~ χ²_N, B = A, D = N."""
    if M <= 16:
        n = np.arange(1.0, M + 1)
        share = special.binom(M, n) * 0.5**M
    else:
        j = np.arange(1.0, 8.0)
        n, share = _gauss(np.full(8, 0.5 * M), j * (M - j + 1) / 4)
    rules = [chi_square(float(k), 6) for k in n]
    A = np.concatenate([nodes for nodes, _ in rules])
    weights = np.concatenate([s * w for s, (_, w) in zip(share, rules, strict=True)])
    return UnitEnergies(A, A, np.repeat(n, 6), weights)


def _smooth_energies(activation: Activation, derivative: Activation | None, M: int) -> UnitEnergies:
    """Cubature over z in R^M, with A and D scaled to their exact means."""
    energy = activation_energy(activation, derivative=derivative)
    z = special.ndtri(shifted_sobol(M, _LOG2_CUBATURE))
    s2 = np.square(activation_function(activation)(z))
    t2 = np.square(activation_function(slope_function(activation, derivative))(z))
    A, B, D = s2.sum(1), (s2 * t2).sum(1), t2.sum(1)
    A, D = A * (M * energy.mean / A.mean()), D * (M * energy.slope / D.mean())
    return UnitEnergies(A, B, D, np.full(A.size, 1.0 / A.size))


@lru_cache(maxsize=16)
def unit_energies(activation: Activation, derivative: Activation | None, hidden_width: int) -> UnitEnergies:
    """
    Return a rule for the energies of M units behind a norm.

    Parameters
    ----------
    activation : str or callable
        σ. ReLU has a Gauss rule, the others a cubature of 128 points in R^M with the exact means of A and D.
    derivative : callable or None
        σ', needed beside a function.
    hidden_width : int
        M >= 1.

    Examples
    --------
    >>> rule = unit_energies("relu", None, 8)
    >>> print(f"{rule.weights.sum():.6f} {rule.weights @ rule.A:.6f} {rule.weights @ rule.A**2:.6f}")
    0.996094 4.000000 26.000000
    """
    if activation == "relu":
        return _relu_energies(hidden_width)
    return _smooth_energies(activation, derivative, hidden_width)
