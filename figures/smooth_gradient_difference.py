"""Figure 5: ‖p_0 - p_L‖/‖p_L‖ against depth for smooth weights, β = 2, 1/2, 1."""

from __future__ import annotations

from figures._figure import FigureDefinition
from figures._smooth_panels import gradient_panels

_PANELS = gradient_panels(
    column="log_gradient_difference",
    label=r"$\Vert p_0 - p_L\Vert \,/\, \Vert p_L\Vert$",
    quantity="‖p_0−p_L‖²/‖p_L‖",
)

FIGURE = FigureDefinition(
    name="5",
    title="Smooth weights, gradients: distance from the end against depth",
    caption=(
        "Distance of the gradient at the first hidden state from that at the last one, relative to the "
        "latter, for the same networks as Figure 4. The regimes are those of hidden states, but the laws "
        "are not the same as they are for independent layers (Figure 3): the root mean square to first "
        "order in the scaling (red, width 40) is 12 % smaller here. At β = 1 the next orders add a little, "
        "so that the points lie above it. Grey: for normalised increments of the process, where it is 6 % "
        "larger than that of hidden states. Depths and scalings share their weights: from depth 120 on the "
        "points of a panel are nearly one measurement. No theory is drawn for β = 1/2, where the first order "
        "says nothing."
    ),
    paper=(
        "As in the paper: gradients show the regimes of Figure 4. Weights are those said there. Added: the "
        "root mean square of first order, which is 12 % below that of hidden states."
    ),
    points=_PANELS.points,
    draw=_PANELS.draw,
    checks=_PANELS.checks,
)
