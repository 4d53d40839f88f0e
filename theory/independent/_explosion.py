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

from theory.common import _validate
from theory.common._validate import FloatArray
from theory.independent.exact_law._layer import layer_law
from theory.independent.exact_law._radial_moments import _doubled_energy_moments

_MAX_ORDER = 8
# Up to here eight terms are right to 1e-13 at every width; quadrature loses digits to E log R ~ α².
_SMALL_ALPHA = 0.01


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
    *, width: int, depth: npt.ArrayLike, alpha: npt.ArrayLike, order: int | None = None
) -> float | FloatArray:
    r"""
    Mean of log ‖h_L‖²/‖h_0‖² for res-3, L E log R: exact, or its expansion in α².

    Exact, for Gaussian weights, without `order`. Order 1 is I11's Lα²(1/2 − 1/d), for every symmetric law.
    Order 2 subtracts Lα⁴(d−2)(d−4)(d+5)/(8d³), for Gaussian weights; without it the centring is off by
    more than the spread as soon as β <= 1/6.

    The expansion is asymptotic, and narrow networks are where it ends first: term n + 1 is at most
    α²|2n+2−d|(d+2n)/d² times term n, so that terms grow from n of about d/(2α) on. At d = 1, α = 0.15 order 3
    is the best and off by 4·10⁻⁵ a layer, order 2 by 5·10⁻⁴; at d = 40 each order gains a factor of 100
    there.

    Parameters
    ----------
    width : int
        Number of coordinates d >= 1.
    depth : array_like of int
        Number of layers L >= 0.
    alpha : array_like of float
        Layer scaling >= 0; below 1e100.
    order : int, optional
        Number of terms from 1 to 8; None, the default, for the exact mean (0.01 to 0.2 s for each new α).

    Returns
    -------
    float or ndarray of float64
        Natural logarithm of a squared norm ratio. Exact: relative error about 1e-13 below α = 0.01,
        absolute error about 1e-15 Lα above. Expansion: error of the size of the first term left out,
        O(Lα^(2·order+2)), or at even widths beyond order d/2 − 1, where none is left, exp(−const/α).

    Raises
    ------
    ValueError
        If `width` or `order` is not a whole number >= 1, `order` exceeds 8, `depth` is not a whole
        number >= 0, `alpha` is negative or too large, or if from order 2 on the first term left out is
        larger than the last term: there the expansion has nothing to add.

    Notes
    -----
    I11, *derived*; proof at the top of the module. The exact mean is that of `ExactNormLaw`.

    Examples
    --------
    >>> round(explosion_log_mean(width=3, depth=2000, alpha=2000**-0.25, order=1), 4)
    7.4536
    >>> round(explosion_log_mean(width=3, depth=2000, alpha=2000**-0.25, order=2), 4)
    7.4906
    >>> round(explosion_log_mean(width=3, depth=2000, alpha=2000**-0.25), 4)
    7.4918
    """
    d, L, a = int(_validate.width(width)), _validate.depth(depth), _validate.alpha(alpha)
    if order is None:
        fix = "give the factor before the residual branch, such as depth**-0.5"
        a = _validate.real("alpha", a, above=0, below=1e100, closed_above=True, closed_below=True, fix=fix)
        means = [_exact_log_mean(d, value) for value in a.ravel().tolist()]
        return _validate.plain(L * np.reshape(means, a.shape))
    count = int(_validate.whole("order", order, minimum=1, fix="give the number of terms, or None for all"))
    if count > _MAX_ORDER:
        raise ValueError(f"order={count}: must be <= {_MAX_ORDER}; give None for the exact mean")
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        terms = _log_mean_terms(d, a, count + 1)
        last, left_out = np.abs(terms[-2]), np.abs(terms[-1])
        spent = (left_out > last) & (last > 0)
        if count > 1 and np.any(spent):
            raise ValueError(
                f"order={count}: must end before the terms grow, here at width {d} and alpha="
                f"{a[spent].flat[0]:g}; give a lower order, or None for the exact mean"
            )
        return _validate.plain(L * np.sum(terms[:-1], axis=0))


def _log_mean_terms(width: int, alpha: FloatArray, order: int) -> FloatArray:
    """Terms 1 to `order` of the expansion of E log R, on the first axis."""
    variable = alpha * alpha / (2 * width * width)
    terms = []
    product = width - 2
    for n, energy in enumerate(_doubled_energy_moments(order, width, "relu")[1:], start=1):
        terms.append(product * energy / n * variable**n)
        product *= 2 * n + 2 - width
    return np.asarray(terms)


def _exact_log_mean(width: int, alpha: float) -> float:
    if alpha <= _SMALL_ALPHA:
        return float(np.sum(_log_mean_terms(width, np.asarray(alpha), _MAX_ORDER)))
    return 2 * layer_law(width, alpha).mean


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
