"""Experiments and mutants of I1 to I11: the theorems hold. `make mutants` has every mutant refuted.

Sequential tests at a fixed seed: a true theorem is refuted with probability at most 1e-6 a run.
"""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import theory
from montecarlo import ResNet
from montecarlo.verification import LawExperiment, NumberExperiment, run_experiments
from montecarlo.verification.experiments import experiments_of
from montecarlo.verification.experiments._faulty import FaultySimulator, with_faults
from montecarlo.verification.experiments.independent import _exact_law, _gradients
from montecarlo.verification.experiments.independent._fourth_moments import Branch, FourthMoments

IDS = [
    "I1", "I2", "I2b", "I3", "I4", "I4b", "I5", "I6", "I7", "I8", "I9", "I9b", "I10", "I10b", "I11",
]  # fmt: skip


def coarser(experiment, factor):
    return replace(experiment, resolution=factor * experiment.resolution)


@pytest.mark.statistical
@pytest.mark.parametrize("id", IDS)
def test_the_theorem_is_consistent_with_networks(id):
    own = [coarser(experiment, 3.0) for experiment in experiments_of(id)]
    found = run_experiments(own, seed=11, threads=1)
    assert found.theorems == {id: "consistent"}, [v for v in found.verdicts if v.verdict != "consistent"]


@pytest.mark.statistical
def test_the_faulty_simulator_without_faults_is_right():
    # Otherwise its mutants would be refuted for another reason than theirs.
    law = next(e for e in _exact_law.experiments() if e.name == "dense engine")
    weights = next(e for e in _exact_law.experiments() if e.name == "m = 2, relu, d = 2")
    same = next(e for e in _gradients.experiments() if e.name == "ratio")
    linear = next(e for e in _gradients.experiments() if e.theorem == "I4b")
    independent = replace(linear, resnet=replace(linear.resnet, weights="gaussian"))
    plain, both = FaultySimulator(), FaultySimulator(gradients=True)
    found = run_experiments(
        [
            coarser(with_faults(law, plain), 4.0),
            coarser(with_faults(weights, plain), 4.0),
            coarser(with_faults(same, both), 3.0),
            coarser(with_faults(independent, both), 2.0),
        ],
        seed=13,
    )
    assert found.verdict == "consistent", found.verdicts


def test_faulty_networks_are_a_function_of_seed_and_replica():
    resnet = ResNet(width=2, depth=3, alpha=0.5)
    plain = FaultySimulator(gradients=True)
    first, again, other = (plain.sample(resnet, seed=s, first=5, count=7) for s in (1, 1, 2))
    assert set(first.columns) == {
        "log_hidden_ratio", "log_hidden_difference", "log_gradient_ratio", "log_gradient_difference"
    }  # fmt: skip
    for name, column in first.columns.items():
        assert (column == again[name]).all()
        assert (column != other[name]).any()


@given(st.integers(1, 12), st.integers(0, 8), st.floats(0.01, 1.0), st.sampled_from(["relu", "identity"]))
def test_fourth_moments_are_those_of_the_norm(width, depth, alpha, activation):
    branch = Branch.linear_res_1() if activation == "identity" else Branch.behind_w(width=width)
    moments = FourthMoments.of(branch, width=width, depth=depth, alpha=alpha)
    log_moment = theory.log_norm_moment(order=2, width=width, depth=depth, alpha=alpha, activation=activation)
    assert math.isclose(moments.ratio, math.exp(log_moment), rel_tol=1e-11)


@given(st.integers(0, 8), st.floats(0.05, 1.0))
def test_fourth_moments_of_one_unit_are_those_of_a_product(depth, alpha):
    # h_L/h_0 is a product of factors 1 + aV W 1{W > 0}, whose moments are in closed form
    power = {
        0: 1.0,
        1: 1.0,
        2: 1 + alpha**2 / 2,
        3: 1 + 3 * alpha**2 / 2,
        4: 1 + 3 * alpha**2 + 4.5 * alpha**4,
    }
    x = {m: moment**depth for m, moment in power.items()}
    moments = FourthMoments.of(Branch.behind_w(width=1), width=1, depth=depth, alpha=alpha)
    close = {"rel_tol": 1e-9, "abs_tol": 1e-9 * x[4]}
    assert math.isclose(moments.ratio, x[4], **close)
    assert math.isclose(moments.mixed, x[4] - 2 * x[3] + x[2], **close)
    assert math.isclose(moments.difference, x[4] - 4 * x[3] + 6 * x[2] - 4 * x[1] + 1, **close)
    assert math.isclose(moments.sum, x[4] + 4 * x[3] + 6 * x[2] + 4 * x[1] + 1, **close)


