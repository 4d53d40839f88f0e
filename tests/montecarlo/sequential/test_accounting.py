"""What sequential tests spend of their false alarm adds up to what they state: looks, sides and streams."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import integrate

from montecarlo.sequential import (
    BoundedMean,
    CdfBand,
    EmpiricalBernstein,
    EventProbability,
    NonNegativeMean,
    QuantileSequence,
    SubGaussianMean,
    TwoSampleCdf,
    combine,
    share_false_alarm,
)
from montecarlo.sequential._cdf_band import look_epsilon
from montecarlo.sequential._looks import look_cost, look_rows
from montecarlo.sequential._sub_gaussian_mean import one_sided_width, tuned_rho
from montecarlo.sequential._two_sample_cdf import two_sample_bound

DELTA = 1e-3
LOOKS = 120  # 10 · 1.2^120: more rows than there will ever be
SEQUENCES = {
    "BoundedMean": lambda: BoundedMean(low=0.0, high=1.0, false_alarm=DELTA),
    "EmpiricalBernstein": lambda: EmpiricalBernstein(low=0.0, high=1.0, false_alarm=DELTA),
    "EventProbability": lambda: EventProbability(false_alarm=DELTA),
    "NonNegativeMean": lambda: NonNegativeMean(second_moment_bound=0.5, false_alarm=DELTA),
    "SubGaussianMean": lambda: SubGaussianMean(variance_proxy=0.25, false_alarm=DELTA),
}


@pytest.mark.parametrize("name", SEQUENCES)
def test_each_side_of_a_number_spends_half(name):
    """Ville: an e-process ever reaches 2/δ with probability δ/2 at most; there the interval ends."""
    rows = np.random.default_rng(3).random(400) < 0.4
    sequence = SEQUENCES[name]().update(rows)
    lower, upper = sequence.interval
    assert 0.0 < lower < sequence.estimate < upper < 1.0
    for end, claim in ((lower, "at most"), (upper, "at least")):
        log_e_process = sequence.log_e_value(end, claim=claim) + math.log(2.0)
        assert log_e_process == pytest.approx(math.log(2.0 / DELTA), abs=1e-3)
        # Evidence and interval refute together: they are one event, and spend once.
        outside = end - 1e-4 if claim == "at most" else end + 1e-4
        for candidate, refuted in ((outside, True), (2 * end - outside, False)):
            assert sequence.refutes(candidate) == refuted
            found = sequence.result(candidate, resolution=1.0)
            assert (found.p_bound <= DELTA) == refuted == (found.decision == "refuted")


def test_each_side_of_a_quantile_spends_half():
    rows = np.arange(400.0)
    sequence = QuantileSequence(0.3, false_alarm=DELTA).update(rows)
    lower, upper = sequence.interval
    for inside, outside, claim in ((lower, lower - 0.5, "at most"), (upper, upper + 0.5, "at least")):
        log_e_processes = [sequence.log_e_value(q, claim=claim) + math.log(2.0) for q in (inside, outside)]
        assert log_e_processes[0] < math.log(2.0 / DELTA) <= log_e_processes[1]


def test_looks_spend_all_their_shares_once():
    shares = [1.0 / look_cost(k) for k in range(LOOKS)]
    assert math.fsum(shares) <= 1.0
    assert math.fsum(1.0 / look_cost(k) for k in range(10**5)) == pytest.approx(1.0, abs=1e-3)
    assert all(look_rows(k) < look_rows(k + 1) for k in range(LOOKS))


def dkw(n: int, epsilon: float) -> float:
    """Return Massart's bound of the probability that ``sup |F_n − F|`` reaches ε."""
    return 2.0 * math.exp(-2.0 * n * epsilon**2)


