"""Figure 3: ‖p_0 - p_L‖/‖p_L‖ against depth for β = 1, 1/4, 1/2, p the gradient of the loss in the hidden
states.
"""

from __future__ import annotations

from figures._figure import FigureDefinition
from figures._independent_panels import independent_panels

_PANELS = independent_panels(
    column="log_gradient_difference",
    label=r"$\Vert p_0 - p_L\Vert \,/\, \Vert p_L\Vert$",
    quantity="‖p_0−p_L‖²/‖p_L‖",
)

FIGURE = FigureDefinition(
    name="3",
    title="Gradients: distance from the end against depth",
    caption=(
        "Distance of the gradient at the first hidden state from that at the last one, relative to the "
        "latter, for the same networks as Figure 1. Gradients behave as hidden states do: their law is the "
        "same (duality, I4), and so are the exact root mean squares."
    ),
    points=_PANELS.points,
    draw=_PANELS.draw,
    checks=_PANELS.checks,
)
