"""C3, C4 and N4: Gram matrices against explicit layers, and the error of the limits against the exact law."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import theory

PHI = np.array([[1.0, 0.3, -0.2], [0.3, 2.0, 0.1], [-0.2, 0.1, 0.5]])
NETS, WIDTH, UNITS, BIAS = 200_000, 3, 4, 0.6


@pytest.fixture(scope="module")
def increments():
    """Growth of Φ in one layer of explicit matrices, and its part linear in V, both over powers of a."""
    rng = np.random.default_rng(3)
    h = np.linalg.cholesky(PHI) * math.sqrt(WIDTH)  # rows: inputs
    W = rng.standard_normal((NETS, UNITS, WIDTH)) / math.sqrt(WIDTH)
    b = BIAS * rng.standard_normal((NETS, UNITS, 1))
    units = np.tanh(W @ h.T + b)
    V = rng.standard_normal((NETS, WIDTH, UNITS)) / math.sqrt(UNITS)
    step = np.swapaxes(V @ units, 1, 2)  # nets, inputs, width
    linear = (h @ np.swapaxes(step, 1, 2) + step @ h.T) / WIDTH
    return step @ np.swapaxes(step, 1, 2) / WIDTH, linear


@pytest.mark.statistical
def test_the_drift_is_that_of_explicit_layers(increments):
    # The linear part has mean 0. False alarm 1e-6 for nine entries: 5.5 deviations.
    square, _ = increments
    K = theory.gram_drift(activation="tanh", gram=PHI, bias_std=BIAS)
    error = square.std(axis=0) / math.sqrt(NETS)
    assert (np.abs(square.mean(axis=0) - K) < 5.5 * error).all()
    wrong = theory.gram_drift(activation="tanh", gram=PHI)  # biases left out
    assert (np.abs(square.mean(axis=0) - wrong) > 5.5 * error).all()


@pytest.mark.statistical
def test_the_covariance_is_that_of_explicit_layers(increments):
    # False alarm 1e-6 for 81 entries: 5.8 deviations.
    _, linear = increments
    products = np.einsum("nab,ncd->nabcd", linear, linear)
    C = theory.gram_covariance(activation="tanh", width=WIDTH, gram=PHI, bias_std=BIAS)
    error = products.std(axis=0) / math.sqrt(NETS)
    assert (np.abs(products.mean(axis=0) - C) < 5.8 * error).all()
    assert (np.abs(products.mean(axis=0) - 1.03 * C) > 5.8 * error).any()


@given(st.floats(0.1, 5.0), st.floats(0.1, 5.0), st.floats(-1.0, 1.0), st.integers(1, 50))
def test_covariances_contain_the_diffusions_of_one_and_two_inputs(first, second, cosine, width):
    q = cosine * math.sqrt(first * second)
    gram = [[first, q], [q, second]]
    K = theory.gram_drift(activation="relu", gram=gram)
    C = theory.gram_covariance(activation="relu", width=width, gram=gram)
    assert C[0, 0, 0, 0] == pytest.approx(4 * first * (first / 2) / width)  # S3
    kappa = float(theory.arc_cosine_kernel(cosine))
    assert K[0, 1] == pytest.approx(math.sqrt(first * second) * kappa, abs=1e-12)
    # d⟨log‖H‖, log‖H'‖⟩ = cκ/d, of C1.
    assert C[0, 0, 1, 1] / (4 * first * second) == pytest.approx(cosine * kappa / width, abs=1e-12)
    np.testing.assert_allclose(C, np.transpose(C, (2, 3, 0, 1)))
    np.testing.assert_allclose(C, np.transpose(C, (1, 0, 2, 3)))


def test_behind_a_norm_correlations_decide():
    gram = np.array([[4.0, 1.0], [1.0, 0.25]])
    K = theory.gram_drift(activation="gelu", gram=gram, normalised=True)
    assert K[0, 0] == pytest.approx(float(theory.activation_second_moment("gelu", 1.0)))
    assert K[0, 1] == pytest.approx(float(theory.dual_activation("gelu", first=1, second=1, covariance=1.0)))


def test_the_recursion_behind_a_norm():
    path = theory.prenorm_cosine_recursion(cosine=-0.4, depth=30, alpha=0.3, initial_mean_square=2.0)
    S = 2.0 + 0.09 * 0.5 * np.arange(31)
    growth = np.diff(path * S)
    np.testing.assert_allclose(growth, 0.09 * np.asarray(theory.arc_cosine_kernel(path[:-1])), rtol=1e-12)
    # dc/d log S = 2κ(c) − c: small steps follow it.
    fine = theory.prenorm_cosine_recursion(cosine=-0.4, depth=3000, alpha=0.03, initial_mean_square=2.0)
    slope = (fine[1] - fine[0]) / math.log(1 + 0.0009 * 0.5 / 2.0)
    assert slope == pytest.approx(2 * float(theory.arc_cosine_kernel(-0.4)) + 0.4, rel=1e-3)
    # θ log S/(3π) creeps: 0.36 at a hundred layers of scaling 1.
    end = theory.prenorm_cosine_recursion(cosine=0.2, depth=100, alpha=1.0)[-1]
    assert math.acos(end) * math.log(51.0) / (3 * math.pi) == pytest.approx(0.36, abs=0.05)


@given(st.integers(1, 300), st.integers(1, 300))
def test_the_error_of_the_limits_is_that_of_the_exact_moments(width, depth):
    error = theory.commuting_error(width=width, depth=depth)
    second = float(theory.radial_moment(order=2, width=width, alpha=depth**-0.5)) ** depth
    mean = (1 + 0.5 / depth) ** depth
    assert error.mean_square == pytest.approx(second - 2 * math.exp(0.5) * mean + math.e, rel=1e-8)
    assert error.bias == pytest.approx(mean - math.exp(0.5), abs=1e-13)
    assert error.variance == pytest.approx(second - mean**2, rel=1e-8)


def test_orders_of_the_two_parts():
    for size in (1000, 10_000):
        wide, deep = (theory.commuting_error(width=d, depth=L) for d, L in ((10**9, size), (size, 10**9)))
        assert wide.bias * size == pytest.approx(-math.exp(0.5) / 8, rel=2 / size**0.5)
        assert deep.variance * size == pytest.approx(2 * math.e, rel=5 / size)
    expansion = theory.commuting_error_expansion(width=4000, depth=20)
    assert expansion == pytest.approx(theory.commuting_error(width=4000, depth=20).mean_square, rel=0.06)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: theory.gram_drift(activation="relu", gram=[1.0, 2.0]), "square matrix"),
        (lambda: theory.gram_drift(activation="relu", gram=[[1.0, 0.5], [0.4, 1.0]]), "symmetric"),
        (lambda: theory.gram_drift(activation="relu", gram=[[1.0, 2.0], [2.0, 1.0]]), "semidefinite"),
        (lambda: theory.gram_drift(activation="relu", gram=[[0.0]], normalised=True), "positive diagonal"),
        (lambda: theory.gram_covariance(activation="relu", gram=[[1.0]], width=0), "width=0"),
        (lambda: theory.commuting_error(width=3, depth=0), "depth=0"),
        (lambda: theory.prenorm_cosine_recursion(cosine=1.5, depth=3, alpha=0.1), "cosine=1.5"),
    ],
)
def test_bad_input_is_one_line(call, words):
    with pytest.raises(ValueError, match=words) as error:
        call()
    assert "\n" not in str(error.value)
