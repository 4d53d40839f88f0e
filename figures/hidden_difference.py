"""Figure 1: ‖h_L - h_0‖/‖h_0‖ against depth for β = 1, 1/4, 1/2."""

from __future__ import annotations

from figures._figure import FigureDefinition
from figures._independent_panels import independent_panels

_PANELS = independent_panels(
    column="log_hidden_difference",
    label=r"$\Vert h_L - h_0\Vert \,/\, \Vert h_0\Vert$",
    quantity="‖h_L−h_0‖²/‖h_0‖",
)

FIGURE = FigureDefinition(
    name="1",
    title="Hidden states: distance from the start against depth",
    caption=(
        "Distance of the last hidden state from the first one, relative to the latter, for res-3 networks "
        "of width 40 with uniform weights, 50 networks a depth, as many as the paper has (quick and paper "
        "settings are the same here); six depths between 10 and 120 are added to the paper's ten. With β = 1 "
        "the network tends to the identity, with β = 1/4 it explodes, with β = 1/2 the distance settles at a "
        "non-degenerate law. Root mean squares follow the exact value at every depth (red); an arrow marks "
        "an interval without upper end, where a few networks carry the mean square. Black: the limit of "
        "large depth, of the median (β = 1), the typical size (β = 1/4) or the root mean square (β = 1/2). "
        "Depths and scalings share their weights (common random numbers)."
    ),
    points=_PANELS.points,
    draw=_PANELS.draw,
    checks=_PANELS.checks,
)
