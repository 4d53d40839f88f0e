"""Experiments and mutants of J1 to J4: the theorems hold. `make mutants` has every mutant refuted.

Sequential tests at a fixed seed: a true theorem is refuted with probability at most 1e-6 a run.
"""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from montecarlo import ResNet
from montecarlo.verification import run_experiments
from montecarlo.verification.experiments import experiments_of, mutants_of
from montecarlo.verification.experiments.jacobians._moments import (
    active_moment,
    determinant_fourth_moment,
    kernel_bound,
    radial_moment,
)
from montecarlo.verification.experiments.jacobians._power_sums import power_sum_moments
from montecarlo.verification.experiments.jacobians._rows import size_of
from theory import log_trace_moments, volume_second_moment
from theory import radial_moment as theorys_radial_moment
from theory.catalogue import THEOREMS

IDS = [id for id in THEOREMS if id[0] == "J" and id != "J0"]
EXPERIMENTS = [experiment for id in IDS for experiment in experiments_of(id)]


@pytest.mark.statistical
@pytest.mark.parametrize("experiment", EXPERIMENTS, ids=lambda experiment: experiment.label)
def test_experiment_is_consistent(experiment):
    """At five times the resolution; false alarm 1e-6 each."""
    coarse = replace(
        experiment, resolution=5.0 * experiment.resolution, first_rows=min(500, experiment.first_rows)
    )
    assert run_experiments([coarse], seed=11, threads=1).verdict == "consistent"


@pytest.mark.parametrize("id", ["J1", "J2", "J3"])
def test_rows_do_not_depend_on_how_they_are_cut(id):
    for experiment in experiments_of(id)[:2]:
        whole = experiment.rows(7, 3, 20, 1)
        parts = [experiment.rows(7, 3, 8, 1), experiment.rows(7, 11, 12, 1)]
        np.testing.assert_array_equal(whole, np.concatenate(parts))


@pytest.mark.statistical
@pytest.mark.parametrize(
    ("id", "name"),
    [
        ("J1", "(a²/(Md))^k: no half of the units"),
        ("J1b", "variance t/d"),
        ("J2", "(d − 2i + 1)/(2d)"),
        ("J3", "the value of infinite width"),
        ("J4", "2L for L(1 + M/d)"),
    ],
)
def test_mutants_of_the_text_are_refuted(id, name):
    (mutant,) = [mutant for mutant in mutants_of(id) if mutant.name == name]
    assert run_experiments([mutant.experiment], seed=11, threads=1).verdict == "refuted"


def test_moments_of_active_units_are_those_of_a_binomial_of_chi_squares():
    for order, units in itertools.product((1, 2, 3), (1, 4)):
        expected = sum(
            stats.binom.pmf(n, units, 0.5) * (stats.chi2(n).moment(order) if n else 0.0)
            for n in range(units + 1)
        )
        assert active_moment(order, units) == pytest.approx(expected)


@pytest.mark.parametrize("order", [1, 2, 4])
def test_radial_moments_are_those_of_theory_where_that_has_them(order):
    for block, activation in (("res-3", "relu"), ("res-1", "identity")):
        net = ResNet(width=5, depth=1, alpha=0.7, block=block, activation=activation)
        expected = theorys_radial_moment(order=order, width=5, alpha=0.7, activation=activation)
        assert radial_moment(order, net) == pytest.approx(expected)


@pytest.mark.parametrize("linear", [False, True])
def test_fourth_moments_of_determinants(linear):
    """At d = 1 that of a length, at d = 2 that of an area, at d = 3 that of explicit layers."""
    words = {"block": "res-1", "activation": "identity"} if linear else {"hidden_width": 4}
    one, two, three = (ResNet(width=d, depth=1, alpha=0.4, **words) for d in (1, 2, 3))
    assert determinant_fourth_moment(replace(one, depth=3)) == pytest.approx(radial_moment(2, one) ** 3)
    sums = power_sum_moments(two, 4)
    area = (sums[1, 1, 1, 1] - 2.0 * sums[2, 1, 1] + sums[2, 2]) / 4.0
    assert determinant_fourth_moment(two) == pytest.approx(area)
    rng, n = np.random.default_rng(2), 400_000
    v = rng.standard_normal((n, 3, 3)) / 3**0.5
    if not linear:
        active = rng.random((n, 4, 1)) < 0.5
        v = (rng.standard_normal((n, 3, 4)) / 2.0) @ (active * rng.standard_normal((n, 4, 3)) / 3**0.5)
    rows = np.linalg.det(np.eye(3) + three.scaling * v) ** 4
    error = rows.std() / n**0.5
    assert abs(rows.mean() - determinant_fourth_moment(three)) < 6.0 * error < 0.3 * rows.mean()


def test_the_bound_of_kernels_is_the_exact_moment_at_depth_one():
    # d = 1: K = a²χ²_N(1 + 1/M) at L = 1
    net = ResNet(width=1, depth=3, alpha=0.6, hidden_width=4)
    one = replace(net, depth=1)
    kernel = (0.36 * (1 + 1 / 4)) ** 4 * active_moment(4, 4)
    assert kernel_bound(one) == pytest.approx(kernel)


POWER_SUM_NETS = [
    ResNet(width=5, depth=3, alpha=0.4, hidden_width=3),
    ResNet(width=2, depth=4, alpha=0.6, hidden_width=7),
    ResNet(width=4, depth=3, alpha=0.4, block="res-1", activation="identity"),
]


@pytest.mark.parametrize("net", POWER_SUM_NETS)
def test_power_sums_have_the_moments_that_are_known_otherwise(net):
    """Of degree 2 those of J3 and J1; of a projection on one direction those of a norm, at every degree."""
    second, d = power_sum_moments(net, 2), net.width
    known = log_trace_moments(**size_of(net))
    assert second[2,] / d == pytest.approx(np.exp(known.log_square_trace))
    assert second[1, 1] / d**2 == pytest.approx(np.exp(known.log_trace_square))
    plane = power_sum_moments(net, 2, rank=2)
    area = volume_second_moment(order=2, **size_of(net))
    assert (plane[1, 1] - plane[2,]) / 2.0 == pytest.approx(area)
    for degree in (1, 2, 4):
        norm = radial_moment(degree, net) ** net.depth
        assert list(power_sum_moments(net, degree, rank=1).values()) == pytest.approx([norm] * len(
            power_sum_moments(net, degree)
        ))  # fmt: skip


def test_power_sums_of_degree_four_are_those_of_explicit_layers():
    # every matrix in numpy, a layer after an S that is no multiple of a projection
    net, rng, n = ResNet(width=3, depth=2, alpha=0.3, hidden_width=2), np.random.default_rng(1), 400_000
    jacobian = np.broadcast_to(np.eye(3), (n, 3, 3))
    for _ in range(net.depth):
        v, w = rng.standard_normal((n, 3, 2)) / 2**0.5, rng.standard_normal((n, 2, 3)) / 3**0.5
        w = w * (rng.random((n, 2, 1)) < 0.5)
        jacobian = jacobian + net.alpha * v @ (w @ jacobian)
    values = np.linalg.svd(jacobian, compute_uv=False) ** 2
    sums = {k: (values**k).sum(axis=1) for k in (1, 2, 3, 4)}
    for kind, exact in power_sum_moments(net, 4).items():
        rows = np.prod([sums[k] for k in kind], axis=0)
        error = rows.std() / n**0.5
        assert abs(rows.mean() - exact) < 6.0 * error, kind
        assert error < 0.03 * exact
