"""G1: the exact law of schedules, against explicit matrices, closed moments and the law of I6."""

import math

import numpy as np
import pytest
from explicit_blocks import explicit_networks, kolmogorov

import theory
from theory.schedules import _law

SCHEDULE = {"depth": 3, "alpha": (0.5, 0.9, 0.6), "skip": (1.0, -1.2, 0.8), "width": 5, "hidden_width": 24}


@pytest.fixture(scope="module")
def law():
    return theory.ScheduleNormLaw(**SCHEDULE)


@pytest.fixture(scope="module")
def networks():
    return explicit_networks(np.random.default_rng(4), nets=30_000, **SCHEDULE)


@pytest.mark.statistical
def test_explicit_networks_follow_the_law(law, networks):
    # Three comparisons of 4e-8 each.
    hidden, gradient = (0.5 * np.log(x) for x in (networks.hidden / networks.start, networks.gradient))
    assert kolmogorov(hidden, law) < 1
    assert kolmogorov(gradient, law) < 1
    wrong = theory.ScheduleNormLaw(**{**SCHEDULE, "skip": (1.0, -1.2, 0.83)})
    assert kolmogorov(hidden, wrong) > 1


def moment(law, power):
    """E (‖h_L‖/‖h_0‖)^power by quadrature over the quantiles of the law."""
    x = np.linspace(law.mean() - 14 * law.std(), law.mean() + 14 * law.std(), 40_001)
    return float(np.trapezoid(np.exp(power * x) * law.pdf(x), x))


def test_closed_moments(law):
    size = {key: SCHEDULE[key] for key in ("depth", "alpha", "skip")}
    assert moment(law, 0) == pytest.approx(1, abs=1e-9)
    assert moment(law, 2) == pytest.approx(theory.schedule_second_moment(**size), rel=1e-7)
    fourth = theory.log_schedule_fourth_moment(width=5, hidden_width=24, **size)
    assert moment(law, 4) == pytest.approx(math.exp(fourth), rel=1e-6)


def test_one_scaling_is_the_law_of_i6():
    x = np.linspace(-1, 2, 41)
    size = {"width": 3, "depth": 20, "alpha": 0.4}
    assert theory.ScheduleNormLaw(**size).cdf(x) == pytest.approx(
        theory.ExactNormLaw(**size).cdf(x), abs=1e-15
    )


def test_the_order_of_the_layers_does_not_matter(law):
    turned = {key: value[::-1] if isinstance(value, tuple) else value for key, value in SCHEDULE.items()}
    x = np.linspace(-1, 2, 41)
    assert theory.ScheduleNormLaw(**turned).cdf(x) == pytest.approx(law.cdf(x), abs=1e-13)


def test_layers_without_branch_only_scale():
    with_one = theory.ScheduleNormLaw(width=4, depth=2, alpha=[0.5, 0.0], skip=[1.0, -2.0], hidden_width=60)
    without = theory.ScheduleNormLaw(width=4, depth=1, alpha=0.5, hidden_width=60)
    assert float(with_one.ppf(0.3)) == pytest.approx(float(without.ppf(0.3)) + math.log(2), abs=1e-12)


def test_few_units_have_an_atom():
    law = theory.ScheduleNormLaw(width=30, depth=2, alpha=[0.5, 0.3], skip=[1.0, 0.5], hidden_width=4)
    jump = float(law.cdf(law.shift)) - float(law.cdf(law.shift - 1e-13))
    assert law.atom == 1 / 256
    assert jump == pytest.approx(1 / 256, abs=1e-6)
    assert float(law.ppf(float(law.cdf(law.shift)) - 0.001)) == law.shift


def test_interpolated_schedules_are_those_layer_by_layer(monkeypatch):
    size = {"width": 100, "depth": 10, "alpha": 0.9 / np.sqrt(np.arange(1, 11))}
    monkeypatch.setattr(_law, "_DIRECT", 3)
    monkeypatch.setattr(_law, "_LARGEST", 1)
    monkeypatch.setattr(_law, "_CHEBYSHEV", 6)
    quick = theory.ScheduleNormLaw(**size)
    x = np.linspace(quick.mean() - 6 * quick.std(), quick.mean() + 6 * quick.std(), 101)
    found = quick.cdf(x)
    assert len(quick._sum.laws) == 7
    monkeypatch.setattr(_law, "_DIRECT", 10)
    assert theory.ScheduleNormLaw(**size).cdf(x) == pytest.approx(found, abs=1e-5)


@pytest.mark.parametrize("preserving", [False, True])
def test_the_limit(preserving):
    a = math.sqrt(2.0 / 1000)
    skip = math.sqrt(1 - a * a / 2) if preserving else 1.0
    law = theory.ScheduleNormLaw(width=20, hidden_width=7, depth=1000, alpha=a, skip=skip)
    limit = theory.schedule_limit_law(width=20, total=2.0, preserving=preserving)
    assert law.mean() == pytest.approx(float(limit.mean()), abs=2e-3)
    assert law.var() == pytest.approx(float(limit.var()), rel=1e-2)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"skip": (1.0, 0.0, 1.0)}, "skip=0 at layer 2: must not be 0, .*; give another factor"),
        ({"alpha": 0.0}, "alpha=0: must be > 0 at some layer; give"),
        ({"hidden_width": 0}, "hidden_width=0: must be a whole number >= 1; give"),
    ],
)
def test_bad_input_is_refused_in_one_line(change, message):
    with pytest.raises(ValueError, match=message) as caught:
        theory.ScheduleNormLaw(**{**SCHEDULE, **change})
    assert "\n" not in str(caught.value)


def test_quantiles_and_missing_values(law):
    assert float(law.cdf(law.ppf(0.3))) == pytest.approx(0.3, abs=1e-12)
    assert law.median() == float(law.ppf(0.5))
    assert law.rvs(size=(2, 3), random_state=np.random.default_rng(0)).shape == (2, 3)
    assert float(law.sf(0.2)) == pytest.approx(1 - float(law.cdf(0.2)), abs=1e-15)
    with pytest.raises(ValueError, match="x=nan: must be a number"):
        law.cdf(math.nan)
