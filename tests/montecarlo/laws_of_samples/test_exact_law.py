"""The radial engine against laws in closed form: I6 at finite depth, the limits S2 and I8, linear res-1.

One-sample DKW tests, whose false alarm is guaranteed for every law, atoms included: 1e-6 for this file,
divided by the number of comparisons. The seed may be changed once, with a reason.
"""

import functools
import math

import numpy as np
import pytest
from scipy import stats

from montecarlo import ResNet, simulate
from montecarlo.estimates import law_distance, mean
from theory import (
    ExactNormLaw,
    critical_difference_second_moment,
    critical_log_difference_law,
    critical_log_norm_law,
    hidden_difference_second_moment,
)

pytestmark = [pytest.mark.usefixtures("warm_kernels"), pytest.mark.statistical]

SEED = 20240901
MILLION = 1_000_000
FALSE_ALARM = 1e-6 / 60  # fewer than sixty comparisons in this file

# (d, L, beta); beta such that one per cent of alpha can be seen
WIDE = [(3, 1, -1.0), (3, 10, 0.25), (3, 1000, 0.25), (40, 1, 0.0), (40, 10, 0.5), (40, 1000, 0.5),
        (1000, 1, 0.0), (1000, 10, 0.5)]  # fmt: skip
NARROW = [(1, 1, 0.5), (1, 2, 0.5), (1, 5, 0.25), (1, 300, 0.5), (2, 1, 0.5), (2, 3, 0.25), (2, 50, 0.5)]


def rows_at(depth):
    return MILLION if depth < 1000 else MILLION // 4  # 10^9 layers are half a minute


@functools.cache  # 16 MB each
def sample_of(width, depth, beta, replicas=MILLION, block="res-3"):
    # L**-beta is 1 at L = 1 whatever beta: -1 stands for alpha = 3
    scaling = {"alpha": 3.0} if beta == -1.0 else {"beta": beta}
    net = ResNet(
        width=width,
        depth=depth,
        block=block,
        activation="relu" if block == "res-3" else "identity",
        **scaling,
    )
    return simulate(net, replicas=replicas, seed=SEED, engine="radial", gradients="none")


@pytest.mark.parametrize(("width", "depth", "beta"), WIDE)
def test_exact_law_of_many_networks(width, depth, beta):
    replicas = rows_at(depth)
    sample = sample_of(width, depth, beta, replicas)
    alpha = sample.resnet.scaling
    rows = sample["log_hidden_ratio"]
    test = law_distance(
        rows, ExactNormLaw(width=width, depth=depth, alpha=alpha).cdf, false_alarm=FALSE_ALARM
    )
    assert not test.refuted, str(test)
    assert test.n == replicas
    assert test.threshold < 3.1 / math.sqrt(replicas)
    wrong = ExactNormLaw(width=width, depth=depth, alpha=1.01 * alpha)
    assert law_distance(rows, wrong.cdf, false_alarm=FALSE_ALARM).refuted


@pytest.mark.parametrize(("width", "depth", "beta"), NARROW)
def test_exact_law_with_atoms(width, depth, beta):
    replicas = 200_000
    sample = sample_of(width, depth, beta, replicas)
    law = ExactNormLaw(width=width, depth=depth, alpha=sample.resnet.scaling)
    rows = sample["log_hidden_ratio"]
    test = law_distance(rows, law.cdf, false_alarm=FALSE_ALARM)
    assert not test.refuted, str(test)
    # the atom: no unit active anywhere, an exact zero in both columns
    still = rows == 0.0
    assert np.array_equal(sample["log_hidden_difference"] == -np.inf, still)
    tails = (
        stats.binom.cdf(still.sum(), replicas, law.atom),
        stats.binom.sf(still.sum() - 1, replicas, law.atom),
    )
    assert min(tails) > FALSE_ALARM / 2
    # a law without it is refuted where it weighs enough
    if law.atom > 0.05:
        smeared = law_distance(rows, lambda x: law.cdf(x + 0.01), false_alarm=FALSE_ALARM)
        assert smeared.refuted


