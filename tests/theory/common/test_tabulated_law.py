import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from theory import TabulatedLaw

POINTS = np.linspace(-9, 9, 500)
NORMAL = TabulatedLaw(POINTS, stats.norm.cdf(POINTS))


def test_normal_law():
    x = np.linspace(-10, 10, 77)
    np.testing.assert_allclose(NORMAL.cdf(x), stats.norm.cdf(x), atol=1e-12)
    np.testing.assert_allclose(NORMAL.sf(x), stats.norm.sf(x), atol=1e-12)
    np.testing.assert_allclose(NORMAL.pdf(x), stats.norm.pdf(x), atol=1e-9)
    assert NORMAL.mean() == pytest.approx(0, abs=1e-12)
    assert NORMAL.var() == pytest.approx(1, rel=1e-9)
    assert NORMAL.std() == pytest.approx(1, rel=1e-9)
    assert NORMAL.median() == pytest.approx(0, abs=1e-12)
    assert NORMAL.support() == (-9.0, 9.0)
    assert NORMAL.logpdf(0.0) == pytest.approx(stats.norm.logpdf(0), abs=1e-9)
    assert NORMAL.expect(np.exp) == pytest.approx(np.exp(0.5), rel=1e-9)


def test_density_outside_is_zero():
    assert NORMAL.pdf(9.5) == 0
    assert NORMAL.logpdf(-20.0) == -np.inf
    assert NORMAL.cdf(20.0) == 1
    # the table does not tell levels below 1e-16 apart
    assert -9 <= NORMAL.ppf(0.0) < -8


def test_coordinates():
    """X = e^Y, Y normal, tabulated in Y: the lognormal law."""
    law = TabulatedLaw.from_density(
        POINTS, stats.norm.pdf(POINTS), from_coordinate=np.exp, to_coordinate=np.log, slope=np.reciprocal
    )
    x = np.array([0.1, 1.0, 7.0])
    exact = stats.lognorm(1)
    np.testing.assert_allclose(law.cdf(x), exact.cdf(x), atol=1e-11)
    np.testing.assert_allclose(law.pdf(x), exact.pdf(x), atol=1e-9)
    np.testing.assert_allclose(law.ppf([0.01, 0.6]), exact.ppf([0.01, 0.6]), rtol=1e-9)
    assert law.error < 1e-12
    assert law.mean() == pytest.approx(exact.mean(), rel=1e-8)


@given(st.floats(1e-12, 1 - 1e-12))
def test_quantiles_invert_the_distribution(p):
    assert NORMAL.cdf(NORMAL.ppf(p)) == pytest.approx(p, abs=1e-13)


@given(st.floats(0, 1), st.floats(0, 1))
def test_quantiles_are_sorted(p, q):
    low, high = NORMAL.ppf([min(p, q), max(p, q)])
    assert low <= high


@pytest.mark.statistical
def test_random_numbers():
    """Fixed seed; Dvoretzky-Kiefer-Wolfowitz band of false alarm 1e-6."""
    n = 20_000
    sample = NORMAL.rvs(size=n, random_state=np.random.default_rng(5))
    assert stats.kstest(sample, stats.norm.cdf).statistic < np.sqrt(np.log(2e6) / (2 * n))


def test_refusals():
    with pytest.raises(ValueError, match=r"^probability=1.5: must be a finite number >= 0 and <= 1; give"):
        NORMAL.ppf(1.5)
    assert repr(NORMAL).startswith("TabulatedLaw(mean=")
