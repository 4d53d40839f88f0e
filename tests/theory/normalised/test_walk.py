"""N1, N1L, N2, N3, N11: pre-norm networks as random walks.

The laws are held against explicit matrices (bounds of false alarm 4e-8 each) and, exactly, against closed
moments.
"""

import math

import numpy as np
import pytest
from explicit_blocks import explicit_networks, kolmogorov, standard_errors
from scipy import stats

import theory

SIZE = {"width": 6, "depth": 4, "alpha": 0.6, "hidden_width": 16}
H0 = np.array([1.0, -0.5, 0.3, 2.0, 0.1, -1.2])
SQUARE, CENTRED = float(H0 @ H0), float(np.sum((H0 - H0.mean()) ** 2))
NETS = 40_000


def sample_of(seed, **options):
    return explicit_networks(
        np.random.default_rng([7, seed]), nets=NETS, **{**SIZE, "kind": "pre", "h0": H0, **options}
    )


def walk_of(**options):
    return theory.NormalisedWalk(**{**SIZE, "initial_square": SQUARE, **options})


@pytest.fixture(scope="module", params=["relu", "tanh"])
def rms(request):
    return request.param, sample_of(1, activation=request.param)


@pytest.mark.statistical
def test_explicit_networks_have_the_moments(rms):
    activation, sample = rms
    walk = walk_of(activation=activation)
    mean, variance = walk.difference_second_moment(), walk.difference_variance()
    assert standard_errors(sample.difference, mean) < 5.5
    assert standard_errors(sample.difference, 1.03 * mean) > 5.5
    assert standard_errors(sample.hidden, walk.second_moment()) < 5.5
    assert standard_errors((sample.difference - mean) ** 2, variance) < 6
    assert (
        standard_errors((sample.difference - mean) ** 2, 2 * 6 * walk.mean_energy**2) > 6
        or activation == "tanh"
    )
    assert standard_errors((sample.hidden - walk.second_moment()) ** 2, walk.variance()) < 6


@pytest.mark.statistical
def test_explicit_networks_follow_the_laws(rms):
    activation, sample = rms
    walk = walk_of(activation=activation)
    ratio = 0.5 * np.log(sample.hidden / sample.start)
    assert kolmogorov(ratio, walk.log_norm_law()) < 1
    assert kolmogorov(0.5 * np.log(sample.difference), walk.log_difference_law()) < 1
    wrong = walk_of(activation=activation, alpha=1.03 * 0.6)
    assert kolmogorov(ratio, wrong.log_norm_law()) > 1
    assert kolmogorov(0.5 * np.log(sample.difference), wrong.log_difference_law()) > 1


@pytest.mark.statistical
def test_layer_norm_is_the_same_walk_with_a_smaller_centred_part():
    sample = sample_of(2, kind="layer")
    walk = walk_of()
    assert kolmogorov(0.5 * np.log(sample.hidden / sample.start), walk.log_norm_law()) < 1
    centred = 0.5 * np.log(sample.centred / CENTRED)
    assert kolmogorov(centred, walk.log_norm_law(part="centred", centred_square=CENTRED)) < 1
    assert kolmogorov(centred, theory.NormalisedWalk(**SIZE, initial_square=CENTRED).log_norm_law()) > 1
    moment = walk.second_moment(part="centred", centred_square=CENTRED)
    assert standard_errors(sample.centred, moment) < 5.5
    assert standard_errors(sample.centred, CENTRED + walk.difference_second_moment()) > 5.5


@pytest.mark.statistical
def test_kurtosis_of_v_enters_the_variance_alone():
    sample = sample_of(3, law=("gaussian", "rademacher"), hidden_width=4)
    walk = walk_of(hidden_width=4)
    mean = walk.difference_second_moment()
    squares = (sample.difference - mean) ** 2
    assert standard_errors(sample.difference, mean) < 5.5
    assert standard_errors(squares, walk.difference_variance(excess_kurtosis=-2)) < 6
    assert standard_errors(squares, walk.difference_variance()) > 6


