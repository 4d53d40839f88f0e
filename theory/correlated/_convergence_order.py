"""
Order of convergence of a coupled network to its limit as the depth grows (S1, O1, F4).

Notation: α at its critical value, V_k (and W_k) the increments or values of one path read at L, 2L, ...
points. Between the smooth end and the diffusion the order follows the regularity of the path:

| weights | critical β | strong order | weak order | source |
| --- | --- | --- | --- | --- |
| independent Gaussian (Brownian increments) | 1/2 | 1/2 | 1 | S1, MFBV; Kloeden and Platen (1992) |
| fractional noise, H > 1/2 (Young) | H | 2H − 1 | 2H − 1 | F4; Neuenkirch and Nourdin (2007) |
| smooth paths (neural ODE) | 1 | 1 | 1 | O1, MFBV |

The order 2H − 1 is exact for linear res-1: there a network misses the limit by the factor
exp(−Lα²/(2d)) = exp(−L^{1−2H}/(2d)) (`_log_mean`), and F4's bound cannot be improved. It jumps at
H = 1/2, from 0+ to 1/2, because the correction that is an error of Young's calculus belongs to Itô's limit.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from theory.common import _validate
from theory.correlated._fractional_noise import hurst_index

Weights = Literal["independent", "fractional", "smooth"]


@dataclass(frozen=True, kw_only=True)
class ConvergenceOrder:
    """
    Orders q in an error O(L^{-q}) of depth L against the limit, norms not squared.

    Attributes
    ----------
    beta : float
        Critical exponent of the scaling at which they hold.
    strong : float
        Of E‖H_1 − h_L‖ on one path.
    weak : float
        Of |E f(H_1) − E f(h_L)|, f smooth; a lower bound for fractional weights.
    """

    beta: float
    strong: float
    weak: float


def convergence_order(weights: Weights, *, hurst: float | None = None) -> ConvergenceOrder:
    r"""
    Strong and weak orders of convergence in 1/L of a network at the critical scaling.

    A measured order may exceed a strong one where the leading error vanishes (res-1 with commuting
    weights, additive noise); it must not fall below.

    Parameters
    ----------
    weights : {"independent", "fractional", "smooth"}
        How the layers' weights depend on each other.
    hurst : float, optional
        Hurst index in (1/2, 1), for "fractional" and for it alone.

    Returns
    -------
    ConvergenceOrder

    Raises
    ------
    ValueError
        If `weights` is unknown, or `hurst` is missing, superfluous or not inside (1/2, 1): for
        antipersistent weights no limit equation is claimed.

    Notes
    -----
    Sources in the table at the top of the module; the orders are for coefficients with bounded
    derivatives. ReLU has a kink that the proofs exclude.

    Examples
    --------
    >>> convergence_order("independent")
    ConvergenceOrder(beta=0.5, strong=0.5, weak=1.0)
    >>> convergence_order("fractional", hurst=0.75)
    ConvergenceOrder(beta=0.75, strong=0.5, weak=0.5)
    """
    kind = _validate.choice("weights", weights, ("independent", "fractional", "smooth"), fix="choose one")
    if (hurst is None) == (kind == "fractional"):
        raise ValueError(
            f"hurst={hurst}: must go with fractional weights, and with no others; weights={kind!r}"
        )
    if hurst is not None:
        fix = "give the Hurst index of persistent weights; independent ones are their own kind"
        H = float(_validate.real("hurst", hurst, above=0.5, below=1, fix=fix))
        return ConvergenceOrder(beta=H, strong=2 * H - 1, weak=2 * H - 1)
    if kind == "independent":
        return ConvergenceOrder(beta=0.5, strong=0.5, weak=1.0)
    return ConvergenceOrder(beta=1.0, strong=1.0, weak=1.0)


def young_log_error(*, width: int, depth: int, hurst: float) -> float:
    r"""
    Leading error −L^{1−2H}/(2d) of log(‖h_L‖/‖h_0‖) of linear res-1 against its Young limit, β = H > 1/2.

    The coupled difference of the two logarithms, to leading order the same on every path.
    It shows that F4's order is attained.

    Parameters
    ----------
    width : int
        Number of coordinates d >= 1.
    depth : int
        Number of layers L >= 1.
    hurst : float
        Hurst index in (1/2, 1).

    Returns
    -------
    float
        Natural-log units; negative: the network lags behind its limit.

    Raises
    ------
    ValueError
        If `width` or `depth` is not a whole number >= 1 or `hurst` is not inside (1/2, 1).

    Notes
    -----
    F4, *derived*: −(a²/2) Σ_k E V_k² = −a² L/(2d) I is what I + aV_k lacks of exp(aV_k), and each is
    a step of the limit up to terms of smaller order. At d = 1: log(1 + x) − x.

    Examples
    --------
    >>> round(young_log_error(width=4, depth=10_000, hurst=0.75), 6)
    -0.00125
    """
    d, L = int(_validate.width(width)), int(_validate.depth(depth, minimum=1))
    H = float(hurst_index(hurst))
    if H <= 0.5:
        raise ValueError(f"hurst={H:g}: must be above 0.5; see antipersistent_contraction below it")
    return -float(np.power(float(L), 1 - 2 * H)) / (2 * d)
