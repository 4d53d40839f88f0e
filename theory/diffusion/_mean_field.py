"""
Wide limit of the diffusion limit: ordinary differential equations for mean squares and overlaps (S4, S5).

Notation: `S = ‖h‖²/d`, q the overlap `h_1·h_2/d` of two inputs, `c = q/√(S_1 S_2)` their cosine,
`ρ(s) = E σ(√(s + σ_b²) Z)²`. Res-2 at α = 1/√L, Gaussian weights of variance 1/d; first L, then d → ∞.

The noise of S has variance `4Sρ(S)/d` per unit of time (S3), so S_t tends to the solution of `dS/dt =
ρ(S)`. The layer of both inputs is the same, so by the polarised form of the same Itô product `dq/dt = E
σ(u)σ(v)` with u, v normal of variances S_1 + σ_b², S_2 + σ_b² and covariance q + σ_b² (one bias vector for
both inputs).

For ReLU without bias the cosine has an equation of its own, `dc/dt = κ(c) − c/2`. In the angle, `c = cos θ`,

    dθ/dt = −(1 − θ cot θ)/(2π),

which is smooth at θ = 0, where `κ(c) − c/2` only has `(1 − c)^{3/2}`: θ decays like 6π/t, not exponentially.
"""

import numpy as np
import numpy.typing as npt
from scipy import integrate

from theory.common import _validate
from theory.common._activations import Activation
from theory.common._dual import activation_second_moment, arc_cosine_kernel, dual_activation
from theory.common._validate import FloatArray

_RELATIVE = 1e-11
_TIME_FIX = "give the depth-time, 1 for the whole network"


def _solve(
    slope: object, start: list[float], times: FloatArray, *, field: str, relative: float = _RELATIVE
) -> FloatArray:
    """Return the solution at the times, shape (unknowns, *times.shape)."""
    last = float(times.max(initial=0.0))
    if last == 0:
        return np.broadcast_to(
            np.reshape(start, (-1,) + (1,) * times.ndim), (len(start), *times.shape)
        ).copy()
    order, inverse = np.unique(times, return_inverse=True)
    solution = integrate.solve_ivp(
        slope, (0.0, last), start, method="DOP853", t_eval=order, rtol=relative, atol=1e-14
    )
    if not solution.success:
        raise ArithmeticError(
            f"{field}: the equation has no solution up to time {last:g}; give a shorter time"
        )
    return solution.y[:, inverse.reshape(times.shape)]


def _times(time: npt.ArrayLike) -> FloatArray:
    return _validate.real("time", time, above=0, closed_above=True, fix=_TIME_FIX)


def _cosine(cosine: float) -> float:
    closed = {"closed_above": True, "closed_below": True}
    return float(
        _validate.real("cosine", cosine, above=-1, below=1, fix="give the cosine of two inputs", **closed)
    )


def _mean_square(value: float, *, field: str = "initial_mean_square") -> float:
    return float(_validate.real(field, value, above=0, closed_above=True, fix="give ‖h_0‖²/width"))


def _bias_variance(bias_std: float) -> float:
    bias = _validate.real("bias_std", bias_std, above=0, closed_above=True, fix="give 0 for no bias")
    return float(bias) ** 2


def mean_square_flow(
    *,
    activation: Activation,
    initial_mean_square: float,
    bias_std: float = 0.0,
    time: npt.ArrayLike = 1.0,
) -> float | FloatArray:
    """
    Return the limit of ‖h_k‖²/d at k = tL, α = 1/√L, L then d → ∞ (S4; *derived*).

    Solves `dS/dt = ρ(S)` by an order 8 Runge-Kutta method with relative error about 1e-10. Networks of
    width d are off by O(1/d) in mean and O(1/√d) each.

    Parameters
    ----------
    activation : str or callable
        A name of `ACTIVATIONS` or a vectorised function σ.
    initial_mean_square : float
        ‖h_0‖²/d >= 0.
    bias_std : float, optional
        Standard deviation σ_b of the biases; 0 by default.
    time : array_like, optional
        Depth-times t >= 0; 1 by default.

    Returns
    -------
    float or ndarray of float64
        S_t, same shape as `time`.

    Examples
    --------
    >>> round(float(mean_square_flow(activation="relu", initial_mean_square=2.0)), 9)
    3.297442541
    """
    S_0, variance, times = _mean_square(initial_mean_square), _bias_variance(bias_std), _times(time)

    def slope(t: float, S: FloatArray) -> FloatArray:
        del t
        # A stage may overshoot below 0 by rounding where S is 0.
        return np.asarray(activation_second_moment(activation, np.maximum(S, 0.0) + variance))

    return _validate.plain(_solve(slope, [S_0], times, field="activation")[0])


