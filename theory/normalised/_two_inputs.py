"""
Two inputs behind an RMS norm (N4; *derived*).

`h_{k+1} = h_k + a V σ(W n(h_k))` with one V and W for both. The overlap `q = h·h'/d` has

    E[q_{k+1} | past] = q_k + a² κ_σ(c_k),   κ_σ(c) = E σ(Z)σ(Z'),

Z, Z' standard normal of correlation c, at every width and hidden width. As d → ∞ both q and S are
deterministic: this is a recursion. For ReLU dc/d log S = 2κ(c) − c: the cosine depends on depth through log
S alone, and 1/θ grows like log S/(3π) plus a constant that is not small (0.77 of it is left at 10⁶ layers).
"""

from __future__ import annotations

import numpy as np

from theory.common import _validate
from theory.common._activations import Activation
from theory.common._dual import activation_second_moment, dual_activation
from theory.common._validate import FloatArray


def prenorm_cosine_recursion(
    *,
    cosine: float,
    depth: int,
    alpha: float,
    activation: Activation = "relu",
    initial_mean_square: float = 1.0,
) -> FloatArray:
    """
    Return the cosines of two inputs of wide pre-RMSNorm networks, layer by layer (N4; *derived*).

    Parameters
    ----------
    cosine : float
        Of the two inputs, in [−1, 1].
    depth : int
        L.
    alpha : float
        a.
    activation : str or callable, optional
        σ; "relu" by default.
    initial_mean_square : float, optional
        S_0 = ‖h_0‖²/d of both inputs; 1 by default.

    Returns
    -------
    ndarray of float64
        c_0, ..., c_L, shape (depth + 1,).

    Raises
    ------
    ValueError
        If an argument is out of range.

    Examples
    --------
    >>> c = prenorm_cosine_recursion(cosine=0.0, depth=2, alpha=1.0)
    >>> print(np.round(c, 4).tolist())
    [0.0, 0.1061, 0.1729]
    """
    closed = {"closed_above": True, "closed_below": True}
    fix = "give the cosine of two inputs"
    c_0 = float(_validate.real("cosine", cosine, above=-1, below=1, fix=fix, **closed))
    L = int(_validate.depth(depth))
    square = float(_validate.alpha(alpha)) ** 2
    fix = "give ‖h_0‖²/d"
    S = float(_validate.real("initial_mean_square", initial_mean_square, above=0, fix=fix))
    mean = float(activation_second_moment(activation, 1.0))
    cosines = np.empty(L + 1)
    cosines[0], q = c_0, c_0 * S
    for k in range(L):
        q += square * float(dual_activation(activation, first=1.0, second=1.0, covariance=cosines[k]))
        S += square * mean
        cosines[k + 1] = min(1.0, max(-1.0, q / S))
    return cosines
