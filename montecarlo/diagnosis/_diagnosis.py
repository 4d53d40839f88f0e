"""`Diagnosis`: what was found of one network, as text and HTML."""

from __future__ import annotations

from dataclasses import dataclass

from montecarlo.common import _html
from montecarlo.diagnosis import _text as words
from montecarlo.diagnosis._findings import Findings


@dataclass(frozen=True, eq=False, repr=False)
class Diagnosis(Findings):
    """What `diagnose` found; printed, it is a table.

    Parameters
    ----------
    resnet : ResNet
        The network.
    regime : Regime
        Its scaling beside the critical one.
    hidden, gradient : Prediction
        Theory for ‖h_L‖/‖h_0‖ and ‖p_0‖/‖p_L‖.
    ranges : tuple of FloatRange
        Chances of leaving float formats, forward and backward.
    check : Check
        The simulation beside them.
    gradient_norm : float
        ‖p_L‖ for which `ranges` holds.
    sample : Sample or None
        The networks behind `check`.
    """

    def _repr_html_(self) -> str:
        agreement = {True: "agrees", False: "disagrees", None: "nothing to test"}[self.agrees]
        head = [
            ("network", words.network_words(self.resnet)),
            ("regime", f"{self.regime.name}: {self.regime.words}"),
            ("scaling", words.scaling_words(self)),
            ("simulation", agreement),
            ("", words.check_words(self)),
        ]
        parts = [_html.record("Diagnosis", head), _html.table("ratios of norms", words.ratio_rows(self))]
        if self.ranges:
            parts.append(_html.table("float range", words.range_rows(self)))
        return "".join(parts)

    def __repr__(self) -> str:
        return f"Diagnosis({self.resnet!r}, regime={self.regime.name!r}, agrees={self.agrees})"

    def __str__(self) -> str:
        return words.text(self)
