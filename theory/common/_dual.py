"""
Gaussian dual activations: what a wide layer does to mean squares and overlaps.

Notation: Z, u, v centred normal; Z of variance 1, u and v of variances s₁, s₂ and covariance q;
`ρ(s) = E σ(√s Z)²`. Closed forms are by Price's theorem (derivatives in q) and Stein's identity. Activations
without one, and callables, go through `theory.common._dual_quadrature`.
"""

import numpy as np
import numpy.typing as npt

from theory.common import _validate
from theory.common._activations import LEAKY_SLOPE, Activation, activation_function
from theory.common._dual_quadrature import RELATIVE_ERROR, dual_quadrature, second_moment_quadrature
from theory.common._validate import FloatArray

# Above 1 by no more than this, a correlation is rounding and is taken as 1.
_CORRELATION_SLACK = 1e-12


def _sine(s: FloatArray) -> FloatArray:
    return -0.5 * np.expm1(-2 * s)


def _erf(s: FloatArray) -> FloatArray:
    return 2 / np.pi * np.arcsin(2 * s / (1 + 2 * s))


def _gelu(s: FloatArray) -> FloatArray:
    angle = np.arcsin(s / (1 + s)) / (2 * np.pi)
    return s * (0.25 + angle + s / ((1 + s) * np.pi * np.sqrt(1 + 2 * s)))


_SECOND_MOMENTS = {
    "erf": _erf,
    "gelu": _gelu,
    "identity": lambda s: s,
    "leaky-relu": lambda s: 0.5 * (1 + LEAKY_SLOPE**2) * s,
    "relu": lambda s: 0.5 * s,
    "sin": _sine,
}


def has_closed_second_moment(activation: Activation) -> bool:
    """Tell whether `activation_second_moment` is a closed form, which costs nothing."""
    return isinstance(activation, str) and activation in _SECOND_MOMENTS


def activation_second_moment(activation: Activation, mean_square: npt.ArrayLike) -> float | FloatArray:
    """
    Return ρ(s) = E σ(√s Z)², the mean square of an activation of a normal number (S3, S4).

    Closed form for relu, leaky-relu, identity, sin, erf and gelu. For tanh, softplus and callables an
    adaptive Gauss-Kronrod rule of relative error 1e-10, measured below 1e-12 for smooth σ and for kinks;
    the cost is about 20 ms. A callable may grow like exp(|x|), not faster.

    Parameters
    ----------
    activation : str or callable
        A name of `ACTIVATIONS` or a vectorised function σ.
    mean_square : array_like
        s >= 0, the variance of the pre-activation (bias included).

    Returns
    -------
    float or ndarray of float64
        ρ(s), same shape as `mean_square`.

    Raises
    ------
    ArithmeticError
        If the rule does not reach its error, for instance because σ has many jumps.

    Examples
    --------
    >>> activation_second_moment("relu", 3.0)
    1.5
    >>> round(float(activation_second_moment("tanh", 1.0)), 10)
    0.3942944904
    """
    fix = "give the variance of the pre-activations"
    s = _validate.real("mean_square", mean_square, above=0, closed_above=True, fix=fix)
    function = activation_function(activation)
    if isinstance(activation, str) and has_closed_second_moment(activation):
        return _validate.plain(_SECOND_MOMENTS[activation](s))
    result = np.full(s.shape, float(function(np.zeros(1))[0]) ** 2)
    positive = s > 0
    if positive.any():
        result[positive] = second_moment_quadrature(function, s[positive])
    return _validate.plain(result)


def arc_cosine_kernel(correlation: npt.ArrayLike) -> float | FloatArray:
    """
    Return κ(c) = E relu(u)relu(v) for unit variances and correlation c (S5, F2).

    `κ(c) = (√(1−c²) + c(π − arccos c))/(2π)`, from 0 at c = −1 over 1/(2π) at 0 to 1/2 at 1.

    Parameters
    ----------
    correlation : array_like
        c in [−1, 1].

    Returns
    -------
    float or ndarray of float64
        κ(c), same shape.

    Examples
    --------
    >>> arc_cosine_kernel(1.0)
    0.5
    """
    fix = "give a correlation"
    c = _validate.real(
        "correlation", correlation, above=-1, below=1, closed_above=True, closed_below=True, fix=fix
    )
    angle = np.arccos(c)
    return _validate.plain((np.sin(angle) + c * (np.pi - angle)) / (2 * np.pi))


def _arcsin(x: FloatArray) -> FloatArray:
    # The argument is below 1, but rounds above it for variances past 1e15.
    return np.arcsin(np.clip(x, -1.0, 1.0))