@pytest.mark.parametrize(("width", "depth"), [(2, 300), (3, 300), (40, 1000)])
def test_difference_ratio_at_the_critical_scaling(width, depth):
    # Off by O(1/L): a distance of 0.3/L to 0.6/L at L = 10 ... 100 and widths 2 to 40, so 1/L is allowed.
    sample = sample_of(width, depth, 0.5, MILLION // 4)
    rows = sample["log_hidden_difference"]
    test = law_distance(rows, critical_log_difference_law(width=width).cdf, false_alarm=FALSE_ALARM)
    assert test.distance < test.threshold + 1.0 / depth, str(test)
    if width == 40:
        wrong = critical_log_difference_law(width=width, gain=0.5 * 1.01**2)
        refuted = law_distance(rows, wrong.cdf, false_alarm=FALSE_ALARM)
        assert refuted.distance > refuted.threshold + 1.0 / depth


@pytest.mark.parametrize(("width", "depth", "beta"), [(40, 1000, 0.5), (40, 10, 0.5), (1000, 10, 0.5)])
def test_second_moment_of_the_difference(width, depth, beta):
    # I2; normal intervals, not guaranteed ones, but these tails are light at so many rows
    sample = sample_of(width, depth, beta, rows_at(depth))
    square = mean(np.exp(2.0 * sample["log_hidden_difference"]), confidence=1.0 - FALSE_ALARM)
    alpha = sample.resnet.scaling
    exact = (1.0 + alpha**2 / 2.0) ** depth - 1.0
    assert exact == pytest.approx(float(hidden_difference_second_moment(depth=depth, alpha=alpha)), rel=1e-12)
    assert square.lower <= exact <= square.upper
    wrong = (1.0 + (1.01 * alpha) ** 2 / 2.0) ** depth - 1.0
    assert not square.lower <= wrong <= square.upper
    if depth == 1000:
        assert exact == pytest.approx(critical_difference_second_moment(), rel=1.0 / depth)


@pytest.mark.parametrize("width", [1, 2, 3, 40, 1000])
def test_one_linear_layer(width):
    # R = ‖e + a z/√d‖² is a²/d times a noncentral χ²_d(d/a²); the difference is a²/d times a χ²_d
    sample = sample_of(width, 1, -1.0, 200_000, "res-1")
    unit = sample.resnet.scaling**2 / width
    for column, law in (
        ("log_hidden_ratio", stats.ncx2(width, 1.0 / unit)),
        ("log_hidden_difference", stats.chi2(width)),
    ):
        rows = np.exp(2.0 * sample[column]) / unit
        test = law_distance(rows, law.cdf, false_alarm=FALSE_ALARM)
        assert not test.refuted, f"{column}: {test}"
        if width >= 40:
            assert law_distance(rows / 1.02, law.cdf, false_alarm=FALSE_ALARM).refuted


@pytest.mark.parametrize("width", [1, 2, 5, 40])
def test_linear_networks_at_the_critical_scaling(width):
    # S2 with gain 1, off by O(1/L): 2/L is allowed
    depth = 300
    sample = sample_of(width, depth, 0.5, 200_000, "res-1")
    laws = {
        "log_hidden_ratio": critical_log_norm_law(width=width, gain=1.0),
        "log_hidden_difference": critical_log_difference_law(width=width, gain=1.0),
    }
    for column, law in laws.items():
        test = law_distance(sample[column], law.cdf, false_alarm=FALSE_ALARM)
        assert test.distance < test.threshold + 2.0 / depth, f"{column}: {test}"
    square = mean(np.exp(2.0 * sample["log_hidden_difference"]), confidence=1.0 - FALSE_ALARM)
    if width == 40:  # light enough a tail for a normal interval
        assert square.lower <= (1.0 + 1.0 / depth) ** depth - 1.0 <= square.upper
    wrong = critical_log_norm_law(width=width, gain=0.5)
    assert law_distance(sample["log_hidden_ratio"], wrong.cdf, false_alarm=FALSE_ALARM).refuted


def test_the_path_has_the_exact_law_at_every_depth():
    net = ResNet(width=5, depth=40, alpha=0.4)
    sample = simulate(net, replicas=100_000, seed=SEED, engine="radial", gradients="none", trajectories=True)
    for k in (1, 7, 31, 32, 33, 40):
        law = ExactNormLaw(width=5, depth=k, alpha=0.4)
        test = law_distance(sample["log_hidden_path"][:, k], law.cdf, false_alarm=FALSE_ALARM)
        assert not test.refuted, f"layer {k}: {test}"


def test_typical_size_of_the_limit():
    # where I8 meets I6: the exact law at L = 1000 is its normal limit up to 1/L
    exact = ExactNormLaw(width=40, depth=1000, alpha=1000**-0.5)
    limit = critical_log_norm_law(width=40)
    x = limit.ppf(np.linspace(0.001, 0.999, 999))
    assert np.max(np.abs(exact.cdf(x) - limit.cdf(x))) < 1.0 / 1000
    assert math.isclose(exact.mean(), limit.mean(), rel_tol=1e-3)