@given(st.floats(0.05, 1.0), st.floats(0.0, 3.0))
def test_fourth_moments_of_two_layers_of_one_unit_with_biases(alpha, q):
    # A layer adds a√(h² + q) V Z to h, V and Z standard normal: moments 1 and 9 of V Z, 225 and 11025.
    a2 = alpha**2
    first = np.array([1.0, 0.0, a2 * (1 + q), 0.0, 9 * a2**2 * (1 + q) ** 2])  # of h_1 − 1, by order
    h = [sum(math.comb(m, j) * first[j] for j in range(m + 1)) for m in range(5)]  # of h_1
    e2h2 = first[4] + 2 * first[3] + first[2]  # E (h_1 − 1)² h_1²
    square = h[4] + 2 * q * h[2] + q**2  # E (h_1² + q)²
    moments = FourthMoments.of(
        Branch.behind_w(width=1, slope=1.0), width=1, depth=2, alpha=alpha, bias_ratio=q
    )
    close = {"rel_tol": 1e-9}
    assert math.isclose(moments.ratio, h[4] + 6 * a2 * (h[4] + q * h[2]) + 9 * a2**2 * square, **close)
    difference = first[4] + 6 * a2 * (e2h2 + q * first[2]) + 9 * a2**2 * square
    assert math.isclose(moments.difference, difference, **close)
    mean = theory.hidden_second_moment(depth=2, alpha=alpha, gain=1.0, bias_ratio=q)
    assert math.isclose(moments.mean, float(mean), **close)


@given(st.integers(2, 9), st.floats(0.0, 1.0))
def test_gains_of_activations_linear_on_either_side(width, slope):
    branch = Branch.behind_w(width=width, slope=slope)
    assert math.isclose(branch.gain, (1 + slope**2) / 2)
    assert branch.gain**2 <= branch.fourth <= 6 * branch.gain**2  # Jensen; a single active unit at most


def test_rows_that_are_cut_lose_nothing_that_the_resolution_sees():
    for id, word in (("I7", "variance of the log"), ("I11", "rate"), ("I11", "variance")):
        for experiment in experiments_of(id):
            if not experiment.name.startswith(word):
                continue
            resnet = experiment.resnet
            law = theory.ExactNormLaw(width=resnet.width, depth=resnet.depth, alpha=resnet.scaling)
            assert law.cdf(law.mean() - 10 * law.std()) < 1e-12
            assert law.sf(law.mean() + 10 * law.std()) < 1e-12


def test_a_distance_is_measured_to_within_the_band():
    near = next(e for e in experiments_of("I8") if isinstance(e, LawExperiment))
    far = replace(near, distance=near.distance + 0.03, claim="equal")
    short = replace(near, distance=near.distance - 0.03, claim="equal")
    for wrong in (far, short):
        assert run_experiments([wrong], seed=3, threads=1).verdict == "refuted"
    assert run_experiments([replace(far, claim="at most")], seed=3, threads=1).verdict == "consistent"


def test_limits_of_mean_squares_lie_between_the_two_claims():
    for claims in (experiments_of("I8"), experiments_of("I9b")):
        pairs = [e for e in claims if isinstance(e, NumberExperiment)]
        for high, low in zip(pairs[::2], pairs[1::2], strict=True):
            assert (high.claim, low.claim) == ("at most", "at least")
            L, gain = low.resnet.depth, 1.0 if low.resnet.block == "res-1" else 0.5
            exact = np.expm1(L * np.log1p(gain / L))
            assert low.predicted <= exact <= high.predicted
