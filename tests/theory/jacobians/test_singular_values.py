"""J3: traces against a recursion over layers, limits against deep networks, Biane's law against moments."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

import theory


def recursion(d, M, L, a):
    """E tr G²/d and E (tr G)²/d² layer by layer, for res-3."""
    a2 = a * a
    u = w = 1.0
    for _ in range(L):
        u, w = (
            (1 + a2 * (1 + 1 / d) + a2 * a2 * (1 / (d * M) + (1 + 1 / d) * (M + 3) / (4 * M))) * u
            + (a2 + a2 * a2 * ((M + 1) / (4 * M) + (d + 1) / (2 * M))) * w,
            (1 + a2 + a2 * a2 * ((M + 1) / (4 * M) + 1 / (d * M))) * w
            + (2 * a2 / d**2 + a2 * a2 * (1 / (d * M) + (M + 3) / (2 * d * d * M))) * u,
        )
    return u, w


@given(st.integers(1, 30), st.integers(1, 30), st.integers(1, 20), st.floats(0.0, 1.5))
def test_traces_follow_their_recursion(d, M, L, a):
    moments = theory.log_trace_moments(width=d, depth=L, alpha=a, hidden_width=M)
    found = np.exp([moments.log_square_trace, moments.log_trace_square])
    np.testing.assert_allclose(found, recursion(d, M, L, a), rtol=1e-11)
    assert moments.log_trace == pytest.approx(L * math.log1p(a * a / 2), abs=1e-12)
    # tr G² >= (tr G)²/d >= ..., in the mean too
    assert moments.log_square_trace >= moments.log_trace_square - 1e-12
    assert moments.log_trace_square >= 2 * moments.log_trace - 1e-12


def test_one_layer_of_a_narrow_linear_network():
    # d = 1: G = (1 + aZ)², E G² = 1 + 6a² + 3a⁴
    moments = theory.log_trace_moments(width=1, depth=1, alpha=0.5, activation="identity")
    assert math.exp(moments.log_square_trace) == pytest.approx(1 + 6 / 4 + 3 / 16)
    assert math.exp(moments.log_trace_square) == pytest.approx(1 + 6 / 4 + 3 / 16)


@given(st.integers(1, 40), st.floats(0.01, 2.0))
def test_limits_are_those_of_deep_networks_and_of_wide_ones(d, time):
    deep = theory.log_trace_moments(width=d, depth=10**6, alpha=math.sqrt(time / 1e6))
    assert theory.trace_moment_limit(order=2, width=d, time=time) == pytest.approx(
        math.exp(deep.log_square_trace), rel=1e-4
    )
    for n in (1, 2, 3):
        wide = theory.wide_trace_moment(order=n, time=time)
        assert theory.trace_moment_limit(order=n, width=10**6, time=time) == pytest.approx(wide, rel=1e-3)
        assert theory.trace_moment_limit(order=n, width=d, time=time) >= wide * (1 - 1e-9)
    if d > 1:  # Hölder: m_2² <= m_1 m_3
        m = [theory.trace_moment_limit(order=n, width=d, time=time) for n in (1, 2, 3)]
        assert m[1] ** 2 <= m[0] * m[2] * (1 + 1e-9)


def test_width_ten_is_not_infinite():
    finite, wide = theory.trace_moment_limit(order=2, width=10), theory.wide_trace_moment(order=2)
    assert wide == pytest.approx(2 * math.e)
    assert finite == pytest.approx(5.9017, abs=1e-4)
    assert finite / wide > 1.08


def test_wide_moments_solve_their_equation():
    top = 6

    def slope(_, m):
        full = [math.nan, *m]
        return [n * full[n] + n * sum(full[j] * full[n - j] for j in range(1, n)) for n in range(1, top + 1)]

    solved = solve_ivp(slope, (0.0, 0.8), [1.0] * top, rtol=1e-10, atol=1e-12).y[:, -1]
    found = [theory.wide_trace_moment(order=n, gain=1.0, time=0.8) for n in range(1, top + 1)]
    np.testing.assert_allclose(found, solved, rtol=1e-7)


@pytest.mark.parametrize("time", [0.01, 0.5, 2.0, 20.0])
def test_bianes_law_has_its_moments_and_its_ends(time):
    law = theory.wide_singular_value_law(gain=1.0, time=time)
    low, high = law.support()
    x = np.linspace(low, high, 100_001)
    density = law.pdf(x)
    for n in (1, 2, 3):
        moment = np.trapezoid(density * np.exp(2 * n * x), x)
        assert moment == pytest.approx(theory.wide_trace_moment(order=n, gain=1.0, time=time), rel=2e-5)
    edge = math.sqrt(1 + 2 / time)
    assert high == pytest.approx(0.5 * (time * edge + math.log((edge + 1) / (edge - 1))))
    assert law.mean() == pytest.approx(0.0, abs=1e-9)
    assert law.std() ** 2 == pytest.approx(time / 2 + time**2 / 12, rel=1e-6)
    np.testing.assert_allclose(law.cdf(x[::500]) + law.cdf(-x[::500]), 1.0, atol=1e-9)


def test_refusals():
    with pytest.raises(ValueError, match=r"order=4: must be at most 3"):
        theory.trace_moment_limit(order=4, width=3)
    with pytest.raises(ValueError, match="time=0"):
        theory.wide_singular_value_law(time=0.0)
