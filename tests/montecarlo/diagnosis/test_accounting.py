"""What the tests of a diagnosis spend together is no more than the false alarm that it states."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats

from montecarlo import ResNet, estimates, simulate
from montecarlo.diagnosis import Prediction
from montecarlo.diagnosis._check import check_predictions, check_ratio

LAW = Prediction("", "exact law", "", "", stats.norm(0.2, 0.1))
BOUNDS = Prediction("", "bounds", "", "", bounds=(-1.0, 1.0))
NOTHING = Prediction("", "nothing", "", "")


def spent(monkeypatch: pytest.MonkeyPatch, hidden: Prediction, gradient: Prediction, stated: float) -> float:
    """Return the sum of the miss probabilities of every interval that a verdict was made of."""
    misses: list[float] = []
    for name in ("quantile", "probability"):
        original = getattr(estimates, name)

        def counted(*args: Any, original: Any = original, **options: Any) -> Any:
            if "confidence" in options:  # the intervals that are only shown have the default one
                misses.append(1 - options["confidence"])
            return original(*args, **options)

        monkeypatch.setattr(estimates, name, counted)
    sample = simulate(ResNet(width=8, depth=4, beta=0.5), replicas=64, seed=1)
    check_predictions(sample, hidden, gradient, false_alarm=stated)
    return sum(misses)


@pytest.mark.parametrize("stated", [1e-6, 1e-3, 0.3])
@pytest.mark.parametrize(
    ("hidden", "gradient", "share"),
    [
        (LAW, LAW, 1.0),
        (LAW, BOUNDS, 1.0),
        (BOUNDS, BOUNDS, 1.0),
        (LAW, NOTHING, 0.5),
        (NOTHING, NOTHING, 0.0),
    ],
)
def test_the_tests_spend_what_is_stated(
    monkeypatch: pytest.MonkeyPatch, hidden: Prediction, gradient: Prediction, share: float, stated: float
) -> None:
    assert spent(monkeypatch, hidden, gradient, stated) == pytest.approx(share * stated, rel=1e-6, abs=1e-15)


@pytest.mark.statistical
def test_right_laws_are_refuted_no_more_often_than_stated() -> None:
    # 300 samples of a right law at 30 %: the three quantiles may refute 90; not shared they would refute some
    # 165. Binomial deviation 8: six of them are 2e-9.
    rng = np.random.default_rng(5)
    rows = rng.normal(0.2, 0.1, (300, 400))
    refuted = sum(check_ratio(row, LAW, false_alarm=0.3).agrees is False for row in rows)
    assert 20 < refuted < 90 + 6 * 8
