"""The variance of rows with a finite fourth moment, with an interval that uses their kurtosis."""

import math

from numpy.typing import ArrayLike
from scipy import special

from montecarlo.estimates._estimate import Estimate, estimated
from montecarlo.estimates._moments import Moments, moments_of
from montecarlo.estimates._rows import check_confidence


def variance(x: ArrayLike | Moments, *, confidence: float = 0.99) -> Estimate:
    """Estimate the variance of rows, with Bonett's kurtosis-based interval.

    Right for rows with moderate tails (kurtosis estimable from the sample), such as logs of norm ratios;
    unlike the chi-square interval it does not assume a normal law. Approximate: asymptotically valid with a
    finite fourth moment, too short where the sample misses the tail that carries the kurtosis (heavy tails,
    tiny n), and the more so the smaller 1 − `confidence`. Wrong for norms or ratios themselves.

    Parameters
    ----------
    x
        Rows, shape (rows,), or `Moments` pooled from blocks. Non-finite rows are counted, never in the
        variance.
    confidence
        Nominal coverage, default 0.99.

    Returns
    -------
    Estimate
        The unbiased sample variance; interval [0, inf) where n is too small (n < 4 or n below the normal
        quantile).

    Raises
    ------
    ValueError
        If `x` is empty or not one-dimensional, or `confidence` is not in (0, 1).

    Notes
    -----
    D. G. Bonett, "Approximate confidence interval for standard deviation of nonnormal
    distributions", Computational Statistics & Data Analysis 50 (2006) 775-782, with the kurtosis about the
    mean rather than about the trimmed mean, so that pooled moments suffice.

    Examples
    --------
    >>> print(variance([1.0, 2.0, 3.0, 4.0, 5.0] * 40))
    2.01 [1.74, 2.38] (99 %, n=200)
    """
    miss = check_confidence(confidence)
    moments = moments_of(x)
    n = moments.n
    value, lower, upper = moments.variance, 0.0, math.inf
    quantile = -float(special.ndtri(miss / 2.0))
    note = None
    if n < 4 or n <= quantile:
        note = f"n={n} is too small for an interval"
    elif moments.M2 == 0.0:
        lower = upper = value
        note = "all rows are equal: the interval has no width"
    else:
        small_sample = n / (n - quantile)
        log_error = small_sample * math.sqrt((moments.kurtosis - (n - 3) / n) / (n - 1))
        lower = value * small_sample * math.exp(-quantile * log_error)
        upper = value * small_sample * math.exp(min(quantile * log_error, 700.0))
        if log_error > 0.3:
            note = f"kurtosis {moments.kurtosis:.2g} is large for n={n}: the interval may be too short"
    return estimated(
        value, (lower, upper), confidence=confidence, n=n, lost=moments.n_nonfinite,
        method="variance, Bonett kurtosis-based", note=note,
    )  # fmt: skip
