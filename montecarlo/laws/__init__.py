"""Weight laws: one file each, two kernels a law; `montecarlo.laws._interface` says what they compute."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Any

from montecarlo.common._errors import unknown_name


@dataclass(frozen=True)
class WeightLaw:
    """A law of independent, symmetric, unit-variance weights.

    Parameters
    ----------
    name : str
        As in ``ResNet(weights=...)``.
    module : str
        Where its kernels `project` and `combine` are; imported (and compiled) on first use.
    cost : float
        Rough nanoseconds a weight on one core, for the sizes of blocks.
    gaussian : bool
        Whether the entries are normal (several exact laws need it).
    vanishes : bool
        Whether a layer can map a state to exactly zero with positive probability.
    """

    name: str
    module: str
    cost: float
    gaussian: bool = False
    vanishes: bool = False

    def kernels(self) -> tuple[Any, Any]:
        """Return the compiled ``(project, combine)``."""
        module = importlib.import_module(self.module)
        return module.project, module.combine


LAWS: dict[str, WeightLaw] = {
    law.name: law
    for law in (
        WeightLaw("gaussian", "montecarlo.laws._gaussian", 0.7, gaussian=True),
        WeightLaw("rademacher", "montecarlo.laws._rademacher", 0.12, vanishes=True),
        WeightLaw("uniform", "montecarlo.laws._uniform16", 0.22),
        WeightLaw("uniform:24", "montecarlo.laws._uniform24", 0.4),
    )
}
"""The weight laws known by name; `uniform` has 2**16 levels, `uniform:24` has 2**24."""


def find_law(name: str) -> WeightLaw:
    """Return the weight law of a name.

    Raises
    ------
    InvalidFieldError
        For an unknown name; the message lists the known ones.

    Examples
    --------
    >>> find_law("gaussian").gaussian
    True
    """
    law = LAWS.get(str(name))
    if law is None:
        raise unknown_name("weights", name, LAWS)
    return law
