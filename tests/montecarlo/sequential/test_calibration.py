"""False alarms of each sequence with a look at every row, over many streams of a true prediction.

The count of streams that ever refute is judged by an exact binomial bound at FALSE_ALARM over the number of
settings. The seed may be changed once, with a reason.
"""

import math

import numpy as np
import pytest
from scipy import stats

from montecarlo.sequential import _refutation_times as times

SEED = 20250611
FALSE_ALARM = 1e-6
LEVEL = 0.05
STREAMS = 10_000


def uniform(rng, rows):
    return rng.random((STREAMS, rows))


def rare(rng, rows):
    return (rng.random((STREAMS, rows)) < 0.03).astype(float)


def lognormal(rng, rows):  # mean 1, second moment e^2.25 = 9.5, fourth 7e5
    return np.exp(rng.normal(-1.125, 1.5, (STREAMS, rows)))


def two_points(rng, rows):  # the law that attains the bound of the second moment: mean 1/2, second moment 1
    return 2.0 * (rng.random((STREAMS, rows)) < 0.25)


def atoms(rng, rows):
    return np.floor(3.0 * rng.random((STREAMS, rows)))


def even_gap(rng, rows):  # events of probability 1/2 where 0.2 is predicted
    return np.round(uniform(rng, rows)) - 0.2


# name: (draw, rows, refutation times of the true prediction)
CASES = {
    "bounded mean, uniform": (uniform, 400, lambda x: times.bounded_times(x, 0.5, false_alarm=LEVEL)),
    "bounded mean, wide": (
        lambda rng, rows: rng.beta(0.1, 0.3, (STREAMS, rows)),
        400,
        lambda x: times.bounded_times(x, 0.25, false_alarm=LEVEL),
    ),
    "event, rare": (rare, 400, lambda x: times.bounded_times(x, 0.03, false_alarm=LEVEL)),
    "event, even": (
        lambda rng, rows: np.round(uniform(rng, rows)),
        400,
        lambda x: times.bounded_times(x, 0.5, false_alarm=LEVEL),
    ),
    "non-negative mean, log-normal": (
        lognormal,
        200,
        lambda x: times.non_negative_times(x, 1.0, second_moment_bound=math.exp(2.25), false_alarm=LEVEL),
    ),
    "non-negative mean, two points": (
        two_points,
        200,
        lambda x: times.non_negative_times(x, 0.5, second_moment_bound=1.0, false_alarm=LEVEL),
    ),
    "sub-Gaussian mean, normal": (
        lambda rng, rows: rng.standard_normal((STREAMS, rows)),
        400,
        lambda x: times.sub_gaussian_times(x, 0.0, variance_proxy=1.0, tuned_rows=50, false_alarm=LEVEL),
    ),
    "sub-Gaussian mean, signs": (
        lambda rng, rows: np.sign(uniform(rng, rows) - 0.5),
        400,
        lambda x: times.sub_gaussian_times(x, 0.0, variance_proxy=1.0, tuned_rows=50, false_alarm=LEVEL),
    ),
    "empirical Bernstein, uniform": (
        uniform,
        400,
        lambda x: times.bernstein_times(x, 0.5, false_alarm=LEVEL),
    ),
    "empirical Bernstein, rare": (rare, 400, lambda x: times.bernstein_times(x, 0.03, false_alarm=LEVEL)),
    "median": (uniform, 400, lambda x: times.quantile_times(x, 0.5, 0.5, false_alarm=LEVEL)),
    "upper quantile": (uniform, 400, lambda x: times.quantile_times(x, 0.95, 0.95, false_alarm=LEVEL)),
    "quantile at an atom": (atoms, 200, lambda x: times.quantile_times(x, 1.0, 0.5, false_alarm=LEVEL)),
    "law": (uniform, 250, lambda x: times.cdf_times(x, lambda t: t, false_alarm=LEVEL)),
    "two laws": (
        lambda rng, rows: uniform(rng, 2 * rows),
        150,
        lambda x: times.two_sample_times(x[:, ::2].copy(), x[:, 1::2].copy(), false_alarm=LEVEL),
    ),
}


