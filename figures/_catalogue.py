"""The figures by name. A new one is a file with a `FIGURE` and a line here."""

from __future__ import annotations

import difflib
import importlib

from figures._figure import FigureDefinition
from montecarlo import InvalidFieldError

FIGURES: dict[str, str] = {
    "1": "figures.hidden_difference",
    "2": "figures.norm_histograms",
    "3": "figures.gradient_difference",
    "4": "figures.smooth_hidden_difference",
    "5": "figures.smooth_gradient_difference",
    "6": "figures.fractional_paths",
    "7": "figures.heat_maps",
    "small-width": "figures.small_width",
    "activations": "figures.activations",
    "convergence": "figures.convergence",
    "growth": "figures.fractional_growth",
    "contraction": "figures.antipersistent_contraction",
    "strong-order": "figures.strong_order",
    "normalised": "figures.normalised",
    "schedules": "figures.schedules",
    "post-activation": "figures.post_activation",
    "spectrum": "figures.spectrum",
    "kernel": "figures.kernel",
    "cosines": "figures.cosines",
    "transformers": "figures.transformers",
}
"""Name of a figure to the module that holds it; these are drawn together where no name is given."""

TRAINED: dict[str, str] = {
    "8": "figures.trained_weights",
    "9": "figures.trained_accuracy",
}
"""The figures of trained networks, drawn by name alone: they take minutes, and the extra `training`."""


def find_figure(name: str) -> FigureDefinition:
    """Return the figure of a name.

    Raises
    ------
    InvalidFieldError
        For an unknown name.

    Examples
    --------
    >>> find_figure("1").title
    'Hidden states: distance from the start against depth'
    """
    known = FIGURES | TRAINED
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        fix = f"did you mean {near[0]}?" if near else "leave NAME out for those of random networks"
        raise InvalidFieldError("NAME", name, f"must be one of {', '.join(known)}", fix)
    return importlib.import_module(known[name]).FIGURE
