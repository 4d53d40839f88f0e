"""Sequences against independent forms: confseq, enumeration, quadrature, high precision, plain products."""

import itertools
import math

import mpmath
import numpy as np
import pytest
from scipy import integrate, stats

from montecarlo import InvalidFieldError
from montecarlo.sequential import (
    BoundedMean,
    CdfBand,
    EmpiricalBernstein,
    EventProbability,
    NonNegativeMean,
    QuantileSequence,
    SubGaussianMean,
    TwoSampleCdf,
)
from montecarlo.sequential import _refutation_times as times
from montecarlo.sequential._capital import BETS, Growth, aimed_bets
from montecarlo.sequential._cdf_band import look_epsilon
from montecarlo.sequential._looks import look_rows
from montecarlo.sequential._non_negative_mean import aimed_slopes, log_shortfall
from montecarlo.sequential._sub_gaussian_mean import log_normal_mixture, tuned_rho
from montecarlo.sequential._two_sample_cdf import two_sample_bound

# Numbers of confseq 0.0.11 (PyPI), with numpy 2.4.6 and boost 1.74. Rows: frac(i (√5 − 1)/2)², i = 1, 2, ...
ROWS = np.mod(np.arange(1, 1001) * ((math.sqrt(5.0) - 1.0) / 2.0), 1.0) ** 2
# boundaries.normal_mixture_bound(v, alpha=0.05, v_opt=100, alpha_opt=0.05, is_one_sided=False)
NORMAL_MIXTURE = {10.0: 12.1907531463415, 100.0: 30.35208990376253, 1e4: 356.16410409188995}
# predmix.predmix_lower_cs at alpha/2 = 0.025, bets lambda_predmix_eb(truncation=1/2), centres
# (1/2 + Σx)/(n + 1), of the rows and of 1 − rows
BERNSTEIN = {
    100: (0.22352526438344972, 0.44310760846928177),
    1000: (0.2991319644636353, 0.3674686451675987),
}
# betting.betting_mart with constant bets κ/(1 + κm), averaged over κ; of the rows and of 1 − rows: (m, rows)
CAPITAL = {
    (0.3, 20): (0.5919223658956125, 0.5852694268901792),
    (0.3, 1000): (40.60116905979242, 0.2819533296260964),
    (0.35, 20): (0.5152638767261515, 0.7605356232433587),
    (0.35, 1000): (0.32081300340185664, 0.8906789572808388),
    (0.45, 20): (0.4470249276604279, 3.628796017687885),
    (0.45, 1000): (0.20379090521498236, 3.75903294344256e27),
}
# boundaries.bernoulli_confidence_interval(events, rows, 1e-6, t_opt=10_000, alpha_opt=1e-6)
BERNOULLI = {
    (3000, 10_000): (0.2744685265594399, 0.3263600171942244),
    (300, 10_000): (0.021289997923936425, 0.04065468295831323),
    (300_000, 10**6): (0.29726703029778023, 0.30274208657604057),
    (30_000, 10**6): (0.028991418558393885, 0.031030001042922493),
}
# quantiles.empirical_process_lil_bound(rows, 1e-6, t_min=10)
LAW_BAND = {1000: 0.11284322808097941, 10**5: 0.01147470510218008, 10**6: 0.0036488099662327533}


def test_normal_mixture_agrees_with_confseq():
    log_inverse = math.log(1.0 / 0.05)
    rho = 100.0 / (2.0 * log_inverse + math.log(1.0 + 2.0 * log_inverse))  # confseq's approximate tuning
    for intrinsic, bound in NORMAL_MIXTURE.items():
        assert math.isclose(log_normal_mixture(bound, intrinsic, rho), log_inverse, rel_tol=1e-12)


def test_empirical_bernstein_agrees_with_confseq():
    for n, (lower, upper) in BERNSTEIN.items():
        sequence = EmpiricalBernstein(low=0.0, high=1.0, false_alarm=0.05).update(ROWS[:n])
        np.testing.assert_allclose(sequence.interval, (lower, upper), rtol=1e-12)


