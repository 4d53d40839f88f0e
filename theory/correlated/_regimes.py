"""Which scaling leads to explosion, to the identity, or to neither (I8, I10, I11, F1)."""

from typing import Literal

import numpy as np
import numpy.typing as npt

from theory.common import _validate
from theory.common._validate import FloatArray

Regime = Literal["explosion", "critical", "identity"]


def critical_scaling(hurst: npt.ArrayLike = 0.5) -> float | FloatArray:
    r"""
    Critical exponent β_c = max(H, 1/2) of the layer scaling α = L^{-β}.

    1/2 for independent layers, H for weights that are fractional Gaussian noise along the layers,
    1 for smooth weights (pass 1). For ReLU blocks; linear res-1 with H < 1/2 contracts and never
    explodes (F3). If V and W differ, H is V's: the index of W < 1 does not enter.

    Parameters
    ----------
    hurst : array_like of float, optional
        Hurst index H in (0, 1]; 1/2, independent layers, by default; 1 is the smooth (ODE) end.

    Returns
    -------
    float or ndarray of float64
        The exponent β_c.

    Raises
    ------
    ValueError
        If `hurst` is not in (0, 1].

    Notes
    -----
    F1: MFBV prove it at H = 1/2 (I9 to I11) and for smooth weights (O1 to O4) and observe it in
    experiments between; the identity side is *derived* for every H, and for different ones of V and W
    (F2, `fractional_growth`). On the other side, for H_V < 1/2, typical networks explode only where
    `antipersistent_log_norm_law` drifts upwards, as in I11, and never at width 2 or less.

    Examples
    --------
    >>> critical_scaling(), critical_scaling(0.8), critical_scaling(0.2)
    (0.5, 0.8, 0.5)
    """
    fix = "give the Hurst index, 0.5 for independent layers, 1 for smooth weights"
    H = _validate.real("hurst", hurst, above=0, below=1, closed_below=True, fix=fix)
    return _validate.plain(np.maximum(H, 0.5))


def regime(beta: float, *, hurst: float = 0.5, tolerance: float = 1e-12) -> Regime:
    r"""
    Regime of the scaling α = L^{-β} as L → ∞: "explosion", "critical" or "identity".

    "explosion" is about mean squares at every width and about typical networks from width 3 on
    (`explosion_limit_probability`). At finite depth the crossover is not sharp: close to β_c all three
    look alike until L^|β − β_c| is large.

    Parameters
    ----------
    beta : float
        Exponent of the scaling, any finite number; negative ones explode.
    hurst : float, optional
        Hurst index H in (0, 1] of the weights along the layers; 1/2, independent, by default.
    tolerance : float, optional
        Largest |β − β_c| that counts as critical, 1e-12 by default; 0 asks for exact equality.

    Returns
    -------
    {"explosion", "critical", "identity"}
        For β below, at and above `critical_scaling`.

    Raises
    ------
    ValueError
        If `beta` is not finite, `hurst` is not in (0, 1] or `tolerance` is negative.

    Notes
    -----
    I8, I10, I11 (MFBV) for independent layers, F1 otherwise; source in `critical_scaling`.

    Examples
    --------
    >>> regime(0.25), regime(0.5), regime(1.0)
    ('explosion', 'critical', 'identity')
    >>> regime(0.6, hurst=0.8)
    'explosion'
    """
    b = float(_validate.real("beta", beta, fix="give the exponent in alpha = depth**-beta"))
    fix = "give the largest distance that counts as critical"
    slack = float(_validate.real("tolerance", tolerance, above=0, closed_above=True, fix=fix))
    distance = b - float(critical_scaling(hurst))
    if abs(distance) <= slack:
        return "critical"
    return "identity" if distance > 0 else "explosion"


def alpha_from_beta(*, depth: npt.ArrayLike, beta: npt.ArrayLike) -> float | FloatArray:
    r"""
    Layer scaling α = L^{-β}.

    Parameters
    ----------
    depth : array_like of int
        Number of layers L >= 1.
    beta : array_like of float
        Exponent; 0 gives 1.

    Returns
    -------
    float or ndarray of float64
        The factor before the residual branch.

    Raises
    ------
    ValueError
        If `depth` is not a whole number >= 1 or `beta` is not finite.

    Notes
    -----
    The convention of MFBV.

    Examples
    --------
    >>> round(alpha_from_beta(depth=100, beta=0.5), 12)
    0.1
    """
    L = _validate.depth(depth, minimum=1)
    b = _validate.real("beta", beta, fix="give the exponent in alpha = depth**-beta")
    return _validate.plain(L**-b)


def beta_from_alpha(*, depth: npt.ArrayLike, alpha: npt.ArrayLike) -> float | FloatArray:
    r"""
    Exponent β = −log α / log L of a layer scaling.

    Parameters
    ----------
    depth : array_like of int
        Number of layers L >= 2 (at depth 1 every exponent gives α = 1).
    alpha : array_like of float
        Layer scaling > 0.

    Returns
    -------
    float or ndarray of float64
        The exponent; negative for α > 1.

    Raises
    ------
    ValueError
        If `depth` is not a whole number >= 2 or `alpha` is not positive.

    Notes
    -----
    Inverse of `alpha_from_beta`.

    Examples
    --------
    >>> round(beta_from_alpha(depth=100, alpha=0.1), 12)
    0.5
    """
    L = _validate.depth(depth, minimum=2)
    a = _validate.real("alpha", alpha, above=0, fix="give a positive factor, such as depth**-0.5")
    return _validate.plain(-np.log(a) / np.log(L))
