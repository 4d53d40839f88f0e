"""Above the critical scaling: how log‖h_L‖ is centred and who explodes (I11).

Notation: R the squared norm ratio of one layer (I6), a the layer scaling, d the width.
Given the active units, R = ‖e + z‖², e a unit vector and z ~ N(0, s² I_d); for f(x) = log‖x‖²,
Δ f = 2(d−2)‖x‖^{-2} and Δ‖x‖^{-2k} = 2k(2k+2−d)‖x‖^{-2k-2}, so that the heat semigroup gives

    E log R ~ Σ_n ((d−2)/n) (4−d)(6−d)⋯(2n−d) E s^{2n},    s² = a²Q/d²,

an asymptotic series as a → 0. At d = 2 every term vanishes (log‖·‖² is harmonic in the plane, and
E log R is exponentially small in 1/a); at d = 4 every term but the first.
"""

import numpy as np
import numpy.typing as npt
from scipy import special

from theory import _validate
from theory._radial_moments import _doubled_energy_moments
from theory._validate import FloatArray

_MAX_ORDER = 8


def explosion_rate(width: npt.ArrayLike, gain: npt.ArrayLike = 0.5) -> float | FloatArray:
    r"""
    Limit in probability of log(‖h_L‖²/‖h_0‖²)/(Lα²) above the critical scaling: c(1 − 2/d).

    With α = L^{-β}, 0 < β < 1/2, the factor is L^{2β−1}. Negative at d = 1, zero at d = 2: only from
    d = 3 on does the norm explode in probability, although the mean square explodes at every width.
    At β = 0 the limit is the Lyapunov exponent E log R of the exact law instead.

    Parameters
    ----------
    width : array_like of int
        Number of coordinates d >= 1.
    gain : array_like of float, optional
        Mean-square gain c; 1/2 (res-3) by default, 1 for linear res-1.

    Returns
    -------
    float or ndarray of float64
        1/2 − 1/d for res-3, in natural logarithms of the squared norm per unit of Lα².

    Raises
    ------
    ValueError
        If `width` is not a whole number >= 1 or `gain` is negative.

    Notes
    -----
    I11: MFBV state the explosion for wide networks; the rate is *derived*. For any law of
    independent unit-variance entries, x = R − 1 has E x = c a² and E x² = 4 c a²/d + O(a³), hence
    E log R = c a²(1 − 2/d) + o(a²), and the law of large numbers.

    Examples
    --------
    >>> [explosion_rate(d) for d in (1, 2, 4)]
    [-0.5, 0.0, 0.25]
    """
    d, c = _validate.width(width), _validate.gain(gain)
    return _validate.plain(c * (1 - 2 / d))


def explosion_log_mean(
    *, width: int, depth: npt.ArrayLike, alpha: npt.ArrayLike, order: int = 2
) -> float | FloatArray:
    r"""
    Asymptotic centring of log ‖h_L‖²/‖h_0‖² for res-3: L times the expansion of E log R in α².

    Order 1 is I11's Lα²(1/2 − 1/d), for every symmetric law. Order 2 subtracts
    Lα⁴(d−2)(d−4)(d+5)/(8d³), for Gaussian weights; without it the centring is off by more than the
    spread as soon as β <= 1/6. An asymptotic series: do not use it for α near 1.

    Parameters
    ----------
    width : int
        Number of coordinates d >= 1.
    depth : array_like of int
        Number of layers L >= 0.
    alpha : array_like of float
        Layer scaling >= 0, small.
    order : int, optional
        Number of terms from 1 to 8, 2 by default; higher orders help only while α²·order ≪ 1.

    Returns
    -------
    float or ndarray of float64
        Natural logarithm of a squared norm ratio; error O(Lα^(2·order+2)).

    Raises
    ------
    ValueError
        If `width` or `order` is not a whole number >= 1, `order` exceeds 8, `depth` is not a whole
        number >= 0, or `alpha` is negative.

    Notes
    -----
    I11, *derived*; proof at the top of the module.

    Examples
    --------
    >>> round(explosion_log_mean(width=3, depth=2000, alpha=2000**-0.25, order=1), 4)
    7.4536
    >>> round(explosion_log_mean(width=3, depth=2000, alpha=2000**-0.25), 4)
    7.4906
    """
    d, L, a = int(_validate.width(width)), _validate.depth(depth), _validate.alpha(alpha)
    terms = int(_validate.whole("order", order, minimum=1, fix="give the number of terms, 1 or 2"))
    if terms > _MAX_ORDER:
        raise ValueError(f"order={terms}: must be <= {_MAX_ORDER}; the series diverges, 2 is usual")
    with np.errstate(over="ignore", under="ignore"):
        variable = a * a / (2 * d * d)
        total = np.zeros_like(variable)
        product = d - 2
        for n, energy in enumerate(_doubled_energy_moments(terms, d, "relu")[1:], start=1):
            total = total + product * energy / n * variable**n
            product *= 2 * n + 2 - d
        return _validate.plain(L * total)


