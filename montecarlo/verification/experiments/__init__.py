"""The experiments of the catalogue's theorems, a module a family: each has `experiments` and `mutants`.

Networks of finite depth are not quite what a limit says. Where theory knows the number at this depth, that
is the prediction. Elsewhere its distance from the limit was measured with four times the networks of a run:
where it exceeds a sixth of the resolution (for laws always) it is an `allowance` (a `distance`) of the
experiment and counts towards the resolution. Below a sixth, a true limit is refuted before its resolution is
reached with probability 1e-9 at most: half a width of a sequence is about 7.5 deviations of its estimate, of
which the distance leaves six.
"""

from __future__ import annotations

import importlib
from functools import cache
from typing import Any, Literal

from montecarlo.verification._experiment import Experiment
from montecarlo.verification._mutant import Mutant
from theory.catalogue import THEOREMS

_MODULES = (
    "independent._moments", "independent._gradients", "independent._exact_law", "independent._critical",
    "independent._regimes", "diffusion._orders", "diffusion._limit_laws", "diffusion._wide", "smooth._order",
    "smooth._ode", "correlated._fractional", "correlated._wide", "correlated._young", "normalised._walks",
    "normalised._gradients", "normalised._placements", "normalised._ngpt", "normalised._jacobians",
    "schedules._moments", "schedules._law", "schedules._gradients", "schedules._euler", "schedules._deepnorm",
    "post_activation._growth", "post_activation._gradients", "jacobians._volumes", "jacobians._lyapunov",
    "jacobians._spread", "jacobians._tangent_kernel", "jacobians._two_inputs", "normalised._two_inputs",
    "inputs._cosines", "inputs._gram", "schedules._one_matrix", "tokens._attention", "tokens._stream",
    "tokens._wide",
)  # fmt: skip


@cache
def _collect(kind: Literal["experiments", "mutants"]) -> dict[str, list[Any]]:
    """Return what the modules have of a kind, by theorem; their predictions take seconds."""
    found: dict[str, list[Any]] = {id: [] for id in THEOREMS}
    for name in _MODULES:
        module = importlib.import_module(f"{__name__}.{name}")
        for each in getattr(module, kind)():
            found[(each if kind == "experiments" else each.experiment).theorem].append(each)
    return found


def experiments_of(theorem: str) -> list[Experiment]:
    """Return the experiments of a theorem's id."""
    return _collect("experiments")[theorem]


def mutants_of(theorem: str) -> list[Mutant]:
    """Return wrong variants of a theorem or of its simulator, each of which must be refuted."""
    return _collect("mutants")[theorem]
