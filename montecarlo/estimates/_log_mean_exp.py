"""The log of a mean of exponentials, computed in the log domain and honest about heavy tails."""

import math
import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from montecarlo.estimates._estimate import Estimate
from montecarlo.estimates._heavy_tail import HeavyTailWarning, TailDiagnostics
from montecarlo.estimates._rows import (
    check_confidence,
    check_finite,
    column,
    join_warnings,
    keep_below_infinity,
    warn_nonfinite,
)


@dataclass(frozen=True, kw_only=True, repr=False)
class LogMeanExp(Estimate):
    """An `Estimate` of ``log E exp(power · X)``, natural log, with the diagnostics of its tail.

    Parameters
    ----------
    power
        The exponent in front of the log rows.
    effective_sample_size
        ``(Σ w)² / Σ w²`` with w = exp(power · x); n where all weights are equal, 1 where one row is all.
    largest_share
        Share of the sum that the largest row carries.
    log_variance
        ``power² Var(x)`` over the finite rows; the sample mean is useless beyond ``2 log n``, its normal
        approximation beyond ``(log n)/2``, if the rows are about normal.
    log_standard_error
        Delta-method standard error of the value, ``√((n / effective_sample_size − 1)/(n − 1))``; meaningless
        where `heavy_tailed`.
    heavy_tailed
        Whether the diagnostics refuse a two-sided interval; the reasons are then in `warning`.
    """

    power: float
    effective_sample_size: float
    largest_share: float
    log_variance: float
    log_standard_error: float
    heavy_tailed: bool


def _hall_interval(weights: NDArray[np.float64], quantile: float) -> tuple[float, float]:
    """Return the two-sided interval of E w by Hall's (1992) cubic transformation of the Student statistic."""
    n = weights.size
    centre = float(np.mean(weights))
    deviations = weights - centre
    second = float(np.mean(deviations**2))
    skewness = float(np.mean(deviations**3)) / second**1.5 if second > 0.0 else 0.0
    spread = math.sqrt(second * n / (n - 1))

    def untransform(t: float) -> float:
        # inverse of g(w) = w + λ w²/3 + λ² w³/27 + λ/(6n), w = (mean − E)/spread; the identity as λ → 0
        if abs(skewness) < 1e-6:
            return t
        inner = 1.0 + skewness * (t - skewness / (6.0 * n))
        return 3.0 / skewness * (math.copysign(abs(inner) ** (1.0 / 3.0), inner) - 1.0)

    step = quantile / math.sqrt(n)
    return centre - spread * untransform(step), centre - spread * untransform(-step)


def _lower_bound(weights: NDArray[np.float64], miss: float) -> float:
    """Return a lower bound of E w, w >= 0, for every n and law, with chance `miss` of being wrong."""
    n = weights.size
    each = miss / 2.0  # two bounds share the chance
    markov = each * float(np.mean(weights))
    # Anderson: remove the upper share epsilon, by which the empirical cdf may be too low (one-sided
    # DKW-Massart)
    epsilon = math.sqrt(math.log(1.0 / each) / (2.0 * n))
    kept = np.clip(1.0 - epsilon - np.arange(n) / n, 0.0, 1.0 / n)
    anderson = float(np.sum(np.sort(weights) * kept))
    return max(markov, anderson)


def _log(x: float) -> float:
    return math.log(x) if x > 0.0 else -math.inf