def test_capital_agrees_with_confseq():
    for (m, n), (above, below) in CAPITAL.items():
        sequence = BoundedMean(low=0.0, high=1.0, false_alarm=0.05).update(ROWS[:n])
        assert math.isclose(sequence.e_value(m), max(above, below) / 2.0, rel_tol=1e-9)
        for claim, value in (("at most", above), ("at least", below)):
            log_e = sequence.log_e_value(m, claim=claim)
            assert math.isclose(math.exp(log_e), value / 2.0, rel_tol=1e-9)


def test_events_are_as_narrow_as_confseq_at_the_rows_that_it_is_tuned_for():
    for (events, n), (lower, upper) in BERNOULLI.items():
        sequence = EventProbability(false_alarm=1e-6).update(np.arange(n) < events)
        assert 0.8 < 2.0 * sequence.half_width / (upper - lower) < 1.12


def test_law_band_is_no_wider_than_confseq():
    for n, bound in LAW_BAND.items():
        assert CdfBand(false_alarm=1e-6).update(np.zeros(n)).half_width < bound


@pytest.mark.parametrize(
    ("make", "values", "truth", "exact"),
    [
        (lambda: BoundedMean(low=0.0, high=1.0), (0.0, 0.25, 1.0), 0.275, True),
        (lambda: EmpiricalBernstein(low=0.0, high=1.0), (0.0, 0.25, 1.0), 0.275, False),
        (lambda: NonNegativeMean(second_moment_bound=0.21875), (0.0, 0.25, 1.0), 0.275, False),
        (EventProbability, (0.0, 0.0, 1.0), 0.2, True),
        (lambda: QuantileSequence(0.5), (0.0, 0.25, 1.0), 0.1, True),  # P(X <= 0.1) = P(X < 0.1) = 1/2
        (lambda: QuantileSequence(0.6), (0.0, 0.25, 1.0), 0.25, False),
        (lambda: SubGaussianMean(variance_proxy=0.25, tuned_rows=5), (0.0, 0.25, 1.0), 0.275, False),
    ],
)
def test_expectations_by_enumeration_are_at_most_one(make, values, truth, exact):
    n, probabilities = 5, np.array([0.5, 0.3, 0.2])  # mean of 0, 1/4, 1: 0.275, second moment 0.21875
    total = {"at most": 0.0, "at least": 0.0, "equal": 0.0}
    for outcome in itertools.product(range(3), repeat=n):
        sequence = make().update([values[i] for i in outcome])
        for claim in total:
            share = 1.0 if claim == "equal" else 2.0
            value = share * math.exp(sequence.log_e_value(truth, claim=claim))
            total[claim] += float(np.prod(probabilities[list(outcome)])) * value
    assert max(total.values()) <= 1.0 + 1e-12
    if exact:  # a martingale for each side
        assert math.isclose(total["at most"], 1.0, rel_tol=1e-12)
        assert math.isclose(total["at least"], 1.0, rel_tol=1e-12)


def test_growth_to_high_precision():
    rows = np.concatenate((ROWS, [1e5, 17.0, 16.0], ROWS))
    growth = Growth()
    growth.absorb(rows)
    for j in (0, 13, 30, BETS.size - 1):
        with mpmath.workdps(40):
            exact = sum(mpmath.log(1 + mpmath.mpf(BETS[j]) * mpmath.mpf(x)) for x in rows)
        assert math.isclose(growth.logs()[j], float(exact), rel_tol=1e-13)


@pytest.mark.parametrize("mean", [0.0, 1e-12, 1e-3, 0.5, 0.999, 1.0])
def test_shortfall_to_high_precision(mean):
    with mpmath.workdps(60):
        terms = []
        for bet in BETS:
            m, lam = mpmath.mpf(mean), mpmath.mpf(bet)
            bound = (1 - m**2) + m**2 * mpmath.exp(-lam / m) if mean else mpmath.mpf(1)
            terms.append(mpmath.exp(-lam * 40) / bound**100)
        exact = float(mpmath.log(sum(terms) / len(terms)))
    assert math.isclose(float(log_shortfall(40.0, 100, mean)), exact, rel_tol=1e-10)


