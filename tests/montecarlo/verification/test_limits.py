"""Experiments of limits and inequalities, S1 to S6, O1 to O4, F1 to F4. `make mutants` has their mutants."""

from dataclasses import replace

import numpy as np
import pytest

from montecarlo.verification import run_experiments
from montecarlo.verification.experiments import experiments_of
from theory.catalogue import THEOREMS

IDS = [id for id in THEOREMS if id[0] in "SOF"]
EXPERIMENTS = [experiment for id in IDS for experiment in experiments_of(id)]
SOURCES = [experiment for experiment in EXPERIMENTS if hasattr(experiment, "source")]


@pytest.mark.parametrize("experiment", SOURCES, ids=lambda experiment: experiment.label)
def test_rows_do_not_depend_on_how_they_are_cut(experiment):
    whole = experiment.rows(7, 3, 20, 1)
    parts = [experiment.rows(7, 3, 8, 1), experiment.rows(7, 11, 12, 1)]
    np.testing.assert_array_equal(whole, np.concatenate(parts))


@pytest.mark.statistical
@pytest.mark.parametrize("experiment", EXPERIMENTS, ids=lambda experiment: experiment.label)
def test_experiment_is_consistent(experiment):
    """At five times the resolution; false alarm 1e-6 each."""
    coarse = replace(experiment, resolution=5.0 * experiment.resolution, first_rows=500)
    assert run_experiments([coarse], seed=11, threads=1).verdict == "consistent"