def _pair(name: str, *, s1: FloatArray, s2: FloatArray, q: FloatArray, c: FloatArray) -> FloatArray | None:
    """Return E σ(u)σ(v) where a closed form is known."""
    # (1 + s₁)(1 + s₂) − q² is the determinant of I + covariance, never below 1.
    match name:
        case "identity":
            return q
        case "relu":
            return np.sqrt(s1 * s2) * np.asarray(arc_cosine_kernel(c))
        case "leaky-relu":
            # σ = (1 + m)/2 x + (1 − m)/2 |x|; odd and even parts are uncorrelated.
            size = 2 / np.pi * np.sqrt(s1 * s2) * (np.sqrt(1 - c * c) + c * np.arcsin(c))
            return (0.5 * (1 + LEAKY_SLOPE)) ** 2 * q + (0.5 * (1 - LEAKY_SLOPE)) ** 2 * size
        case "sin":
            # exp(−(s₁+s₂)/2) sinh q, with both exponents negative.
            mean = 0.5 * (s1 + s2)
            return 0.5 * (np.exp(q - mean) - np.exp(-q - mean))
        case "erf":
            return 2 / np.pi * _arcsin(2 * q / np.sqrt((1 + 2 * s1) * (1 + 2 * s2)))
        case "gelu":
            both = _arcsin(q / np.sqrt((1 + s1) * (1 + s2))) / (2 * np.pi) + 0.25
            root = np.sqrt((1 + s1) * (1 + s2) - q * q)
            bracket = s1 * s2 + q * q * (1 - s1 / (1 + s1) - s2 / (1 + s2))
            return q * both + bracket / (2 * np.pi * root)
    return None


def dual_activation(
    activation: Activation,
    *,
    first: npt.ArrayLike,
    second: npt.ArrayLike,
    covariance: npt.ArrayLike,
    relative_error: float = RELATIVE_ERROR,
) -> float | FloatArray:
    """
    Return E σ(u)σ(v) for centred normal u and v, the dual activation of two inputs (S5).

    Closed form for relu, leaky-relu, identity, sin, erf and gelu. Otherwise a product of an adaptive and a
    composite Gauss rule in polar coordinates; measured error below 1e-14 relative to (ρ(s₁) + ρ(s₂))/2 and
    5 to 50 ms a value for σ analytic on either side of 0.

    Parameters
    ----------
    activation : str or callable
        A name of `ACTIVATIONS` or a vectorised function σ.
    first, second : array_like
        Variances s₁, s₂ >= 0 of u and v (bias included).
    covariance : array_like
        q = E uv, with q² <= s₁s₂. The three arguments are broadcast.
    relative_error : float, optional
        Largest estimated error of the quadrature, relative to (ρ(s₁) + ρ(s₂))/2; 1e-10 by default. An
        activation with a kink away from 0, such as the hard tanh, needs about 1e-6 and a second a value.

    Returns
    -------
    float or ndarray of float64
        E σ(u)σ(v), broadcast shape.

    Raises
    ------
    ArithmeticError
        If the rule does not settle, for instance because σ has a kink away from 0.

    Examples
    --------
    >>> round(float(dual_activation("relu", first=1.0, second=4.0, covariance=2.0)), 12)
    1.0
    >>> round(float(dual_activation("tanh", first=1.0, second=1.0, covariance=0.5)), 8)
    0.18632441
    """
    fix = "give a variance"
    s1 = _validate.real("first", first, above=0, closed_above=True, fix=fix)
    s2 = _validate.real("second", second, above=0, closed_above=True, fix=fix)
    q = _validate.real("covariance", covariance, fix="give the mean product of u and v")
    s1, s2, q = np.broadcast_arrays(s1, s2, q)
    bound = np.sqrt(s1) * np.sqrt(s2)
    excess = np.abs(q) > bound * (1 + _CORRELATION_SLACK)
    if excess.any():
        raise ValueError(
            f"covariance={q[excess].flat[0]:g}: must be at most √(first·second) = {bound[excess].flat[0]:g} "
            "in size; give the mean product of u and v"
        )
    c = np.clip(np.divide(q, bound, out=np.zeros(q.shape), where=bound > 0), -1, 1)
    function = activation_function(activation)
    goal = float(_validate.real("relative_error", relative_error, above=0, below=1, fix="give e.g. 1e-10"))
    closed = _pair(activation, s1=s1, s2=s2, q=q, c=c) if isinstance(activation, str) else None
    if closed is not None:
        return _validate.plain(closed)
    values = [
        dual_quadrature(function, first=float(a), second=float(b), correlation=float(r), relative_error=goal)
        for a, b, r in zip(s1.flat, s2.flat, c.flat, strict=True)
    ]
    return _validate.plain(np.array(values).reshape(q.shape))
