"""The probability of an event, with the exact Clopper-Pearson interval."""

import math

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from montecarlo.estimates._estimate import Estimate, estimated
from montecarlo.estimates._rows import check_confidence, column


def probability(events: ArrayLike, *, confidence: float = 0.99) -> Estimate:
    """Estimate the probability of an event from yes/no rows, with the Clopper-Pearson interval.

    Right at every n and every probability, 0 and 1 included: coverage is at least `confidence`. Somewhat
    wider than approximate intervals (Wilson), which do not keep that promise.

    Parameters
    ----------
    events
        Rows, shape (rows,): True/False or 1/0; NaN marks a row whose outcome is unknown (counted and left
        out). A comparison such as ``x > 0`` turns NaN into False: put the NaN back where that matters.
    confidence
        Guaranteed coverage, default 0.99.

    Returns
    -------
    Estimate
        Value: the share of True, on the scale of probabilities.

    Raises
    ------
    ValueError
        If `events` is empty, not one-dimensional or has a value other than 0, 1 and NaN, or `confidence` is
        not in (0, 1).

    Notes
    -----
    C. J. Clopper and E. S. Pearson, Biometrika 26 (1934) 404-413, in its beta-quantile form.

    Examples
    --------
    >>> print(probability([True] * 30 + [False] * 70))
    0.30 [0.19, 0.43] (99 %, n=100)
    >>> round(probability([False] * 100).upper, 4)
    0.0516
    """
    miss = check_confidence(confidence)
    rows = column(events, "events")
    known = rows[~np.isnan(rows)]
    strange = known[(known != 0.0) & (known != 1.0)]
    if strange.size:
        raise ValueError(
            f"events has the value {float(strange[0])!r}: must be True, False or NaN; pass a comparison"
        )
    n, n_unknown = known.size, rows.size - known.size
    hits = int(np.count_nonzero(known))
    lower = float(special.betaincinv(hits, n - hits + 1, miss / 2.0)) if hits > 0 else 0.0
    upper = float(special.betainccinv(hits + 1, n - hits, miss / 2.0)) if hits < n else 1.0
    return estimated(
        hits / n if n else math.nan, (lower, upper), confidence=confidence, n=n, lost=n_unknown,
        method="probability, Clopper-Pearson", note="no known outcome" if n == 0 else None,
    )  # fmt: skip
