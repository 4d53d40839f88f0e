"""`Mutant`: an experiment whose theorem or simulator is wrong on purpose; verification must refute it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from montecarlo.verification._experiment import Experiment


@dataclass(frozen=True)
class Mutant:
    """A wrong variant.

    Parameters
    ----------
    name : str
        What is wrong, in a few words.
    kind : {"theory", "simulator"}
        Where.
    experiment : Experiment
        The experiment with the error in it.
    """

    name: str
    kind: Literal["theory", "simulator"]
    experiment: Experiment
