"""
Growth of post-activation ReLU networks below the critical scaling, a = L^{-β}, 0 < β < 1 (P2; *derived*).

The flow of P1 turns h towards (1, …, 1) within a time s = m k a of order one, which gives log((1 + cosγ)/2),
γ the angle of h_0 with that direction; then log‖h‖ grows by m a a layer. The spread of the coordinates about
their mean has by then the stationary variance a s²/(2m) relative to the mean square, which adds a²s²(1 −
1/d)/4 a layer; the logarithm takes ½a²(m² + s²/d), and the fluctuation is a²s²/d: with n = a²L

    log(‖h_L‖/‖h_0‖) = m a L + log((1 + cosγ)/2) + [s²(1 − 1/d)/4 − m²/2 − s²/(2d)] n + √(n s²/d) N(0, 1) + …
"""

import math

from scipy import stats
from scipy.stats.distributions import rv_frozen

from theory.common import _validate
from theory.post_activation._critical import RELU_DRIFT

RELU_SPREAD = 0.5 - 0.5 / math.pi
"""s² = Var ReLU(Z)."""


def post_activation_rate(*, beta: float) -> float:
    """
    Return the limit m = 1/√(2π) of L^{β−1} log(‖h_L‖/‖h_0‖) of post-activation ReLU networks (P2; *derived*).

    In probability, 0 < β < 1, at every width, unless h_0 points along −(1, …, 1). Slow: at β = ½, 0.388 at L
    = 6400.

    Parameters
    ----------
    beta : float
        β in (0, 1).

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If β is not inside (0, 1).

    Examples
    --------
    >>> round(post_activation_rate(beta=0.5), 6)
    0.398942
    """
    _validate.real("beta", beta, above=0, below=1, fix="give the exponent in L^-β, or use the flow at β = 1")
    return RELU_DRIFT


def post_activation_log_growth(
    *, width: int, depth: int, alpha: float, cosine: float, correction: bool = True
) -> float:
    """
    Return the expansion of log(‖h_L‖/‖h_0‖) of post-activation ReLU networks, its mean (P2; *derived*).

    `maL + log((1 + cosγ)/2) + [s²(1 − 1/d)/4 − m²/2 − s²/(2d)] a²L`, with a small and aL large.

    Parameters
    ----------
    width, depth : int
        d >= 1 and L >= 1.
    alpha : float
        a >= 0.
    cosine : float
        cosγ of h_0 with (1, …, 1), in (−1, 1].
    correction : bool, optional
        Whether the term of a²L is included, which vanishes in the limit for β > ½; it is by default.

    Returns
    -------
    float
        Natural logarithm.

    Raises
    ------
    ValueError
        If an argument is out of range.

    Examples
    --------
    >>> print(f"{post_activation_log_growth(width=5, depth=6400, alpha=6400**-0.5, cosine=0.0):.4f}")
    31.1767
    """
    a, L = float(_validate.alpha(alpha)), float(_validate.depth(depth, minimum=1))
    growth = RELU_DRIFT * a * L + _transient(cosine)
    return growth + _per_square(width) * a * a * L if correction else growth


def post_activation_law(*, width: int, cosine: float, total: float = 1.0) -> rv_frozen:
    """
    Return the limit law of log(‖h_L‖/‖h_0‖) − maL at a = √(n/L), post-activation ReLU networks (P2;
    *derived*).

    Normal of mean log((1 + cosγ)/2) + [s²(1 − 1/d)/4 − m²/2 − s²/(2d)]n and variance n s²/d: β = ½ for n = 1.

    Parameters
    ----------
    width : int
        d >= 1.
    cosine : float
        cosγ of h_0 with (1, …, 1), in (−1, 1].
    total : float, optional
        n > 0, the limit of a²L; 1 by default.

    Returns
    -------
    frozen scipy.stats.norm

    Raises
    ------
    ValueError
        If an argument is out of range.

    Examples
    --------
    >>> law = post_activation_law(width=5, cosine=0.0)
    >>> print(f"{law.mean():.4f} {law.var():.4f}")
    -0.7386 0.0682
    """
    n = float(_validate.real("total", total, above=0, fix="give the limit of a²L, 1 at β = 1/2"))
    spread = math.sqrt(n * RELU_SPREAD / float(_validate.width(width)))
    return stats.norm(_transient(cosine) + n * _per_square(width), spread)


def _transient(cosine: float) -> float:
    fix = "give the cosine of h_0 with (1, ..., 1); at -1 the flow goes to 0"
    return math.log(
        0.5 + 0.5 * float(_validate.real("cosine", cosine, above=-1, below=1, closed_below=True, fix=fix))
    )


def _per_square(width: int) -> float:
    d = float(_validate.width(width))
    return 0.25 * RELU_SPREAD * (1 - 1 / d) - 0.5 * RELU_DRIFT**2 - 0.5 * RELU_SPREAD / d