def explosion_log_variance(
    *, width: npt.ArrayLike, depth: npt.ArrayLike, alpha: npt.ArrayLike, gain: npt.ArrayLike = 0.5
) -> float | FloatArray:
    r"""
    Leading variance of log ‖h_L‖²/‖h_0‖²: 4cLα²/d, with relative error O(α²).

    Parameters
    ----------
    width : array_like of int
        Number of coordinates d >= 1.
    depth : array_like of int
        Number of layers L >= 0.
    alpha : array_like of float
        Layer scaling >= 0, small.
    gain : array_like of float, optional
        Mean-square gain c; 1/2 (res-3) by default, 1 for linear res-1.

    Returns
    -------
    float or ndarray of float64
        Variance of a natural logarithm of a squared norm; 2Lα²/d for res-3.

    Raises
    ------
    ValueError
        If `width` >= 1 or `depth` >= 0 is not a whole number, or `alpha` or `gain` is negative.

    Notes
    -----
    I11, *derived*: Var log R = 4a² E⟨h, Vg⟩²/‖h‖⁴ + O(a⁴), and E⟨h, Vg⟩² = c‖h‖⁴/d.

    Examples
    --------
    >>> round(explosion_log_variance(width=40, depth=1000, alpha=1000**-0.5), 6)
    0.05
    """
    d, L = _validate.width(width), _validate.depth(depth)
    a, c = _validate.alpha(alpha), _validate.gain(gain)
    with np.errstate(over="ignore", under="ignore"):
        return _validate.plain(4 * c * L * a * a / d)


def explosion_probability(
    *, width: npt.ArrayLike, depth: npt.ArrayLike, alpha: npt.ArrayLike, gain: npt.ArrayLike = 0.5
) -> float | FloatArray:
    r"""
    Normal approximation of P(‖h_L‖ > ‖h_0‖): Φ(√(cLα²) (d−2)/(2√d)).

    For small α and many layers: with α = L^{-β} its error vanishes as L → ∞ for every β in (0, 1/2],
    and at β = 1/2 the value is the limit itself. At d = 2 and β <= 1/6 this needs Gaussian V
    (see `explosion_limit_probability`). The exact law (I6) needs no approximation.

    Parameters
    ----------
    width : array_like of int
        Number of coordinates d >= 1.
    depth : array_like of int
        Number of layers L >= 0.
    alpha : array_like of float
        Layer scaling >= 0, small.
    gain : array_like of float, optional
        Mean-square gain c; 1/2 (res-3) by default, 1 for linear res-1.

    Returns
    -------
    float or ndarray of float64
        A probability.

    Raises
    ------
    ValueError
        If `width` >= 1 or `depth` >= 0 is not a whole number, or `alpha` or `gain` is negative.

    Notes
    -----
    I11, *derived*: central limit theorem for log ‖h_L‖² with the mean and the variance of
    `explosion_rate` and `explosion_log_variance`. Exactly 1/2 in the limit at d = 2.

    Examples
    --------
    >>> [round(explosion_probability(width=d, depth=2000, alpha=2000**-0.25), 3) for d in (1, 2, 3)]
    [0.009, 0.5, 0.914]
    """
    d, L = _validate.width(width), _validate.depth(depth)
    a, c = _validate.alpha(alpha), _validate.gain(gain)
    with np.errstate(over="ignore", under="ignore"):
        return _validate.plain(special.ndtr(a * np.sqrt(c * L / d) * (d - 2) / 2))


def explosion_limit_probability(width: npt.ArrayLike) -> float | FloatArray:
    r"""
    Limit of P(‖h_L‖ > K‖h_0‖), any K > 0, as L → ∞ with α = L^{-β}, 0 < β < 1/2.

    0 at d = 1 (the state collapses to 0 in probability, the difference ratio tends to 1), 1/2 at d = 2
    (explosion or collapse, each half of the time), 1 from d = 3 on.

    Parameters
    ----------
    width : array_like of int
        Number of coordinates d >= 1.

    Returns
    -------
    float or ndarray of float64
        0, 1/2 or 1.

    Raises
    ------
    ValueError
        If `width` is not a whole number >= 1.

    Notes
    -----
    I11, *derived*: sign of `explosion_rate` for d != 2. At d = 2 with Gaussian V,
    E log R = E E₁(d/(2a²G)) = O(exp(−const/a)) (mean value property of log‖·‖² in the plane), so the
    centring O(L exp(−const·L^β)) vanishes while the spread Lα² grows, for every β in (0, 1/2). If V and
    W both have kurtosis other than 3, E log R at d = 2 has an a⁴ term whose mean over directions is not
    0 (−a⁴/32 for Rademacher weights): the 1/2 then needs β > 1/6; by averaging over
    the angle (not proved in full) Rademacher networks of width 2 collapse for β < 1/6.
    Other widths: every symmetric sub-Gaussian law.

    Examples
    --------
    >>> [explosion_limit_probability(d) for d in (1, 2, 3, 40)]
    [0.0, 0.5, 1.0, 1.0]
    """
    d = _validate.width(width)
    return _validate.plain((1 + np.sign(d - 2)) / 2)
