import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats

from theory import activation_second_moment, critical_log_norm_law, log_norm_diffusion_law

levels = np.linspace(1e-6, 1 - 1e-6, 201)


def kolmogorov(law, cdf):
    """Return the largest difference of the distribution functions over quantiles of the law."""
    x = law.ppf(levels)
    return np.abs(np.asarray(law.cdf(x)) - cdf(x)).max()


@pytest.mark.parametrize("d", [1, 2, 3, 10, 11, 40, 1000, 10_000])
@pytest.mark.parametrize(("name", "gain"), [("relu", 0.5), ("identity", 1.0)])
def test_homogeneous_activations_have_the_closed_form(d, name, gain):
    law = log_norm_diffusion_law(activation=name, width=d, initial_mean_square=0.7)
    exact = critical_log_norm_law(width=d, gain=gain)
    assert law.error < 1e-7
    assert kolmogorov(law, exact.cdf) < 2e-9
    assert law.mean() == pytest.approx(exact.mean(), abs=1e-10)
    assert law.std() == pytest.approx(exact.std(), rel=1e-7)
    peak = exact.pdf(exact.mean())
    x = exact.ppf(levels)
    np.testing.assert_allclose(law.pdf(x), exact.pdf(x), atol=1e-7 * peak)


@pytest.mark.parametrize("d", [1, 5, 100])
@pytest.mark.parametrize("time", [1e-8, 1e-4, 30.0])
def test_short_and_long_times(d, time):
    law = log_norm_diffusion_law(activation="relu", width=d, initial_mean_square=1.0, time=time)
    assert kolmogorov(law, critical_log_norm_law(width=d, time=time).cdf) < 5e-9


def test_a_callable_is_as_good_as_a_name():
    named = log_norm_diffusion_law(activation="gelu", width=6, initial_mean_square=1.0, bias_std=0.5)
    from scipy.special import ndtr

    called = log_norm_diffusion_law(
        activation=lambda x: x * ndtr(x), width=6, initial_mean_square=1.0, bias_std=0.5
    )
    assert kolmogorov(called, named.cdf) < 1e-9


@pytest.mark.parametrize("d", [1, 2, 3, 4, 10, 50])
@pytest.mark.parametrize("S_0", [1.0, 0.01, 1e-4])
def test_constant_activation_is_a_squared_bessel_process(d, S_0):
    """σ = 1: H is Brownian motion, d S_1 noncentral χ²; near S = 0 the boundary is met or nearly so."""
    law = log_norm_diffusion_law(activation=np.ones_like, width=d, initial_mean_square=S_0)
    error = kolmogorov(law, lambda x: stats.ncx2.cdf(d * S_0 * np.exp(2 * x), d, d * S_0))
    assert error < 1e-7
    assert error < 1.2 * law.error


@pytest.mark.parametrize("d", [1, 2, 5, 100])
def test_relu_with_bias_has_its_first_two_moments(d):
    """With ρ(S) = (S + b)/2: dm/dt = (m + b)/2 and dm_2/dt = (1 + 2/d)(m_2 + b m)."""
    b, S_0 = 0.49, 0.3
    law = log_norm_diffusion_law(activation="relu", width=d, initial_mean_square=S_0, bias_std=0.7)
    growth = 1 + 2 / d
    moments = integrate.solve_ivp(
        lambda t, m: [0.5 * (m[0] + b), growth * (m[1] + b * m[0])],
        (0, 1),
        [S_0, S_0**2],
        rtol=1e-11,
        atol=1e-13,
    ).y[:, -1]
    for power, exact in enumerate(moments, start=1):
        mean = law.expect(lambda x, power=power: (S_0 * np.exp(2 * x)) ** power)
        assert mean == pytest.approx(exact, rel=1e-6)


@pytest.mark.parametrize(("name", "bias"), [("tanh", 0.0), ("tanh", 0.4), ("softplus", 0.0), ("erf", 1.0)])
def test_moment_balance(name, bias):
    """d/dt E S = E ρ(S), integrated over time by Gauss-Legendre."""
    d, S_0 = 8, 0.6

    def mean(function, time):
        law = log_norm_diffusion_law(
            activation=name, width=d, initial_mean_square=S_0, bias_std=bias, time=time
        )
        return law.expect(lambda x: function(S_0 * np.exp(2 * x)))

    def rho(S):
        return np.asarray(activation_second_moment(name, S + bias**2))

    nodes, weights = np.polynomial.legendre.leggauss(6)
    growth = sum(0.5 * w * mean(rho, 0.5 * (1 + t)) for t, w in zip(nodes, weights, strict=True))
    assert mean(lambda S: S, 1.0) - S_0 == pytest.approx(growth, rel=2e-7)


