"""
The mean token of networks of uniform attention alone (T2; *derived*).

With A = 11ᵀ/n, `x_i' = x_i + a m W_V`: the centred tokens x_i − m do not move, and the mean token, `m' = m +
a m W_V`, is a network of linear res-1 blocks. For Gaussian W_V `log(‖m_L‖²/‖m_0‖²)` is a sum of L independent
copies of log R, `R = (1 + aZ/√d)² + (a²/d) χ²_{d−1}`: the law of one layer of I6 with one value of w, a/√d.
"""

from __future__ import annotations

import math

import numpy as np
from scipy import stats
from scipy.stats.distributions import rv_frozen

from theory.common import _validate
from theory.common._tabulated_law import TabulatedLaw
from theory.independent.exact_law._layer import LayerLaw, noncentral_density, radial_edges
from theory.independent.exact_law._layer_sum import LayerSum
from theory.independent.exact_law._mixture import Mixture
from theory.independent.exact_law._panels import ORDER, build_panels

_TABLE = 4000
_NO_ATOM = 10_000
"""Units of a layer whose atom 2^{-M} is 0: a linear branch has none."""


def mean_token_law(*, width: int, depth: int, alpha: float) -> TabulatedLaw:
    """
    Return the exact law of log(‖m_L‖/‖m_0‖), natural logarithm, m the mean token (T2; *derived*).

    Uniform attention alone, Gaussian W_V of variance 1/d; also the law of log(‖h_L‖/‖h_0‖) of linear res-1
    networks. The centred tokens do not move at all.

    Parameters
    ----------
    width : int
        d >= 1.
    depth : int
        L >= 1.
    alpha : float
        a, from 1e-6 to 1e6.

    Returns
    -------
    TabulatedLaw
        With an error of the distribution function of some 1e-9 at d·L >= 64.

    Raises
    ------
    ValueError
        If an argument is out of range.

    Examples
    --------
    >>> law = mean_token_law(width=16, depth=50, alpha=0.2)
    >>> print(f"{law.mean():.5f} {law.std():.5f}")
    0.86209 0.34494
    """
    d = int(_validate.width(width))
    L = int(_validate.depth(depth, minimum=1))
    fix = "give the factor before attention, such as depth**-0.5"
    ends = {"above": 1e-6, "below": 1e6, "closed_above": True, "closed_below": True}
    a = float(_validate.real("alpha", alpha, fix=fix, **ends))
    w = a / math.sqrt(d)
    scale = min(a, 2.0) / math.sqrt(d)
    edges = radial_edges(d, largest=w, scale=scale, centre=0.5 * math.log1p(a * a), single=scale)
    tau, one = np.array([w * w]), np.array([1.0])
    size = abs(math.log(a))
    noise = 1e-15 * (4.0 + 3.0 * size + d * (1.0 + (size if a > 1.0 else 0.0)))
    panels = build_panels(
        lambda x: noncentral_density(x, d, tau, one), edges, atom=0.0, order=ORDER, noise=noise
    )
    layer = LayerLaw(
        width=d, alpha=a, hidden_width=_NO_ATOM, atom=0.0, edges=panels.edges,
        coefficients=panels.coefficients, defect=panels.defect,
    )  # fmt: skip
    total = Mixture.build(LayerSum(laws=(layer,), counts=(L,)))
    mean, deviation = L * layer.mean, math.sqrt(L * layer.variance)
    low, high = total.ends
    points = np.linspace(max(low, mean - 14 * deviation), min(high, mean + 14 * deviation), _TABLE)
    return TabulatedLaw(points, _one_layer(layer, points) if L == 1 else total.cdf(points), error=1e-9)


def _one_layer(layer: LayerLaw, points: np.ndarray) -> np.ndarray:
    return np.clip(layer.continuous_cdf(points), 0.0, 1.0)


def mean_token_limit_law(*, width: int, total: float = 1.0) -> rv_frozen:
    """
    Return the limit of the law of log(‖m_L‖/‖m_0‖) at a² = τ/L, L → ∞ (T2; *derived*).

    Normal, of mean (½ − 1/d)τ and variance τ/d: half of log(‖m_L‖²/‖m_0‖²) → N((1 − 2/d)τ, 4τ/d).

    Parameters
    ----------
    width : int
        d >= 1.
    total : float, optional
        τ > 0, the limit of a²L; 1 by default.

    Returns
    -------
    frozen scipy.stats.norm

    Raises
    ------
    ValueError
        If an argument is out of range.

    Examples
    --------
    >>> law = mean_token_limit_law(width=16)
    >>> float(law.mean()), float(law.var())
    (0.4375, 0.0625)
    """
    d = float(_validate.width(width))
    tau = float(_validate.real("total", total, above=0, fix="give the limit of a²L"))
    return stats.norm((0.5 - 1.0 / d) * tau, math.sqrt(tau / d))
