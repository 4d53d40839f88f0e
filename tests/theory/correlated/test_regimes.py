import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import theory


def test_the_paper_cases():
    assert [theory.regime(b) for b in (0, 0.25, 0.5, 1)] == ["explosion", "explosion", "critical", "identity"]
    assert [theory.regime(b, hurst=1) for b in (0.5, 1, 1.5)] == ["explosion", "critical", "identity"]


@given(st.floats(0.01, 1), st.floats(0, 3))
def test_regime_is_the_side_of_the_boundary(hurst, beta):
    boundary = theory.critical_scaling(hurst)
    assert 0.5 <= boundary <= 1
    assert theory.regime(boundary, hurst=hurst) == "critical"
    if abs(beta - boundary) > 1e-9:
        assert (theory.regime(beta, hurst=hurst) == "identity") == (beta > boundary)


@given(st.floats(0.55, 3))
def test_identity_side_by_the_exact_mean(beta):
    depth = np.array([10**3, 10**6])
    alpha = theory.alpha_from_beta(depth=depth, beta=beta)
    shallow, deep = theory.log_hidden_difference_second_moment(depth=depth, alpha=alpha)
    assert deep < shallow
    assert theory.regime(beta) == "identity"


@given(st.floats(0, 0.45))
def test_explosion_side_by_the_exact_mean(beta):
    depth = np.array([10**3, 10**6])
    alpha = theory.alpha_from_beta(depth=depth, beta=beta)
    shallow, deep = theory.log_hidden_second_moment(depth=depth, alpha=alpha)
    assert deep > shallow * 1.5
    assert theory.regime(beta) == "explosion"


@given(st.integers(2, 10**6), st.floats(-2, 3))
def test_exponent_and_scaling_are_inverse(depth, beta):
    alpha = theory.alpha_from_beta(depth=depth, beta=beta)
    assert theory.beta_from_alpha(depth=depth, alpha=alpha) == pytest.approx(beta, abs=1e-12)


def test_tolerance_is_about_equality():
    assert theory.regime(0.1 + 0.2 + 0.2 + 1e-14) == "critical"
    assert theory.regime(0.5 + 1e-14, tolerance=0) == "identity"
    assert theory.regime(0.45, tolerance=0.1) == "critical"


@pytest.mark.parametrize("bad", [0, -0.1, 1.1, np.nan])
def test_hurst_out_of_range_is_refused(bad):
    with pytest.raises(ValueError, match="hurst="):
        theory.critical_scaling(bad)


def test_depth_one_has_no_exponent():
    with pytest.raises(ValueError, match="depth=1"):
        theory.beta_from_alpha(depth=1, alpha=0.5)