@pytest.mark.statistical
def test_other_laws_of_w_keep_the_mean_of_relu_alone():
    options = {"law": ("rademacher", "gaussian"), "h0": np.eye(6)[0], "depth": 2}
    for seed, activation, right in ((4, "relu", True), (5, "tanh", False)):
        sample = sample_of(seed, activation=activation, **options)
        mean = walk_of(activation=activation, depth=2).difference_second_moment()
        assert (standard_errors(sample.difference, mean) < 5.5) == right


@pytest.mark.statistical
def test_layer_norm_scaling_is_not_one_over_k_for_tanh():
    scale = 1 / np.sqrt(np.arange(1.0, 5))
    options = {"activation": "tanh", "input_scale": scale}
    sample, walk = sample_of(6, **options), walk_of(**options)
    assert standard_errors(sample.difference, walk.difference_second_moment()) < 5.5
    wrong = walk_of(activation="tanh", alpha=0.6 * scale).difference_second_moment()
    assert standard_errors(sample.difference, wrong) > 5.5
    assert kolmogorov(0.5 * np.log(sample.hidden / sample.start), walk.log_norm_law()) < 1


def moments(law, shift):
    """E e^{2X} and its variance, by the panels of the law."""
    nodes, weights = law.panels.nodes, law.panels.weights
    squares = np.exp(2 * (nodes + shift))
    atom = law.atom * math.exp(2 * shift) if law.atom_at == 0 else 0.0
    mean = float(np.sum(weights * squares)) + atom
    second = float(np.sum(weights * squares**2)) + (
        law.atom * math.exp(4 * shift) if law.atom_at == 0 else 0.0
    )
    return mean, second - mean**2


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"activation": "gelu"},
        {"activation": "tanh"},
        {"alpha": [0.5, 1.0, 0.0, 0.7], "hidden_width": 24},
        {"activation": "gelu", "input_scale": [1.0, 0.7, 0.5, 2.0], "hidden_width": 24},
        {"width": 300, "hidden_width": 2, "depth": 1},
        {"width": 2, "alpha": 30.0},
        {"depth": 20_000, "alpha": 1e-3},
        {"alpha": 1e-4},
    ],
)
def test_laws_have_the_closed_moments(options):
    walk = walk_of(**options)
    mean, variance = moments(walk.log_norm_law(), 0.5 * math.log(SQUARE))
    assert mean == pytest.approx(walk.second_moment(), rel=1e-9)
    assert variance == pytest.approx(walk.variance(), rel=1e-7, abs=1e-9 * mean**2)
    mean, variance = moments(walk.log_difference_law(), 0.0)
    assert mean == pytest.approx(walk.difference_second_moment(), rel=1e-9)
    assert variance == pytest.approx(walk.difference_variance(), rel=1e-7)


def test_one_unit_is_a_mixture_of_two_laws():
    point = 0.3
    # One ReLU unit in one layer: Γ is 0 or a²χ²₁; the difference is then a product of two independent
    # numbers.
    law = theory.NormalisedWalk(width=1, depth=1, alpha=1.0, hidden_width=1).log_difference_law()
    x, w = np.polynomial.legendre.leggauss(400)
    u = 6 * (x + 1)
    inner = stats.chi2.cdf(point**2 / u**2, 1)
    expected = 0.5 + 6 * float(w @ (stats.norm.pdf(u) * inner))
    assert float(law.cdf(math.log(point))) == pytest.approx(expected, abs=1e-4)
    assert float(law.cdf(-700.0)) == pytest.approx(0.5, abs=1e-9)


def test_difference_scales_with_alpha_alone():
    # The law of ‖h_L − h_0‖/a is the same for every a: every exponent β has the same limit.
    first, second = (walk_of(alpha=a).log_difference_law() for a in (0.6, 6e-5))
    assert float(second.ppf(0.3)) == pytest.approx(float(first.ppf(0.3)) + math.log(1e-4), abs=1e-9)