def test_linear_growth_at_width_two_has_no_drift():
    """At d = 2 log‖H‖ is a time-changed Brownian motion for every σ with σ(0) = 0: its mean stays 0."""
    for name in ("tanh", "sin", "gelu"):
        law = log_norm_diffusion_law(activation=name, width=2, initial_mean_square=1.0)
        assert law.mean() == pytest.approx(0, abs=1e-9)


def test_tolerance_is_met_and_tightening_it_helps():
    exact = critical_log_norm_law(width=20)
    for tolerance in (1e-5, 1e-8, 1e-10):
        law = log_norm_diffusion_law(
            activation="relu", width=20, initial_mean_square=1.0, tolerance=tolerance
        )
        assert law.error < tolerance
        assert kolmogorov(law, exact.cdf) < tolerance


def tanh_networks(*, d, depth, n, seed):
    """log‖h_L‖/‖h_0‖ of res-2 with tanh, no bias, Gaussian weights and ‖h_0‖² = d, from its exact chain."""
    rng = np.random.default_rng(seed)
    square = np.full(n, float(d))
    for _ in range(depth):
        u = rng.standard_normal((n, d), dtype=np.float32) * np.sqrt(square / d).astype(np.float32)[:, None]
        g = np.square(np.tanh(u)).sum(axis=1, dtype=np.float64) / (d * depth)
        along = rng.standard_normal(n)
        square = square + 2 * np.sqrt(square * g) * along
        square = square + g * (along**2 + 2 * rng.standard_gamma((d - 1) / 2, n))
    return 0.5 * np.log(square / d)


@pytest.mark.statistical
def test_tanh_networks_agree_and_refute_a_constant_off_by_three_per_cent():
    """Band of false alarm 1e-6, 0.030; depth 50 biases by about 0.005, ρ off by 3 % shifts by about 0.05."""
    d, n = 200, 8000
    sample = tanh_networks(d=d, depth=50, n=n, seed=11)
    band = np.sqrt(np.log(2e6) / (2 * n))
    law = log_norm_diffusion_law(activation="tanh", width=d, initial_mean_square=1.0)
    assert stats.kstest(sample, law.cdf).statistic < band
    for factor in (0.97, 1.03):
        # Time and ρ enter by their product only.
        wrong = log_norm_diffusion_law(activation="tanh", width=d, initial_mean_square=1.0, time=factor)
        assert stats.kstest(sample, wrong.cdf).statistic > band


@pytest.mark.statistical
def test_narrow_tanh_networks_agree():
    """Width 3, where the law is far from normal; band of false alarm 1e-6, 0.016, bias about 0.004."""
    n = 30_000
    sample = tanh_networks(d=3, depth=150, n=n, seed=12)
    law = log_norm_diffusion_law(activation="tanh", width=3, initial_mean_square=1.0)
    assert stats.kstest(sample, law.cdf).statistic < np.sqrt(np.log(2e6) / (2 * n))


@given(
    name=st.sampled_from(("relu", "erf", "gelu", "sin")),
    d=st.integers(1, 60),
    S_0=st.floats(0.01, 50),
    bias=st.floats(0, 2),
    time=st.floats(0.05, 2),
)
@settings(max_examples=15)
def test_always_a_law(name, d, S_0, bias, time):
    law = log_norm_diffusion_law(activation=name, width=d, initial_mean_square=S_0, bias_std=bias, time=time)
    p = np.array([0.001, 0.1, 0.5, 0.9, 0.999])
    x = law.ppf(p)
    assert (np.diff(x) > 0).all()
    np.testing.assert_allclose(law.cdf(x), p, atol=1e-10)
    assert law.expect(np.ones_like) == pytest.approx(1, abs=1e-10)
    # S is a submartingale
    assert law.expect(lambda x: np.exp(2 * x)) >= 1 - 1e-9


def test_refusals(monkeypatch):
    with pytest.raises(ArithmeticError, match=r"^time=1: ‖h‖ explodes; give a shorter time$"):
        log_norm_diffusion_law(activation=np.square, width=5, initial_mean_square=1.0)
    with pytest.raises(ValueError, match=r"^activation: must not be 0 everywhere; give another function$"):
        log_norm_diffusion_law(activation=np.zeros_like, width=5, initial_mean_square=1.0)
    with pytest.raises(ValueError, match=r"^initial_mean_square=0: must be a finite number > 0; give"):
        log_norm_diffusion_law(activation="relu", width=5, initial_mean_square=0.0)
    monkeypatch.setattr("theory.diffusion._radial_diffusion._MOST_CELLS", 1000)
    with pytest.raises(ArithmeticError, match=r"^tolerance=1e-11: needs more than 1000 cells; give"):
        log_norm_diffusion_law(activation="relu", width=10, initial_mean_square=1.0, tolerance=1e-11)
