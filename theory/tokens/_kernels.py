"""
E f(u_i) f(u_j) for many centred normal u of given variances and correlations, by Hermite series.

`E f(√v_i Z) f(√v_j Z') = Σ_k c_k(v_i) c_k(v_j) ρ^k` with the normalised coefficients of f. On the diagonal
the sum is E f(u)² itself; beside it the energy beyond the last coefficient, which smooth f leave none, is
given to the next power. ReLU and other functions linear on either side of 0, and their slopes, are done in
closed form.
"""

from __future__ import annotations

import numpy as np

from theory.common._activations import LEAKY_SLOPE, Activation, activation_function
from theory.common._dual import arc_cosine_kernel
from theory.common._gaussian_moments import Z_WEIGHTS, Z, slope_function
from theory.common._validate import FloatArray

_ORDER = 48
_SLOPES_AT_NEGATIVES = {"identity": 1.0, "leaky-relu": LEAKY_SLOPE, "relu": 0.0}


def _basis() -> FloatArray:
    """Return He_k(Z)/√k! times the weights of the rule, (nodes, order + 1)."""
    basis = np.empty((Z.size, _ORDER + 1))
    before, now = np.zeros(Z.size), np.ones(Z.size)
    for k in range(_ORDER + 1):
        basis[:, k] = now
        before, now = now, (Z * now - np.sqrt(k) * before) / np.sqrt(k + 1)
    return basis * Z_WEIGHTS[:, None]


_BASIS = _basis()


class TokenKernel:
    """
    Means of products of an activation, and of its slope, at the tokens of a layer.

    Parameters
    ----------
    activation : str or callable
        σ, a name of `ACTIVATIONS` or a vectorised function.
    derivative : callable, optional
        σ', needed beside a function.

    Examples
    --------
    >>> values, slopes = TokenKernel("relu").products(np.array([[1.0, 0.0], [0.0, 1.0]]))
    >>> values.round(6), slopes.round(6)
    (array([[0.5     , 0.159155],
           [0.159155, 0.5     ]]), array([[0.5 , 0.25],
           [0.25, 0.5 ]]))
    >>> print(f"{TokenKernel('tanh').products(np.array([[1.0, 0.5], [0.5, 1.0]]))[0][0, 1]:.8f}")
    0.18632441
    """

    def __init__(self, activation: Activation, derivative: Activation | None = None) -> None:
        self._negative = _SLOPES_AT_NEGATIVES.get(activation) if isinstance(activation, str) else None
        self._functions = (
            activation_function(activation),
            activation_function(slope_function(activation, derivative)),
        )

    def products(self, covariance: FloatArray) -> tuple[FloatArray, FloatArray]:
        """
        Return E σ(u_i)σ(u_j) and E σ'(u_i)σ'(u_j).

        Parameters
        ----------
        covariance : ndarray of float64 (tokens, tokens)
            E u_i u_j.

        Returns
        -------
        tuple of ndarray of float64 (tokens, tokens)
        """
        variance = np.diag(covariance)
        size = np.sqrt(np.outer(variance, variance))
        rho = np.clip(np.divide(covariance, size, out=np.zeros_like(size), where=size > 0), -1.0, 1.0)
        np.fill_diagonal(rho, 1.0)
        if self._negative is not None:
            return self._piecewise_linear(size, rho, self._negative)
        alike = np.ptp(variance) <= 1e-13 * variance.max(initial=0.0)  # behind a norm: one row does for all
        points = np.sqrt(variance[:1] if alike else variance)[:, None] * Z
        values, slopes = (_series(f(points), rho) for f in self._functions)
        return values, slopes

    @staticmethod
    def _piecewise_linear(
        size: FloatArray, rho: FloatArray, negative: float
    ) -> tuple[FloatArray, FloatArray]:
        # σ(x) = s x + (1 − s) relu(x); E relu(u)v = ρ/2, E 1{u > 0} = 1/2.
        s, r = negative, 1.0 - negative
        value = (s * s + s * r) * rho + r * r * np.asarray(arc_cosine_kernel(rho))
        slope = s * s + s * r + r * r * (np.pi - np.arccos(rho)) / (2.0 * np.pi)
        return size * value, slope


def _series(values: FloatArray, rho: FloatArray) -> FloatArray:
    """Return E f f' from f at the nodes of every token."""
    coefficients = values @ _BASIS
    energy = np.square(values) @ Z_WEIGHTS  # one token's, or one for all
    rest = np.sqrt(np.maximum(energy - np.square(coefficients).sum(1), 0.0))
    total, power = np.zeros_like(rho), np.ones_like(rho)
    for k in range(_ORDER + 2):
        now = coefficients[:, k] if k <= _ORDER else rest
        total += power * np.outer(now, now)
        power *= rho
        power[np.abs(power) < 1e-40] = 0.0  # denormal numbers are slow
    np.fill_diagonal(total, energy)
    return total