def test_atoms_are_where_no_unit_is_active():
    law = theory.NormalisedWalk(width=3, depth=2, alpha=0.5, hidden_width=1).log_norm_law()
    assert law.atom == 0.25
    jump = float(law.cdf(0.0)) - float(law.cdf(-1e-12))
    assert jump == pytest.approx(0.25, abs=1e-4)
    assert float(law.ppf(float(law.cdf(0.0)) - 0.1)) == 0
    assert law.ppf([0.0, 1.0]).tolist() == [-math.inf, math.inf]
    difference = theory.NormalisedWalk(width=3, depth=2, alpha=0.5, hidden_width=1).log_difference_law()
    assert float(difference.ppf(0.2)) == -math.inf
    assert math.isfinite(difference.mean())
    assert math.isfinite(difference.var())


# --- Limits ---


def distance(walk, limit):
    x = 0.5 * np.log(limit.ppf(np.linspace(0.001, 0.999, 1999)))
    return float(np.max(np.abs(walk.log_difference_law().cdf(x) - limit.cdf(np.exp(2 * x)))))


@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_distance_to_the_limit(activation):
    size = {"width": 16, "hidden_width": 16, "depth": 100, "alpha": 0.1}
    limit = theory.walk_limit_law(dimension=16, time=1.0, activation=activation)
    leading = theory.walk_limit_distance(dimension=16, units=1600, activation=activation)
    found = distance(theory.NormalisedWalk(activation=activation, **size), limit)
    assert found == pytest.approx(leading, rel=0.05)
    assert 600 * theory.walk_limit_distance(dimension=16, units=600) == pytest.approx(6.2, abs=0.05)


def test_limit_of_the_whole_norm():
    limit = theory.walk_limit_law(dimension=6, time=2.0, initial_square=SQUARE)
    walk = walk_of(depth=2000, alpha=math.sqrt(2 / 2000))
    x = np.linspace(-1, 1, 41)
    ours = walk.log_norm_law().cdf(x)
    assert ours == pytest.approx(limit.cdf(SQUARE * np.exp(2 * x)), abs=1e-3)


@pytest.mark.parametrize(("beta", "regime"), [(0.2, "polynomial"), (0.5, "critical"), (0.8, "identity")])
def test_regimes_are_those_of_the_mean_square(beta, regime):
    growth = [
        theory.NormalisedWalk(width=4, depth=L, alpha=L**-beta).difference_second_moment()
        for L in (100, 10_000)
    ]
    power = math.log(growth[1] / growth[0]) / math.log(100)
    assert power == pytest.approx(1 - 2 * beta, abs=1e-9)
    assert theory.walk_regime(beta=beta) == regime


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: walk_of(width=0), "width=0: must be"),
        (lambda: walk_of(alpha=0.0), "alpha=0: must be > 0 at some layer; give"),
        (
            lambda: walk_of(alpha=[1.0]),
            "alpha has 1 numbers: must be one, or one for each of the 4 layers; give",
        ),
        (lambda: walk_of(input_scale=0.0), "input_scale=0: must be .* > 0; give"),
        (lambda: walk_of(activation="swish"), "activation='swish': must be one of"),
        (lambda: walk_of().second_moment(part="half"), "part='half': must be one of centred, whole; choose"),
        (lambda: walk_of().second_moment(part="centred"), "centred_square=None: must be given"),
        (
            lambda: walk_of(activation="gelu", hidden_width=2).log_norm_law(),
            "hidden_width = 8: must be >= 48",
        ),
        (lambda: walk_of().difference_variance(excess_kurtosis=-3), "excess_kurtosis=-3: must be .* >= -2"),
        (lambda: walk_of().log_norm_law().cdf(math.nan), "x=nan: must be a number"),
        (lambda: theory.walk_limit_law(dimension=3, time=0.0), "time=0: must be"),
        (lambda: theory.activation_energy(np.tanh), "derivative=None: must be given"),
    ],
)
def test_bad_input_is_refused_in_one_line(call, message):
    with pytest.raises(ValueError, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "c", "slope", "v"),
    [
        ("relu", 0.5, 0.5, 1.25),
        ("tanh", 0.394294, 0.464403, 0.097524),
        ("gelu", 0.425221, 0.455851, 1.123866),
    ],
)
def test_energies_of_activations(name, c, slope, v):
    energy = theory.activation_energy(name)
    assert (energy.mean, energy.slope, energy.variance) == pytest.approx((c, slope, v), abs=6e-7)
