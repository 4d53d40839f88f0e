"""Distances of laws: what their resolution promises, and one meaning of every number."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from montecarlo.sequential import BoundedMean, CdfBand, TwoSampleCdf
from montecarlo.sequential import _two_sample_cdf as two_sample_module
from montecarlo.sequential._cdf_band import look_epsilon
from montecarlo.sequential._looks import look_rows

LEVEL = 0.05
STREAMS = 300
OFF = 0.15
LOOKS = np.unique((20 * 1.3 ** np.arange(16)).astype(int))


def law_of_events(probability: float):
    """Return the distribution function of an event's indicator."""
    return lambda x: np.where(x < 0, 0.0, np.where(x < 1, 1.0 - probability, 1.0))


def one_law(stream: int, resolution: float):
    rows = np.random.default_rng([stream, 11]).random(LOOKS[-1]) < 0.5
    test, predicted = CdfBand(false_alarm=LEVEL).aim(resolution), law_of_events(0.5 + OFF)
    for rows_then, rows_now in zip((0, *LOOKS), LOOKS, strict=False):
        test.update(rows[rows_then:rows_now].astype(float))
        yield test.result(predicted, resolution=resolution).decision


def two_laws(stream: int, resolution: float):
    draws = np.random.default_rng([stream, 12]).random((2, LOOKS[-1]))
    x, y = (draws < np.array([[0.5], [0.5 + OFF]])).astype(float)
    test = TwoSampleCdf(false_alarm=LEVEL).aim(resolution)
    for rows_then, rows_now in zip((0, *LOOKS), LOOKS, strict=False):
        test.update(x[rows_then:rows_now], y[rows_then:rows_now])
        yield test.result(resolution=resolution).decision


def one_mean(stream: int, resolution: float):
    rows = np.random.default_rng([stream, 13]).random(LOOKS[-1]) < 0.5
    test = BoundedMean(low=0.0, high=1.0, false_alarm=LEVEL).aim(resolution)
    for rows_then, rows_now in zip((0, *LOOKS), LOOKS, strict=False):
        test.update(rows[rows_then:rows_now])
        yield test.result(0.5 + OFF, resolution=resolution).decision


@pytest.mark.statistical
@pytest.mark.parametrize("decisions", [one_law, two_laws, one_mean])
def test_an_error_of_the_resolution_does_not_pass(decisions):
    """Off by the resolution, a test is ever resolved with probability at most the false alarm.

    The number of streams that are, is binomial at most; it exceeds `most` with probability below 1e-6.
    """

    def passed(resolution: float) -> int:
        def first(stream: int) -> str:
            return next((d for d in decisions(stream, resolution) if d != "undecided"), "undecided")

        return [first(stream) for stream in range(STREAMS)].count("resolved")

    most = stats.binom.isf(1e-6, STREAMS, LEVEL)
    assert passed(OFF) <= most
    assert passed(2.0 * OFF) > most  # of half the resolution many do: not vacuous


@pytest.mark.parametrize("seed", range(5))
def test_the_rows_of_a_mean_refute_a_prediction_moved_by_its_reach(seed):
    test = BoundedMean(low=0.0, high=1.0).aim(0.02).update(np.random.default_rng(seed).random(30_000))
    reach = test.result(0.5, resolution=0.02).reach
    assert test.refutes(0.5 + 1.001 * reach)
    assert test.refutes(0.5 - 1.001 * reach)


def test_a_refuted_law_has_an_interval_without_its_prediction():
    """Evidence between the band at the whole of the false alarm and the band at half of it."""
    n = look_rows(50)
    rows = (np.arange(n) + 0.5) / n
    off = sum(look_epsilon(50, false_alarm=share * 1e-6) for share in (1.0, 0.5)) / 2.0 - 0.5 / n
    np.random.default_rng(0).shuffle(rows)
    law = CdfBand().update(rows).result(lambda x: np.clip(x - off, 0.0, 1.0), resolution=0.02)
    same = TwoSampleCdf().update(rows, rows[::-1] + 1.5 * off).result(resolution=0.02)
    for result in (law, same):
        assert result.decision == "refuted"
        assert 0.0 < result.interval[0] < 1e-300


def test_distances_are_of_all_rows_and_compared_once(monkeypatch):
    x, y = np.random.default_rng(4).random((2, 1111))  # between two looks
    band, same = CdfBand().update(x), TwoSampleCdf().update(x, y)
    uniform = stats.uniform.cdf
    assert band.distance(uniform) == band.result(uniform, resolution=0.1).estimate
    assert band.distance(uniform) == pytest.approx(stats.kstest(x, uniform).statistic)
    assert same.distance == pytest.approx(stats.ks_2samp(x, y).statistic)
    monkeypatch.setattr(two_sample_module, "_sup_distance", None)
    assert same.result(resolution=0.1).estimate == same.distance
