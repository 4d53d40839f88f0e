"""Below the critical scaling the network tends to the identity (I10)."""

import numpy as np
import numpy.typing as npt
from scipy import stats
from scipy.stats.distributions import rv_frozen

from theory.common import _validate
from theory.common._validate import FloatArray
from theory.independent import _growth


def identity_bound(
    *, depth: npt.ArrayLike, alpha: npt.ArrayLike, failure_probability: npt.ArrayLike
) -> float | FloatArray:
    r"""
    A bound 2Lα²/δ of ‖h_L − h_0‖²/‖h_0‖² that holds with probability at least 1 − δ.

    For every block with E‖g(h)‖² <= ‖h‖², every width, if Lα² <= 1. It bounds every layer at once:
    max_k ‖h_k − h_0‖²/‖h_0‖² too.

    Parameters
    ----------
    depth : array_like of int
        Number of layers L >= 1.
    alpha : array_like of float
        Layer scaling with Lα² <= 1.
    failure_probability : array_like of float
        δ in (0, 1).

    Returns
    -------
    float or ndarray of float64
        A ratio of squared norms.

    Raises
    ------
    ValueError
        If Lα² > 1, `depth` is not a whole number >= 1, `alpha` is negative, or
        `failure_probability` is not inside (0, 1).

    Notes
    -----
    I10, MFBV. Proof: E‖h_L − h_0‖² <= ((1 + α²)^L − 1)‖h_0‖² <= (e − 1) Lα²‖h_0‖², then Markov. For
    all layers at once (*derived*): ‖h_k − h_0‖² is a submartingale, so Doob's inequality has the
    same right-hand side.

    Examples
    --------
    >>> round(identity_bound(depth=1000, alpha=1e-3, failure_probability=0.1), 6)
    0.02
    """
    L, a = _validate.depth(depth, minimum=1), _validate.alpha(alpha)
    delta = _validate.failure_probability(failure_probability)
    with np.errstate(over="ignore", under="ignore"):
        variance = L * a * a
    # α = L^-1/2 is allowed and rounds to either side of 1
    if np.any(variance > 1 + 1e-12):
        raise ValueError(
            f"alpha={np.max(a):g}: must satisfy depth * alpha**2 <= 1 (it is {np.max(variance):g}); "
            "use difference_markov_bound, which needs no such condition"
        )
    return _validate.plain(2 * variance / delta)


def difference_markov_bound(
    *,
    depth: npt.ArrayLike,
    alpha: npt.ArrayLike,
    failure_probability: npt.ArrayLike,
    gain: npt.ArrayLike = 0.5,
) -> float | FloatArray:
    r"""
    A bound ((1 + c α²)^L − 1)/δ of ‖h_L − h_0‖²/‖h_0‖² that holds with probability >= 1 − δ.

    Valid for every scaling, depth, width and law of independent layers with E‖g(h)‖² <= c‖h‖², for
    all layers at once; about four times sharper than `identity_bound` for res-3.

    Parameters
    ----------
    depth : array_like of int
        Number of layers L >= 1.
    alpha : array_like of float
        Layer scaling >= 0.
    failure_probability : array_like of float
        δ in (0, 1).
    gain : array_like of float, optional
        Upper bound c of the mean-square gain; 1/2 (res-3) by default; 1 for MFBV's hypothesis.

    Returns
    -------
    float or ndarray of float64
        A ratio of squared norms; inf above 1.8e308.

    Raises
    ------
    ValueError
        If `depth` is not a whole number >= 1, `alpha` or `gain` is negative, or
        `failure_probability` is not inside (0, 1).

    Notes
    -----
    *derived* from I2 and Doob's inequality, as in `identity_bound`.

    Examples
    --------
    >>> round(difference_markov_bound(depth=1000, alpha=1e-3, failure_probability=0.1), 6)
    0.005001
    """
    L, a, c = _validate.depth(depth, minimum=1), _validate.alpha(alpha), _validate.gain(gain)
    delta = _validate.failure_probability(failure_probability)
    return _validate.plain(_growth.expm1(L * _growth.log_growth(a, c)) / delta)


