import mpmath as mp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate
from scipy.stats import norm

from theory import (
    ACTIVATIONS,
    activation_function,
    activation_second_moment,
    arc_cosine_kernel,
    dual_activation,
)

CLOSED = ("erf", "gelu", "identity", "leaky-relu", "relu", "sin")
MPMATH = {
    "erf": mp.erf,
    "gelu": lambda x: x * mp.ncdf(x),
    "identity": lambda x: x,
    "leaky-relu": lambda x: x if x > 0 else x / 100,
    "relu": lambda x: x if x > 0 else mp.mpf(0),
    "sin": mp.sin,
    "softplus": lambda x: mp.log1p(mp.exp(x)),
    "tanh": mp.tanh,
}
CASES = [
    (1.0, 1.0, 0.5),
    (0.3, 4.0, -0.7),
    (2.0, 2.0, 0.95),
    (1e-3, 50.0, -1.0),
    (1.0, 1.0, 1.0),
    (3.0, 0.0, 0.0),
]


@pytest.mark.parametrize("name", ACTIVATIONS)
@pytest.mark.parametrize("s", [1e-3, 1.0, 30.0])
def test_second_moment_against_mpmath(name, s):
    root, function = mp.sqrt(s), MPMATH[name]
    edges = [-12, -3, -1, 0, 1, 3, 12]
    exact = mp.quad(lambda z: function(root * z) ** 2 * mp.npdf(z), edges)
    assert activation_second_moment(name, s) == pytest.approx(float(exact), rel=1e-12)


def hermite_dual(name, s1, s2, c):
    """E σ(u)σ(v) as the sum of c^n times Hermite coefficients (Mehler); for analytic σ, |c| well below 1."""
    z, w = np.polynomial.hermite_e.hermegauss(180)
    w = w / np.sqrt(2 * np.pi)
    values = [activation_function(name)(np.sqrt(s) * z) for s in (s1, s2)]
    before, here, total = np.zeros_like(z), np.ones_like(z), 0.0
    for n in range(90):
        total += c**n * np.prod([(w * here * value).sum() for value in values])
        before, here = here, (z * here - np.sqrt(n) * before) / np.sqrt(n + 1)
    return total


@pytest.mark.parametrize("name", ["erf", "gelu", "sin", "softplus", "tanh"])
@pytest.mark.parametrize(("s1", "s2", "c"), [(1.0, 1.0, 0.5), (0.3, 1.5, -0.6), (0.2, 0.2, 0.0)])
def test_dual_against_hermite_series(name, s1, s2, c):
    value = dual_activation(name, first=s1, second=s2, covariance=c * np.sqrt(s1 * s2))
    assert value == pytest.approx(hermite_dual(name, s1, s2, c), abs=2e-11)


@pytest.mark.parametrize("name", CLOSED)
@pytest.mark.parametrize(("s1", "s2", "c"), CASES)
def test_quadrature_agrees_with_closed_forms(name, s1, s2, c):
    q = c * np.sqrt(s1 * s2)
    closed = dual_activation(name, first=s1, second=s2, covariance=q)
    quadrature = dual_activation(activation_function(name), first=s1, second=s2, covariance=q)
    assert quadrature == pytest.approx(closed, abs=1e-12 * (s1 + s2))


@pytest.mark.parametrize("name", CLOSED)
def test_second_moment_quadrature_agrees_with_closed_forms(name):
    s = np.geomspace(1e-8, 1e5, 40).reshape(4, 10)
    quadrature = activation_second_moment(activation_function(name), s)
    np.testing.assert_allclose(quadrature, activation_second_moment(name, s), rtol=1e-12)


def test_kinks_and_jumps_are_found():
    s = np.array([0.01, 1.0, 9.0])
    # E 1{√s Z > 1/2}
    step = activation_second_moment(lambda x: (x > 0.5).astype(float), s)
    np.testing.assert_allclose(step, norm.sf(0.5 / np.sqrt(s)), rtol=1e-10)
    clipped = activation_second_moment(lambda x: np.clip(x, -1, 1), 1.0)
    assert clipped == pytest.approx(1 - 2 * norm.pdf(1), rel=1e-11)


def test_a_kink_away_from_zero_needs_a_larger_error():
    def hard(x):
        return np.clip(x, -1, 1)

    def inside(u, c):
        root = np.sqrt(1 - c * c)
        return norm.pdf(u) * (norm.cdf((1 - c * u) / root) - norm.cdf((-1 - c * u) / root))

    # Price: the derivative in the covariance is P(|u| < 1, |v| < 1).
    exact = integrate.dblquad(inside, 0, 0.5, -1, 1, epsabs=1e-10)[0]
    value = dual_activation(hard, first=1.0, second=1.0, covariance=0.5, relative_error=1e-6)
    assert value == pytest.approx(exact, abs=3e-7)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_zero_variance(name):
    at_zero = float(activation_function(name)(np.zeros(1))[0])
    assert activation_second_moment(name, 0.0) == pytest.approx(at_zero**2, abs=1e-300)
    both = dual_activation(name, first=0.0, second=0.0, covariance=0.0)
    assert both == pytest.approx(at_zero**2, abs=1e-12)


def test_arc_cosine_kernel():
    np.testing.assert_allclose(arc_cosine_kernel([-1.0, 0.0, 1.0]), [0.0, 1 / (2 * np.pi), 0.5], atol=1e-15)
    assert dual_activation("relu", first=4.0, second=9.0, covariance=3.0) == pytest.approx(
        6 * float(arc_cosine_kernel(0.5))
    )


variances = st.floats(1e-6, 1e6)
correlations = st.floats(-1, 1)


@given(name=st.sampled_from(CLOSED), s1=variances, s2=variances, c=correlations)
def test_dual_is_a_symmetric_kernel(name, s1, s2, c):
    q = c * np.sqrt(s1) * np.sqrt(s2)
    value = dual_activation(name, first=s1, second=s2, covariance=q)
    assert value == pytest.approx(
        dual_activation(name, first=s2, second=s1, covariance=q), rel=1e-12, abs=1e-300
    )
    bound = np.sqrt(activation_second_moment(name, s1) * activation_second_moment(name, s2))
    assert abs(value) <= bound * (1 + 1e-9)
    diagonal = dual_activation(name, first=s1, second=s1, covariance=s1)
    assert diagonal == pytest.approx(activation_second_moment(name, s1), rel=1e-9)


@given(name=st.sampled_from(("relu", "leaky-relu", "identity")), s=variances, factor=st.floats(1e-3, 1e3))
def test_homogeneous_activations_scale(name, s, factor):
    scaled = activation_second_moment(name, factor * s)
    assert scaled == pytest.approx(factor * activation_second_moment(name, s), rel=1e-13)


def test_refusals():
    with pytest.raises(ValueError, match=r"^activation='swish': must be one of erf, gelu, .*; or give"):
        activation_second_moment("swish", 1.0)
    with pytest.raises(ValueError, match=r"^activation=3: must be a name or callable; give e.g. 'relu'$"):
        activation_function(3)
    with pytest.raises(ValueError, match=r"^mean_square=-1: must be a finite number >= 0; give"):
        activation_second_moment("relu", -1.0)
    with pytest.raises(
        ValueError, match=r"^covariance=2: must be at most √\(first·second\) = 1 in size; give"
    ):
        dual_activation("relu", first=1.0, second=1.0, covariance=2.0)
