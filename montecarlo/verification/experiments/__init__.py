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

_MODULES = {
    "independent._moments": "I1 I2 I2b I3",
    "independent._gradients": "I4 I4b I5",
    "independent._exact_law": "I6 I7",
    "independent._critical": "I8 I9 I9b",
    "independent._regimes": "I10 I10b I11",
    "diffusion._orders": "S1",
    "diffusion._limit_laws": "S2 S3 S6",
    "diffusion._wide": "S4 S5",
    "smooth._order": "O1",
    "smooth._ode": "O2 O3 O4 O4b",
    "correlated._fractional": "F1 F2 F2b F2c F3 F3b",
    "correlated._wide": "F2d",
    "correlated._young": "F4 F4b",
    "normalised._walks": "N1 N1b N1L N2 N3 N11",
    "normalised._gradients": "N5 N6 N6L N7 N8 N9b N12",
    "normalised._placements": "N9 N10",
    "normalised._ngpt": "N10",
    "normalised._jacobians": "J0",
    "schedules._moments": "G1",
    "schedules._law": "G1b G1c G2",
    "schedules._gradients": "G3 G4",
    "schedules._euler": "G5",
    "schedules._deepnorm": "G6",
    "post_activation._growth": "P1 P2",
    "post_activation._gradients": "P3",
    "jacobians._volumes": "J1 J1b",
    "jacobians._lyapunov": "J2",
    "jacobians._spread": "J3",
    "jacobians._tangent_kernel": "J4",
    "jacobians._two_inputs": "J4b",
    "normalised._two_inputs": "N4",
    "inputs._cosines": "C1 C2",
    "inputs._gram": "C3 C4",
    "schedules._one_matrix": "G7 G7b",
    "tokens._attention": "T1 T1b T1c T2",
    "tokens._stream": "T3 T3b T3c",
    "tokens._wide": "T4 T4b T4c",
}
"""The theorems of each module: predictions take seconds, and only those that are asked for are computed."""


@cache
def _collect(name: str, kind: Literal["experiments", "mutants"]) -> dict[str, list[Any]]:
    """Return what a module has of a kind, by theorem."""
    found: dict[str, list[Any]] = {id: [] for id in _MODULES[name].split()}
    for each in getattr(importlib.import_module(f"{__name__}.{name}"), kind)():
        found[(each if kind == "experiments" else each.experiment).theorem].append(each)
    return found


def _of(theorem: str, kind: Literal["experiments", "mutants"]) -> list[Any]:
    modules = [name for name, ids in _MODULES.items() if theorem in ids.split()]
    return [each for name in modules for each in _collect(name, kind)[theorem]]


def experiments_of(theorem: str) -> list[Experiment]:
    """Return the experiments of a theorem's id."""
    return _of(theorem, "experiments")


def mutants_of(theorem: str) -> list[Mutant]:
    """Return wrong variants of a theorem or of its simulator, each of which must be refuted."""
    return _of(theorem, "mutants")
