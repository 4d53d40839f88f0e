"""Bugs of intervals and tests: sides, looks, shares of the false alarm, off by one."""

from __future__ import annotations

from benchmarks.planted._bug import Bug

BUGS = (
    Bug(
        "montecarlo/sequential/_sequence.py",
        "math.log(2.0 / self._false_alarm)  # for each side",
        "math.log(1.0 / self._false_alarm)  # for each side",
        ("tests/montecarlo/sequential/test_accounting.py",),
        "intervals miss twice as often as they say",
    ),
    Bug(
        "montecarlo/sequential/_two_sample_cdf.py",
        "look_cost(k) * two_sample_bound(n, gap)",
        "two_sample_bound(n, gap)",
        ("tests/montecarlo/sequential/test_accounting.py",),
        "a false alarm at each look",
    ),
    Bug(
        "montecarlo/sequential/_cdf_band.py",
        "for k in range(done, self._looks):",
        "for k in range(max(done, self._looks - 1), self._looks):",
        (
            "tests/montecarlo/sequential/test_accounting.py",
            "tests/montecarlo/sequential/test_identities.py",
            "tests/montecarlo/sequential/test_results.py",
        ),
        "a law that was refuted is right again at the next look",
    ),
    Bug(
        "montecarlo/sequential/_quantile.py",
        "self._sorted[self.n - 1 - k]",
        "self._sorted[self.n - 2 - k]",
        ("tests/montecarlo/sequential/test_accounting.py",),
        "upper ends of quantiles one row too low",
    ),
    Bug(
        "montecarlo/sequential/_looks.py",
        "return (k + _EVEN) * (k + _EVEN + 1.0) / _EVEN",
        "return (k + _EVEN) * (k + _EVEN - 1.0) / _EVEN",
        ("tests/montecarlo/sequential/test_accounting.py",),
        "looks spend 7 % more than there is",
    ),
    Bug(
        "montecarlo/estimates/_bounded_mean.py",
        "math.log(4.0 / miss)",
        "math.log(1.0 / miss)",
        ("tests/montecarlo/estimates/test_accounting.py",),
        "intervals of bounded means with a fourth of their confidence",
    ),
    Bug(
        "montecarlo/estimates/_quantile.py",
        "int(stats.binom.isf(miss / 2.0, n, p)) + 1",
        "int(stats.binom.isf(miss / 2.0, n, p))",
        ("tests/montecarlo/estimates/test_identities.py",),
        "upper ends of quantiles one row too low",
    ),
    Bug(
        "montecarlo/estimates/_same_law.py",
        "return 4.0, 2.0 * n * m",
        "return 2.0, 2.0 * n * m",
        ("tests/montecarlo/estimates/test_accounting.py",),
        "samples of unequal size are refuted twice as often as stated",
    ),
    Bug(
        "montecarlo/estimates/_log_mean_exp.py",
        "each = miss / 2.0  # two",
        "each = miss  # two",
        ("tests/montecarlo/estimates/test_accounting.py",),
        "lower ends of heavy tails miss twice as often",
    ),
    Bug(
        "montecarlo/estimates/_order.py",
        "limit = deep + (deep - shallow)",
        "limit = deep - (deep - shallow)",
        ("tests/montecarlo/estimates/test_order.py",),
        "intervals of orders on the wrong side",
    ),
    Bug(
        "montecarlo/estimates/_mean.py",
        "special.stdtrit(n - 1, miss / 2.0)",
        "special.stdtrit(n, miss / 2.0)",
        (
            "tests/montecarlo/estimates/test_identities.py",
            "tests/montecarlo/estimates/test_outcomes.py",
            "tests/montecarlo/estimates/test_refutation.py",
            "tests/montecarlo/estimates/test_coverage.py",
        ),
        "intervals of a few rows are too short",
    ),
)
