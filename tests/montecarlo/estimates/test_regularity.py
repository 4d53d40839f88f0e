"""The index of regularity of weight paths: no bias, intervals that cover, and a mean that does no harm."""

from __future__ import annotations

import functools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from montecarlo.estimates import path_regularity
from montecarlo.processes import find_process, sample_paths

DEPTH, WIDTH, REPEATS = 1000, 12, 120
HURST = (0.2, 0.5, 0.8)
FALSE_ALARM = 1e-6


@functools.cache
def entries(law: str, replica: int = 0, depth: int = DEPTH) -> np.ndarray:
    """√d V_1 ... V_L of a network that nothing else uses."""
    paths = sample_paths(find_process(law), depth, WIDTH**2, (11, 12), 0, replica)
    return paths.reshape(depth, WIDTH, WIDTH).astype(np.float64)


@pytest.mark.statistical
@pytest.mark.parametrize("difference", [1, 2])
@pytest.mark.parametrize("hurst", HURST)
def test_no_bias_and_intervals_that_cover(hurst: float, difference: int) -> None:
    # Seed fixed. The mean lies within six standard errors of H (2e-9), and the misses are no more than a
    # coverage of 94 % gives with probability 1e-6.
    estimates = [
        path_regularity(entries(f"fbm:{hurst}", replica), difference=difference)  # type: ignore[arg-type]
        for replica in range(REPEATS)
    ]
    values = np.array([estimate.value for estimate in estimates])
    error = 6.0 * values.std() / np.sqrt(REPEATS)
    assert error < 0.02
    assert abs(values.mean() - hurst) < error
    misses = sum(not estimate.contains(hurst) for estimate in estimates)
    assert misses <= stats.binom.isf(FALSE_ALARM, REPEATS, 0.06)
    # The twin: a Hurst index that is 0.02 off is seen by every single network.
    assert not any(estimate.contains(hurst + 0.02) for estimate in estimates)


@pytest.mark.parametrize("law", ["rbf:0.01", "rbf-increments:0.01", "matern:1.5:0.1"])
def test_smooth_weights_have_index_one(law: str) -> None:
    # Sums of layers that are nearly alike grow like their number, for every draw of smooth paths.
    assert path_regularity(entries(law)).value == pytest.approx(1.0, abs=0.01)


def test_second_differences_see_the_regularity_of_smooth_entries() -> None:
    assert path_regularity(entries("rbf:0.01"), difference=2).value == pytest.approx(2.0, abs=0.02)
    # An Ornstein-Uhlenbeck path is a continuous one of index 1/2, and its sum is one smoother.
    rough = path_regularity(entries("matern:0.5:0.3"), difference=2, lags=(8, 16, 32))
    assert rough.value == pytest.approx(1.5, abs=0.03)


@settings(max_examples=20)
@given(scale=st.floats(1e-3, 1e3), mean=st.floats(-100.0, 100.0), seed=st.integers(0, 2**32))
def test_scale_and_mean_do_not_enter(scale: float, mean: float, seed: int) -> None:
    x = np.random.default_rng(seed).standard_normal((64, 5, 4))
    for difference in (1, 2):
        before, after = (path_regularity(y, difference=difference) for y in (x, scale * x))  # type: ignore[arg-type]
        assert after.value == pytest.approx(before.value, abs=1e-9)
        assert after.lower == pytest.approx(before.lower, abs=1e-9)
    shifted = path_regularity(x + mean * np.ones((5, 4)), difference=2)
    assert shifted.value == pytest.approx(path_regularity(x, difference=2).value, abs=1e-8)


def test_a_mean_counts_as_the_smooth_part_that_it_is() -> None:
    rough = entries("fbm:0.2")
    assert path_regularity(rough + 30.0).value == pytest.approx(1.0, abs=0.01)
    assert path_regularity(rough + 0.01).value == pytest.approx(0.2, abs=0.01)


@pytest.mark.statistical
def test_intervals_cover_matrices_with_equal_columns() -> None:
    # Training may tie entries to each other: here all columns are one. Intervals from single entries, as if
    # these were independent, miss most of the time; 80 networks, seed fixed.
    misses = naive = 0
    for replica in range(80):
        x = np.repeat(entries("fbm:0.5", replica)[:, :, :1], WIDTH, axis=2)
        misses += not path_regularity(x).contains(0.5)
        naive += not path_regularity(x.reshape(DEPTH, -1)).contains(0.5)
    assert misses <= stats.binom.isf(FALSE_ALARM, 80, 0.06)
    assert naive > misses + 20


def test_a_single_path_has_no_interval() -> None:
    estimate = path_regularity(entries("fbm:0.5")[:, 0, :1])
    assert estimate.value == pytest.approx(0.5, abs=0.1)
    assert estimate.warning is not None
    assert (estimate.lower, estimate.upper) == (-np.inf, np.inf)


@pytest.mark.parametrize(
    ("x", "given", "words"),
    [
        (np.zeros((100, 3)), {}, "do not vary"),
        (np.ones((10, 3)), {}, "at least 16"),
        (np.ones(100), {}, "shape"),
        (np.full((100, 3), np.nan), {}, "diverged"),
        (np.ones((100, 3)), {"lags": (2, 1)}, "increasing"),
        (np.ones((100, 3)), {"lags": (1, 13)}, "an eighth"),
        (np.ones((100, 3)), {"difference": 3}, "1 or 2"),
        (np.ones((100, 3)), {"confidence": 1.0}, "confidence"),
    ],
)
def test_bad_input_is_refused(x: np.ndarray, given: dict, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        path_regularity(x, **given)
