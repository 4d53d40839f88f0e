"""
Singular values of infinitely wide and deep Jacobians: Biane's law (J3's limit).

First L → ∞ at α² L = τ, then d → ∞; t = γτ. The law of JᵀJ's eigenvalues λ is that of a free multiplicative
Brownian motion (P. Biane, Fields Inst. Commun. 12 (1997)), of S-transform ``S(z) = e^{−t(1 + 2z)}`` and
moments ``m_n = (e^{nt}/n) Σ_{k<n} C(n, k+1) (2nt)^k/k!``.

With u = 1 + 2ψ, ψ the moment generating function at 1/λ, the S-transform says ``(u+1)/(u−1) e^{tu} = λ``:
symmetric under u → −u, λ → 1/λ. Its complex solution u = x + iv gives the density of log λ as v/(2π); in the
parameter v

    x² = 1 − v² + 2v cot(tv),   log λ = tx + ½ log(((x+1)² + v²)/((x−1)² + v²)),   0 < v < π/t,

and at the upper end of the support v = 0, x² = 1 + 2/t.
"""

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from theory.common import _validate
from theory.common._tabulated_law import TabulatedLaw
from theory.common._validate import FloatArray
from theory.jacobians._lyapunov import depth_time

Condition = Callable[[FloatArray], npt.NDArray[np.bool_]]

_POINTS = 801
_HALVINGS = 60


def wide_trace_moment(*, order: int, gain: float = 0.5, time: float = 1.0) -> float:
    """
    Return the limit of E tr Gⁿ/d, G = JᵀJ, as first L and then d grow, α² L = τ (J3).

    ``m_1 = e^t``, ``m_2 = e^{2t}(1 + 2t)``, ``m_3 = e^{3t}(1 + 6t + 6t²)``, Biane's ``(e^{nt}/n) Σ_{k<n} C(n,
    k+1) (2nt)^k/k!``; the solution of ``dm_n/dt = n m_n + n Σ_{j<n} m_j m_{n−j}``. Those of finite width are
    larger: `trace_moment_limit`.

    Parameters
    ----------
    order : int
        n >= 1.
    gain : float, optional
        Mean-square gain γ of the branch; 1/2 (res-3) by default, 1 for linear res-1.
    time : float, optional
        τ, the limit of α²L; 1 by default. t = γτ.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If an argument is out of range.

    Examples
    --------
    >>> round(wide_trace_moment(order=2), 6) == round(2 * math.e, 6)
    True
    """
    n = int(_validate.whole("order", order, minimum=1, fix="give the power of JᵀJ"))
    t = depth_time(gain=gain, time=time)
    terms = [math.comb(n, k + 1) * (2 * n * t) ** k / math.factorial(k) for k in range(n)]
    return math.exp(n * t) / n * math.fsum(terms)


def _point(v: FloatArray, t: float) -> FloatArray:
    """Return log λ at the parameter v."""
    square = np.maximum(1 - v * v + 2 * v / np.tan(t * v), 0.0)
    x = np.sqrt(square)
    return t * x + 0.5 * np.log(((x + 1) ** 2 + v * v) / ((x - 1) ** 2 + v * v))


def _bisect(low: FloatArray, high: FloatArray, above: Condition) -> FloatArray:
    """Return where a falling function crosses zero; `above` says where it is positive."""
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        up = above(middle)
        low, high = np.where(up, middle, low), np.where(up, high, middle)
    return 0.5 * (low + high)


def wide_singular_value_law(*, gain: float = 0.5, time: float = 1.0) -> TabulatedLaw:
    """
    Return Biane's law, of the natural logarithm of a singular value of J, as first L and then d grow (J3).

    Symmetric about 0: log|det J|/d tends to 0, while the largest singular value stays bounded. At width d the
    spread is that of `trace_moment_limit`.

    Parameters
    ----------
    gain, time : float, optional
        γ and τ as in `wide_trace_moment`.

    Returns
    -------
    TabulatedLaw
        With pdf, cdf, ppf, mean, std and support.

    Raises
    ------
    ValueError
        If an argument is not positive.

    Examples
    --------
    >>> law = wide_singular_value_law(gain=1.0, time=1.0)
    >>> [round(float(end), 6) for end in law.support()]  # √3/2 + arcosh(2)/2
    [-1.524504, 1.524504]
    """
    t = depth_time(gain=gain, time=time)
    x = math.sqrt(1 + 2 / t)
    edge = 0.5 * (t * x + math.log((x + 1) / (x - 1)))
    tiny = 1e-9 / t
    crossing = _bisect(np.array(tiny), np.array(np.pi / t), lambda v: 1 - v * v + 2 * v / np.tan(t * v) > 0.0)
    angles = np.linspace(-0.5 * np.pi, 0.5 * np.pi, _POINTS)
    points = edge * np.abs(np.sin(angles))
    low, high = np.full(_POINTS, tiny), np.full(_POINTS, float(crossing))
    v = _bisect(low, high, lambda v: 0.5 * _point(v, t) > points)
    return TabulatedLaw.from_density(
        angles,
        edge * np.cos(angles) * v / np.pi,
        from_coordinate=lambda a: edge * np.sin(a),
        to_coordinate=lambda y: np.arcsin(np.clip(y / edge, -1.0, 1.0)),
        # the coordinate's density vanishes at the ends faster than the slope grows
        slope=lambda y: 1 / np.sqrt(np.maximum((edge - y) * (edge + y), 1e-12 * edge * edge)),
    )
