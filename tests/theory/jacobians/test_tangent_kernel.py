"""J4: both moments of the tangent kernel, against one layer by hand, deep networks and wide ones."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

import theory


def moments(**size):
    return (
        math.exp(theory.log_tangent_kernel_mean(**size)),
        math.exp(theory.log_tangent_kernel_second_moment(**size)),
    )


@given(st.integers(1, 12), st.integers(1, 12), st.floats(0.01, 2.0))
def test_one_layer_by_hand(d, M, a):
    """K/(‖p‖²‖h‖²) = a²(X + Y), X ~ χ²_N/d and Y ~ χ²_N/M independent given N ~ Bin(M, 1/2) active units."""
    mean, square = moments(width=d, depth=1, alpha=a, hidden_width=M)
    first, both = M / 2, M * (M + 1) / 4  # E N, E N²
    second = both + 2 * first  # E (χ²_N)²
    assert mean == pytest.approx(a**2 * first * (1 / d + 1 / M))
    assert square == pytest.approx(a**4 * (second / d**2 + second / M**2 + 2 * both / (d * M)))


@given(st.integers(2, 60), st.integers(1, 60), st.integers(1, 40), st.floats(0.01, 1.0))
def test_moments_are_those_of_a_law(d, M, L, a):
    mean, square = moments(width=d, depth=L, alpha=a, hidden_width=M)
    layers = theory.schedule_weight_gradients(width=d, depth=L, alpha=a, matrix="V", hidden_width=M)
    layers = layers + theory.schedule_weight_gradients(width=d, depth=L, alpha=a, matrix="W", hidden_width=M)
    assert mean == pytest.approx(math.fsum(layers))  # G3
    assert square > mean**2


@pytest.mark.parametrize("d", [1, 3, 32])
def test_the_variance_has_its_limit_whatever_the_hidden_width(d):
    tau = 0.8
    limit = theory.tangent_kernel_variance_limit(width=d, time=tau)
    for M in (d, 3 * d + 1):
        mean, square = moments(width=d, depth=20_000, alpha=math.sqrt(tau / 20_000), hidden_width=M)
        assert square / mean**2 - 1 == pytest.approx(limit, rel=3e-3)
    assert theory.tangent_kernel_variance_limit(width=10**6, time=tau) == pytest.approx(
        4 * tau / 3e6, rel=1e-4
    )


def test_two_inputs_that_are_one_have_the_kernel_of_one():
    size = {"depth": 7, "alpha": 0.6}
    both = theory.wide_tangent_kernel(cosine=1.0, units_per_width=2.5, **size)
    one = theory.log_tangent_kernel_mean(width=4, hidden_width=10, **size)
    assert both.log_kernel == pytest.approx(one, rel=1e-12)
    assert both.kernel_cosine == pytest.approx(1.0)
    assert both.log_gradient_overlap == pytest.approx(7 * math.log1p(0.18))


@given(st.floats(-1.0, 1.0), st.integers(1, 200), st.floats(0.01, 1.0))
def test_two_inputs_align_and_agree_with_the_recursion_of_cosines(cosine, depth, alpha):
    found = theory.wide_tangent_kernel(cosine=cosine, depth=depth, alpha=alpha)
    path = theory.cosine_recursion(cosine=cosine, depth=depth, alpha=alpha)
    assert found.cosine == pytest.approx(float(path[-1]), abs=1e-9)
    assert -1 - 1e-12 <= found.kernel_cosine <= 1 + 1e-12
    assert 0.0 <= found.log_gradient_overlap <= depth * math.log1p(alpha**2 / 2) + 1e-9
