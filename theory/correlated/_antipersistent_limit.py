"""
Critical and subcritical antipersistent res-3: the diffusion that replaces I8 and I11 when H_V < 1/2.

Notation: S = Σ_m γ_V(m) κ(γ_W(m)) (`fractional_growth`), t depth-time, α = L^{-1/2}. In
V_k relu(u_k) = V_k E relu(u_k) + V_k (relu(u_k) − E relu(u_k)) the first part sums to L^{H_V}, nothing beside
√L, and the second has summable covariances when H_V + H_W < 3/2. On times in which the state hardly moves
its sum is Brownian motion of variance S, not 1/2, a unit of α²L, and the second order
(`_log_mean`) gives the drift: log‖h‖²/‖h_0‖² is Brownian motion with

    drift ((d − 1) S − 1/2)/d,    variance 4S/d    a unit of time,

I8 for S = 1/2. Derived by averaging: that the memory of the weights ends where the state begins to move is
an argument, not a proof. Simulated: d = 4, H = 0.2, L = 500, 4000 networks: mean 0.177(10), variance
0.412(9) against 0.173 and 0.397 with the sum at that depth for S; d = 2, H_V = 0.1, H_W = 0.7: mean
−0.113(12) and variance 0.535(12) against −0.119 and 0.525.

The drift's sign decides who explodes below the critical scaling (β < 1/2): width above 1 + 1/(2S), that is
d >= 3 for H_V = H_W (S < 1/2 always: γ_V < 0 < κ beyond lag 0), but d >= 9 for H_V = 0.1, H_W = 0.95: rough
V beside slow W nearly contracts as in F3. The mean square, of rate ((d + 1) S − 1/2)/d, grows at every width
for H_V = H_W, but not for such a pair at small width. At d = 1 all of this is a central limit theorem for Σ
log(1 + α V_k relu(W_k)).
"""

import numpy as np
from scipy import stats
from scipy.stats.distributions import rv_frozen

from theory.common import _validate
from theory.correlated._fractional_first_order import fractional_growth


def antipersistent_log_norm_law(
    *, width: int, hurst_v: float, hurst_w: float | None = None, time: float = 1.0
) -> rv_frozen:
    r"""
    Limit law of log(‖h_L‖/‖h_0‖) of res-3 with antipersistent V at α = 1/√L.

    Normal of mean ((d−1)S − 1/2)t/(2d) and variance St/d, S = `fractional_growth`'s constant. Its mean a unit
    of Lα² is also the rate of log(‖h_L‖/‖h_0‖) for 0 < β < 1/2. Compare `critical_log_norm_law`, H = 1/2.
    Converges like L^{2H_V−1} + L^{2H_V+2H_W−3}: slow for H_V near 1/2.

    Parameters
    ----------
    width : int
        Width d >= 1.
    hurst_v : float
        Hurst index of V in (0, 1/2].
    hurst_w : float, optional
        Hurst index of W in (0, 1); that of V by default.
    time : float, optional
        Depth-time t = k/L; 1, the last layer, by default.

    Returns
    -------
    frozen scipy.stats.norm
        The law (natural logarithm of the norm ratio, not squared).

    Raises
    ------
    ValueError
        If `width` is not a whole number >= 1, `hurst_v` is above 1/2 (its critical scaling is L^{-H}, not
        L^{-1/2}) or another argument is out of range.

    Notes
    -----
    *derived*, by averaging and not proved in full; see the top of the module.

    Examples
    --------
    >>> law = antipersistent_log_norm_law(width=40, hurst_v=0.5)
    >>> round(float(law.mean()), 12), round(float(law.var()), 12)
    (0.2375, 0.0125)
    """
    d = int(_validate.width(width))
    t = float(_validate.real("time", time, above=0, fix="give the depth-time, 1 for the whole network"))
    fix = "above 1/2 the critical scaling is depth**-hurst and the limit is not this"
    H = float(_validate.real("hurst_v", hurst_v, above=0, below=0.5, closed_below=True, fix=fix))
    S = fractional_growth(hurst_v=H, hurst_w=hurst_w)[1]
    return stats.norm(((d - 1) * S - 0.5) * t / (2 * d), np.sqrt(S * t / d))
