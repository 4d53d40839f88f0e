"""`explain`: a verdict as a few lines that say all that is known."""

from __future__ import annotations

import math

from montecarlo.verification._verdict import Verdict

SIGNS = {"equal": "", "at most": "≤ ", "at least": "≥ "}
"""What stands before a prediction."""


def number(value: float) -> str:
    """Return a number with five significant digits, a dash for NaN."""
    return "–" if math.isnan(value) else f"{value:.5g}"


def interval(verdict: Verdict) -> str:
    """Return the interval of the numbers that are not refuted."""
    lower, upper = verdict.interval
    return "empty" if lower > upper else f"[{number(lower)}, {number(upper)}]"


def reason(verdict: Verdict) -> str:
    """Return in one sentence why the verdict is what it is."""
    claimed = f"{SIGNS[verdict.claim]}{number(verdict.predicted)}"
    if verdict.interval[0] > verdict.interval[1]:
        # Whatever is predicted: it need not be the theory that is wrong.
        return (
            f"the rows refute every number, {claimed} among them: what is assumed of their tail (the bound) "
            "must be wrong, or they are not independent"
        )
    if verdict.verdict == "refuted":
        return f"{claimed} is predicted, and {number(verdict.estimate)} {interval(verdict)} was measured"
    if verdict.verdict == "consistent":
        return f"{claimed} is right to within {verdict.resolution:.2g}"
    asked = f"{verdict.resolution_asked:.2g} was asked for"
    if not verdict.networks:
        return f"it was stopped before its first networks; a resolution of {asked}"
    return f"it was stopped at a resolution of {verdict.resolution:.2g}; {asked}"


def explain(verdict: Verdict) -> str:
    """Return a verdict as lines: what was predicted, measured, and could not have passed.

    Examples
    --------
    >>> import numpy as np
    >>> from montecarlo.verification import check_mean
    >>> def rows(seed, first, count):
    ...     return np.random.default_rng([seed, first]).random(count)
    >>> print(explain(check_mean(rows, 0.55, resolution=0.02, low=0.0, high=1.0)))
    claim: refuted: 0.55 is predicted, and ... was measured
      predicted   0.55
      estimate    0..., not refuted: [0.4..., 0.5...]
      resolution  0.0..., asked for 0.02
      sampled     ... in ... s
      false alarm 1e-06
    """
    title = " ".join(part for part in (verdict.id, verdict.name) if part)
    sampled = f"{verdict.networks:,} networks" if verdict.specification else f"{verdict.networks:,} rows"
    lost = f", of which {verdict.rows_left_out:,} are not finite and left out" * bool(verdict.rows_left_out)
    lines = [f"{title}: {verdict.verdict}: {reason(verdict)}"]
    if verdict.quantity:
        lines.append(f"  quantity    {verdict.quantity}")
    lines += [
        f"  predicted   {SIGNS[verdict.claim]}{number(verdict.predicted)}",
        f"  estimate    {number(verdict.estimate)}, not refuted: {interval(verdict)}",
        f"  resolution  {verdict.resolution:.2g}, asked for {verdict.resolution_asked:.2g}",
        f"  sampled     {sampled}{lost} in {verdict.seconds:.1f} s",
        f"  false alarm {verdict.false_alarm:.2g}",
    ]
    return "\n".join(lines)
