"""
Fractional Gaussian noise along the layers: its covariance and the sums that decide F2, F3 and F4.

Notation: ξ_0, ξ_1, ... the noise, B_k = ξ_0 + ... + ξ_{k−1} fractional Brownian motion at whole times,
E B_j B_k = (j^{2H} + k^{2H} − |j − k|^{2H})/2, γ(m) = E ξ_0 ξ_m. Why the sum below decides: by
(Σ ξ_k)² = Σ ξ_k² + 2 Σ_{j<k} ξ_j ξ_k, of expectations L^{2H}, L and the rest,

    Σ_{j<k<L} γ(k − j) = (L^{2H} − L)/2,

and `∏ (1 + a ξ_k) = 1 + a Σ ξ_k + a² Σ_{j<k} ξ_k ξ_j + ...` has logarithm a B_L − a² Σ ξ_k²/2 + ...: a noise
of size a L^H about −a² L/2, the Itô correction of a product of layers. Hence

* H < 1/2 (F3): at a = L^{-1/2} the noise L^{H−1/2} vanishes, the correction stays: the product contracts;
* H = 1/2: both stay, the Itô calculus of the diffusion limit;
* H > 1/2 (F4): at the critical a = L^{-H} the noise stays, the correction is L^{1−2H}/2 and vanishes.
  Ordinary (Young) calculus holds in the limit, and that correction is the error of finite depth.
"""

import numpy as np
import numpy.typing as npt
from scipy import special

from theory.common import _validate
from theory.common._validate import FloatArray

# Terms of the binomial series in 1/m²: at m = 2 the first one left out is below 4^-30.
_TERMS = 30


def hurst_index(value: npt.ArrayLike, *, field: str = "hurst") -> FloatArray:
    """
    Check a Hurst index of fractional noise, 0 < H < 1.

    Parameters
    ----------
    value : array_like of float
        Hurst index or indices.
    field : str, optional
        Name of the argument, "hurst" by default.

    Returns
    -------
    ndarray of float64
        The values.

    Raises
    ------
    ValueError
        If a value is not inside (0, 1).

    Examples
    --------
    >>> float(hurst_index(0.5))
    0.5
    """
    return _validate.real(
        field, value, above=0, below=1, fix="give the Hurst index, 0.5 for independent layers"
    )


def fractional_noise_covariance(lags: npt.ArrayLike, hurst: npt.ArrayLike) -> float | FloatArray:
    r"""
    Covariance γ(m) = (|m−1|^{2H} − 2|m|^{2H} + |m+1|^{2H})/2 of fractional Gaussian noise.

    1 at lag 0, about H(2H−1) m^{2H−2} at large lags; negative for H < 1/2, 0 at H = 1/2. Relative error
    about 1e-15 at every lag and every H, where the formula as written loses m² units in the last place:
    at lags m >= 2 it is the series Σ_n C(2H, 2n) m^{2H−2n}, whose terms share the factor 2H − 1.

    Parameters
    ----------
    lags : array_like of int
        Distances m between layers, of either sign.
    hurst : array_like of float
        Hurst index H in (0, 1), broadcast with `lags`.

    Returns
    -------
    float or ndarray of float64
        γ(m), of the broadcast shape.

    Raises
    ------
    ValueError
        If a lag is not a whole number or `hurst` is not inside (0, 1).

    Notes
    -----
    Section 5 of the catalogue; Mandelbrot and van Ness (1968).

    Examples
    --------
    >>> fractional_noise_covariance([0, 1, -1], 0.5)
    array([1., 0., 0.])
    >>> print(f"{fractional_noise_covariance(10**6, 0.2):.12e}")
    -3.014263717813e-11
    """
    H = hurst_index(hurst)
    m = _validate.lags(lags)
    far = np.maximum(m, 2.0)
    square = far**-2.0
    orders = np.arange(1, _TERMS + 1)
    # C(2H, 2n) from its neighbour: one factor at a time keeps 2H − 1 exact
    coefficient = H * (2 * H - 1)
    coefficients = [coefficient]
    for n in orders[1:]:
        coefficient = coefficient * (2 * H - 2 * n + 2) * (2 * H - 2 * n + 1) / (2 * n * (2 * n - 1))
        coefficients.append(coefficient)
    series = np.zeros(np.broadcast_shapes(m.shape, H.shape))
    for c in reversed(coefficients):
        series = series * square + c
    near = np.where(m == 0, 1.0, np.expm1((2 * H - 1) * np.log(2.0)))
    return _validate.plain(np.where(m >= 2, series * far ** (2 * H - 2), near))


