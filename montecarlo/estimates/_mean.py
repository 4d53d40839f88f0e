"""The mean of light-tailed rows, with Student's interval."""

import math

from numpy.typing import ArrayLike
from scipy import special

from montecarlo.estimates._estimate import Estimate, estimated
from montecarlo.estimates._moments import Moments, moments_of
from montecarlo.estimates._rows import check_confidence


def _warn_skewness(moments: Moments, quantile: float) -> str | None:
    # First Edgeworth term of the Student statistic (Hall 1992, section 2.6): one tail probability is off by
    # |skewness| (2 z² + 1) φ(z) / (6 √n); φ(z)/Q(z) ≈ z in the tails turns that into a relative error.
    relative_error = (
        abs(moments.skewness) * (2.0 * quantile**2 + 1.0) * quantile / (6.0 * math.sqrt(moments.n))
    )
    significant = abs(moments.skewness) > 3.0 * math.sqrt(6.0 / moments.n)
    if relative_error > 1.0 and significant:
        return f"skewness {moments.skewness:.2g} is large for n={moments.n}: a tail is off its nominal level"
    return None


def mean(x: ArrayLike | Moments, *, confidence: float = 0.99) -> Estimate:
    """Estimate the mean of light-tailed rows, with Student's t interval.

    Right for rows whose tails are about as light as a normal law's: logs of norm ratios (sums over layers),
    angles. The interval is exact for normal rows only; otherwise each tail is off by O(skewness/√n), and more
    in relative terms when 1 − `confidence` is tiny. Wrong for norms or ratios themselves (log-normal-like):
    use `log_mean_exp` on their logs. Where rows lie in a known interval `bounded_mean` is valid at every n.

    Parameters
    ----------
    x
        Rows, shape (rows,), on any scale (natural logs stay natural logs), or `Moments` pooled from blocks.
        NaN, +inf and -inf are counted, never in the mean: with a -inf the result is the mean of the others.
    confidence
        Nominal coverage, default 0.99.

    Returns
    -------
    Estimate
        With fewer than two finite rows the interval is (-inf, inf).

    Raises
    ------
    ValueError
        If `x` is empty or not one-dimensional, or `confidence` is not in (0, 1).

    Notes
    -----
    Student (1908), Biometrika 6:1-25; the skewness diagnostic is the first Edgeworth term, P.
    Hall, "The Bootstrap and Edgeworth Expansion" (1992), section 2.6.

    Examples
    --------
    >>> print(mean([1.0, 2.0, 3.0, 4.0, 5.0], confidence=0.95))
    3.0 [1.0, 5.0] (95 %, n=5)
    """
    miss = check_confidence(confidence)
    moments = moments_of(x)
    n = moments.n
    value, lower, upper = math.nan, -math.inf, math.inf
    note = "fewer than 2 finite rows give no interval" if n < 2 else None
    if n > 0:
        value = moments.mean
    if n > 1:
        quantile = -float(special.stdtrit(n - 1, miss / 2.0))
        half = quantile * math.sqrt(moments.variance / n)
        lower, upper = value - half, value + half
        note = _warn_skewness(moments, quantile)
        if moments.M2 == 0.0:
            note = "all rows are equal: the interval has no width"
    return estimated(
        value, (lower, upper), confidence=confidence, n=n, lost=moments.n_nonfinite, method="mean, Student t",
        note=note,
    )  # fmt: skip
