"""The experiments of the catalogue's theorems, a module a family: each has `EXPERIMENTS` and `MUTANTS`."""

from __future__ import annotations

import importlib
from functools import cache

from montecarlo.verification._experiment import Experiment
from montecarlo.verification._mutant import Mutant
from theory.catalogue import THEOREMS

_MODULES = (
    "_moments", "_gradients", "_exact_law", "_critical", "_regimes", "_orders", "_wide", "_diffusion",
    "_smooth", "_fractional",
)  # fmt: skip


@cache
def _collect() -> tuple[dict[str, list[Experiment]], dict[str, list[Mutant]]]:
    experiments: dict[str, list[Experiment]] = {id: [] for id in THEOREMS}
    mutants: dict[str, list[Mutant]] = {id: [] for id in THEOREMS}
    for name in _MODULES:
        module = importlib.import_module(f"{__name__}.{name}")
        for experiment in module.experiments():
            experiments[experiment.theorem].append(experiment)
        for mutant in module.mutants():
            mutants[mutant.experiment.theorem].append(mutant)
    return experiments, mutants


def experiments_of(theorem: str) -> list[Experiment]:
    """Return the experiments of a theorem's id."""
    return _collect()[0][theorem]


def mutants_of(theorem: str) -> list[Mutant]:
    """Return wrong variants of a theorem or of its simulator, each of which must be refuted."""
    return _collect()[1][theorem]