def mean_square_recursion(
    *,
    activation: Activation,
    initial_mean_square: float,
    depth: int,
    alpha: float,
    bias_std: float = 0.0,
) -> FloatArray:
    """
    Return the limit of ‖h_k‖²/d at a fixed depth as d → ∞, for k = 0..L (S4'; *derived*).

    The recursion `S_{k+1} = S_k + α² ρ(S_k)`, exact in the limit for every α: with α = 1/√L it is Euler's
    method for `mean_square_flow`, off by O(1/L).

    Parameters
    ----------
    activation : str or callable
        A name of `ACTIVATIONS` or a vectorised function σ.
    initial_mean_square : float
        ‖h_0‖²/d >= 0.
    depth : int
        Number L of layers.
    alpha : float
        Factor before the residual branch.
    bias_std : float, optional
        Standard deviation σ_b of the biases; 0 by default.

    Returns
    -------
    ndarray of float64
        S_0, ..., S_L, shape (depth + 1,).

    Examples
    --------
    >>> mean_square_recursion(activation="relu", initial_mean_square=1.0, depth=2, alpha=1.0)
    array([1.  , 1.5 , 2.25])
    """
    L, a, variance = int(_validate.depth(depth)), float(_validate.alpha(alpha)), _bias_variance(bias_std)
    states = np.empty(L + 1)
    states[0] = _mean_square(initial_mean_square)
    for k in range(L):
        states[k + 1] = states[k] + a * a * activation_second_moment(activation, states[k] + variance)
    return states


def cosine_flow(*, cosine: float, time: npt.ArrayLike = 1.0) -> float | FloatArray:
    """
    Return the limit of the cosine of two hidden states of res-3 (S5; *derived*).

    At k = tL, α = 1/√L, L then d → ∞. Solves `dc/dt = κ(c) − c/2` in the angle, with absolute error about
    1e-12. The cosine increases to the only fixed point, c = 1, where all inputs align; 1 − c decays like
    18π²/t².

    Parameters
    ----------
    cosine : float
        Cosine of the two inputs h_0, h'_0, in [−1, 1].
    time : array_like, optional
        Depth-times t >= 0; 1 by default.

    Returns
    -------
    float or ndarray of float64
        Cosines, same shape as `time`.

    Examples
    --------
    >>> cosine_flow(cosine=1.0, time=[0.0, 5.0])
    array([1., 1.])
    >>> round(float(cosine_flow(cosine=0.0)), 6)
    0.141348
    """
    start, times = float(np.arccos(_cosine(cosine))), _times(time)
    # cot θ is infinite at θ = π, but w = (π − θ)² leaves 0 at speed 1: in w all of [0, π] is regular.
    w_0 = (np.pi - start) ** 2

    def slope(t: float, w: FloatArray) -> FloatArray:
        del t
        return _square_slope(w)

    w = _solve(slope, [float(w_0)], times, field="cosine")[0]
    return _validate.plain(-np.cos(np.sqrt(np.clip(w, 0.0, np.pi**2))))


def _square_slope(w: FloatArray) -> FloatArray:
    """Return the derivative of w = (π − θ)², that is φ(1 + (π − φ) cot φ)/π with φ = π − θ."""
    phi = np.sqrt(np.clip(w, 0.0, np.pi**2))
    theta = np.pi - phi
    # φ cot φ at small φ and 1 − θ cot θ at small θ by their series.
    near_pi = 1 - phi**2 / 3
    with np.errstate(divide="ignore", invalid="ignore"):
        phi_cot = np.where(phi < 1e-4, near_pi, phi / np.tan(phi))
        one_minus = np.where(theta < 1e-3, theta**2 / 3 + theta**4 / 45, 1 - theta / np.tan(theta))
    return np.where(phi < 1, (phi + (np.pi - phi) * phi_cot) / np.pi, phi * one_minus / np.pi)


