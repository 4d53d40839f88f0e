"""Experiments of several inputs, C1 to C4. `make mutants` has their mutants refuted; here are two of them.

Sequential tests at a fixed seed: a true theorem is refuted with probability at most 1e-6 a run.
"""

from dataclasses import replace

import numpy as np
import pytest

from montecarlo.verification import run_experiments
from montecarlo.verification.experiments import experiments_of, mutants_of
from theory.catalogue import THEOREMS, Facts

IDS = [id for id in THEOREMS if id[0] == "C"]
EXPERIMENTS = [experiment for id in IDS for experiment in experiments_of(id)]
each = pytest.mark.parametrize("experiment", EXPERIMENTS, ids=lambda experiment: experiment.label)


@pytest.mark.statistical
@each
def test_experiment_is_consistent(experiment):
    """At five times the resolution; false alarm 1e-6 each."""
    coarse = replace(experiment, resolution=5.0 * experiment.resolution, first_rows=500)
    assert run_experiments([coarse], seed=11, threads=1).verdict == "consistent"


@pytest.mark.statistical
@pytest.mark.parametrize("name", ["S5, the limit of wide networks", "exponent −1/d"])
def test_the_limits_of_wide_networks_are_refuted(name):
    (mutant,) = [mutant for id in ("C1", "C2") for mutant in mutants_of(id) if mutant.name == name]
    assert run_experiments([mutant.experiment], seed=11, threads=1).verdict == "refuted"


@each
def test_rows_do_not_depend_on_how_they_are_cut(experiment):
    whole = experiment.rows(7, 3, 20, 1)
    parts = [experiment.rows(7, 3, 8, 1), experiment.rows(7, 11, 12, 1)]
    np.testing.assert_array_equal(whole, np.concatenate(parts))


@each
def test_networks_fulfil_the_hypotheses_of_their_theorem(experiment):
    net = experiment.resnet
    facts = Facts(
        block=net.block, width=net.width, depth=net.depth, activation=net.activation, beta=0.5,
        bias_std=net.bias_std, hidden_width=net.hidden_width, limits=("depth",),
    )  # fmt: skip
    assert not THEOREMS[experiment.theorem].applies(facts)


@each
def test_clipped_rows_lose_nothing(experiment):
    rows = experiment.rows(5, 0, 2000, 1)
    low, high = rows.min(), rows.max()
    # Fewer than one row in a thousand at either end, or a cosine.
    assert ((rows == low).mean() < 1e-3 and (rows == high).mean() < 1e-3) or high <= 1.0