def identity_limit_law(width: int, gain: float = 0.5) -> rv_frozen:
    r"""
    Limit law of ‖h_L − h_0‖²/(Lα²‖h_0‖²) as L → ∞ and Lα² → 0: c χ²_d/d.

    With α = L^{-β}, β > 1/2, the factor 1/(Lα²) is L^{2β−1}. For every symmetric law of independent
    layers at fixed width; for gradients of res-3 too (I4). The mean at finite depth exceeds the
    limit's by the factor 1 + c(L−1)α²/2 to first order, hence the error is O(Lα²), L^{1−2β}.

    Parameters
    ----------
    width : int
        Number of coordinates d >= 1.
    gain : float, optional
        Mean-square gain c > 0 at h_0; 1/2 (res-3) by default, 1 for linear res-1,
        ‖ReLU(h_0)‖²/‖h_0‖² for hidden states of res-1 with ReLU.

    Returns
    -------
    frozen scipy distribution
        χ²_d scaled by c/d: mean c, variance 2c²/d.

    Raises
    ------
    ValueError
        If `width` is not a whole number >= 1 or `gain` is not positive.

    Notes
    -----
    I10 in sharp form, *derived*. To first order h_L − h_0 = α Σ V_k g(h_0, θ_k), independent centred
    terms of covariance (E‖g‖²/d) I for every law of V with independent unit-variance entries: by the
    central limit theorem a Gaussian vector of covariance Lα² c‖h_0‖²/d · I.

    Examples
    --------
    >>> law = identity_limit_law(40)
    >>> round(float(law.mean()), 12), round(float(law.ppf(0.5)), 4)
    (0.5, 0.4917)
    """
    d = float(_validate.width(width))
    c = float(_validate.real("gain", gain, above=0, fix="give 0.5 for ReLU branches, 1 for linear ones"))
    return stats.chi2(df=d, scale=c / d)


def identity_quantile(
    *,
    probability: npt.ArrayLike,
    width: npt.ArrayLike,
    depth: npt.ArrayLike,
    alpha: npt.ArrayLike,
    gain: npt.ArrayLike = 0.5,
) -> float | FloatArray:
    r"""
    Asymptotic quantile of ‖h_L − h_0‖²/‖h_0‖² below the critical scaling: Lα² c/d times that of χ²_d.

    The curve to draw over samples where Lα² is small; wrong by a relative O(Lα²), so of no use at or
    above the critical scaling.

    Parameters
    ----------
    probability : array_like of float
        Level in (0, 1).
    width : array_like of int
        Number of coordinates d >= 1.
    depth : array_like of int
        Number of layers L >= 1.
    alpha : array_like of float
        Layer scaling >= 0.
    gain : array_like of float, optional
        Mean-square gain c; 1/2 (res-3) by default.

    Returns
    -------
    float or ndarray of float64
        A ratio of squared norms.

    Raises
    ------
    ValueError
        If `probability` is not inside (0, 1), `width` or `depth` is not a whole number >= 1, or
        `alpha` or `gain` is negative.

    Notes
    -----
    I10 in sharp form, *derived*; see `identity_limit_law`.

    Examples
    --------
    >>> round(1e3 * identity_quantile(probability=0.5, width=40, depth=1000, alpha=1e-3), 4)
    0.4917
    """
    level = _validate.real("probability", probability, above=0, below=1, fix="give a level such as 0.5")
    d, L = _validate.width(width), _validate.depth(depth, minimum=1)
    a, c = _validate.alpha(alpha), _validate.gain(gain)
    with np.errstate(over="ignore", under="ignore"):
        return _validate.plain(L * a * a * c / d * stats.chi2.ppf(level, d))
