"""Second moments of the rows: what tests of means need to know beforehand.

Gaussian weights: R = ‖h_{k+1}‖²/‖h_k‖² given G = χ²_N/M, N active units of M, is ``(a²G/d)`` times a
noncentral chi-square of d degrees, so ``E R^m = Σ_i C(m, i) Π_{l=1..i} (d + 2(m−l)) (a²/d)^i E G^i`` (I7).

Volumes, any symmetric law of kurtosis at most 3: given the N active units, the part of degree k of an
i-volume is multilinear of degree k in V and in W, so by hypercontractivity (√3 a degree for such entries) the
root of its fourth moment is at most 9^k times its second one; at k = 1 the mean over V is a sum of N
independent squares of lengths linear in a row of W, which leaves 3√(1 + 2/N). Parts add up by Minkowski,
layers multiply.
"""

from __future__ import annotations

import math

import numpy as np
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


def volume_bound(order: int, resnet: ResNet) -> float:
    """Return a bound of E vol_i(J)⁴."""
    d, M, a2 = resnet.width, resnet.inner_width, resnet.scaling**2
    active = np.arange(M + 1)
    size = np.zeros(M + 1)
    for k in range(order + 1):
        ways = math.comb(order, k) * math.perm(d - order + k, k)
        if resnet.has_w:
            units = np.array([math.comb(int(n), k) for n in active], float) * math.factorial(k)
            growth = 3.0 * np.sqrt(1.0 + 2.0 / np.maximum(active, 1)) if k == 1 else 9.0**k
            size += growth * ways * units * (a2 / (M * d)) ** k
        else:
            size += 3.0**k * ways * (a2 / d) ** k
    return float(stats.binom.pmf(active, M, 0.5) @ size**2) ** resnet.depth


def kernel_bound(resnet: ResNet) -> float:
    """Return a bound of E K⁴/(‖p_L‖⁸‖h_0‖⁸), by Minkowski over layers and over V and W."""
    d, M, L = resnet.width, resnet.inner_width, resnet.depth
    fourth = active_moment(4, M)
    root = resnet.scaling**2 * (1.0 / d + 1.0 / M) * fourth**0.25
    others = radial_moment(4, resnet) ** ((L - 1) / 4.0)
    return (L * root * others) ** 4
