"""Experiments of schedules and post-activation blocks, G1 to G7, P1 to P3. `make mutants` has their mutants.

Sequential tests at a fixed seed: a true theorem is refuted with probability at most 1e-6 a run.
"""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import theory
from montecarlo import ResNet, simulate, weights
from montecarlo.verification import run_experiments
from montecarlo.verification.experiments import experiments_of
from montecarlo.verification.experiments._faulty import FaultySimulator, with_faults
from montecarlo.verification.experiments.independent._fourth_moments import Branch, FourthMoments
from montecarlo.verification.experiments.post_activation import _growth
from montecarlo.verification.experiments.schedules import _gradients, _layers
from montecarlo.verification.experiments.schedules._layers import ScheduleMoments, radial_power, scalings_of
from theory.catalogue import THEOREMS

IDS = [id for id in THEOREMS if id[0] in "GP"]
EXPERIMENTS = [experiment for id in IDS for experiment in experiments_of(id)]
SOURCES = [experiment for experiment in EXPERIMENTS if hasattr(experiment, "source")]


@pytest.mark.statistical
@pytest.mark.parametrize("experiment", EXPERIMENTS, ids=lambda experiment: experiment.label)
def test_experiment_is_consistent(experiment):
    """At five times the resolution; false alarm 1e-6 each."""
    coarse = replace(
        experiment, resolution=5.0 * experiment.resolution, first_rows=min(500, experiment.first_rows)
    )
    assert run_experiments([coarse], seed=11, threads=1).verdict == "consistent"


@pytest.mark.parametrize("experiment", SOURCES, ids=lambda experiment: experiment.label)
def test_rows_do_not_depend_on_how_they_are_cut(experiment):
    whole = experiment.rows(7, 3, 20, 1)
    parts = [experiment.rows(7, 3, 8, 1), experiment.rows(7, 11, 12, 1)]
    np.testing.assert_array_equal(whole, np.concatenate(parts))


@pytest.mark.statistical
def test_the_faulty_simulator_without_faults_is_right():
    # Otherwise its mutants would be refuted for another reason than theirs.
    law = next(e for e in experiments_of("G1b") if e.name == "dense engine")
    gradients = replace(law, observable=lambda sample: sample["log_gradient_ratio"])
    right = [
        replace(with_faults(e, FaultySimulator(gradients=True)), resolution=0.04, name=name)
        for name, e in (("hidden", law), ("gradients", gradients))
    ]
    found = run_experiments(right, seed=13)
    assert found.verdict == "consistent", found.verdicts


@given(
    st.integers(1, 12), st.integers(1, 20), st.integers(1, 5), st.floats(0.05, 1.0), st.floats(-1.2, 1.2),
)  # fmt: skip
def test_moments_are_those_of_the_norm(width, units, depth, alpha, skip):
    net = ResNet(width=width, hidden_width=units, depth=depth, alpha=alpha, skip=skip, schedule="power:0.5")
    size = {"width": width, "hidden_width": units, "depth": depth, "skip": skip, "alpha": scalings_of(net)}
    fourth = math.exp(theory.log_schedule_fourth_moment(**size))
    assert math.isclose(ScheduleMoments.of(net).ratio, fourth, rel_tol=1e-11)
    assert math.isclose(radial_power(net, 2), fourth, rel_tol=1e-11)
    mean = theory.schedule_second_moment(depth=depth, alpha=scalings_of(net), skip=skip)
    assert math.isclose(radial_power(net, 1), mean, rel_tol=1e-11)


@given(st.integers(1, 8), st.integers(1, 8), st.floats(0.05, 1.0))
def test_moments_of_plain_layers_are_the_known_ones(width, depth, alpha):
    plain = FourthMoments.of(Branch.behind_w(width=width), width=width, depth=depth, alpha=alpha)
    moments = ScheduleMoments.of(ResNet(width=width, depth=depth, alpha=alpha))
    assert math.isclose(moments.ratio, plain.ratio, rel_tol=1e-12)
    assert math.isclose(moments.difference, plain.difference, rel_tol=1e-12)
    log_moment = theory.log_norm_moment(order=4, width=width, depth=depth, alpha=alpha)
    assert math.isclose(radial_power(ResNet(width=width, depth=depth, alpha=alpha), 4), math.exp(log_moment),
                        rel_tol=1e-10)  # fmt: skip


@given(st.floats(0.05, 1.0), st.floats(-1.2, 1.2))
def test_the_difference_of_one_unit_is_that_of_a_product(alpha, skip):
    # h_L/h_0 is a product of independent b + a_k V W 1{W > 0}
    net = ResNet(width=1, depth=3, alpha=alpha, skip=skip, schedule="power:0.5")
    power = np.ones(5)
    for a in scalings_of(net):
        x = [1.0, 0.0, a**2 / 2.0, 0.0, 4.5 * a**4]  # moments of a V W 1{W > 0}
        power *= [sum(math.comb(m, j) * skip ** (m - j) * x[j] for j in range(m + 1)) for m in range(5)]
    b = skip**3
    exact = sum(math.comb(4, m) * power[m] * (-b) ** (4 - m) for m in range(5))
    assert math.isclose(ScheduleMoments.of(net).difference, exact, rel_tol=1e-9, abs_tol=1e-9 * power[4])


def test_the_difference_is_that_from_the_kept_part():
    net = ResNet(width=3, depth=2, alpha=0.7, hidden_width=4, skip=-0.8, schedule=(1.0, 0.5))
    sample = simulate(net, replicas=3, seed=5, engine="dense")
    for j, row in enumerate(_layers.kept_difference(net)(sample)):
        own = weights(net, replica=j, seed=5)
        h = h_0 = own.A @ own.x
        for a, V, W in zip(own.alphas, own.V, own.W, strict=True):
            h = own.skip * h + a * V @ np.maximum(W @ h, 0.0)
        assert math.isclose(row, np.sum((h - 0.64 * h_0) ** 2) / np.sum(h_0**2), rel_tol=1e-4)


@pytest.mark.parametrize("layer", [1, 2])
def test_gates_are_derivatives(layer):
    net = ResNet(width=3, depth=2, alpha=0.6, hidden_width=6, skip=0.8, input_dim=3)
    sample = simulate(net, replicas=20, seed=3, engine="dense", gate_gradients=True)
    rows = _gradients._gate_of(layer)(sample)
    exact = []
    for j in range(20):
        own = weights(net, replica=j, seed=3)
        h = h_0 = own.A @ own.x
        branches, masks = [], []
        for a, V, W in zip(own.alphas, own.V, own.W, strict=True):
            branches.append(V @ np.maximum(W @ h, 0.0))
            masks.append(W @ h > 0)
            h = own.skip * h + a * branches[-1]
        p = own.readout
        if layer == 1:
            p = own.skip * p + own.alphas[1] * own.W[1].T @ (masks[1] * (own.V[1].T @ p))
        exact.append((p @ branches[layer - 1]) ** 2 / (h_0 @ h_0) / (own.readout @ own.readout))
    np.testing.assert_allclose(rows, exact, rtol=1e-4, atol=1e-8)


def test_means_over_directions():
    for width in (2, 3, 9):
        assert _growth._isotropic_mean(width, lambda c: c) == pytest.approx(0.0, abs=1e-12)
        assert _growth._isotropic_mean(width, lambda c: c * c) == pytest.approx(1.0 / width, rel=1e-9)
    assert _growth._isotropic_mean(2, lambda c: math.log(0.5 + 0.5 * c)) == pytest.approx(
        -2.0 * math.log(2.0), rel=1e-6
    )