def test_the_band_of_a_law_spends_its_false_alarm():
    spent = [dkw(look_rows(k), look_epsilon(k, false_alarm=DELTA)) for k in range(LOOKS)]
    assert 0.8 * DELTA < math.fsum(spent) <= DELTA
    # What is drawn is what is counted: half-width and refutation of a band that has been fed.
    rows = np.random.default_rng(1).random(look_rows(30))
    band = CdfBand(false_alarm=DELTA).update(rows)
    assert dkw(look_rows(30), band.half_width) == pytest.approx(DELTA / look_cost(30))
    decisions = set()
    for shift in np.linspace(0.0, 0.2, 60):
        found = band.result(lambda x, a=shift: np.minimum(x + a, 1.0), resolution=1.0)
        decisions.add(found.decision)
        if found.estimate > band.half_width:  # at the last look, or at one before
            assert found.p_bound <= DELTA
            assert found.decision == "refuted"
        below, above = found.estimate - found.interval[0], found.interval[1] - found.estimate
        assert below == found.estimate or dkw(found.n, below) == pytest.approx(0.5 * DELTA / look_cost(30))
        assert found.interval[1] == 1.0 or above == pytest.approx(upper_width(found.n, 0.25))
    assert decisions == {"refuted", "resolved"}


def upper_width(n: int, variance_proxy: float) -> float:
    """Return the width of the upper end of a distance, at the resolution that is the default."""
    return float(one_sided_width(n, variance_proxy=variance_proxy, resolution=0.01, false_alarm=DELTA))


@pytest.mark.parametrize("n", [30, 2000, 10**6])
def test_the_upper_end_of_a_distance_spends_half_the_false_alarm(n):
    # The mixture over half of the normal law, integrated: at the width it has reached 2/δ, and not long.
    proxy, resolution = 0.25, 0.01
    rho = (proxy / resolution) ** 2 * (1.0 + tuned_rho(DELTA))
    width = upper_width(n, proxy)

    def mixture(deviation: float) -> float:
        def integrand(u: float) -> float:  # λ = u/√ρ
            slope = u / math.sqrt(rho)
            return math.exp(slope * deviation - slope**2 * n * proxy / 2.0 - u * u / 2.0)

        peak = deviation / math.sqrt(rho) / (1.0 + n * proxy / rho)
        spread = 1.0 / math.sqrt(1.0 + n * proxy / rho)
        low, high = max(0.0, peak - 12.0 * spread), peak + 12.0 * spread
        return 2.0 * integrate.quad(integrand, low, high)[0] / math.sqrt(2.0 * math.pi)

    assert mixture(n * width) >= 2.0 / DELTA * (1.0 - 1e-9)
    assert mixture(n * width * 0.99) < 2.0 / DELTA


def apart(n: int, gap: int, before: int) -> TwoSampleCdf:
    """Return a test after n rows of which the last `gap` tell the streams apart, and none of the first."""
    assert gap <= n - before
    same = np.zeros(n - gap)
    return TwoSampleCdf(false_alarm=DELTA).update(
        np.concatenate((same, np.full(gap, -1.0))), np.concatenate((same, np.full(gap, 1.0)))
    )


def test_two_samples_spend_their_false_alarm():
    spent = []
    for k in (36, 40):
        n, before = look_rows(k), look_rows(k - 1)
        low, high = 0, n - before
        while high - low > 1:  # the least gap that is refuted
            middle = (low + high) // 2
            low, high = (low, middle) if apart(n, middle, before).refuted else (middle, high)
        assert not apart(n, high - 1, before).refuted
        spent.append(two_sample_bound(n, high) * look_cost(k))
    # One look at least as much as its share, none more.
    assert 0.8 * DELTA < max(spent) <= DELTA
    # The interval of the distance: below by a band for each stream, above by differences of events.
    for k in range(30):
        n = look_rows(k)
        found = apart(n, n // 2, 0).result(resolution=1.0)
        below, above = found.estimate - found.interval[0], found.interval[1] - found.estimate
        if found.interval[0] > 1e-300:  # by the band, not by the refutation alone
            assert 2.0 * dkw(n, below / 2.0) == pytest.approx(0.5 * DELTA / look_cost(k))
        assert found.interval[1] == 1.0 or above == pytest.approx(upper_width(n, 0.5))
    assert found.interval[0] > 0.0


def test_shares_and_their_sum():
    shares = share_false_alarm(DELTA, {"a": 1.0, "b": 2.0, "c": 5.0})
    assert math.fsum(shares.values()) <= DELTA * (1 + 1e-12)
    assert shares["c"] == pytest.approx(5.0 * shares["a"])
    tests = [EventProbability(false_alarm=share).update([True, False]) for share in shares.values()]
    assert combine([test.result(0.5, resolution=1.0) for test in tests]).false_alarm == pytest.approx(DELTA)
