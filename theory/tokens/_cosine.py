"""
Cosine of tokens in wide networks of uniform attention and a ReLU MLP (T4; *derived*).

n tokens of one norm √(dS) and one cosine c, d → ∞, entries of W_V and W_1 of variance 1/d, of W_2 1/M.
Uniform attention adds a_1² S(1 + (n−1)c)/n to every entry of the Gram matrix, the MLP a_2² S/2 to its
diagonal and a_2² S κ(c) beside it, κ the arc-cosine kernel. With a_i² = r_i/L, L → ∞,

    dc/dt = r_1 ((1 + (n−1)c)/n)(1 − c) + r_2 (κ(c) − c/2),

whose one fixed point c = 1 is approached like e^{−r_1 t} and reached at no finite depth.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import integrate

from theory.common import _validate
from theory.common._dual import arc_cosine_kernel
from theory.common._layers import per_layer
from theory.common._validate import FloatArray

_ALPHA = "give the factor before the branch, such as depth**-0.5"


def _start(cosine: float, tokens: int) -> tuple[float, int]:
    n = int(_validate.whole("tokens", tokens, minimum=1, fix="give the number of tokens"))
    low = -1.0 / (n - 1) if n > 1 else -1.0
    fix = "give the cosine of each pair, at least −1/(n − 1) for n tokens"
    c = _validate.real(
        "cosine", cosine, above=low - 1e-12, below=1, closed_above=True, closed_below=True, fix=fix
    )
    return float(c), n


def token_cosine_recursion(
    *, cosine: float, tokens: int, depth: int, alpha: npt.ArrayLike, mlp_alpha: npt.ArrayLike
) -> FloatArray:
    """
    Return the cosine of two tokens at layers 0 to L, d → ∞ (T4; *derived*).

    At width d the mean cosine is low by about 1.3/d.

    Parameters
    ----------
    cosine : float
        c_0 of every pair, from −1/(n−1) to 1.
    tokens : int
        n >= 1.
    depth : int
        L >= 0.
    alpha, mlp_alpha : float or array_like (depth,)
        a_1 and a_2, one for all layers or one each.

    Returns
    -------
    ndarray of float64 (depth + 1,)

    Raises
    ------
    ValueError
        If an argument is out of range.

    Examples
    --------
    >>> token_cosine_recursion(cosine=0.0, tokens=4, depth=3, alpha=0.5, mlp_alpha=0.5).round(6)
    array([0.      , 0.090985, 0.185009, 0.279456])
    """
    c, n = _start(cosine, tokens)
    L = int(_validate.depth(depth))
    first = per_layer("alpha", alpha, L, positive=True, fix=_ALPHA) ** 2
    second = per_layer("mlp_alpha", mlp_alpha, L, positive=True, fix=_ALPHA) ** 2
    path = np.empty(L + 1)
    path[0] = c
    for k in range(L):
        shared = first[k] * (1.0 + (n - 1) * c) / n
        c = min((c + shared) / (1.0 + shared), 1.0)
        c = min((c + second[k] * float(arc_cosine_kernel(c))) / (1.0 + 0.5 * second[k]), 1.0)
        path[k + 1] = c
    return path


def token_cosine_flow(
    *, cosine: float, tokens: int, attention: float, mlp: float, time: npt.ArrayLike = 1.0
) -> float | FloatArray:
    """
    Return the limit of the tokens' cosine at layer tL, a_1² = r_1/L, a_2² = r_2/L, d then L → ∞ (T4;
    *derived*).

    Parameters
    ----------
    cosine : float
        c_0 of every pair, from −1/(n−1) to 1.
    tokens : int
        n >= 1.
    attention, mlp : float
        r_1 >= 0 and r_2 >= 0.
    time : array_like, optional
        t >= 0; 1, the whole network, by default.

    Returns
    -------
    float or ndarray of float64
        Same shape as `time`; relative error about 1e-9 of 1 − c.

    Raises
    ------
    ValueError
        If an argument is out of range.

    Examples
    --------
    >>> print(f"{token_cosine_flow(cosine=0.0, tokens=4, attention=1.0, mlp=1.0):.6f}")
    0.421928
    """
    c, n = _start(cosine, tokens)
    fix = "give the limit of a²L"
    r_1 = float(_validate.real("attention", attention, above=0, closed_above=True, fix=fix))
    r_2 = float(_validate.real("mlp", mlp, above=0, closed_above=True, fix=fix))
    times = _validate.real("time", time, above=0, closed_above=True, fix="give the depth-time, 1 for all")
    last = float(times.max(initial=0.0))
    if c >= 1.0 or last == 0.0:
        return _validate.plain(np.full(times.shape, c))

    # In y = log(1 − c), so that an exponential approach keeps its relative error.
    def slope(t: float, y: FloatArray) -> FloatArray:
        del t
        gap = min(float(np.exp(y[0])), 2.0)
        now = 1.0 - gap
        drift = r_1 * (1.0 + (n - 1) * now) / n * gap + r_2 * (float(arc_cosine_kernel(now)) - 0.5 * now)
        return np.array([-drift / gap])

    order, inverse = np.unique(times, return_inverse=True)
    solved = integrate.solve_ivp(
        slope, (0.0, last), [np.log1p(-c)], method="DOP853", t_eval=order, rtol=1e-10, atol=1e-11
    )
    return _validate.plain(1.0 - np.exp(solved.y[0][inverse.reshape(times.shape)]))