def log_mean_exp(
    x: ArrayLike, *, power: float = 2.0, confidence: float = 0.99, warn: bool = False
) -> LogMeanExp:
    """Estimate ``log E exp(power · X)`` from log rows: at power 2, the natural log of E(‖h_L‖/‖h_0‖)².

    Right when many rows share the sum. The interval is then Hall's skewness-corrected one, approximate: each
    tail is off by O(1/n) at a fixed confidence, more in relative terms when 1 − `confidence` is tiny. Where a
    few rows carry the sum (`heavy_tailed`), the sample mean is far below the expectation with probability
    near 1, and no method recovers it from the rows alone: the interval is then one-sided, [lower, inf), with
    a lower end that is valid for every law and n, and `warning` says why. No diagnostic sees a tail that the
    sample has missed entirely. In that setting test the law of the logs instead (`law_distance`, `quantile`).

    Parameters
    ----------
    x
        Rows of natural logs, shape (rows,), of any size (±thousands); -inf is an exact zero and enters as
        such. NaN and +inf are counted and left out.
    power
        Positive exponent, default 2 (a second moment). For negative moments pass `-x`.
    confidence
        Nominal coverage, default 0.99.
    warn
        Also emit `HeavyTailWarning` where `heavy_tailed`. Default False: only the field is set.

    Returns
    -------
    LogMeanExp
        Value and interval on the natural-log scale, with the diagnostics.

    Raises
    ------
    ValueError
        If `x` is empty or not one-dimensional, `power` is not positive and finite, or `confidence` is not in
        (0, 1).

    Notes
    -----
    Interval: P. Hall, "On the removal of skewness by transformation", J. Royal Statistical
    Society B 54 (1992) 221-228, with Student's quantile, then the log of both ends. Lower bound: the larger
    of Markov's inequality for the sample mean and T. W. Anderson's bound (1969, Bulletin of the International
    Statistical Institute 43:249-251) with the one-sided constant of P. Massart, Annals of Probability 18
    (1990) 1269-1283, each at half of 1 − `confidence`. Diagnostics and their sources:
    `montecarlo.estimates._heavy_tail`.

    Examples
    --------
    >>> import numpy as np
    >>> x = 1000.0 + 0.1 * np.random.default_rng(1).standard_normal(1000)
    >>> print(log_mean_exp(x))  # truth: 2000 + 0.02
    2000.009 [1999.992, 2000.025] (99 %, n=1000)
    >>> hopeless = log_mean_exp(30.0 * (x - 1000.0) / 0.1, power=1.0)  # truth: 450
    >>> hopeless.heavy_tailed, hopeless.upper
    (True, inf)
    """
    miss = check_confidence(confidence)
    check_finite("power", power, "pass for example 2.0")
    if power <= 0.0:
        raise ValueError(f"power={power!r}: must be positive; for a negative moment pass -x")
    rows = column(x)
    with np.errstate(over="ignore"):
        y, n_nonfinite = keep_below_infinity(power * rows)
    n = y.size
    peak = float(np.max(y)) if n else -math.inf
    if n == 0 or peak == -math.inf:
        nothing = "no finite row" if n == 0 else "every row is an exact zero: no bound above"
        return LogMeanExp(
            value=-math.inf if n else math.nan,
            lower=-math.inf,
            upper=math.inf,
            confidence=confidence,
            n=n,
            n_nonfinite=n_nonfinite,
            method="log mean exp, no information",
            warning=join_warnings(nothing, warn_nonfinite(n_nonfinite, rows.size)),
            power=power,
            effective_sample_size=0.0,
            largest_share=math.nan,
            log_variance=math.nan,
            log_standard_error=math.inf,
            heavy_tailed=True,
        )
    weights = np.exp(y - peak)
    value = peak + math.log(float(np.mean(weights)))
    tail = TailDiagnostics.of(y, weights)
    reason = tail.describe()
    note = reason
    if reason is not None:
        method = "log mean exp, one-sided (Markov, Anderson)"
        lower, upper = peak + _log(_lower_bound(weights, miss)), math.inf
        if warn:
            warnings.warn(reason, HeavyTailWarning, stacklevel=2)
    else:
        method = "log mean exp, Hall skewness-corrected t"
        quantile = -float(special.stdtrit(n - 1, miss / 2.0))
        low, high = _hall_interval(weights, quantile)
        lower, upper = peak + _log(low), peak + _log(high)
        if low == high:
            note = "all rows are equal: the interval has no width"
            lower = upper = value
    excess = max(0.0, n / tail.effective_sample_size - 1.0)
    return LogMeanExp(
        value=value,
        lower=lower,
        upper=upper,
        confidence=confidence,
        n=n,
        n_nonfinite=n_nonfinite,
        method=method,
        warning=join_warnings(note, warn_nonfinite(n_nonfinite, rows.size)),
        power=power,
        effective_sample_size=tail.effective_sample_size,
        largest_share=tail.largest_share,
        log_variance=tail.log_variance,
        log_standard_error=math.sqrt(excess / (n - 1)) if n > 1 else math.inf,
        heavy_tailed=reason is not None,
    )
