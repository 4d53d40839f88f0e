"""The radial engine's samplers: the binomial's alias table, chi-squares and their rejected proposals.

The statistical tests share a false alarm of 1e-6; a seed may be changed once, with a reason.
"""

import itertools
import math

import numpy as np
import pytest
from scipy import special, stats

from montecarlo import ResNet, simulate
from montecarlo.common._jit import kernel
from montecarlo.engines._outputs import constants_of
from montecarlo.engines.radial._draws import Tables, exact_chi_square
from montecarlo.engines.radial._network import run_block
from montecarlo.engines.radial._tables import POPCOUNT_LIMIT, alias_table, chi_square_table
from montecarlo.estimates import law_distance, same_law
from montecarlo.kernels._records import Draw
from montecarlo.streams._address import Address

SEED = 20240831
FALSE_ALARM = 1e-6 / 100  # fewer than a hundred comparisons in this file
REPLICAS = 100_000


def table_probabilities(width):
    """Probability of each number of active units, exactly what words of 32 uniform bits give."""
    outcomes, thresholds, bits = alias_table(width)
    assert len(thresholds) == 2**bits
    first = (thresholds.astype(np.float64) + 1.0) * 2.0**-32  # another word is at most the threshold
    chances = np.stack([first, 1.0 - first], axis=1) / len(thresholds)
    return np.bincount(outcomes, weights=chances.ravel(), minlength=width + 1)


@pytest.mark.parametrize("width", [65, 66, 100, 127, 128, 1000, 1001, 10_000, 100_000])
def test_alias_table_is_the_binomial(width):
    probabilities = table_probabilities(width)
    exact = stats.binom.pmf(np.arange(width + 1), width, 0.5)
    assert probabilities.size == width + 1
    assert np.abs(probabilities - exact).sum() < 1e-9
    assert probabilities.sum() == pytest.approx(1.0, abs=1e-13)


@pytest.mark.parametrize("width", [65, 1000])
def test_alias_table_of_another_probability_is_seen(width):
    # the check above is able to fail: one active unit in 10^6 more
    wrong = stats.binom.pmf(np.arange(width + 1), width, 0.5 + 1e-6)
    assert np.abs(table_probabilities(width) - wrong).sum() > 1e-7


@pytest.mark.parametrize("degrees", [0, 1, 2, 3, 10, 1000])
def test_marsaglia_tsang_constants(degrees):
    shapes, scales = chi_square_table(degrees)
    assert shapes.shape == scales.shape == (degrees + 1,)
    assert not shapes[:2].any()
    for n in range(2, degrees + 1):
        assert shapes[n] == pytest.approx(n / 2 - 1 / 3, rel=1e-7)
        assert scales[n] == pytest.approx(1 / math.sqrt(9 * (n / 2 - 1 / 3)), rel=1e-7)


def active_draws(active, replicas=REPLICAS, seed=SEED):
    """Return ``χ²_active · χ²_d/d`` of the engine's kernel with a constant number of active units."""
    width = 100_000  # χ²_d/d is 1 to half a per cent
    shapes, scales = chi_square_table(width)
    outcomes, thresholds = np.full(4, active, np.int32), np.full(2, 0xFFFFFFFF, np.uint32)
    rows = np.empty((replicas, 2))
    constants = constants_of(ResNet(width=width, depth=1, alpha=1.0))
    tables = Tables(outcomes, thresholds, 1, shapes, scales)
    run_block(constants, tables, Draw.of((seed, active), 0), 1, 1, False, rows, np.empty((0, 0)))
    return 2.0 * rows[:, 1] + math.log(width)


@pytest.mark.statistical
@pytest.mark.parametrize("active", [1, 2, 3, 4, 7, 40, 500])
def test_chi_squares_of_active_units(active):
    rng = np.random.default_rng(SEED)
    exact = np.log(rng.chisquare(active, REPLICAS) * rng.chisquare(100_000, REPLICAS) / 100_000)
    test = same_law(active_draws(active), exact, false_alarm=FALSE_ALARM)
    assert not test.refuted, str(test)
    if active >= 7:
        wrong = np.log(rng.chisquare(active * 1.03, REPLICAS))
        assert same_law(active_draws(active), wrong, false_alarm=FALSE_ALARM).refuted


def test_no_active_unit():
    assert np.array_equal(active_draws(0, 100), np.full(100, -np.inf))


def one_linear_layer(width, alpha=1e3, replicas=REPLICAS):
    """Return (Z, χ²_{d-1}) of ``h_1 - h_0 = α ‖h_0‖ (Z, ...)/√d``, from the two ratios of one layer."""
    net = ResNet(width=width, depth=1, alpha=alpha, block="res-1", activation="identity")
    sample = simulate(net, replicas=replicas, seed=SEED, engine="radial", gradients="none")
    unit = alpha / math.sqrt(width)
    ratio, difference = (
        np.exp(2.0 * sample[name]) / unit**2 for name in ("log_hidden_ratio", "log_hidden_difference")
    )
    z = (ratio - difference - unit**-2) * unit / 2.0
    return z, difference - z**2


