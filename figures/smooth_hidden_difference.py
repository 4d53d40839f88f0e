"""Figure 4: ‖h_L - h_0‖/‖h_0‖ against depth for smooth weights, β = 2, 1/2, 1."""

from __future__ import annotations

from figures._figure import FigureDefinition
from figures._smooth_panels import hidden_panels

_PANELS = hidden_panels(
    column="log_hidden_difference",
    label=r"$\Vert h_L - h_0\Vert \,/\, \Vert h_0\Vert$",
    quantity="‖h_L−h_0‖²/‖h_0‖",
)

FIGURE = FigureDefinition(
    name="4",
    title="Smooth weights, hidden states: distance from the start against depth",
    caption=(
        "As Figure 1, for weights that vary smoothly along depth: each entry is a path of a Gaussian process "
        "with squared-exponential covariance of variance 0.01, and every network has paths of its own (50 "
        "networks a depth, width 40). The critical scaling moves from 1/2 to 1, where the network "
        "discretises an ordinary differential equation. With β = 2 the distance falls like 1/L: the "
        "identity. With β = 1/2 it explodes, nearly exponentially in L at these depths. With β = 1 it stays "
        "where it is, as the equation does. Red: the root mean square to first order in the scaling, right "
        "for every width (β = 2, solid), or that of wide networks at every order (β = 1/2 and 1, "
        "dash-dotted). Dotted: the limit of large depth of the first order, 0.301 L^(1−β) (O2); at β = 1 the "
        "next orders add 2 %. Grey: the same theory for normalised increments of the process, whose limit "
        "is 0.199 L^(1−β). Arrows: intervals without upper end, where a few networks carry the mean square. "
        "Depths and scalings share their weights: from depth 120 on the points of a panel are nearly one "
        "measurement."
    ),
    paper=(
        "As in the paper: the critical scaling is β = 1. The code published with the paper first took "
        "normalised increments of the process (grey), and later, as a correction, the process itself, which "
        "is what networks have here."
    ),
    points=_PANELS.points,
    draw=_PANELS.draw,
    checks=_PANELS.checks,
)
