import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from theory import (
    ACTIVE_UNITS_CRITICAL,
    HALF_ACTIVE_CRITICAL_WIDTH,
    active_units_drift,
    active_units_noise_law,
    single_unit_law,
)


@given(d=st.integers(1, 10_000), data=st.data())
def test_drift_changes_sign_at_two_active_units(d, data):
    A = data.draw(st.integers(1, d))
    assert np.sign(active_units_drift(width=d, n_active=A)) == np.sign(A - ACTIVE_UNITS_CRITICAL)


@pytest.mark.parametrize("d", range(1, 12))
def test_half_active_networks_change_at_width_four(d):
    drift = active_units_drift(width=d, n_active=d / 2)
    assert drift == pytest.approx(1 / 2 - 2 / d, abs=1e-15)
    assert np.sign(drift) == np.sign(d - HALF_ACTIVE_CRITICAL_WIDTH)


def res1_paths(*, d, depth, n, seed):
    """Return log‖relu(h_L)‖² − log‖relu(h_0)‖² and the mean number of active units along the layers."""
    rng = np.random.default_rng(seed)
    h = rng.standard_normal((n, d))
    h[:, 0] = np.abs(h[:, 0]) + 0.1
    start, total = None, np.zeros(n)
    for _ in range(depth):
        square = np.square(np.maximum(h, 0)).sum(axis=1)
        start = square if start is None else start
        total += (h > 0).sum(axis=1)
        h = h + np.sqrt(square / (d * depth))[:, None] * rng.standard_normal((n, d))
    return np.log(np.square(np.maximum(h, 0)).sum(axis=1) / start), total / depth


@pytest.mark.statistical
def test_noise_of_networks_is_normal_and_the_two_is_seen():
    """Width 6, depth 400; band of false alarm 1e-6, 0.019. Without the Itô term −2 the shift is 0.33/0.82."""
    d, n = 6, 20_000
    growth, active = res1_paths(d=d, depth=400, n=n, seed=7)
    noise = growth - np.asarray(active_units_drift(width=d, n_active=active))
    law = active_units_noise_law(width=d)
    band = np.sqrt(np.log(2e6) / (2 * n))
    assert stats.kstest(noise, law.cdf).statistic < band
    assert stats.kstest(growth - active / d, law.cdf).statistic > 5 * band
    # and a variance off by 15 %
    assert stats.kstest(noise, stats.norm(0, 1.15 * law.std()).cdf).statistic > band


@pytest.mark.statistical
def test_single_unit_networks_are_geometric_brownian_motion():
    """Depth 400; band of false alarm 1e-6, 0.0085; a mean off by 10 % shifts by 0.02."""
    n, depth = 100_000, 400
    rng = np.random.default_rng(8)
    log = np.zeros(n)
    for _ in range(depth // 8):
        log += np.log1p(rng.standard_normal((8, n)) / np.sqrt(depth)).sum(axis=0)
    law = single_unit_law()
    band = np.sqrt(np.log(2e6) / (2 * n))
    assert stats.kstest(log, law.cdf).statistic < band
    assert stats.kstest(log, stats.norm(-0.55, 1).cdf).statistic > band


def test_laws():
    assert active_units_noise_law(width=9, time=0.25).var() == pytest.approx(1 / 9)
    law = single_unit_law(time=0.4)
    assert (law.mean(), law.var()) == pytest.approx((-0.2, 0.4))
    # a martingale: E h_t = h_0
    assert np.exp(law.mean() + law.var() / 2) == pytest.approx(1)


def test_refusals():
    with pytest.raises(ValueError, match=r"^n_active=7: must be a finite number > 0 and <= 6; give"):
        active_units_drift(width=6, n_active=7)
    with pytest.raises(ValueError, match=r"^time=0: must be a finite number > 0; give the depth-time"):
        single_unit_law(time=0.0)