def fractional_noise_partial_sum(n_lags: npt.ArrayLike, hurst: npt.ArrayLike) -> float | FloatArray:
    r"""
    Sum γ(1) + ... + γ(n) of the covariance, ((n+1)^{2H} − n^{2H} − 1)/2.

    For H < 1/2 it tends to −1/2, so that all lags together cancel the variance 1; for H > 1/2 it grows
    like H n^{2H−1}.

    Parameters
    ----------
    n_lags : array_like of int
        Number n >= 0 of lags.
    hurst : array_like of float
        Hurst index H in (0, 1).

    Returns
    -------
    float or ndarray of float64
        The sum.

    Raises
    ------
    ValueError
        If `n_lags` is not a whole number >= 0 or `hurst` is not inside (0, 1).

    Examples
    --------
    >>> fractional_noise_partial_sum(1, 0.25) == fractional_noise_covariance(1, 0.25)
    True
    """
    H = hurst_index(hurst)
    n = _validate.whole("n_lags", n_lags, minimum=0, fix="give how many lags to add")
    # (n+1)^{2H} − n^{2H} through expm1: the powers agree in their first digits
    first = np.maximum(n, 1.0)
    growth = first ** (2 * H) * np.expm1(2 * H * np.log1p(1 / first))
    return _validate.plain(0.5 * (np.where(n == 0, 1.0, growth) - 1))


def fractional_noise_pair_sum(depth: npt.ArrayLike, hurst: npt.ArrayLike) -> float | FloatArray:
    r"""
    Sum of γ(k−j) over the pairs of layers j < k < L, (L^{2H} − L)/2.

    The mean of the second-order term Σ_{j<k} ξ_j ξ_k of a product of layers: about −L/2 for H < 1/2, 0 at
    H = 1/2, about L^{2H}/2 for H > 1/2. See the top of the module for what follows from it.

    Parameters
    ----------
    depth : array_like of int
        Number of layers L >= 0.
    hurst : array_like of float
        Hurst index H in (0, 1).

    Returns
    -------
    float or ndarray of float64
        The sum; 0 for depths 0 and 1.

    Raises
    ------
    ValueError
        If `depth` is not a whole number >= 0 or `hurst` is not inside (0, 1).

    Notes
    -----
    F3, *derived*; proof at the top of the module.

    Examples
    --------
    >>> fractional_noise_pair_sum(2, 0.25) == fractional_noise_covariance(1, 0.25)
    True
    """
    L, H = _validate.depth(depth), hurst_index(hurst)
    return _validate.plain(0.5 * L * np.expm1(special.xlogy(2 * H - 1, np.maximum(L, 1.0))))


def fractional_noise_area(depth: int, hurst: float) -> float:
    r"""
    Variance of the area Σ_{j<k<L} ξ_k η_j of two independent fractional noises ξ and η, in O(L).

    Grows like L for H < 1/4, L log L at 1/4, L^{4H} above: below 1/4 two layers of independent entries
    act like white noise of their own.

    Parameters
    ----------
    depth : int
        Number of layers L >= 1.
    hurst : float
        Hurst index H in (0, 1).

    Returns
    -------
    float
        Σ γ(k−k') E B_k B_{k'} over k, k' < L; 0 at depth 1.

    Raises
    ------
    ValueError
        If `depth` is not a whole number >= 1 or `hurst` is not inside (0, 1).

    Notes
    -----
    *derived*: sum the covariance E B_k B_{k'} term by term, with Σ_{k'} γ(k−k') = E ξ_k B_L.

    Examples
    --------
    >>> round(fractional_noise_area(3, 0.5), 12)
    3.0
    """
    L = int(_validate.depth(depth, minimum=1))
    H = float(hurst_index(hurst))
    k = np.arange(L, dtype=np.float64)
    steps = 0.5 + np.asarray(fractional_noise_partial_sum(k, H))
    # E ξ_k B_L = half of the increments of t^{2H} at k and, from the other end, at L − 1 − k
    with_end = steps + steps[::-1]
    gamma = np.asarray(fractional_noise_covariance(k, H))
    power = special.xlogy(2 * H, k)
    power = np.where(k > 0, np.exp(power), 0.0)
    return float(np.sum(power * (with_end - (L - k) * gamma)))
