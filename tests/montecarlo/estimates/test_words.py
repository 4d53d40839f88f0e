"""What estimates say of themselves, word for word: digits, confidence, heavy tails, tests of laws."""

from __future__ import annotations

import math

import pytest

from montecarlo.estimates import Estimate, LawTest
from montecarlo.estimates._heavy_tail import TailDiagnostics


def estimate(value: float, lower: float, upper: float, confidence: float = 0.99, **given) -> Estimate:
    return Estimate(value=value, lower=lower, upper=upper, confidence=confidence, n=1000, method="t", **given)


@pytest.mark.parametrize(
    ("found", "shown"),
    [
        # Two digits of half the width of the interval.
        (estimate(0.28412, 0.279, 0.2893), "0.2841 [0.2790, 0.2893] (99 %, n=1000)"),
        (estimate(12.3456, 10.0, 15.0, 0.999), "12.3 [10.0, 15.0] (99.9 %, n=1000)"),
        (estimate(1234.56, 1000.0, 1500.0, 0.95), "1235 [1000, 1500] (95 %, n=1000)"),
        (estimate(-0.05, -0.28, math.inf), "-0.05 [-0.28, inf] (99 %, n=1000)"),
        (estimate(0.5, 0.4, 0.6, 1.0 - 1e-6), "0.50 [0.40, 0.60] (99.9999 %, n=1000)"),
        (estimate(0.5, 0.4, 0.6, 1.0 - 1e-8), "0.50 [0.40, 0.60] (1 - 1e-08, n=1000)"),
        (estimate(0.5, 0.4, 0.6, n_nonfinite=3), "0.50 [0.40, 0.60] (99 %, n=1000, 3 not finite)"),
        (
            estimate(0.5, 0.4, 0.6, warning="few rows"),
            "0.50 [0.40, 0.60] (99 %, n=1000) warning: few rows",
        ),
    ],
)
def test_estimates_in_a_line(found: Estimate, shown: str) -> None:
    assert str(found) == shown


def test_half_widths() -> None:
    found = estimate(-4.0, -5.0, -2.5)
    assert (found.half_width, found.relative_half_width) == (1.25, 0.3125)
    assert estimate(0.0, -1.0, 1.0).relative_half_width == math.inf


def test_heavy_tails_in_words() -> None:
    tail = TailDiagnostics(n=100, effective_sample_size=1.234, largest_share=0.9012, log_variance=36.0)
    # Missing: (σ − √(2 log n))²/2 = (6 − 3.0349)²/2 = 4.396 natural logs, 1.9 decades.
    assert tail.describe() == (
        "heavy tail: effective sample size 1.23 of 100, one row carries 90.1 % of the sum, variance of the "
        "logs 36 above (log n)/2 = 2.3: the sample mean is no estimate of the expectation, low by about 2 "
        "decades if the logs are normal"
    )
    light = TailDiagnostics(n=100, effective_sample_size=80.0, largest_share=0.02, log_variance=0.2)
    assert light.describe() is None


def test_tests_of_laws_in_a_line() -> None:
    found = LawTest(
        distance=0.0412,
        threshold=0.1234,
        pvalue=0.25,
        false_alarm=1e-6,
        n=1000,
        m=500,
        n_nonfinite=2,
        method="DKW",
    )
    shown = str(found)
    assert "distance 0.0412, sees 0.1234 (p <= 0.25, false alarm 1e-06, n=1000, m=500, 2 not finite)" in shown
    assert not found.refuted
    assert not shown.startswith("refuted")
