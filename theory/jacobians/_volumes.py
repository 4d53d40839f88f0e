"""
Second moments of the volumes that a network's Jacobian spans, and of its determinant (J1; *derived*).

Notation: J = F_L ⋯ F_1, F_k = b_k I + a_k V D W of res-3 (D the active units, M of them in all), or b_k I +
a_k V of linear res-1; entries of V of variance 1/M (1/d for res-1), those of W of variance 1/d, independent
and symmetric. vol_i is the volume that J makes of a unit cube of i dimensions, |det J| for i = d.

Cauchy-Binet twice writes an i × i minor of F as a sum of products of minors; distinct minors are
uncorrelated by the signs of rows and columns, and E (k × k minor)² = k! var^k. So ``E Λ^i(F)ᵀ Λ^i(F)`` is a
multiple of the identity, and moments of products are products of moments. Proofs: docs/theory/jacobians.md.
"""

import math
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from theory.common import _validate
from theory.common._layers import scalings, skips
from theory.common._validate import FloatArray

BranchActivation = Literal["relu", "identity"]


class Layers(NamedTuple):
    """Checked layers of res-3 ("relu") or of linear res-1 ("identity")."""

    width: int
    units: int
    alpha: FloatArray
    skip: FloatArray
    linear: bool


def check_layers(
    *,
    width: int,
    depth: int,
    alpha: npt.ArrayLike,
    hidden_width: int | None,
    skip: npt.ArrayLike,
    activation: BranchActivation,
) -> Layers:
    """Return the layers, or refuse them in one line."""
    d, L = int(_validate.width(width)), int(_validate.depth(depth, minimum=1))
    _validate.choice("activation", activation, ("relu", "identity"), fix="choose one")
    linear = activation == "identity"
    fix = "leave it out for linear res-1, give the number of rows of W for res-3"
    M = d if hidden_width is None else int(_validate.whole("hidden_width", hidden_width, minimum=1, fix=fix))
    if linear and hidden_width not in (None, d):
        raise ValueError(f"hidden_width={M}: must be the width for linear res-1, which has no W; {fix}")
    return Layers(d, M, scalings(alpha, L), skips(skip, L), linear)


def volume_factors(layers: Layers, order: int) -> FloatArray:
    """Return E vol_i(F_k)² layer by layer."""
    d, M, i = layers.width, layers.units, order
    a2, b2 = np.square(layers.alpha), np.square(layers.skip)
    total = np.zeros_like(a2)
    for k in range(i + 1):
        ways = math.comb(i, k) * math.perm(d - i + k, k)
        if layers.linear:
            weight = ways / d**k
        else:
            weight = ways * math.comb(M, k) * math.factorial(k) / (2 * M * d) ** k
        total = total + weight * a2**k * b2 ** (i - k)
    return total


def log_volume_second_moment(
    *,
    order: int,
    width: int,
    depth: int,
    alpha: npt.ArrayLike,
    hidden_width: int | None = None,
    skip: npt.ArrayLike = 1.0,
    activation: BranchActivation = "relu",
) -> float:
    """
    Return log of E vol_i(J)², the i-volume of J = ∂h_L/∂h_0 on i directions (J1; *derived*).

    Natural logarithm. Exact at every size and scaling, and for every symmetric law of independent entries: a
    product over the layers of ``q_i = Σ_k C(i,k) C(M,k) k! (d−i+k)!/(d−i)! (a²/(2Md))^k b^{2(i−k)}`` for
    res-3 and ``Σ_k C(i,k) (d−i+k)!/(d−i)! (a²/d)^k b^{2(i−k)}`` for linear res-1. E det J = Π b_k^d beside
    it.

    Parameters
    ----------
    order : int
        i from 1 (lengths, I2) to d (the determinant).
    width, depth : int
        d and L, at least 1.
    alpha, skip : float or array_like (depth,)
        a_k >= 0 and b_k, one for all layers or one each; b = 1 by default.
    hidden_width : int, optional
        M, the width by default.
    activation : {"relu", "identity"}, optional
        res-3, by default, or linear res-1.

    Returns
    -------
    float
        −inf if a layer maps everything to volume 0.

    Raises
    ------
    ValueError
        If an argument is out of range, or there is not one number a layer.

    Examples
    --------
    >>> round(log_volume_second_moment(order=1, width=7, depth=10, alpha=0.1), 6)  # 10 log(1 + a²/2), I2
    0.049875
    >>> round(log_volume_second_moment(order=4, width=4, depth=1000, alpha=1000**-0.5), 4)  # t = 1/2
    0.5
    """
    layers = check_layers(
        width=width, depth=depth, alpha=alpha, hidden_width=hidden_width, skip=skip, activation=activation
    )
    i = int(_validate.whole("order", order, minimum=1, fix="give the dimensions of the volume"))
    if i > layers.width:
        raise ValueError(f"order={i}: must be at most the width {layers.width}; give the width for det J")
    with np.errstate(divide="ignore"):
        return float(np.sum(np.log(volume_factors(layers, i))))


def volume_second_moment(
    *,
    order: int,
    width: int,
    depth: int,
    alpha: npt.ArrayLike,
    hidden_width: int | None = None,
    skip: npt.ArrayLike = 1.0,
    activation: BranchActivation = "relu",
) -> float:
    """
    Return E vol_i(J)² (J1; *derived*); arguments as `log_volume_second_moment`, inf beyond float range.

    Examples
    --------
    >>> round(volume_second_moment(order=3, width=3, depth=1, alpha=1.0), 6)  # E (det J)²
    1.617284
    """
    value = log_volume_second_moment(
        order=order, width=width, depth=depth, alpha=alpha, hidden_width=hidden_width, skip=skip,
        activation=activation,
    )  # fmt: skip
    return math.exp(value) if value < 709.0 else math.inf
