"""
Moments and Hermite coefficients of σ² and σ'² at normal numbers, for the laws of wide networks.

For u normal of variance s: `E σ(u)²`, `E σ(u)⁴` and the same of the derivative. The rule is Gauss-Legendre on
panels that are graded towards 0, where σ may have a kink and where a bounded σ of a large u changes fast.
"""

import numpy as np
from scipy import special

from theory.common import _validate
from theory.common._activations import LEAKY_SLOPE, ROOT_HALF, Activation, activation_function
from theory.common._validate import FloatArray

_ENDS = np.concatenate([[0.0], 2.0 ** np.arange(-24.0, 0.0), np.arange(1.0, 13.0)])
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(10)


def _rule() -> tuple[FloatArray, FloatArray]:
    """Return nodes and weights of the standard normal law."""
    half = 0.5 * np.diff(_ENDS)[:, None]
    right = (_ENDS[:-1, None] + half * (1 + _NODES)).ravel()
    weight = (half * _WEIGHTS).ravel() * np.exp(-0.5 * right * right) / np.sqrt(2 * np.pi)
    return np.concatenate([-right[::-1], right]), np.concatenate([weight[::-1], weight])


Z, Z_WEIGHTS = _rule()


def _gelu_slope(x: FloatArray) -> FloatArray:
    return 0.5 * special.erfc(-ROOT_HALF * x) + x * np.exp(-0.5 * x * x) / np.sqrt(2 * np.pi)


_SLOPES = {
    "erf": lambda x: 2 / np.sqrt(np.pi) * np.exp(-x * x),
    "gelu": _gelu_slope,
    "identity": np.ones_like,
    "leaky-relu": lambda x: np.where(x > 0, 1.0, LEAKY_SLOPE),
    "relu": lambda x: np.where(x > 0, 1.0, 0.0),
    "sin": np.cos,
    "softplus": special.expit,
    "tanh": lambda x: 1 / np.cosh(np.clip(x, -350.0, 350.0)) ** 2,
}


def slope_function(activation: Activation, derivative: Activation | None) -> Activation:
    """
    Return the derivative σ' of an activation, by its name or as given.

    Parameters
    ----------
    activation : str or callable
        A name of `ACTIVATIONS` or a vectorised function σ.
    derivative : callable or None
        The vectorised σ', needed where σ is a function.

    Raises
    ------
    ValueError
        If σ is a function and has no derivative beside it.
    """
    if derivative is not None:
        return activation_function(derivative)
    if isinstance(activation, str):
        activation_function(activation)
        return _SLOPES[activation]
    raise ValueError("derivative=None: must be given beside a function; give σ' as a vectorised function")


def even_moments(function: Activation, variance: FloatArray) -> tuple[FloatArray, FloatArray]:
    """
    Return E f(u)² and E f(u)⁴, u normal of each of the variances.

    Parameters
    ----------
    function : str or callable
        f, of at most polynomial growth.
    variance : ndarray of float64
        Variances s >= 0.

    Examples
    --------
    >>> second, fourth = even_moments("relu", np.array([2.0]))
    >>> print(f"{second[0]:.12f} {fourth[0]:.12f}")
    1.000000000000 6.000000000000
    """
    f = activation_function(function)
    squares = np.square(f(np.sqrt(np.asarray(variance))[..., None] * Z))
    return squares @ Z_WEIGHTS, np.square(squares) @ Z_WEIGHTS


def square_coefficients(function: Activation, variance: FloatArray, order: int) -> FloatArray:
    """
    Return the normalised Hermite coefficients E f(√s Z)² He_n(Z)/√n!, n = 0..order.

    For a Brownian motion B, `Cov(f(B_s)², g(B_t)²) = Σ_{n>=1} c_n(s) c'_n(t) (s/t)^{n/2}`, s <= t.

    Parameters
    ----------
    function : str or callable
        f, of at most polynomial growth.
    variance : ndarray of float64 (times,)
        Variances s > 0.
    order : int
        Largest n.

    Returns
    -------
    ndarray of float64 (times, order + 1)

    Examples
    --------
    >>> square_coefficients("identity", np.array([3.0]), 3).round(9) + 0.0
    array([[3.        , 0.        , 4.24264069, 0.        ]])
    """
    n = int(_validate.whole("order", order, minimum=0, fix="give the largest order"))
    squares = np.square(activation_function(function)(np.sqrt(np.asarray(variance))[..., None] * Z))
    basis = np.empty((Z.size, n + 1))
    before, now = np.zeros(Z.size), np.ones(Z.size)
    for k in range(n + 1):
        basis[:, k] = now
        before, now = now, (Z * now - np.sqrt(k) * before) / np.sqrt(k + 1)
    return squares @ (basis * Z_WEIGHTS[:, None])
