"""
The tangent kernel of two inputs of wide res-3 networks, at every depth (J4b, beside J4; *derived*).

Notation: c_k the cosine of the two inputs at layer k, κ(c) = E ReLU(u) ReLU(v) and κ'(c) = P(u > 0, v > 0)
for standard normals of correlation c; both inputs of one norm. Forward ``c_{k+1} = (c_k + a²κ(c_k))/(1 +
a²/2)``, backward the overlap of gradients of one read-out gains 1 + a²κ'(c_k) a layer, and layer k
contributes ``a² p·p' (g·g' + κ'(c_k) h·h')``, for V and for W, with g·g' = μκ(c_k)‖h‖².
"""

import math
from typing import NamedTuple

import numpy as np

from theory.common import _validate
from theory.common._dual import arc_cosine_kernel
from theory.common._layers import scalings


class WideTangentKernel(NamedTuple):
    """
    Natural logarithms, of two inputs of one norm.

    Attributes
    ----------
    log_kernel : float
        log E K(x, x')/(‖p_L‖²‖h_0‖²); nan if that is negative.
    log_gradient_overlap : float
        log E⟨p_0, p_0'⟩/‖p_L‖².
    kernel_cosine : float
        K(x, x')/√(K(x, x) K(x', x')), in [−1, 1].
    cosine : float
        The cosine of the last layer.
    """

    log_kernel: float
    log_gradient_overlap: float
    kernel_cosine: float
    cosine: float


def _slopes(cosine: float) -> float:
    return (math.pi - math.acos(cosine)) / (2 * math.pi)


def wide_tangent_kernel(
    *, cosine: float, depth: int, alpha: float, units_per_width: float = 1.0
) -> WideTangentKernel:
    """
    Return the tangent kernel of two inputs as d → ∞ at M/d = μ (J4b; *derived*).

    ``a² Σ_k (1 + a²/2)^k [μ κ(c_k) + c_k κ'(c_k)] Π_{j>k} (1 + a² κ'(c_j))``. O(1/d) off at width d: by
    0.3 ± 0.2 % at d = 64, c_0 = 0.8.

    Parameters
    ----------
    cosine : float
        c_0 of h_0 and h_0', in [−1, 1].
    depth : int
        L >= 1.
    alpha : float
        Layer scaling a > 0.
    units_per_width : float, optional
        μ = M/d; 1 by default.

    Returns
    -------
    WideTangentKernel

    Raises
    ------
    ValueError
        If an argument is out of range.

    Examples
    --------
    At one input it is `log_tangent_kernel_mean`:

    >>> kernel = wide_tangent_kernel(cosine=1.0, depth=10, alpha=0.3)
    >>> round(math.exp(kernel.log_kernel), 10) == round(10 * 0.09 * 1.045**9, 10)
    True
    >>> round(wide_tangent_kernel(cosine=0.0, depth=10, alpha=0.3).kernel_cosine, 4)
    0.174
    """
    closed = {"closed_above": True, "closed_below": True}
    c = float(_validate.real("cosine", cosine, above=-1, below=1, fix="give c_0 of two inputs", **closed))
    L = int(_validate.depth(depth, minimum=1))
    a2 = float(scalings(_validate.real("alpha", alpha, above=0, fix="give the layer scaling"), 1)[0]) ** 2
    mu = float(_validate.real("units_per_width", units_per_width, above=0, fix="give M/d"))
    terms, gains = np.empty(L), np.empty(L)
    for k in range(L):
        kernel, slope = float(arc_cosine_kernel(c)), _slopes(c)
        terms[k], gains[k] = mu * kernel + c * slope, math.log1p(a2 * slope)
        c = min((c + a2 * kernel) / (1 + 0.5 * a2), 1.0)
    after = np.concatenate([np.cumsum(gains[::-1])[::-1][1:], [0.0]])
    growth = np.arange(L) * math.log1p(0.5 * a2)
    top = float(np.max(after + growth))
    total = a2 * math.fsum(terms * np.exp(after + growth - top))
    log_own = math.log(0.5 * L * a2 * (1 + mu)) + (L - 1) * math.log1p(0.5 * a2)
    return WideTangentKernel(
        log_kernel=top + math.log(total) if total > 0 else math.nan,
        log_gradient_overlap=float(np.sum(gains)),
        kernel_cosine=total * math.exp(top - log_own),
        cosine=c,
    )