def test_bound_of_the_left_tail_holds_and_is_attained():
    rng = np.random.default_rng(1)
    for _ in range(300):
        x, p = rng.exponential(size=4) ** rng.uniform(0.2, 3.0), rng.dirichlet(np.full(4, 0.5))
        m, second = p @ x, p @ x**2
        ratio = min(m / math.sqrt(second), 1.0)
        for bet in (0.01, 0.3, 2.0, 30.0):
            log_bound = np.log1p(ratio**2 * np.expm1(-bet / ratio))
            assert math.log(p @ np.exp(-bet * x / math.sqrt(second))) <= log_bound + 1e-12
            y = math.exp(-bet / ratio)  # the law on 0 and 1/ratio
            assert math.isclose(math.log(1.0 - ratio**2 + ratio**2 * y), log_bound, abs_tol=1e-12)
            assert log_bound <= -bet * ratio + bet**2 / 2.0  # Maurer's


def test_inequality_behind_empirical_bernstein():
    bets, y = np.meshgrid(np.linspace(0.0, 0.5, 101), np.linspace(-1.0, 3.0, 401))
    psi = -np.log1p(-bets) - bets
    assert np.all(np.exp(bets * y - psi * y**2) <= 1.0 + bets * y + 1e-15)


def test_normal_mixture_is_the_integral():
    rho, deviation, intrinsic = 3.0, 7.0, 20.0

    def integrand(bet):
        return stats.norm.pdf(bet, scale=rho**-0.5) * math.exp(bet * deviation - bet**2 * intrinsic / 2.0)

    both = integrate.quad(integrand, -5.0, 5.0)[0]
    assert math.isclose(math.exp(log_normal_mixture(deviation, intrinsic, rho)), both, rel_tol=1e-9)
    sequence = SubGaussianMean(variance_proxy=intrinsic, tuned_rows=1, false_alarm=0.05).update([deviation])
    rho = tuned_rho(0.05) * intrinsic
    above = 2.0 * integrate.quad(integrand, 0.0, 5.0)[0]
    assert math.isclose(2.0 * math.exp(sequence.log_e_value(0.0, claim="at most")), above, rel_tol=1e-9)


@pytest.mark.parametrize(("level", "loss"), [(0.05, 0.3), (1e-6, 0.15)])
def test_tuning_gives_the_least_width(level, loss):
    def width(rho):  # at nv = 1
        return math.sqrt((rho + 1.0) * (2.0 * math.log(1.0 / level) + math.log((rho + 1.0) / rho)))

    best = tuned_rho(level)
    assert width(best) < min(width(0.9 * best), width(1.1 * best))
    for factor in (0.1, 10.0):  # ten times as many or as few rows
        assert width(factor * best) < (1.0 + loss) * width(best)


def test_two_sample_bound_is_the_exact_one_sided_law_doubled():
    for n, gap in ((4, 1), (7, 3), (30, 9), (200, 50)):
        x = np.concatenate((np.arange(gap), 1000.0 + np.arange(n - gap)))  # gap rows below all of y
        y = 500.0 + np.arange(n)
        exact = stats.ks_2samp(x, y, alternative="greater", method="exact")
        assert math.isclose(exact.statistic, gap / n)
        assert math.isclose(two_sample_bound(n, gap), min(1.0, 2.0 * exact.pvalue), rel_tol=1e-9)


def test_band_height_solves_its_bound():
    for k in (0, 5, 40):
        share = 16.0 / ((k + 16) * (k + 17))
        epsilon = look_epsilon(k, false_alarm=1e-3)
        assert math.isclose(2.0 * math.exp(-2.0 * look_rows(k) * epsilon**2), 1e-3 * share, rel_tol=1e-9)


def first_refutation(sequence, rows, predicted):
    for i, row in enumerate(rows):
        if sequence.update([row]).refutes(predicted):
            return i + 1
    return 0


