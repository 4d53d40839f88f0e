"""
Limits of normalised networks with a²L = τ: H_t = H_0 + √c B_t (N2, N3; *derived*).

‖H_t‖²/c is a squared Bessel process of dimension d (d − 1 for the centred part with the layer norm). The law
at depth L differs by that of Γ = a² Σ G_k, of relative variance v/(c²LM), from the limit cτ: in distribution
function by `(v/(2c²LM)) (x²f' + 2xf)`, f the density of χ²_d, to leading order.
"""

import numpy as np
from scipy import stats
from scipy.stats.distributions import rv_frozen

from theory.common import _validate
from theory.common._activation_energy import activation_energy
from theory.common._activations import Activation


def walk_limit_law(
    *,
    dimension: int,
    time: float,
    activation: Activation = "relu",
    initial_square: float = 0.0,
) -> rv_frozen:
    """
    Return the limit law of ‖h_L‖² (of ‖h_L − h_0‖² from 0) of pre-norm networks as a²L → τ (N2; *derived*).

    cτ times a noncentral χ² of d degrees of freedom and noncentrality ‖h_0‖²/(cτ). The exact law at depth L
    is `NormalisedWalk.log_norm_law`, O(1/(LM)) away.

    Parameters
    ----------
    dimension : int
        d >= 1; d − 1 for the centred part with the layer norm.
    time : float
        τ > 0.
    activation : str or callable, optional
        σ; "relu" by default.
    initial_square : float, optional
        ‖h_0‖² >= 0 or ‖Ch_0‖²; 0, the law of the difference, by default.

    Returns
    -------
    frozen scipy.stats.ncx2 or chi2

    Raises
    ------
    ValueError
        If an argument is out of range.

    Examples
    --------
    >>> law = walk_limit_law(dimension=16, time=1.0, initial_square=16.0)
    >>> float(law.mean()), float(law.var())
    (24.0, 40.0)
    """
    d = int(_validate.width(dimension))
    tau = float(_validate.real("time", time, above=0, fix="give a²L"))
    fix = "give the squared norm of the embedded input, 0 for the difference"
    start = float(_validate.real("initial_square", initial_square, above=0, closed_above=True, fix=fix))
    scale = activation_energy(activation, derivative=activation).mean * tau
    return stats.ncx2(d, start / scale, scale=scale) if start else stats.chi2(d, scale=scale)


def walk_limit_distance(*, dimension: int, units: int, activation: Activation = "relu") -> float:
    """
    Return the leading term of the Kolmogorov distance of ‖h_L − h_0‖² to its limit law (N2; *derived*).

    `(v/(2c²LM)) sup |x²f' + 2xf|`, f the density of χ²_d.

    Parameters
    ----------
    dimension : int
        d >= 1; d − 1 for the centred part with the layer norm.
    units : int
        L·M >= 1.
    activation : str or callable, optional
        σ; "relu" by default.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If an argument is out of range.

    Examples
    --------
    >>> print(f"{600 * walk_limit_distance(dimension=16, units=600):.1f}")
    6.2
    """
    d = float(_validate.width(dimension))
    n = float(_validate.whole("units", units, minimum=1, fix="give the depth times the hidden width"))
    energy = activation_energy(activation, derivative=activation)
    x = np.linspace(0.0, d + 12 * np.sqrt(2 * d) + 20, 20_001)[1:]
    # x²f' + 2xf = f x (d/2 + 1 − x/2).
    shape = stats.chi2.pdf(x, d) * x * (0.5 * d + 1 - 0.5 * x)
    return float(energy.variance / (2 * energy.mean**2 * n) * np.max(np.abs(shape)))


def walk_regime(*, beta: float) -> str:
    """
    Return the regime of pre-norm networks with a = L^{-β}: "identity", "critical" or "polynomial" (N3;
    *derived*).

    E‖h_L‖²/d = S_0 + c L^{1−2β} exactly. Above ½ the difference vanishes; at ½ it is Brownian (N2); below,
    L^{2β−1}‖h_L‖² tends in law to c χ²_d: growth like a power, never an explosion.

    Parameters
    ----------
    beta : float
        β >= 0.

    Returns
    -------
    str

    Raises
    ------
    ValueError
        If β is negative.

    Examples
    --------
    >>> [walk_regime(beta=beta) for beta in (0.25, 0.5, 1)]
    ['polynomial', 'critical', 'identity']
    """
    b = float(_validate.real("beta", beta, above=0, closed_above=True, fix="give the exponent in L^-β"))
    return "identity" if b > 0.5 else "critical" if b == 0.5 else "polynomial"
