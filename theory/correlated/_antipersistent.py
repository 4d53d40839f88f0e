"""
Antipersistent weights contract linear res-1 networks (F3), where independent ones would explode or diffuse.

Notation: h_{k+1} = (I + a V_k) h_k, entries of √d V_k independent fractional noises of index H < 1/2,
a = L^{-β}; ξ, η scalar noises, γ their covariance. To second order (`_log_mean`, m = a² L^{2H})

    E log‖h_L‖/‖h_0‖ = (a²/(2d)) ((d − 1) L^{2H} − L).

Its variance: ⟨e, δ₁⟩ gives a² L^{2H}/d. At second order the entry V_ee itself gives −(a²/2) Σ V_ee², since
∏(1 + x) = exp(Σ (x − x²/2 + ...)), of variance a⁴ Σ_{jk} γ²/(2d²); each of the d − 1 pairs (V_en, V_ne)
gives an area a² Σ_{j<k} V_en(k) V_ne(j), of variance a⁴ A/d² (`fractional_noise_area`). The area is no small
matter: for H < 1/4 it grows like L while L^{2H} does not.

Long networks, a L^H not small. The sum of the d Lyapunov exponents is E log|det(I + aV)|, which sees one
layer only: −(a²/2) E tr V² + O(a⁴) = −a²/2, whatever the correlations. Independent layers spread the
exponents by a² about −a²/(2d); antipersistent ones by O(a^{1/H}), the rate at which the rescaled equation dX
= dB^H X moves, or by O(a⁴), the area's: both o(a²). So each exponent is −a²/(2d). This last step, for β < H,
is a scaling argument, not a proof; at β > H the expansion above is one.
"""

import math
from dataclasses import dataclass

import numpy as np

from theory.common import _validate
from theory.correlated._fractional_noise import fractional_noise_area, fractional_noise_covariance
from theory.correlated._log_mean import correlated_log_mean


@dataclass(frozen=True, kw_only=True)
class AntipersistentContraction:
    """
    Law of L^{2β−1} log(‖h_L‖/‖h_0‖), natural logarithm, as far as F3 knows it.

    Attributes
    ----------
    limit : float
        −1/(2d), the limit in probability.
    centre : float
        Mean at the finite depth, ((d−1)L^{2H−1} − 1)/(2d).
    deviation : float
        Standard deviation at the finite depth; it tends to 0.
    """

    limit: float
    centre: float
    deviation: float


def antipersistent_contraction(
    *, width: int, depth: int, hurst: float, beta: float
) -> AntipersistentContraction:
    r"""
    Limit, centre and spread of L^{2β−1} log(‖h_L‖/‖h_0‖) for linear res-1 with H < 1/2 (F3).

    No explosion at any 0 < β < 1 − H: the network contracts in probability. For β > H centre and deviation
    have a relative error O(L^{−2β} + L^{2(H−β)}); for β <= H trust the limit alone, reached with an error of
    order L^{−β(1/H − 2)} + L^{−2β}: slow for H near 1/2. At β >= 1 − H the noise exceeds the drift: see
    `first_order_difference`.

    Parameters
    ----------
    width : int
        Number of coordinates d >= 1.
    depth : int
        Number of layers L >= 1.
    hurst : float
        Hurst index H in (0, 1/2).
    beta : float
        Exponent of α = L^{-β} in (0, 1 − H).

    Returns
    -------
    AntipersistentContraction
        Multiply by L^{1−2β} for the logarithm itself.

    Raises
    ------
    ValueError
        If `width` or `depth` is not a whole number >= 1, `hurst` is not inside (0, 1/2) or `beta` not
        inside (0, 1 − hurst).

    Notes
    -----
    F3, *derived*; proof at the top of the module. At β = 0 the limit is another: E log|1 + ξ| at d = 1.

    Examples
    --------
    >>> law = antipersistent_contraction(width=4, depth=4000, hurst=0.1, beta=0.5)
    >>> print(f"{law.limit:.4f} {law.centre:.4f} {law.deviation:.4f}")
    -0.1250 -0.1245 0.0191
    """
    d, L = int(_validate.width(width)), int(_validate.depth(depth, minimum=1))
    fix = "give the Hurst index; from 1/2 on nothing contracts by itself"
    H = float(_validate.real("hurst", hurst, above=0, below=0.5, fix=fix))
    fix = "give the exponent in alpha = depth**-beta; from 1 - hurst on noise exceeds the contraction"
    b = float(_validate.real("beta", beta, above=0, below=1 - H, fix=fix))
    a = L**-b
    scale = a * a * L
    mean = float(correlated_log_mean(width=d, depth=L, alpha=a, first_order=a * a * L ** (2 * H), gain=1.0))
    m = np.arange(1, L, dtype=np.float64)
    squares = L + 2 * float(np.sum((L - m) * np.asarray(fractional_noise_covariance(m, H)) ** 2))
    second = squares / 2 + (d - 1) * fractional_noise_area(L, H)
    variance = a * a * L ** (2 * H) / d + a**4 * second / d**2
    return AntipersistentContraction(
        limit=-1 / (2 * d), centre=mean / scale, deviation=math.sqrt(variance) / scale
    )