MATCHES = {
    "bounded": (
        lambda: BoundedMean(low=0.0, high=1.0, false_alarm=0.3),
        lambda x: times.bounded_times(x, 0.55, false_alarm=0.3),
        0.55,
    ),
    "bernstein": (
        lambda: EmpiricalBernstein(low=0.0, high=1.0, false_alarm=0.3),
        lambda x: times.bernstein_times(x, 0.65, false_alarm=0.3),
        0.65,
    ),
    "non-negative": (
        lambda: NonNegativeMean(second_moment_bound=0.34, false_alarm=0.3),
        lambda x: times.non_negative_times(x, 0.55, second_moment_bound=0.34, false_alarm=0.3),
        0.55,
    ),
    "sub-Gaussian": (
        lambda: SubGaussianMean(variance_proxy=0.09, tuned_rows=100, false_alarm=0.3),
        lambda x: times.sub_gaussian_times(x, 0.55, variance_proxy=0.09, tuned_rows=100, false_alarm=0.3),
        0.55,
    ),
    "quantile": (
        lambda: QuantileSequence(0.5, false_alarm=0.3),
        lambda x: times.quantile_times(x, 0.6, 0.5, false_alarm=0.3),
        0.6,
    ),
    "law": (
        lambda: CdfBand(false_alarm=0.3),
        lambda x: times.cdf_times(x, lambda t: np.clip(t, 0.0, 1.0) ** 1.3, false_alarm=0.3),
        lambda t: np.clip(t, 0.0, 1.0) ** 1.3,
    ),
}


@pytest.mark.parametrize("kind", MATCHES)
def test_calibrated_form_is_that_of_the_sequence(kind):
    make, refutation_times, predicted = MATCHES[kind]
    rows = np.random.default_rng(5).random((8, 250))
    found = [first_refutation(make(), stream, predicted) for stream in rows]
    assert found == list(refutation_times(rows))
    assert any(found)
    assert kind == "law" or len(set(found)) > 2


def test_calibrated_form_of_two_samples_is_that_of_the_test():
    rng = np.random.default_rng(6)
    x, y = rng.random((8, 250)), rng.random((8, 250)) ** 1.4
    found = []
    for xs, ys in zip(x, y, strict=True):
        test, when = TwoSampleCdf(false_alarm=0.3), 0
        for i in range(250):
            if test.update(xs[i : i + 1], ys[i : i + 1]).refuted:
                when = i + 1
                break
        found.append(when)
    assert found == list(times.two_sample_times(x, y, false_alarm=0.3))
    assert any(found)


AIMED = {
    "bounded": lambda: BoundedMean(low=0.0, high=2.0, false_alarm=0.05),
    "non-negative": lambda: NonNegativeMean(second_moment_bound=4.0 / 3.0, false_alarm=0.05),
}


@pytest.mark.parametrize("kind", AIMED)
def test_a_capital_that_aims_is_that_of_its_definition(kind):
    """Products of factors, a quarter on the grid and a quarter on each bet that the first rows choose."""
    make, m = AIMED[kind], 1.1
    rows, error, first = 2.0 * np.random.default_rng(7).random(1300), 0.05, 512
    whole, parts = make().aim(error).update(rows), make().aim(error)
    for part in np.split(rows, [1, 500, 700, 1299]):
        parts.update(part)
    unit = 2.0 if kind == "bounded" else (4.0 / 3.0) ** 0.5
    x, mean = rows / unit, m / unit
    slopes = np.array([0.72, 0.9, 1.12]) * (error / unit)

    def capital(y, mean):
        least, most = y[:first].mean(), y[:first].var()
        chosen = slopes / most / (1.0 - slopes / most * least)
        grid = [np.prod((1.0 + bet * y) / (1.0 + bet * mean)) for bet in BETS[::2]]
        aimed = [np.prod((1.0 + bet * y[first:]) / (1.0 + bet * mean)) for bet in chosen]
        return 0.25 * np.mean(grid) + 0.75 * np.mean(aimed)

    def shortfall(y, mean):
        def factor(bet):
            return np.exp(-bet * y) / (1.0 - mean**2 + mean**2 * np.exp(-bet / mean))

        chosen = slopes / (1.0 - y[:first].mean() ** 2)
        grid = [np.prod(factor(bet)) for bet in BETS[::2]]
        return 0.25 * np.mean(grid) + 0.75 * np.mean([np.prod(factor(bet)[first:]) for bet in chosen])

    above = capital(x, mean)
    below = capital(1.0 - x, 1.0 - mean) if kind == "bounded" else shortfall(x, mean)
    for sequence in (whole, parts):
        assert sequence.log_e_value(m, claim="at most") == pytest.approx(np.log(above / 2.0))
        assert sequence.log_e_value(m, claim="at least") == pytest.approx(np.log(below / 2.0))


