"""Networks with schedules, and moments of their norms that sequences must know beforehand.

With h the state, e = h − (∏ b) h_0, R = ‖h‖²/‖h_0‖² and D = ‖e‖²/‖h_0‖², a layer multiplies h and e by b and
adds a v, v = V g(h): the recursion of `FourthMoments` with b² beside each factor of a state that is kept, and
2⟨h, e⟩ = R + D − ∏ b². Exact for Gaussian weights, bounds for laws of kurtosis below 3. Gradients by I4.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy import special, stats

from montecarlo import ResNet, Sample
from montecarlo.verification._experiment import Array
from montecarlo.verification.experiments._rows import square


def scalings_of(resnet: ResNet) -> Array:
    """Return a_1, ..., a_L."""
    return resnet.scaling * (np.ones(resnet.depth) if resnet.factors is None else resnet.factors)


def stream_factor(resnet: ResNet) -> float:
    """Return the product of the b_k."""
    return float(resnet.skip**resnet.depth)


def kept_difference(resnet: ResNet):
    """Return the observable ‖h_L − (∏ b_k) h_0‖²/‖h_0‖², from the norms of h_L and of h_L − h_0."""
    b = stream_factor(resnet)

    def row(sample: Sample) -> Array:
        ratio, difference = square("log_hidden_ratio")(sample), square("log_hidden_difference")(sample)
        return np.maximum((1.0 - b) * ratio + b * difference + b * b - b, 0.0)  # rounding may leave −1e-16

    return row


def branch_fourth(resnet: ResNet) -> float:
    """Return E G² of G1, (M + 5)/(4M): ‖V g‖² has the law of G χ²_d ‖h‖²/d."""
    return (resnet.inner_width + 5.0) / (4.0 * resnet.inner_width)


@dataclass(frozen=True)
class ScheduleMoments:
    """E R² and E D² of a network of res-3 blocks, exact for Gaussian weights.

    Examples
    --------
    >>> import theory
    >>> net = ResNet(width=6, depth=3, alpha=0.5, hidden_width=11, skip=-0.9, schedule="power:0.5")
    >>> log_moment = theory.log_schedule_fourth_moment(
    ...     width=6, depth=3, alpha=scalings_of(net), hidden_width=11, skip=-0.9
    ... )
    >>> math.isclose(ScheduleMoments.of(net).ratio, math.exp(log_moment), rel_tol=1e-12)
    True
    """

    ratio: float
    difference: float

    @classmethod
    def of(cls, resnet: ResNet) -> Self:
        """Return the moments."""
        d, kept, fourth = resnet.width, 1.0, branch_fourth(resnet)
        b2 = resnet.skip**2
        square_, mixed, difference, mean = 1.0, 0.0, 0.0, 1.0
        for a in scalings_of(resnet):
            step = a * a / 2.0
            aligned, quartic = 4.0 * b2 * step / d, a**4 * fourth * (1.0 + 2.0 / d)
            square_, mixed, difference, mean, kept = (
                (b2 * b2 + 2.0 * b2 * step + aligned + quartic) * square_,
                (b2 * b2 + b2 * step) * mixed
                + (b2 * step + quartic) * square_
                + aligned * (square_ + mixed - kept * mean) / 2.0,
                b2 * b2 * difference + (2.0 * b2 * step + aligned) * mixed + quartic * square_,
                (b2 + step) * mean,
                kept * b2,
            )
        return cls(square_, difference)


def radial_power(resnet: ResNet, order: int) -> float:
    """Return E (‖h_L‖/‖h_0‖)^{2 order}, Gaussian weights: given N, R is a multiple of a noncentral χ² (G1b).

    Examples
    --------
    >>> net = ResNet(width=6, depth=3, alpha=0.5, hidden_width=11, skip=-0.9, schedule="power:0.5")
    >>> math.isclose(radial_power(net, 2), ScheduleMoments.of(net).ratio, rel_tol=1e-12)
    True
    """
    half, M = 0.5 * resnet.width, resnet.inner_width
    active = np.arange(M + 1)
    weights = stats.binom.pmf(active, M, 0.5)
    total = 0.0
    # E (χ²_N)^k, N of the units being active
    power = [float(weights @ (2.0**k * special.poch(0.5 * active, k))) for k in range(order + 1)]
    for a in scalings_of(resnet):
        unit = 2.0 * a * a / (resnet.width * M)
        layer = sum(
            math.comb(order, j)
            * unit ** (order - j)
            * resnet.skip ** (2 * j)
            * float(special.poch(half + j, order - j))
            * power[order - j]
            for j in range(order + 1)
        )
        total += math.log(layer)
    return math.exp(total)