@pytest.mark.statistical
@pytest.mark.parametrize("width", [2, 3, 4, 5, 6, 9, 17, 64, 1000, 100_000])
def test_one_layer_is_a_normal_and_a_chi_square(width):
    # a small α separates the two; float64 rounding of the logs is then magnified by 1/α only
    z, rest = one_linear_layer(width, alpha=1.0)
    for rows, law in ((z, stats.norm.cdf), (rest, stats.chi2(width - 1).cdf)):
        test = law_distance(rows, law, false_alarm=FALSE_ALARM)
        assert not test.refuted, str(test)
    total = law_distance(z**2 + rest, stats.chi2(width).cdf, false_alarm=FALSE_ALARM)
    assert not total.refuted, str(total)
    # independent: z beside rest has the law of z beside the rest of the next network
    half = REPLICAS // 2
    scaled = (rest - width + 1) / math.sqrt(2 * width)
    apart = z[half:-1] + scaled[half + 1 :]
    test = same_law(z[: half - 1] + scaled[: half - 1], apart, false_alarm=FALSE_ALARM)
    assert not test.refuted, str(test)
    assert (
        law_distance(rest, stats.chi2(1.03 * (width - 1)).cdf, false_alarm=FALSE_ALARM).refuted or width < 5
    )


def acceptance(degrees):
    """Return the share of accepted proposals: ``e^d Γ(d + 1/3) / (3 c √(2π) d^(d+1/3))`` with d = n/2 - 1/3.

    The integral over x of φ(x) exp(x²/2 + d - d v + d log v) with v = (1 + c x)³.
    """
    d = degrees / 2 - 1 / 3
    c = 1 / math.sqrt(9 * d)
    log = d + special.gammaln(d + 1 / 3) - (d + 1 / 3) * math.log(d)
    return math.exp(log) / (3 * c * math.sqrt(2 * math.pi))


@kernel
def draw_chi_squares(key, shape, scale, x, word, out):
    zero, first = np.uint32(0), np.uint32(1)
    for i in range(out.size):
        address = Address(key, key, np.uint32(i), zero)
        out[i] = exact_chi_square(address, first, zero, shape, scale, x[i], word[i])


@pytest.mark.statistical
@pytest.mark.parametrize("degrees", [2, 3, 10])
def test_share_and_law_of_rejected_proposals(degrees):
    n = 20_000
    rng = np.random.default_rng(SEED)
    x, word = rng.standard_normal(n), rng.integers(0, 2**32, n, dtype=np.uint32)
    shape, scale = degrees / 2 - 1 / 3, 1 / math.sqrt(9 * (degrees / 2 - 1 / 3))
    drawn = np.empty(n)
    draw_chi_squares(np.uint32(SEED), shape, scale, x, word, drawn)
    redone = ~np.isclose(drawn, 2.0 * shape * (1.0 + scale * x) ** 3, rtol=1e-12)
    expected = 1.0 - acceptance(degrees)
    assert 0.005 < expected < 0.06
    # binomial, two-sided
    count = int(redone.sum())
    tail = min(stats.binom.cdf(count, n, expected), stats.binom.sf(count - 1, n, expected))
    assert tail > FALSE_ALARM / 2, (count, n * expected)
    assert np.unique(drawn[redone]).size == count
    test = law_distance(drawn, stats.chi2(degrees).cdf, false_alarm=FALSE_ALARM)
    assert not test.refuted, str(test)
    # the rejected proposals themselves have another law than what replaces them
    if degrees <= 3:
        kept = 2.0 * shape * np.maximum(1.0 + scale * x, 0.0) ** 3
        assert same_law(kept[redone], drawn[redone], false_alarm=FALSE_ALARM).refuted


@pytest.mark.statistical
@pytest.mark.parametrize("width", [1, 2, 31, 32, 33, 63, 64, 65, 500])
def test_numbers_of_active_units(width):
    # One layer with α = 1: the difference is χ²_N χ²_d/d², N ~ Bin(d, 1/2); compared with numpy's variates.
    rng = np.random.default_rng(SEED)
    active = rng.binomial(width, 0.5, REPLICAS)
    square = 2.0 * rng.standard_gamma(0.5 * active) * rng.chisquare(width, REPLICAS) / width**2
    with np.errstate(divide="ignore"):
        exact = 0.5 * np.log(square)
    net = ResNet(width=width, depth=1, alpha=1.0)
    sample = simulate(net, replicas=REPLICAS, seed=SEED, engine="radial", gradients="none")
    test = same_law(sample["log_hidden_difference"], exact, false_alarm=FALSE_ALARM)
    assert not test.refuted, str(test)
    # a unit more
    if width <= 65:
        shifted = 2.0 * rng.standard_gamma(0.5 * (active + 1)) * rng.chisquare(width, REPLICAS) / width**2
        assert same_law(
            sample["log_hidden_difference"], 0.5 * np.log(shifted), false_alarm=FALSE_ALARM
        ).refuted
    assert (width <= POPCOUNT_LIMIT) == (width not in (65, 500))


def test_rows_of_different_widths_and_depths_are_different():
    values = []
    for width, depth in itertools.product((70, 80), (1, 2)):
        net = ResNet(width=width, depth=depth, alpha=1.0)
        values.append(simulate(net, replicas=8, seed=1, gradients="none")["log_hidden_ratio"])
    assert np.unique(values).size == 32
