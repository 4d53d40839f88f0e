"""What holds of the experiments and mutants of every statement, whatever its chapter."""

import pytest

from montecarlo.verification.experiments import experiments_of, mutants_of
from theory.catalogue import THEOREMS


@pytest.mark.parametrize("id", THEOREMS)
def test_it_has_experiments_and_mutants_of_both_kinds_and_names_of_their_own(id):
    labels = [experiment.label for experiment in experiments_of(id)]
    assert labels
    assert len(set(labels)) == len(labels)
    kinds = [mutant.kind for mutant in mutants_of(id)]
    assert kinds.count("theory") >= 2
    assert kinds.count("simulator") >= 1
    names = [(mutant.experiment.label, mutant.name) for mutant in mutants_of(id)]
    assert len(set(names)) == len(names)
