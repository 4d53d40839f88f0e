"""Experiments of tokens, T1 to T4. `make mutants` has their mutants.

Sequential tests at a fixed seed: a true theorem is refuted with probability at most 1e-6 a run.
"""

from dataclasses import replace

import numpy as np
import pytest

from montecarlo.verification import run_experiments
from montecarlo.verification._catalogue import chosen_experiments
from montecarlo.verification._experiment import NetworkExperiment, NumberExperiment, describe
from montecarlo.verification.experiments import experiments_of, mutants_of
from theory.catalogue import THEOREMS

IDS = [id for id in THEOREMS if id[0] == "T"]
EXPERIMENTS = [experiment for id in IDS for experiment in experiments_of(id)]


@pytest.mark.statistical
@pytest.mark.parametrize("experiment", EXPERIMENTS, ids=lambda experiment: experiment.label)
def test_experiment_is_consistent(experiment):
    """At five times the resolution; false alarm 1e-6 each."""
    coarse = replace(
        experiment, resolution=5.0 * experiment.resolution, first_rows=min(500, experiment.first_rows)
    )
    assert run_experiments([coarse], seed=11, threads=1).verdict == "consistent"


@pytest.mark.statistical
@pytest.mark.parametrize("id", ["T1", "T1c", "T3", "T4b"])
def test_a_wrong_statement_is_refuted(id):
    wrong = mutants_of(id)[0].experiment
    assert run_experiments([wrong], seed=12, threads=1, budget=30).verdict == "refuted"


@pytest.mark.parametrize("id", ["T1", "T2", "T4c"])
def test_rows_do_not_depend_on_how_they_are_cut(id):
    experiment = experiments_of(id)[0]
    assert isinstance(experiment, NetworkExperiment)
    whole = experiment.rows(7, 3, 20, 1)
    parts = [experiment.rows(7, 3, 8, 1), experiment.rows(7, 11, 12, 1)]
    np.testing.assert_array_equal(whole, np.concatenate(parts))


def test_transformers_are_described():
    (record,) = describe(experiments_of("T4")[0])
    assert record["block"] == "transformer"
    assert record["width"] == 512


def test_clipped_rows_say_so_and_cosines_end_at_one() -> None:
    clipped = [
        e for e in chosen_experiments(None)
        if e.theorem in ("S5", "T4", "T4b", "T4c", "J4b") and isinstance(e, NumberExperiment)
    ]  # fmt: skip
    assert len(clipped) >= 16
    for each in clipped:
        low, high = each.sequence(0.1).interval  # type: ignore[attr-defined]
        assert f"clipped to [{low:.2f}, {high:.2f}]" in each.quantity, each.label
        assert high <= 1.0 or "cos" not in each.quantity.split(" at ")[0] or each.theorem == "T4c"
