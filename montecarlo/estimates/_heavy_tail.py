"""Diagnostics of a mean of exponentials: do a few rows carry the whole sum?

With rows y of standard deviation σ and roughly normal, ``mean(exp y)`` of n rows behaves as a sum of random
exponentials: it follows the law of large numbers only for ``σ² < 2 log n`` and the central limit theorem only
for ``σ² < (log n)/2`` (G. Ben Arous, L. V. Bogachev, S. A. Molchanov, "Limit theorems for sums of random
exponentials", Probability Theory and Related Fields 132 (2005) 579-612; A. Bovier, I. Kurkova, M. Löwe,
Annals of Probability 30 (2002) 605-651). Beyond, the largest term dominates and
the mean is low by many decades with probability near 1. Since ``E w² / (E w)² = e^{σ²}``, the second
condition reads: effective sample size above √n. A sample flatters its own effective size (it misses the
tail), hence the factor 5 below, chosen so that the two-sided interval of `log_mean_exp` keeps its coverage
among the samples that pass.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

EFFECTIVE_SIZES = 5.0
"""Fewest effective rows, in units of √n."""

LARGEST_SHARE = 0.1
"""Largest share of the sum that one row may carry."""


class HeavyTailWarning(UserWarning):
    """The sample mean of a heavy-tailed quantity says little about its expectation."""


@dataclass(frozen=True, kw_only=True)
class TailDiagnostics:
    """How evenly the weights exp(y) share their sum.

    Parameters
    ----------
    n
        Number of rows, zero weights included.
    effective_sample_size
        ``(Σ w)² / Σ w²``, between 1 and n.
    largest_share
        ``max w / Σ w``, between 1/n and 1.
    log_variance
        Sample variance of the finite y (natural logs); NaN with fewer than two.
    """

    n: int
    effective_sample_size: float
    largest_share: float
    log_variance: float

    @classmethod
    def of(cls, y: NDArray[np.float64], weights: NDArray[np.float64]) -> "TailDiagnostics":
        """Return the diagnostics of log weights `y` and `weights` = exp(y − max y), both of shape (rows,)."""
        total = float(np.sum(weights))
        finite = y[np.isfinite(y)]
        return cls(
            n=y.size,
            effective_sample_size=total**2 / float(np.sum(weights * weights)),
            largest_share=float(np.max(weights)) / total,
            log_variance=float(np.var(finite, ddof=1)) if finite.size > 1 else math.nan,
        )

    def describe(self) -> str | None:
        """Say in one line why the mean cannot be trusted; None if no diagnostic objects."""
        reasons = []
        # at most n / 2, so that a small sample of nearly equal weights passes
        least = min(EFFECTIVE_SIZES * math.sqrt(self.n), self.n / 2.0)
        if self.effective_sample_size < least:
            reasons.append(f"effective sample size {self.effective_sample_size:.3g} of {self.n}")
        if self.largest_share > LARGEST_SHARE:
            reasons.append(f"one row carries {100.0 * self.largest_share:.3g} % of the sum")
        # A few rows near zero inflate the variance of the logs and do no harm: ask the weights to confirm.
        limit = 0.5 * math.log(self.n)
        if self.log_variance > limit and self.effective_sample_size < self.n / 10.0:
            reasons.append(f"variance of the logs {self.log_variance:.3g} above (log n)/2 = {limit:.3g}")
        if not reasons:
            return None
        low = ""
        if self.log_variance > 2.0 * math.log(self.n):
            # log E = μ + σ²/2 against the largest of n terms over n, μ + σ √(2 log n) − log n
            missing = (math.sqrt(self.log_variance) - math.sqrt(2.0 * math.log(self.n))) ** 2 / 2.0
            low = f", low by about {missing / math.log(10.0):.0f} decades if the logs are normal"
        return (
            "heavy tail: " + ", ".join(reasons) + ": the sample mean is no estimate of the expectation" + low
        )
