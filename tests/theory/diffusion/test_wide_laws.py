"""Laws of wide networks at any depth against the exact law, the limits and duality (no simulation)."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import theory
from theory import ExactNormLaw, wide_log_norm_laws
from theory.common._gaussian_moments import Z_WEIGHTS, Z, even_moments, slope_function, square_coefficients

NAMES = sorted(set(theory.ACTIVATIONS))


def test_rule_integrates_polynomials() -> None:
    for power, moment in ((0, 1.0), (2, 1.0), (4, 3.0), (8, 105.0)):
        assert float(Z**power @ Z_WEIGHTS) == pytest.approx(moment, rel=1e-12)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("variance", [1e-4, 1.0, 1e4])
def test_second_moments_are_those_of_dual_activations(name: str, variance: float) -> None:
    second, fourth = even_moments(name, np.array([variance]))
    if name == "sin" and variance > 100:  # oscillates faster than the rule; no network gets there
        return
    expected = float(np.asarray(theory.activation_second_moment(name, variance)))
    assert second[0] == pytest.approx(expected, rel=1e-6)
    assert fourth[0] >= second[0] ** 2


@pytest.mark.parametrize("name", NAMES)
def test_slopes_are_derivatives(name: str) -> None:
    x = np.linspace(-3, 3, 41) + 0.013
    sigma, slope = theory.activation_function(name), slope_function(name, None)
    assert callable(slope)
    assert np.allclose((sigma(x + 1e-6) - sigma(x - 1e-6)) / 2e-6, slope(x), atol=1e-7)


def test_coefficients_give_the_covariance_on_one_path() -> None:
    # E relu(B_s)² relu(B_t)² is the arc-cosine kernel of degree 2.
    s, t = 1.0, 4.0
    c = square_coefficients("relu", np.array([s, t]), 80)
    r = math.sqrt(s / t)
    angle = math.acos(r)
    kernel = (3 * math.sin(angle) * r + (math.pi - angle) * (1 + 2 * r * r)) * s * t / (2 * math.pi)
    series = sum(c[0, n] * c[1, n] * r**n for n in range(81))
    assert series == pytest.approx(kernel, rel=1e-6)


@given(
    width=st.integers(64, 5000), depth=st.integers(1, 300), alpha=st.floats(1e-3, 1.0), name=st.just("relu")
)
def test_relu_has_the_mean_and_variance_of_the_exact_law(
    width: int, depth: int, alpha: float, name: str
) -> None:
    hidden, gradient = wide_log_norm_laws(
        block="res-2", activation=name, width=width, depth=depth, alpha=alpha
    )
    assert hidden.mean() == gradient.mean()
    assert hidden.std() == gradient.std()
    exact = ExactNormLaw(width=width, depth=depth, alpha=alpha)
    slack = depth * alpha**2 / width**2
    assert hidden.mean() == pytest.approx(exact.mean(), abs=10 * slack)
    assert hidden.var() == pytest.approx(exact.var(), abs=10 * slack)


@pytest.mark.parametrize("block", ["res-1", "res-2"])
@pytest.mark.parametrize("name", ["tanh", "gelu", "relu", "sin"])
def test_infinite_width_is_the_mean_square_recursion(block: str, name: str) -> None:
    square = theory.mean_square_recursion(activation=name, initial_mean_square=0.5, depth=50, alpha=0.4)
    hidden, _ = wide_log_norm_laws(
        block=block, activation=name, width=10**8, depth=50, alpha=0.4, initial_mean_square=0.5
    )  # fmt: skip
    assert hidden.mean() == pytest.approx(0.5 * math.log(square[-1] / square[0]), abs=2e-5)


@pytest.mark.parametrize("name", ["tanh", "gelu", "softplus"])
def test_res_2_at_the_critical_scaling_is_the_radial_diffusion(name: str) -> None:
    limit = theory.log_norm_diffusion_law(activation=name, width=200, initial_mean_square=0.7, bias_std=0.3)
    hidden, _ = wide_log_norm_laws(
        block="res-2", activation=name, width=200, depth=4000, alpha=4000**-0.5, initial_mean_square=0.7,
        bias_std=0.3,
    )  # fmt: skip
    assert hidden.mean() == pytest.approx(float(limit.mean()), abs=3e-4)
    assert hidden.std() == pytest.approx(float(limit.std()), rel=5e-3)


def test_linear_res_1_is_its_limit_law() -> None:
    limit = theory.critical_log_norm_law(width=100, gain=1.0)
    for law in wide_log_norm_laws(
        block="res-1", activation="identity", width=100, depth=4000, alpha=4000**-0.5
    ):
        assert law.mean() == pytest.approx(float(limit.mean()), abs=5e-4)
        assert law.std() == pytest.approx(float(limit.std()), rel=1e-3)


@pytest.mark.parametrize("block", ["res-1", "res-2"])
def test_functions_are_what_their_names_are(block: str) -> None:
    common = {"block": block, "width": 100, "depth": 30, "alpha": 0.3}
    named = wide_log_norm_laws(activation="tanh", **common)
    given_ = wide_log_norm_laws(activation=np.tanh, derivative=lambda x: 1 - np.tanh(x) ** 2, **common)
    for one, other in zip(named, given_, strict=True):
        assert one.mean() == pytest.approx(other.mean(), rel=1e-9)
        assert one.std() == pytest.approx(other.std(), rel=1e-9)


def test_bad_input_is_refused() -> None:
    good = {"block": "res-2", "activation": "tanh", "width": 8, "depth": 3, "alpha": 0.1}
    bad = {
        "block": "res-4", "activation": "tan", "width": 1, "depth": 0, "alpha": 0.0, "initial_mean_square": 0,
        "bias_std": -1, "initial_log_variance": -1,
    }  # fmt: skip
    for field, value in bad.items():
        with pytest.raises(ValueError, match=f"^{field}="):
            wide_log_norm_laws(**(good | {field: value}))
    with pytest.raises(ValueError, match=r"^derivative=None"):
        wide_log_norm_laws(**(good | {"activation": np.sin}))
    with pytest.raises(ArithmeticError):
        wide_log_norm_laws(**(good | {"activation": np.square, "derivative": lambda x: 2 * x, "depth": 999}))
