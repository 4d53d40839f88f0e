import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import theory

widths = st.integers(64, 10**6)
failures = st.floats(0.01, 0.999)


def test_constants_where_each_is_visible():
    # √(22/(dδ)) = 3/8 exactly at dδ = 1408/9: the lower bound changes sign; √(10/(dδ)) = 1 at dδ = 10
    low, _ = theory.critical_difference_bounds(width=1408, failure_probability=1 / 9)
    assert abs(low) < 1e-14
    _, high = theory.critical_difference_bounds(width=100, failure_probability=0.1)
    assert high == pytest.approx(math.e**2 + 1, rel=1e-14)


def test_wide_limit():
    low, high = theory.critical_difference_bounds(width=10**15, failure_probability=0.5)
    assert low == pytest.approx(math.exp(0.375) - 1, rel=1e-6)
    assert high == pytest.approx(math.e + 1, rel=1e-6)


@given(widths, failures)
def test_tighter_when_wider_or_less_certain(width, failure):
    low, high = theory.critical_difference_bounds(width=[width, width + 1], failure_probability=failure)
    assert low[0] < low[1] < high[1] < high[0]
    bounds = theory.critical_difference_bounds(width=width, failure_probability=[failure, failure * 0.9])
    assert bounds[0][1] < bounds[0][0]
    assert bounds[1][0] < bounds[1][1]


@given(st.integers(64, 10**5), failures)
def test_consistent_with_the_limit_law_of_res_3(width, failure):
    # a necessary condition: the mean e^{1/2} − 1 of the limit lies inside
    low, high = theory.critical_difference_bounds(width=width, failure_probability=failure)
    assert low < math.expm1(0.5) < high


def test_gradient_bounds_are_the_limits_of_the_exact_means():
    low, high = theory.critical_gradient_bounds()
    for bound, gain in ((low, 0.5), (high, 1.0)):
        finite = theory.gradient_difference_second_moment(depth=10**8, alpha=1e-4, gain=gain)
        assert finite == pytest.approx(bound, rel=1e-7)
        # a constant off by two per cent lies outside what depth 100 already excludes
        shallow = theory.gradient_difference_second_moment(depth=100, alpha=0.1, gain=gain)
        assert abs(shallow / bound - 1) < 0.01


def test_narrow_networks_are_refused():
    with pytest.raises(ValueError, match="width=63: must be a whole number >= 64"):
        theory.critical_difference_bounds(width=63, failure_probability=0.1)
    assert np.isinf(theory.critical_difference_bounds(width=64, failure_probability=1e-9)[1])