def distance(proxy, resolution=0.2):
    # both ends spend half: at twice the level the upper one has the level
    return lambda x, true: times.distance_times(
        x, true, variance_proxy=proxy, resolution=resolution, false_alarm=2.0 * LEVEL
    )


CASES |= {
    "bounded mean that aims, uniform": (
        uniform,
        900,
        lambda x: times.bounded_times(x, 0.5, false_alarm=LEVEL, aim=0.03),
    ),
    "bounded mean that aims, rare": (
        rare,
        900,
        lambda x: times.bounded_times(x, 0.03, false_alarm=LEVEL, aim=0.01),
    ),
    "non-negative mean that aims, log-normal": (
        lognormal,
        900,
        lambda x: times.non_negative_times(
            x, 1.0, second_moment_bound=math.exp(2.25), false_alarm=LEVEL, aim=0.3
        ),
    ),
    "non-negative mean that aims, two points": (
        two_points,
        900,
        lambda x: times.non_negative_times(x, 0.5, second_moment_bound=1.0, false_alarm=LEVEL, aim=0.1),
    ),
    "upper end of a distance, even": (even_gap, 400, lambda x: distance(0.25)(x, 0.3)),
    "upper end of a distance, rare": (
        lambda rng, rows: rare(rng, rows) - 0.2,
        400,
        lambda x: distance(0.25)(x, 0.17),
    ),
    "upper end of a distance of two samples": (
        lambda rng, rows: np.round(uniform(rng, rows)) - rare(rng, rows),
        400,
        lambda x: distance(0.5)(x, 0.47),
    ),
}

# not vacuous: these rates are exceeded, so that a level a few times too small would be broken
SHARP = {
    "bounded mean, uniform": 0.012,
    "event, even": 0.018,
    "non-negative mean, two points": 0.013,
    "bounded mean that aims, uniform": 0.012,
    "sub-Gaussian mean, normal": 0.021,
    "upper end of a distance, even": 0.02,
}


@pytest.mark.statistical
@pytest.mark.parametrize("name", CASES)
def test_truth_is_refuted_no_more_often_than_stated(name):
    draw, rows, refutation_times = CASES[name]
    rng = np.random.default_rng([SEED, list(CASES).index(name)])
    alarms = np.count_nonzero(refutation_times(draw(rng, rows)))
    assert alarms <= stats.binom.isf(FALSE_ALARM / len(CASES), STREAMS, LEVEL)
    if name in SHARP:
        assert alarms >= stats.binom.ppf(FALSE_ALARM / len(SHARP), STREAMS, SHARP[name])


# what the calibration notices: hypotheses that do not hold, and predictions that are not true
WRONG = {
    "variance proxy too small by 36 %": lambda rng: times.sub_gaussian_times(
        1.25 * rng.standard_normal((STREAMS, 400)),
        0.0,
        variance_proxy=1.0,
        tuned_rows=50,
        false_alarm=LEVEL,
    ),
    "second moment twice its bound": lambda rng: times.non_negative_times(
        two_points(rng, 200), 0.5, second_moment_bound=0.5, false_alarm=LEVEL
    ),
    "mean off by 5 %": lambda rng: times.bounded_times(uniform(rng, 400), 0.525, false_alarm=LEVEL),
    "distance between laws too large by 0.03": lambda rng: distance(0.25)(even_gap(rng, 400), 0.33),
    "mean off by 5 %, aimed at": lambda rng: times.bounded_times(
        uniform(rng, 900), 0.525, false_alarm=LEVEL, aim=0.03
    ),
    "median off by a tenth": lambda rng: times.quantile_times(
        uniform(rng, 400), 0.5, 0.45, false_alarm=LEVEL
    ),
}


@pytest.mark.statistical
@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_refuted_more_often(name):
    rng = np.random.default_rng([SEED, 100 + list(WRONG).index(name)])
    alarms = np.count_nonzero(WRONG[name](rng))
    assert alarms > stats.binom.isf(FALSE_ALARM / len(WRONG), STREAMS, LEVEL)
