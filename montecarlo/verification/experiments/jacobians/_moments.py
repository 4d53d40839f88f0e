"""Second moments of the rows: what tests of means need to know beforehand.

Gaussian weights: R = ‖h_{k+1}‖²/‖h_k‖² given G = χ²_N/M, N active units of M, is ``(a²G/d)`` times a
noncentral chi-square of d degrees, so ``E R^m = Σ_i C(m, i) Π_{l=1..i} (d + 2(m−l)) (a²/d)^i E G^i`` (I7).

Determinants: a layer is ``I + aM``, and no rotation on either side changes the law of ``M = VDW``. In Schur
functions ``det(I + aM)⁴ = Σ_λ s_λ'(1⁴) a^{|λ|} s_λ(M)`` (dual Cauchy). The mean of s_λ over rotations is 0
but for λ = 2μ, where it is the zonal polynomial of MMᵀ over its value at I (I. G. Macdonald, Symmetric
Functions and Hall Polynomials, 2nd ed. (1995), VII.2-3), and the mean of that over V and over W is the one of
Wishart matrices (R. J. Muirhead, Aspects of Multivariate Statistical Theory (1982), Theorem 7.2.7)::

    E det(I + aM)⁴ = Σ_μ s_{(2μ)'}(1⁴) (4a²/(Md))^{|μ|} (d/2)_μ E (N/2)_μ,    μ = 2^i 1^j, i + j <= d,

with ``(x)_μ = Π_r (x − (r−1)/2)_{μ_r}`` and ``s_{(2μ)'}(1⁴) = (j+1)(j+2)²(j+3)/12``; for linear res-1 it is
``(2a²/d)^{|μ|} (d/2)_μ``. Layers multiply. For other symmetric laws of unit variance and kurtosis at most 3
it is a bound, as it is for any volume: a minor is affine in each entry, so the coefficient of an entry's
fourth moment in the mean of the fourth power of a volume is not negative.
"""

from __future__ import annotations

import itertools
import math

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from montecarlo import ResNet


def active_moment(order: int, units: int) -> float:
    """Return E (χ²_N)^order, N ~ Bin(units, 1/2)."""
    n = np.arange(units + 1)
    powers = np.prod([n + 2 * i for i in range(order)], axis=0) if order else np.ones(units + 1)
    return float(stats.binom.pmf(n, units, 0.5) @ powers)


def radial_moment(order: int, resnet: ResNet) -> float:
    """Return E R^order of one layer of res-3, or of linear res-1."""
    d, M, a = resnet.width, resnet.inner_width, resnet.scaling
    total = 0.0
    for i in range(order + 1):
        energy = active_moment(i, M) / M**i if resnet.has_w else 1.0
        ways = math.comb(order, i) * math.prod(d + 2 * (order - l) for l in range(1, i + 1))
        total += ways * (a * a / d) ** i * energy
    return total


def determinant_fourth_moment(resnet: ResNet) -> float:
    """Return E (det J)⁴ for Gaussian weights."""
    d, M, a2 = resnet.width, resnet.inner_width, resnet.scaling**2
    active = np.arange(M + 1)
    share = stats.binom.pmf(active, M, 0.5)
    layer = 0.0
    for i, j in itertools.product(range(d + 1), repeat=2):
        if i + j <= d:
            ways = (j + 1) * (j + 2) ** 2 * (j + 3) / 12
            units = share @ _rising(active / 2.0, i, j) * (2.0 / M) ** (2 * i + j) if resnet.has_w else 1.0
            layer += ways * (2.0 * a2 / d) ** (2 * i + j) * float(_rising(np.array(d / 2.0), i, j) * units)
    return layer**resnet.depth


def _rising(x: NDArray[np.float64], i: int, j: int) -> NDArray[np.float64]:
    """Return ``(x)_μ`` for i parts of 2 and j parts of 1."""
    half = [x - r / 2.0 for r in range(i + j)]
    return np.prod([y * (y + 1.0) for y in half[:i]] + half[i:] + [np.ones_like(x)], axis=0)


def kernel_bound(resnet: ResNet) -> float:
    """Return a bound of E K⁴/(‖p_L‖⁸‖h_0‖⁸), by Minkowski over layers and over V and W."""
    d, M, L = resnet.width, resnet.inner_width, resnet.depth
    fourth = active_moment(4, M)
    root = resnet.scaling**2 * (1.0 / d + 1.0 / M) * fourth**0.25
    others = radial_moment(4, resnet) ** ((L - 1) / 4.0)
    return (L * root * others) ** 4