def test_rows_that_hardly_move_leave_the_bets_to_the_grid():
    """Four events of 512 do not know their variance; a hundredth of the mean does not know 1 − m²."""
    rare = np.repeat([0.0, 1.0], [508, 4])
    assert aimed_bets(0.001, rare) is BETS
    assert aimed_bets(0.001, np.full(512, 0.5)) is BETS
    assert aimed_bets(0.01, np.random.default_rng(1).random(512)).size == 3
    narrow = 1.0 + 0.01 * np.random.default_rng(1).standard_normal(512)
    assert aimed_slopes(0.001, narrow) is BETS
    assert aimed_slopes(0.01, 0.5 * narrow).size == 3


@pytest.mark.statistical
@pytest.mark.parametrize("seed", range(4))
def test_aiming_costs_nothing_where_events_are_rare(seed):
    rows = np.random.default_rng([seed, 7]).random(400_000) < 0.003
    ends = []
    for test in (BoundedMean(low=0.0, high=1.0), BoundedMean(low=0.0, high=1.0).aim(7.5e-4)):
        for part in np.split(rows, np.arange(4000, rows.size, 4000)):
            if test.interval[1] - 0.003 > 7.5e-4 or 0.003 - test.interval[0] > 7.5e-4:
                test.update(part)
        ends.append(test.n)
    assert ends[1] <= 1.06 * ends[0] < 1.06 * rows.size


def test_a_huge_row_leaves_a_sequence_that_goes_on():
    rows = np.full(600, 0.5)
    rows[3] = 1e160
    for unit in (1.0, 1e-200):
        test = NonNegativeMean(second_moment_bound=unit).aim(0.01).update(rows).update([0.5])
        assert test.n == 601
        assert test.refutes(0.5)
    for size in (1e-300, 1e300):
        NonNegativeMean(second_moment_bound=1.0).aim(size).update(rows / 1e200)
        BoundedMean(low=0.0, high=1e-10).aim(size).update(1e-10 * np.minimum(rows, 1.0))


@pytest.mark.parametrize("size", [1e-200, 1e200])
def test_laws_take_any_aim(size):
    rows = np.random.default_rng(3).random((2, 1000))
    law = CdfBand().aim(size).update(rows[0]).result(lambda x: np.clip(x, 0, 1), resolution=0.1)
    same = TwoSampleCdf().aim(size).update(*rows).result(resolution=0.1)
    for result in (law, same):
        assert result.estimate < result.interval[1] <= 1.0


@pytest.mark.parametrize("kind", AIMED)
def test_aiming_saves_rows_and_is_said_first(kind):
    make = AIMED[kind]
    rows = 2.0 * np.random.default_rng(8).random(60_000)
    plain, aimed = make(), make().aim(0.02)
    for start in range(0, rows.size, 500):
        part = rows[start : start + 500]
        if plain.half_width > 0.02:
            plain.update(part)
        if aimed.half_width > 0.02:
            aimed.update(part)
    assert aimed.n < 0.97 * plain.n
    for test in (plain, CdfBand().update(rows), TwoSampleCdf().update(rows, rows[::-1])):
        with pytest.raises(InvalidFieldError, match="before the first row"):
            test.aim(0.1)
    with pytest.raises(InvalidFieldError, match="resolution=0"):
        make().aim(0.0)
