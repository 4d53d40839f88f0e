"""Growth in mean square as a function of the constant: against the flow, the recursion and exact numbers."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import theory
from theory import MeanFieldGrowth, PointMass, wide_log_norm_laws


@pytest.mark.parametrize("name", ["relu", "gelu", "sin", "leaky-relu", "erf"])  # of closed duals
@pytest.mark.parametrize("constant", [0.1, 1.0, 4.0])
def test_the_limit_is_the_flow_of_mean_squares(name: str, constant: float) -> None:
    hidden, _ = MeanFieldGrowth(name, initial_mean_square=0.4, bias_std=0.3).limit(constant)
    end = theory.mean_square_flow(activation=name, initial_mean_square=0.4, bias_std=0.3, time=constant**2)
    assert hidden == pytest.approx(math.log(float(end) / 0.4), rel=0.01)


@pytest.mark.parametrize("name", ["gelu", "tanh", "softplus"])
def test_a_depth_is_the_recursion(name: str) -> None:
    hidden, _ = MeanFieldGrowth(name).at(20, 0.4)
    states = theory.mean_square_recursion(activation=name, initial_mean_square=1.0, depth=20, alpha=0.4)
    assert hidden == pytest.approx(math.log(states[-1]), rel=0.03)


@given(
    depth=st.integers(1, 10**6), alpha=st.floats(1e-150, 1e150), name=st.sampled_from(["relu", "identity"])
)
def test_homogeneous_activations_have_the_exact_second_moment(depth: int, alpha: float, name: str) -> None:
    hidden, gradient = MeanFieldGrowth(name).at(depth, alpha)
    gain = 0.5 if name == "relu" else 1.0
    exact = (
        depth * math.log1p(gain * alpha * alpha)
        if alpha < 1e100
        else depth * math.log(gain) + 2 * depth * (math.log(alpha))
    )
    assert hidden == pytest.approx(exact, rel=1e-9)
    assert gradient == pytest.approx(hidden, rel=1e-9)


def test_gradients_grow_by_the_mean_square_of_the_slope() -> None:
    # sin in res-2: E cos² is (1 + e^(−2S))/2 and S grows to infinity.
    _, gradient = MeanFieldGrowth("sin").limit(20.0)
    assert gradient == pytest.approx(200.0, rel=0.02)
    still = MeanFieldGrowth(np.ones_like, np.zeros_like).limit(2.0)
    assert still == (pytest.approx(math.log(5.0), rel=0.01), 0.0)
    assert MeanFieldGrowth(np.zeros_like, np.zeros_like).limit(2.0) == (0.0, 0.0)


def test_slow_activations_are_told() -> None:
    slow = {name: MeanFieldGrowth(name).sublinear for name in theory.ACTIVATIONS}
    assert {name for name, is_slow in slow.items() if is_slow} == {"erf", "sin", "tanh"}


def test_explosions_beyond_floats_are_no_error() -> None:
    square = MeanFieldGrowth(np.square, lambda x: 2 * x)
    assert square.limit(5.0)[0] > 50
    fast = MeanFieldGrowth(lambda x: np.exp(np.square(x)), lambda x: 2 * x * np.exp(np.square(x)))
    with np.errstate(over="ignore", invalid="ignore"):
        assert not fast.limit(1.0)[0] < 1


@pytest.mark.parametrize("block", ["res-1", "res-2"])
def test_laws_without_spread_are_points(block: str) -> None:
    _, gradient = wide_log_norm_laws(
        block=block, activation=np.ones_like, derivative=np.zeros_like, width=16, depth=8, alpha=0.5
    )
    assert gradient == PointMass(0.0)
    huge = wide_log_norm_laws(
        block=block, activation="tanh", width=16, depth=8, alpha=0.5, initial_mean_square=1e24
    )[1]
    assert np.isfinite(huge.ppf(0.5))


def test_a_point_mass_is_a_law() -> None:
    law = PointMass(2.0)
    assert list(law.cdf([1.9, 2.0, 2.1])) == [0.0, 1.0, 1.0]
    assert list(law.cdf([1.9, 2.0]) + law.sf([1.9, 2.0])) == [1.0, 1.0]
    assert (law.mean(), law.var(), law.std(), law.ppf(0.3)) == (2.0, 0.0, 0.0, 2.0)
    assert list(law.pdf([1.0, 2.0])) == [0.0, np.inf]
    assert np.isnan(law.ppf(1.5))