def cosine_recursion(*, cosine: float, depth: int, alpha: float) -> FloatArray:
    """
    Return the limit of the cosines of two inputs of res-3 at a fixed depth as d → ∞ (S5'; *derived*).

    `c_{k+1} = (c_k + α² κ(c_k))/(1 + α²/2)`, since the overlap grows by `α² κ(c)` times both norms and the
    squared norms by `1 + α²/2`. With α = 1/√L it is within O(1/L) of `cosine_flow`.

    Parameters
    ----------
    cosine : float
        Cosine of the two inputs, in [−1, 1].
    depth : int
        Number L of layers.
    alpha : float
        Factor before the residual branch.

    Returns
    -------
    ndarray of float64
        c_0, ..., c_L, shape (depth + 1,).

    Examples
    --------
    >>> cosine_recursion(cosine=-1.0, depth=1, alpha=1.0)
    array([-1.        , -0.66666667])
    """
    L, a = int(_validate.depth(depth)), float(_validate.alpha(alpha))
    cosines = np.empty(L + 1)
    cosines[0] = _cosine(cosine)
    for k in range(L):
        c = float(cosines[k])
        # Rounding may pass 1, which is the fixed point.
        cosines[k + 1] = min(1.0, (c + a * a * float(arc_cosine_kernel(c))) / (1 + 0.5 * a * a))
    return cosines


def two_input_flow(
    *,
    activation: Activation,
    mean_squares: tuple[float, float],
    overlap: float,
    bias_std: float = 0.0,
    time: npt.ArrayLike = 1.0,
) -> FloatArray:
    """
    Return the limits of ‖h‖²/d, ‖h'‖²/d and h·h'/d of two inputs of res-2 (S5, any σ; *derived*).

    At k = tL, α = 1/√L, L then d → ∞. Relative error about 1e-8; 1 ms with a closed dual, 0.5 s without
    (tanh, softplus).

    Parameters
    ----------
    activation : str or callable
        A name of `ACTIVATIONS` or a vectorised function σ.
    mean_squares : tuple of float
        ‖h_0‖²/d and ‖h'_0‖²/d, both >= 0.
    overlap : float
        h_0·h'_0/d, at most the geometric mean of the mean squares in size.
    bias_std : float, optional
        Standard deviation σ_b of the biases, shared by the inputs; 0 by default.
    time : array_like, optional
        Depth-times t >= 0; 1 by default.

    Returns
    -------
    ndarray of float64
        The three numbers, shape (3, *time.shape).

    Examples
    --------
    >>> state = two_input_flow(activation="relu", mean_squares=(1.0, 1.0), overlap=0.0)
    >>> round(float(state[2] / state[0]), 6) == round(float(cosine_flow(cosine=0.0)), 6)
    True
    """
    S = [_mean_square(value, field="mean_squares") for value in mean_squares]
    q = float(_validate.real("overlap", overlap, fix="give h_0·h'_0/width"))
    if abs(q) > np.sqrt(S[0] * S[1]) * (1 + 1e-12):
        raise ValueError(f"overlap={q:g}: must be at most √({S[0]:g}·{S[1]:g}) in size; give h_0·h'_0/width")
    variance, times = _bias_variance(bias_std), _times(time)

    def slope(t: float, state: FloatArray) -> FloatArray:
        del t
        s = np.maximum(state[:2], 0.0) + variance
        # Discretisation may break the Cauchy-Schwarz inequality where the inputs are parallel.
        bound = np.sqrt(s[0] * s[1])
        covariance = np.clip(state[2] + variance, -bound, bound)
        squares = np.asarray(activation_second_moment(activation, s))
        both = dual_activation(activation, first=s[0], second=s[1], covariance=covariance)
        return np.array([squares[0], squares[1], both])

    return _solve(slope, [*S, q], times, field="activation", relative=1e-9)
